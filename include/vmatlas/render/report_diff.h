/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_DIFF_H
#define VMATLAS_RENDER_REPORT_DIFF_H

#include "vmatlas/analyse/compare.h"
#include "vmatlas/render/report.h"

extern const struct column diff_columns[];	/* one row per match of VMAs */

struct diff_show {
	const struct column_set *columns;
	struct span operand[SIDE_MAX];	/* as the user named them; raw bytes */
	bool all;			/* also VMAs that are as before */
};

/* Who is compared, what changed at large, VMAs, transitions of pages, classes, files, totals. */
int report_diff(struct report *report, const struct comparison *comparison,
		const struct diff_show *show, struct error *error);

/* The processes of both sides and their sums; `columns` of show are not used. */
int report_diff_group(struct report *report, const struct compare_group *group,
		      const struct diff_show *show, struct error *error);

#endif
