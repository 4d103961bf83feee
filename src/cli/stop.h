/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include "select.h"

/*
 * --stop: the set stands still while it is read. The one place that signals anything.
 *
 * A guardian, a child in a session of its own that no signal but SIGKILL ends, sends SIGSTOP and
 * then waits for the end of a pipe that only we hold: it closes when we are done or die in
 * whatever way, and the guardian sends SIGCONT. If the guardian dies, we do that. Processes are
 * named by pidfd and start time, so that a number that was given away hits nobody. What is
 * stopped or traced already is left alone, and so are we, our tracer and our ancestors: a parent
 * that takes a stopped child for the wish to stop (su, sudo) would stop itself, for ever.
 *
 * Nothing that may depend on another process (output, names of users, files) is done before
 * stop_end().
 */
#define STOP_OPTION { "stop", NULL, "stop the processes while they are read" }

struct stop {
	int *pidfds;
	pid_t *pids;		/* of the same */
	size_t count;		/* were told to stop */
	size_t before;		/* were stopped, or traced, before */
	size_t spared;		/* we ourselves, our ancestors and our tracer: run on */
	size_t refused;		/* may not be signalled, or not looked at */
	size_t late;		/* did not stand still in time */
	bool guardian_lost;	/* it died, or gave up waiting for us: not stopped all the time */
	uint64_t start_us;
	uint64_t duration_us;	/* from the first SIGSTOP to the last SIGCONT */
	pid_t guardian;		/* 0: none */
	int lifeline;
};

/* Nothing is done without --stop. On failure all run again. stop_done() is always called. */
int stop_begin(struct cli *cli, const struct selection *selection, struct stop *stop,
	       struct error *error);
/* All run again when it returns. */
void stop_end(struct stop *stop);
void stop_done(struct stop *stop);
/* Writes `stop`, with what did not stop as warning, where --stop was given. */
int stop_report(const struct cli *cli, struct report *report, const struct stop *stop);

#endif
