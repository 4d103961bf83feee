/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_ADDR_H
#define VMATLAS_RENDER_REPORT_ADDR_H

#include "vmatlas/analyse/sharers.h"
#include "vmatlas/render/report.h"

/* One address of the report; borrowed. */
struct addr_view {
	const struct address_context *ctx;
	struct span query;			/* as it was given; raw bytes */
	const struct address *address;		/* NULL: not resolved, see error */
	const struct sharers *sharers;		/* NULL: not asked for */
	const struct error *error;
	struct span candidates;			/* lines, raw bytes */
};

/* Around the addresses; report_addr() gives one element, whatever came of it. */
int report_addr_begin(struct report *report);
int report_addr(struct report *report, const struct addr_view *view);
int report_addr_end(struct report *report);

#endif
