// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * memstate NAME: put this process into the memory state NAME, say so, and stay
 * there until SIGTERM, SIGINT, SIGHUP or the end of stdin. See README.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memstate.h"

static int signals_hold(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die("signalfd");
	return fd;
}

/*
 * The end of stdin means nothing where a shell gave a background job /dev/null:
 * there the end of the parent ends us.
 */
static bool stdin_controls(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) || S_ISREG(st.st_mode))
		return false;
	return !S_ISCHR(st.st_mode) || isatty(STDIN_FILENO);
}

/* Something to read on stdin is eaten; only its end ends us. */
static void wait_for_end(int signals, bool control)
{
	struct pollfd fds[] = {{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
	char byte;

	for (;;) {
		if (poll(fds, control ? 2 : 1, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[0].revents)
			return;
		if (fds[1].revents && read(STDIN_FILENO, &byte, 1) <= 0)
			return;
	}
}

int main(int argc, char **argv)
{
	const struct state *state;
	bool control;
	int signals;

	if (argc == 2 && !strcmp(argv[1], "--guardian"))
		return guardian_main();
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		state_list();
		return 0;
	}
	state = argc == 2 ? state_find(argv[1]) : NULL;
	if (!state) {
		fprintf(stderr, "use: memstate NAME | --list\n");
		return EXIT_FRAMEWORK;
	}
	signals = signals_hold();
	control = stdin_controls();
	if (!control && prctl(PR_SET_PDEATHSIG, SIGTERM))
		die("prctl");
	cpu_keep();
	state->make();
	report_print();
	wait_for_end(signals, control);
	children_end();
	guardian_end();
	return 0;
}
