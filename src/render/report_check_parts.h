/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_REPORT_CHECK_PARTS_H
#define RENDER_REPORT_CHECK_PARTS_H

#include "vmatlas/render/report_check.h"

/* Sources that differ from the reference by the same amount for the same reason. */
struct check_group {
	const struct ledger_line *line;
	const struct ledger_finding *first;
	uint32_t sources;	/* bits */
};

/* The group that begins with finding `at`; false if it belongs to one before. */
bool check_group_at(const struct ledger_line *line, size_t at, struct check_group *group);
/* The array `differences`, and for people what the names of its rules mean. */
int report_check_differences(struct report *report, const struct ledger *ledger);

#endif
