/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_TOTALS_H
#define RENDER_TOTALS_H

#include "vmatlas/render/report.h"

/* A line of the sums below a table of processes. */
struct total {
	const char *name;	/* JSON member */
	const char *title;
	struct cell cell;
};

int totals_add(struct report *report, const struct total *totals, size_t count);
/* What is zero on most machines: only scripts see that it is. */
int totals_add_rare(struct report *report, const struct total *totals, size_t count);
/* How long the processes were read, from the first to the last. */
int totals_add_duration(struct report *report, uint64_t duration_us);

#endif
