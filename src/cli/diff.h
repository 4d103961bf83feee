/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include "cli.h"
#include "vmatlas/analyse/compare.h"

/* One of the two operands: a snapshot, SNAPSHOT:PID, or a live process. */
struct diff_operand {
	const char *word;
	bool snapshot;
	struct source *source;		/* of its own; NULL: the live system */
	pid_t *pids;			/* ascending; 0 where none was recorded */
	size_t count;
};

/* What is compared at a time. */
struct diff_process {
	struct source_process *source;	/* NULL: it is not on this side */
	struct process *loaded;
	struct activity before;		/* when it was read */
};

struct diff {
	struct cli *cli;
	struct source *live;		/* the frame's; NULL if nothing live is compared */
	struct diff_operand side[SIDE_MAX];
	struct diff_process at[SIDE_MAX];
	size_t next[SIDE_MAX];		/* in the lists of PIDs */
	struct compare_group group;
	bool differs;
};

/* diff_operands.c: opens what the operands name; both fit together. */
int diff_open(struct diff *diff, struct error *error);
void diff_done(struct diff *diff);
struct source *diff_source(const struct diff *diff, enum compare_side side);
/* Several processes on a side: each with its namesake, then the sums. */
bool diff_is_group(const struct diff *diff);
/* Opens and reads the next pair with equal PIDs, or what is on one side only: 1, 0 at the end. */
int diff_next(struct diff *diff, struct error *error);

#endif
