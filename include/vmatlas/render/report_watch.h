/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_WATCH_H
#define VMATLAS_RENDER_REPORT_WATCH_H

#include "vmatlas/analyse/watch.h"
#include "vmatlas/render/report.h"

/* One row per sample; `needs` are bits of enum watch_need. */
extern const struct column watch_columns[];

/*
 * A counter over time in so many points, whatever the number of samples: when they are used up
 * neighbours are joined, and each stands for twice as many from then on.
 */
#define WATCH_POINTS 64

struct watch_curve {
	uint64_t points[WATCH_POINTS];	/* highest value of each */
	size_t count;
	size_t span;			/* samples in one point */
	size_t filled;			/* samples in the last one */
	uint64_t least, most;
	uint64_t first, last;
	uint64_t recent[8];		/* the last samples, one each */
	size_t samples;
};

void watch_curve_add(struct watch_curve *curve, uint64_t value);

/* What is told of one process; borrowed. */
struct watch_view {
	const struct watched *watched;
	const struct watch_curve *curve;	/* of `counter` */
	enum watch_counter counter;
	const char *met;			/* condition that is met, NULL: none */
	bool json;
};

/* JSON: the members of the document of one sample. */
int report_watch_sample(struct report *report, const struct watch_view *view);
/* For people, behind the rows: growth, the whole curve, and what looking cost. */
int report_watch_summary(struct report *report, const struct watch_view *view);

#endif
