// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "stop.h"

/* We may hang, or be stopped ourselves: then the guardian does not wait for ever. */
#define GUARDIAN_MS 120000

/* Runs in the guardian; never returns. 0: we let go, 1: it gave up. */
static void guard(const struct stop *stop, int lifeline, int answers)
{
	struct pollfd until = { .fd = lifeline, .events = POLLIN };
	struct stop_end end;
	sigset_t all;
	int rc;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	stop_all(stop);
	/* SIGPIPE is blocked: it goes on also if we are gone. */
	rc = write(answers, "s", 1) == 1 ? poll(&until, 1, GUARDIAN_MS) : 1;
	stop_resume(stop, &end);
	if (write(answers, &end, sizeof(end)) != sizeof(end))
		_exit(1);
	_exit(rc > 0 ? 0 : 1);
}

static int fork_guardian(struct stop *stop, const int lifeline[2], const int answers[2],
			 struct error *error)
{
	stop->start_us = report_clock_us();
	stop->guardian = fork();
	if (!stop->guardian) {
		close(lifeline[1]);
		close(answers[0]);
		guard(stop, lifeline[0], answers[1]);
	}
	close(lifeline[0]);
	close(answers[1]);
	if (stop->guardian >= 0)
		return 0;
	stop->guardian = 0;
	return error_errno(error, errno, "--stop", "fork");
}

static int start_guardian(struct stop *stop, struct error *error)
{
	int lifeline[2], answers[2];

	if (pipe2(lifeline, O_CLOEXEC) < 0)
		return error_errno(error, errno, "--stop", "pipe");
	stop->lifeline = lifeline[1];
	if (pipe2(answers, O_CLOEXEC) < 0) {
		close(lifeline[0]);
		return error_errno(error, errno, "--stop", "pipe");
	}
	stop->answers = answers[0];
	if (fork_guardian(stop, lifeline, answers, error) < 0)
		return -(int)error->code;
	if (read(stop->answers, &(char) { 0 }, 1) != 1)
		stop->guardian_lost = true;
	return 0;
}

int stop_begin(struct cli *cli, const struct selection *selection, struct stop *stop,
	       struct error *error)
{
	int rc;

	*stop = (struct stop) { .cli = cli, .lifeline = -1, .answers = -1 };
	if (!cli_has(cli, "stop"))
		return 0;
	if (source_host(cli->source)->kind != SOURCE_KIND_LIVE)
		return error_set(error, ERROR_USAGE, NULL, "a snapshot cannot be stopped");
	rc = stop_choose(selection, stop, error);
	if (rc >= 0)
		rc = start_guardian(stop, error);
	if (rc < 0) {
		stop_end(stop);
		return rc;
	}
	stop->late = stop_settle(stop);
	return 0;
}

static void close_pipe(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void stop_end(struct stop *stop)
{
	int status = 0;

	if (!stop->cli)
		return;
	close_pipe(&stop->lifeline);
	if (!stop->guardian)
		return;
	while (waitpid(stop->guardian, &status, 0) < 0 && errno == EINTR)
		continue;
	stop->guardian = 0;
	if (read(stop->answers, &stop->end, sizeof(stop->end)) != sizeof(stop->end)) {
		stop->guardian_lost = true;
		stop_resume(stop, &stop->end);
	}
	stop->guardian_lost |= status != 0;
}

void stop_done(struct stop *stop)
{
	stop_end(stop);
	if (stop->cli)
		close_pipe(&stop->answers);
	stop_list_done(&stop->set);
	stop_list_done(&stop->outside);
	stop->cli = NULL;
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
	buf_addf(&text, "%zu process%s, for %.1f ms", stop->set.count,
		 stop->set.count == 1 ? "" : "es",
		 (double)(stop->end.end_us - stop->start_us) / 1000);
	if (stop->spared)
		buf_addf(&text, "; %zu ran on: vmatlas, its ancestors", stop->spared);
	if (stop->end.parents)
		buf_addf(&text, "; %u of their parents stopped themselves, and run again",
			 stop->end.parents);
	report_fact(report, NULL, "stopped while they were read", cell_text(buf_str(&text)),
		    REPORT_TEXT_ONLY);
	if (report_is_json(report)) {
		struct cell items[] = {
			cell_named("stopped", cell_count(stop->set.count)),
			cell_named("stopped_before", cell_count(stop->before)),
			cell_named("spared", cell_count(stop->spared)),
			cell_named("refused", cell_count(stop->refused)),
			cell_named("late", cell_count(stop->late)),
			cell_named("parents", cell_count(stop->end.parents)),
			cell_named("again", cell_count(stop->end.again)),
			cell_named("duration_us",
				   cell_count(stop->end.end_us - stop->start_us)),
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
