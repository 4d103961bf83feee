// SPDX-License-Identifier: LGPL-2.1-or-later
#include "totals.h"

#include <stdio.h>

int totals_add(struct report *report, const struct total *totals, size_t count)
{
	int rc = 0;

	for (size_t i = 0; i < count && rc >= 0; i++)
		rc = report_fact(report, totals[i].name, totals[i].title, totals[i].cell, 0);
	return rc;
}

int totals_add_rare(struct report *report, const struct total *totals, size_t count)
{
	int rc = 0;

	for (size_t i = 0; i < count && rc >= 0; i++)
		rc = report_fact(report, totals[i].name, totals[i].title, totals[i].cell,
				 totals[i].cell.type != CELL_MISSING && !totals[i].cell.count ?
				 REPORT_JSON_ONLY : 0);
	return rc;
}

int totals_add_duration(struct report *report, uint64_t duration_us)
{
	char text[32];
	int rc = report_fact(report, "duration_us", NULL, cell_count(duration_us),
			     REPORT_JSON_ONLY);

	snprintf(text, sizeof(text), "%.1f ms", (double)duration_us / 1000);
	return rc < 0 ? rc : report_fact(report, NULL, "from first to last process",
					 cell_text(text), REPORT_TEXT_ONLY);
}
