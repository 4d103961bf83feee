/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_PS_H
#define VMATLAS_RENDER_REPORT_PS_H

#include "vmatlas/analyse/machine.h"
#include "vmatlas/analyse/roster.h"
#include "vmatlas/render/report.h"

/* `needs` of each column are enum roster_need. */
extern const struct column ps_columns[];

/* What was left out before the memory was read. */
struct ps_left {
	size_t kernel;
	size_t gone;
	size_t refused;
	bool all;		/* of all processes: that there are kernel threads is no news */
};

struct ps_show {
	const struct column_set *columns;	/* of the table */
	size_t top;			/* metrics: of the largest only so many; 0: all */
	const struct machine *machine;	/* NULL: no ledger */
	struct ps_left left;
	struct span set_name;		/* metrics: the label `set`; empty: none */
};

/* Writes `processes`, `totals` and `ledger`. */
int report_ps(struct report *report, const struct roster *roster, const struct ps_show *show,
	      struct error *error);

/* The same for a collector of metrics: see metrics.h. */
int report_ps_metrics(FILE *out, const struct roster *roster, const struct ps_show *show,
		      struct error *error);

/* Rows of the table: those that were there. */
bool ps_has_row(const struct roster *roster, size_t index);

#endif
