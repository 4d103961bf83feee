/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_MAP_H
#define VMATLAS_RENDER_REPORT_MAP_H

#include "vmatlas/model/process.h"
#include "vmatlas/render/report.h"

/* Columns of the classified map; `needs` are bits of enum process_need. */
extern const struct column map_columns[];

/* Which VMAs are shown. */
struct map_filter {
	bool (*wants)(const void *ctx, const struct process *process, const struct vma *vma);
	const void *ctx;
};

/* Process head, one row per VMA, totals per class. The process is classified already. */
int report_map(struct report *report, const struct process *process,
	       const struct column_set *columns, const struct map_filter *filter);

#endif
