// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE 1

#include "confined.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmatlas/base/cleanup.h"

void confined_write(int out, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(out, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);
		p += n;
		len -= (size_t)n;
	}
}

static void limit(int resource, uint64_t value)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return;
	if (now.rlim_max == RLIM_INFINITY || value < now.rlim_max)
		now.rlim_max = value;
	now.rlim_cur = now.rlim_max;
	setrlimit(resource, &now);
}

/* The address sanitizer has terabytes of shadow memory: no limit then. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_MEMORY false
#elif defined(__has_feature)
#define LIMIT_MEMORY (!__has_feature(address_sanitizer))
#else
#define LIMIT_MEMORY true
#endif

static void child(void (*run)(void *ctx, int out), void *ctx, const struct confined_limits *limits,
		  int out, pid_t parent)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGXCPU };
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], SIG_DFL);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);	/* libraries that complain do it in silence */
	/* Whatever library runs here: it must not ask the network. */
	unsetenv("DEBUGINFOD_URLS");
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CPU, limits->seconds);
	if (limits->no_files)
		limit(RLIMIT_NOFILE, 0);
	if (LIMIT_MEMORY)
		limit(RLIMIT_DATA, limits->memory);
	run(ctx, out);
	_exit(0);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the child closes its end, the time is up or it wrote too much. */
static int collect(int in, const struct confined_limits *limits, struct buf *output)
{
	int64_t end = now_ms() + (int64_t)limits->seconds * 1000;
	size_t left = limits->output;
	char data[4096];

	while (left) {
		struct pollfd p = { in, POLLIN, 0 };
		int64_t wait = end - now_ms();
		ssize_t n;

		if (wait <= 0 || !poll(&p, 1, (int)wait))
			return -ERROR_LIMIT;
		n = read(in, data, left < sizeof(data) ? left : sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -ERROR_SYSTEM : 0;
		if (buf_add(output, data, (size_t)n) < 0)
			return -ERROR_NOMEM;
		left -= (size_t)n;
	}
	return -ERROR_LIMIT;
}

int confined_run(void (*run)(void *ctx, int out), void *ctx, const struct confined_limits *limits,
		 struct buf *output, struct error *error)
{
	pid_t parent = getpid(), pid;
	int pipes[2], status = 0, ret;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_errno(error, errno, NULL, "pipe");
	pid = fork();
	if (!pid) {
		/* Not on 0..2: those are closed. */
		int out = fcntl(pipes[1], F_DUPFD_CLOEXEC, 3);

		child(run, ctx, limits, out, parent);
	}
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return error_errno(error, errno, NULL, "fork");
	}
	ret = collect(pipes[0], limits, output);
	close(pipes[0]);
	if (ret < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ret == -ERROR_NOMEM)
		return error_nomem(error);
	if (ret < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		return error_set(error, ERROR_DAMAGED, NULL, "a helper crashed or took too much");
	return 0;
}
