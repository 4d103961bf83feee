// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * access NAME: build a state, name one address of it, wait for "go" on stdin,
 * then read, write or execute there and report what happened. See README.md.
 *
 *   ready pid=N addr=0x... access=read|write|exec
 *   expect EFFECT
 *   result signal=0|SEGV|BUS code=N minflt=N majflt=N frame_before=0x.. frame_after=0x..
 *          monitor=0|1 grown=0|1 seen=EFFECT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "access.h"

static const char *const access_words[] = {
	[ACCESS_READ] = "read",
	[ACCESS_WRITE] = "write",
	[ACCESS_EXEC] = "exec",
};

static const struct situation *situation_find(const char *name)
{
	for (const struct situation *s = situations; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

/* Any run of any state: access STATE RUN read|write|exec */
static bool situation_any(char **argv, struct situation *out)
{
	*out = (struct situation){.name = argv[0], .state = argv[0], .run = atoi(argv[1])};
	for (int i = ACCESS_READ; i <= ACCESS_EXEC; i++) {
		out->access = i;
		if (!strcmp(argv[2], access_words[i]))
			return true;
	}
	return false;
}

/* The effect that the factory claims: "next_write=copy" of the run's attributes */
static const char *effect_claimed(const struct run *run, enum access access)
{
	static char effect[32];
	char key[24];
	const char *found;

	snprintf(key, sizeof(key), "next_%s=", access_words[access]);
	found = run->attrs ? strstr(run->attrs, key) : NULL;
	if (!found)
		return NULL;
	snprintf(effect, sizeof(effect), "%s", found + strlen(key));
	effect[strcspn(effect, " ")] = '\0';
	return effect;
}

static void list(void)
{
	for (const struct situation *s = situations; s->name; s++)
		printf("%-28s %s\n", s->name, access_words[s->access]);
}

static bool wait_for_go(void)
{
	char line[16];

	return fgets(line, sizeof(line), stdin) && !strcmp(line, "go\n");
}

static void report(const struct outcome *seen)
{
	printf("result signal=%s code=%d minflt=%ld majflt=%ld frame_before=0x%" PRIx64
	       " frame_after=0x%" PRIx64 " monitor=%d grown=%d seen=%s\n",
	       seen->signal == SIGSEGV ? "SEGV" : seen->signal == SIGBUS ? "BUS" : "0",
	       seen->code, seen->minor, seen->major, seen->frame_before, seen->frame_after,
	       seen->monitor, seen->grown, outcome_effect(seen));
	fflush(stdout);
}

static int run_situation(const struct situation *situation)
{
	const struct state *state = state_find(situation->state);
	struct outcome outcome = {.access = situation->access};
	const struct run *run;
	const char *effect;

	errno = ENOENT;
	if (!state)
		die(situation->state);
	cpu_keep();
	state->make();
	run = run_get(situation->run);
	effect = run && run->pid == getpid() ? effect_claimed(run, situation->access) : NULL;
	if (!effect)
		skip("%s claims nothing about this access", situation->state);
	outcome.addr = run->start;
	access_prepare(&outcome);
	printf("ready pid=%d addr=0x%" PRIx64 " access=%s\nexpect %s\n", getpid(), run->start,
	       access_words[situation->access], effect);
	fflush(stdout);
	if (wait_for_go()) {
		access_perform(&outcome);
		report(&outcome);
	}
	children_end();
	guardian_end();
	return strcmp(outcome_effect(&outcome), effect) != 0;
}

int main(int argc, char **argv)
{
	const struct situation *situation = NULL;
	struct situation any;

	if (argc == 2 && !strcmp(argv[1], "--guardian"))
		return guardian_main();
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list();
		return 0;
	}
	if (argc == 4 && situation_any(argv + 1, &any))
		situation = &any;
	else if (argc == 2)
		situation = situation_find(argv[1]);
	if (!situation) {
		fprintf(stderr, "use: access NAME | STATE RUN read|write|exec | --list\n");
		return EXIT_FRAMEWORK;
	}
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		die("prctl");
	return run_situation(situation);
}
