// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "stop.h"
#include "vmatlas/parse/stat.h"

/* The same on every architecture. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* We may hang, or be stopped ourselves: then the guardian does not wait for ever. */
#define GUARDIAN_MS 120000
/* So long all may take together until they stand still. */
#define SETTLE_US 1000000u
#define SETTLE_STEP_US 500u
#define SPARE_FDS 64u
#define ANCESTORS_MAX 1024u

static int pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int pidfd_signal(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static void raise_limit(size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= count + SPARE_FDS)
		return;
	limit.rlim_cur = limit.rlim_max < count + SPARE_FDS ? limit.rlim_max : count + SPARE_FDS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The pidfd was opened before: if the process with this number is the one that was chosen, the
 * pidfd is of it. */
static bool may_stop(struct cli *cli, const struct selected *selected, struct stop *stop)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	if (source_pid_text(cli->source, selected->pid, SOURCE_STAT, &text, NULL) < 0 ||
	    stat_parse(buf_span(&text), &stat, NULL) < 0 ||
	    stat.start_time != selected->start_time)
		return false;
	stop->before += stat.state == 'T' || stat.state == 't';
	return stat.state != 'T' && stat.state != 't';
}

/* What must run on for us to run on. */
struct spared {
	pid_t pids[ANCESTORS_MAX + 2];	/* our tracer or 0, we, our parent, its parent ... */
	size_t count;
};

/* Who traces us must not stand still, or we do for ever: "TracerPid:\t42". */
static pid_t own_tracer(struct cli *cli)
{
	static const char key[] = "\nTracerPid:";
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const char *at;

	if (source_pid_text(cli->source, getpid(), SOURCE_STATUS, &text, NULL) < 0)
		return 0;
	at = strstr(buf_str(&text), key);
	return at ? (pid_t)strtol(at + sizeof(key) - 1, NULL, 10) : 0;
}

/* 0: none, or it is not in our PID namespace, or hidden (hidepid). */
static pid_t parent_of(struct cli *cli, pid_t pid)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	if (source_pid_text(cli->source, pid, SOURCE_STAT, &text, NULL) < 0 ||
	    stat_parse(buf_span(&text), &stat, NULL) < 0)
		return 0;
	return (pid_t)stat.ppid;
}

static void find_spared(struct cli *cli, struct spared *spared)
{
	pid_t pid = getpid();

	spared->pids[0] = own_tracer(cli);
	for (spared->count = 1; pid > 0 && spared->count < ARRAY_SIZE(spared->pids);
	     pid = parent_of(cli, pid))
		spared->pids[spared->count++] = pid;
}

static bool is_spared(const struct spared *spared, pid_t pid)
{
	for (size_t i = 0; i < spared->count; i++)
		if (spared->pids[i] == pid)
			return true;
	return false;
}

static int open_one(struct cli *cli, const struct selected *selected, struct stop *stop,
		    struct error *error)
{
	int pidfd;

	pidfd = pidfd_open(selected->pid);
	if (pidfd < 0 && errno == ESRCH)
		return 0;
	if (pidfd < 0 && errno == ENOSYS)
		return error_set(error, ERROR_NOT_IN_KERNEL, "--stop", "this kernel has no "
				 "pidfd_open(2): another process might be hit");
	if (pidfd < 0)
		return error_errno(error, errno, "--stop", "pidfd_open");
	if (!may_stop(cli, selected, stop)) {
		close(pidfd);
		return 0;
	}
	if (pidfd_signal(pidfd, 0) < 0) {
		stop->refused += errno == EPERM;
		close(pidfd);
		return 0;
	}
	stop->pids[stop->count] = selected->pid;
	stop->pidfds[stop->count++] = pidfd;
	return 0;
}

static int open_all(struct cli *cli, const struct selection *selection, struct stop *stop,
		    struct error *error)
{
	struct spared spared;
	int rc = 0;

	find_spared(cli, &spared);
	stop->pidfds = calloc(selection->count, sizeof(*stop->pidfds));
	stop->pids = calloc(selection->count, sizeof(*stop->pids));
	if (!stop->pidfds || !stop->pids)
		return error_nomem(error);
	raise_limit(selection->count);
	for (size_t i = 0; i < selection->count && rc >= 0; i++) {
		const struct selected *selected = &selection->processes[i];

		if (is_spared(&spared, selected->pid))
			stop->spared++;
		else
			rc = open_one(cli, selected, stop, error);
	}
	return rc;
}

static void signal_all(const struct stop *stop, int signal)
{
	for (size_t i = 0; i < stop->count; i++)
		pidfd_signal(stop->pidfds[i], signal);
}

/* Runs in the guardian; never returns. 0: we let go, 1: it gave up. */
static void guard(const struct stop *stop, int lifeline, int ready)
{
	struct pollfd end = { .fd = lifeline, .events = POLLIN };
	sigset_t all;
	int rc;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal_all(stop, SIGSTOP);
	if (write(ready, "s", 1) == 1)
		close(ready);
	rc = poll(&end, 1, GUARDIAN_MS);
	signal_all(stop, SIGCONT);
	_exit(rc > 0 ? 0 : 1);
}

