/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_RECORD_H
#define VMATLAS_RENDER_REPORT_RECORD_H

#include "vmatlas/record/record.h"
#include "vmatlas/render/report.h"

/* What was recorded, and what could not be read. */
extern const struct column record_columns[];

int report_record(struct report *report, const struct record_result *result, const char *target,
		  uint32_t page_size, const struct column_set *columns);

#endif
