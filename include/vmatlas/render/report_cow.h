/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_COW_H
#define VMATLAS_RENDER_REPORT_COW_H

#include "vmatlas/analyse/cause.h"
#include "vmatlas/analyse/cow.h"
#include "vmatlas/render/report.h"

/* column.needs: only known when all pages of the VMA were seen. */
#define COW_NEEDS_PAGES 1u

extern const struct column cow_columns[];	/* one row per VMA */
extern const struct column cow_run_columns[];	/* one row per run of pages (--pages) */
extern const struct column cow_file_columns[];	/* one row per file (--files) */

struct cow_show {
	const struct column_set *columns;	/* of cow_columns */
	const struct column_set *runs;		/* of cow_run_columns; NULL: runs are not shown */
	const struct column_set *file_columns;	/* of cow_file_columns */
	bool picture;				/* cells for people instead of the table */
	bool files;				/* rows of files instead of VMAs */
	struct causes *causes;			/* NULL: nobody asks why pages were copied */
};

/* Walks and writes `vmas` (with their `runs`) and `totals`, streamed. */
int report_cow(struct report *report, struct process *process, const struct cow_request *request,
	       const struct cow_show *show, struct error *error);

#endif