static int start_guardian(struct stop *stop, struct error *error)
{
	int lifeline[2], ready[2];

	if (pipe2(lifeline, O_CLOEXEC) < 0)
		return error_errno(error, errno, "--stop", "pipe");
	if (pipe2(ready, O_CLOEXEC) < 0) {
		close(lifeline[0]);
		close(lifeline[1]);
		return error_errno(error, errno, "--stop", "pipe");
	}
	stop->lifeline = lifeline[1];
	stop->start_us = report_clock_us();
	stop->guardian = fork();
	if (!stop->guardian) {
		close(lifeline[1]);
		close(ready[0]);
		guard(stop, lifeline[0], ready[1]);
	}
	close(lifeline[0]);
	close(ready[1]);
	if (stop->guardian < 0) {
		close(ready[0]);
		stop->guardian = 0;
		return error_errno(error, errno, "--stop", "fork");
	}
	if (read(ready[0], &(char) { 0 }, 1) != 1)
		stop->guardian_lost = true;
	close(ready[0]);
	return 0;
}

static bool stands(char state)
{
	return state == 'T' || state == 't' || state == 'Z' || state == 'X';
}

static bool thread_stands(struct source_process *process, pid_t tid)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	return source_text(process, tid, SOURCE_STAT, &text, NULL) < 0 ||
	       stat_parse(buf_span(&text), &stat, NULL) < 0 || stands(stat.state);
}

/* Each thread stops by itself. One that is gone stands still. */
static bool process_stands(struct cli *cli, pid_t pid)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP_FREE pid_t *tids = NULL;
	size_t count = 0;

	if (source_process_open(cli->source, pid, &process, NULL) < 0 ||
	    source_threads(process, &tids, &count, NULL) < 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (!thread_stands(process, tids[i]))
			return false;
	return true;
}

static void settle(struct cli *cli, struct stop *stop)
{
	uint64_t end = report_clock_us() + SETTLE_US;

	for (size_t i = 0; i < stop->count; i++) {
		while (!process_stands(cli, stop->pids[i]) && report_clock_us() < end)
			usleep(SETTLE_STEP_US);
		if (report_clock_us() >= end && !process_stands(cli, stop->pids[i]))
			stop->late++;
	}
}

int stop_begin(struct cli *cli, const struct selection *selection, struct stop *stop,
	       struct error *error)
{
	int rc;

	*stop = (struct stop) { .lifeline = -1 };
	if (!cli_has(cli, "stop"))
		return 0;
	if (source_host(cli->source)->kind != SOURCE_KIND_LIVE)
		return error_set(error, ERROR_USAGE, NULL, "a snapshot cannot be stopped");
	rc = open_all(cli, selection, stop, error);
	if (rc >= 0)
		rc = start_guardian(stop, error);
	if (rc < 0) {
		stop_end(stop);
		return rc;
	}
	settle(cli, stop);
	return 0;
}

void stop_end(struct stop *stop)
{
	int status = 0;

	if (!stop->guardian)
		return;
	close(stop->lifeline);
	while (waitpid(stop->guardian, &status, 0) < 0 && errno == EINTR)
		continue;
	stop->guardian = 0;
	if (!WIFEXITED(status)) {
		stop->guardian_lost = true;
		signal_all(stop, SIGCONT);
	}
	stop->guardian_lost |= status != 0;
	stop->duration_us = report_clock_us() - stop->start_us;
}

void stop_done(struct stop *stop)
{
	stop_end(stop);
	for (size_t i = 0; i < stop->count; i++)
		close(stop->pidfds[i]);
	free(stop->pidfds);
	free(stop->pids);
	*stop = (struct stop) { .lifeline = -1 };
}

static int warn(struct report *report, enum gap gap, size_t count, const char *what)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!count)
		return 0;
	buf_addf(&text, "%zu %s", count, what);
	return report_warning(report, gap_name(gap), buf_span(&text));
}

int stop_report(const struct cli *cli, struct report *report, const struct stop *stop)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!cli_has(cli, "stop"))
		return 0;
	buf_addf(&text, "%zu processes, for %.1f ms", stop->count,
		 (double)stop->duration_us / 1000);
	if (stop->spared)
		buf_addf(&text, "; %zu ran on: vmatlas, its ancestors", stop->spared);
	report_fact(report, NULL, "stopped while they were read", cell_text(buf_str(&text)),
		    REPORT_TEXT_ONLY);
	if (report_is_json(report)) {
		struct cell items[] = {
			cell_named("stopped", cell_count(stop->count)),
			cell_named("stopped_before", cell_count(stop->before)),
			cell_named("spared", cell_count(stop->spared)),
			cell_named("refused", cell_count(stop->refused)),
			cell_named("late", cell_count(stop->late)),
			cell_named("duration_us", cell_count(stop->duration_us)),
		};

		report_fact(report, "stop", NULL, cell_object(items, ARRAY_SIZE(items)),
			    REPORT_JSON_ONLY);
	}
	warn(report, GAP_NEEDS_PRIVILEGE, stop->refused, "processes may not be stopped");
	warn(report, GAP_CHANGED, stop->late, "processes did not stand still within a second");
	if (stop->guardian_lost)
		return report_warning(report, gap_name(GAP_CHANGED), SPAN_LITERAL(
			"the processes were continued before all was read"));
	return 0;
}
