/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_CHECK_H
#define VMATLAS_RENDER_REPORT_CHECK_H

#include "vmatlas/analyse/ledger.h"
#include "vmatlas/render/report.h"

extern const struct column check_columns[];

/* Rows that are nothing but zero are left out of the text unless -v is given. */
int report_check(struct report *report, const struct ledger *ledger,
		 const struct column_set *columns);

#endif
