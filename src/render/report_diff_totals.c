// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "diff_row.h"

static const struct {
	enum diff_sum sum;
	const char *name, *title;
} total_names[] = {
	{ DIFF_SIZE, "size", "address space" },
	{ DIFF_RSS, "rss", "resident" },
	{ DIFF_PSS, "pss", "share of it" },
	{ DIFF_USS, "uss", "only here" },
	{ DIFF_SWAP, "swap", "in swap" },
	{ DIFF_COPIED, "copied", "copied file pages" },
	{ DIFF_SHARED, "shared", "private, but still shared" },
};

struct total_row {
	size_t at;
	struct cell before, after, delta;
};

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct total_row *row, expression)

GETTER(what, cell_text(total_names[row->at].title))
GETTER(before, row->before)
GETTER(after, row->after)
GETTER(delta, row->delta)

static const struct column total_columns[] = {
	{ "what", "", "counter", COLUMN_DEFAULT, 0, 25, get_what },
	{ "before", "BEFORE", "before", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 8, get_before },
	{ "after", "AFTER", "after", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 8, get_after },
	{ "delta", "CHANGE", "difference", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 8, get_delta },
	{ NULL },
};

static struct total_row total_row_of(const struct diff_ctx *ctx,
				     const struct compare_sum sum[SIDE_MAX], size_t at,
				     struct scratch *scratch)
{
	struct diff_ctx json = *ctx, people = *ctx;
	struct total_row row = { .at = at };
	struct cell both;

	json.json = true;
	people.json = false;
	both = diff_sum_cell(&json, sum, total_names[at].sum, scratch);
	row.delta = diff_sum_cell(&people, sum, total_names[at].sum, scratch);
	if (both.type != CELL_OBJECT)
		return row;
	row.before = both.list.items[0];
	row.after = both.list.items[1];
	return row;
}

static void report_total(struct report *report, const struct total_row *row)
{
	struct cell items[] = {
		cell_named("before", row->before), cell_named("after", row->after),
		cell_named("delta", row->delta),
	};

	report_fact(report, total_names[row->at].name, NULL, cell_object(items, 3),
		    REPORT_JSON_ONLY);
}

int report_diff_totals(struct report *report, const struct diff_ctx *ctx,
		       const struct compare_sum sum[SIDE_MAX], struct error *error)
{
	struct scratch *scratch = scratch_new();
	bool json = ctx->json;
	struct column_set set;
	int rc = scratch ? column_set_choose(&set, total_columns, NULL, false, error) :
			   error_nomem(error);

	if (rc >= 0 && json)
		rc = report_object_begin(report, "totals", NULL);
	else if (rc >= 0)
		rc = report_table_begin(report, "totals", "Totals", &set, NULL,
					ARRAY_SIZE(total_names));
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(total_names); i++) {
		struct total_row row = total_row_of(ctx, sum, i, scratch);

		if (json)
			report_total(report, &row);
		else
			rc = report_row(report, &row);
	}
	scratch_free(scratch);
	if (rc < 0)
		return rc;
	return json ? report_object_end(report) : report_table_end(report);
}
