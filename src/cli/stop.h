/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include "select.h"

/*
 *   stop.c		the guardian, and what is told
 *   stop_set.c		who is stopped, and in which order
 *   stop_signal.c	stopping, waiting, continuing
 *
 * --stop: the set stands still while it is read. The one place that signals anything.
 *
 * A guardian, a child in a session of its own that no signal but SIGKILL ends, sends SIGSTOP and
 * then waits for the end of a pipe that only we hold: it closes when we are done or die in
 * whatever way, and the guardian sends SIGCONT. If the guardian dies, we do that. Processes are
 * named by pidfd and start time, so that a number that was given away hits nobody. What is
 * stopped or traced already is left alone, and so are we, our tracer and our ancestors.
 *
 * A parent may take a stopped child for the wish to stop, and stop itself (su, sudo), for ever if
 * it then misses its SIGCONT. So parents stop first and stand still when their children do, and
 * children run first. Parents outside of the set see the stop; those that stood still after it,
 * and not before, are continued as well.
 *
 * Nothing that may depend on another process (output, names of users, files) is done before
 * stop_end().
 */
#define STOP_OPTION { "stop", NULL, "stop the processes while they are read" }

struct stop_process {
	pid_t pid;
	pid_t ppid;
	uint64_t start_time;
	int pidfd;
	unsigned depth;		/* parents in the set */
};

struct stop_list {
	struct stop_process *items;
	size_t count;
	size_t cap;
};

/* What came of continuing them. */
struct stop_end {
	uint64_t end_us;	/* when all had their SIGCONT */
	uint32_t again;		/* SIGCONTs to those that stopped again */
	uint32_t parents;	/* parents outside of the set that had stopped themselves */
};

struct stop {
	struct cli *cli;	/* NULL: stop_begin() was not called */
	struct stop_list set;	/* were told to stop; parents in front of their children */
	struct stop_list outside;	/* ancestors of them that are not, likewise; all ran */
	size_t before;		/* were stopped, or traced, before */
	size_t spared;		/* we ourselves, our ancestors and our tracer: run on */
	size_t refused;		/* may not be signalled, or not looked at */
	size_t late;		/* did not stand still in time */
	bool guardian_lost;	/* it died, or gave up waiting for us: not stopped all the time */
	uint64_t start_us;
	struct stop_end end;
	pid_t guardian;		/* 0: none */
	int lifeline;
	int answers;		/* of the guardian: a byte when all were
				 * told to stop, struct stop_end */
};

/* Nothing is done without --stop. On failure all run again. stop_done() is always called. */
int stop_begin(struct cli *cli, const struct selection *selection, struct stop *stop,
	       struct error *error);
/* All run again when it returns. */
void stop_end(struct stop *stop);
void stop_done(struct stop *stop);
/* Writes `stop`, with what did not stop as warning, where --stop was given. */
int stop_report(const struct cli *cli, struct report *report, const struct stop *stop);

/* stop_set.c */
int stop_choose(const struct selection *selection, struct stop *stop, struct error *error);
void stop_list_done(struct stop_list *list);

/* stop_signal.c */
int stop_send(const struct stop_process *process, int signal);
void stop_all(const struct stop *stop);			/* parents first */
size_t stop_settle(const struct stop *stop);		/* how many do not stand still in time */
void stop_resume(const struct stop *stop, struct stop_end *end);	/* children first */
/* 0 where it cannot be told, or another process has the number by now. */
char stop_state(const struct stop *stop, const struct stop_process *process);

#endif
