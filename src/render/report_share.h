/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_REPORT_SHARE_H
#define RENDER_REPORT_SHARE_H

#include "columns.h"
#include "vmatlas/render/report_share.h"

/*
 *   report_share.c		the set, and its processes
 *   report_share_tables.c	causes, objects, classes, forks
 *   report_share_pairs.c	pairs and their matrix
 */
#define SHARE_MORE (COLUMN_JSON | COLUMN_RIGHT)

/* A text that is not about them shows so many of the rows that matter most. */
#define SHARE_ROWS_SHORT 12u

struct share_row {
	const struct share *share;
	const struct tally_process *list;	/* of the tally, by index */
	size_t index;
};

#define SHARE_GETTER(kind, name, expression) \
	COLUMN_VALUE(kind##_##name, const struct share_row *row, expression)

int share_add_causes(struct report *report, const struct share *share);
int share_add_objects(struct report *report, const struct share *share,
		      const struct share_show *show);
int share_add_classes(struct report *report, const struct share *share,
		      const struct share_show *show);
int share_add_forks(struct report *report, const struct share *share,
		    const struct share_show *show);
int share_add_pairs(struct report *report, const struct share *share,
		    const struct share_show *show);

/* Without frames nothing but the kernel's own sums is known. */
static inline struct cell share_once(const struct share *share, uint64_t bytes)
{
	enum gap gap = tally_totals(share->tally)->frames_gap;

	return gap == GAP_NONE ? cell_size(bytes) : cell_missing(gap);
}

/* What only sets tell: nothing, where not all were told apart. */
static inline struct cell share_size(const struct share *share, uint64_t bytes)
{
	return tally_totals(share->tally)->crowd ? cell_missing(GAP_LIMIT) :
		share_once(share, bytes);
}

static inline const struct tally_process *share_list(const struct share *share)
{
	size_t count;

	return tally_processes(share->tally, &count);
}

static inline struct cell share_comm(const struct share *share, size_t index)
{
	const struct share_process *process = &share->processes[index];

	return process->has_comm ? cell_path(buf_span(&process->comm)) :
		cell_missing(share_list(share)[index].gap);
}

#endif
