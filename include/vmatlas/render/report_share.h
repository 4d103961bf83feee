/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_SHARE_H
#define VMATLAS_RENDER_REPORT_SHARE_H

#include "vmatlas/analyse/share.h"
#include "vmatlas/render/report.h"

extern const struct column share_columns[];		/* of processes */
extern const struct column share_object_columns[];
extern const struct column share_class_columns[];
extern const struct column share_fork_columns[];
extern const struct column share_pair_columns[];

/* Which rows a text is about; JSON always has all. */
enum share_rows {
	SHARE_ROWS_PROCESSES,	/* and a short form of the others */
	SHARE_ROWS_OBJECTS,
	SHARE_ROWS_CLASSES,
	SHARE_ROWS_FORKS,
	SHARE_ROWS_PAIRS,
	SHARE_ROWS_MAX
};

/* What was left out before the memory was read. */
struct share_left {
	size_t kernel;
	size_t gone;
	size_t refused;
};

struct share_show {
	enum share_rows rows;
	struct column_set columns[SHARE_ROWS_MAX];
	struct share_left left;
	struct span set_name;	/* of metrics: the label `set` */
};

int report_share(struct report *report, const struct share *share,
		 const struct share_show *show);

/* The same for a collector of metrics: see metrics.h. Of objects those with the largest PSS. */
int report_share_metrics(FILE *out, const struct share *share, const struct share_show *show,
			 struct error *error);

#endif
