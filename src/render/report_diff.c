// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "diff_row.h"
#include "vmatlas/render/document.h"

static const char *const side_names[SIDE_MAX] = { [BEFORE] = "before", [AFTER] = "after" };

static struct cell process_cell(const struct process *process, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, 4);

	if (!items)
		return cell_null();
	items[0] = cell_named("pid", process->pid ? cell_count((uint64_t)process->pid) :
			      cell_missing(GAP_NOT_RECORDED));
	items[1] = cell_named("comm", process->comm.len ? cell_bytes(buf_span(&process->comm)) :
			      cell_missing(process->stat_gap));
	items[2] = cell_named("exe", process->exe.len ? cell_bytes(buf_span(&process->exe)) :
			      cell_missing(process->exe_gap));
	items[3] = cell_named("start_time", process->has_stat ?
			      cell_count(process->stat.start_time) :
			      cell_missing(process->stat_gap));
	return cell_object(items, 4);
}

static struct cell time_cell(const struct source_host *host)
{
	return host->time ? (struct cell) { .type = CELL_TIME, .number = host->time } :
			    cell_missing(GAP_NOT_RECORDED);
}

static struct span who(const struct process *process, struct span operand, struct scratch *scratch)
{
	const struct source_host *host = source_host(source_process_source(process->source));
	bool live = host->kind == SOURCE_KIND_LIVE;

	return scratch_printf(scratch, "%s%.*s%s%.*s%s", live ? "PID " : "snapshot ",
			      (int)operand.len, operand.ptr, process->comm.len ? " (" : "",
			      (int)process->comm.len, buf_str(&process->comm),
			      process->comm.len ? ")" : "");
}

static int report_side(struct report *report, const struct comparison *comparison,
		       enum compare_side side, const struct diff_show *show)
{
	const struct process *process = comparison->process[side];
	const struct source_host *host = source_host(source_process_source(process->source));
	struct scratch *scratch = scratch_new();
	struct cell items[5];

	if (!scratch)
		return -ERROR_NOMEM;
	items[0] = cell_named("kind", cell_text(host->kind == SOURCE_KIND_LIVE ? "live" :
									      "snapshot"));
	items[1] = cell_named("operand", cell_bytes(show->operand[side]));
	items[2] = cell_named("time", time_cell(host));
	items[3] = cell_named("process", process_cell(process, scratch));
	items[4] = cell_named("vmas", cell_count(process->vma_count));
	report_fact(report, side_names[side], NULL, cell_object(items, 5), REPORT_JSON_ONLY);
	report_fact(report, NULL, side_names[side],
		    cell_bytes(who(process, show->operand[side], scratch)), REPORT_TEXT_ONLY);
	scratch_free(scratch);
	return 0;
}

static int report_head(struct report *report, const struct comparison *comparison,
		       const struct diff_show *show)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const char *kin = name_of(compare_kin_names, comparison->map.kin);

	for (int side = 0; side < SIDE_MAX; side++)
		if (report_side(report, comparison, side, show) < 0)
			return -ERROR_NOMEM;
	report_fact(report, "relation", NULL, cell_text(kin), REPORT_JSON_ONLY);
	report_fact(report, NULL, "relation",
		    cell_text(name_meaning(compare_kin_names, comparison->map.kin)),
		    REPORT_TEXT_ONLY);
	report_fact(report, "differs", NULL, cell_bool(comparison_differs(comparison)),
		    REPORT_JSON_ONLY);
	report_fact(report, "pages_compared", NULL, comparison->pages_gap == GAP_NONE ?
		    cell_bool(true) : cell_missing(comparison->pages_gap), REPORT_JSON_ONLY);
	diff_summary(comparison, &text);
	report_line(report, "");
	return report_prose(report, "%s", buf_str(&text));
}

static int report_rows(struct report *report, const struct diff_ctx *ctx,
		       const struct diff_show *show)
{
	const struct comparison *comparison = ctx->comparison;
	bool all = show->all || ctx->json;
	size_t shown = 0;

	for (size_t i = 0; i < comparison->map.count; i++)
		shown += all || compare_row_differs(comparison, i);
	if (!shown && report_is_text(report))
		return 0;
	report_table_begin(report, "vmas", show->all ? "VMAs" : "VMAs that changed", show->columns,
			   ctx, shown);
	for (size_t i = 0; i < comparison->map.count; i++)
		if (all || compare_row_differs(comparison, i))
			report_row(report, &i);
	return report_table_end(report);
}

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

static void get_total_name(const void *ctx, const void *row, struct cell *cell,
			   struct scratch *scratch)
{
	(void)ctx;
	(void)scratch;
	*cell = cell_text(total_names[((const struct total_row *)row)->at].title);
}

static void get_total_before(const void *ctx, const void *row, struct cell *cell,
			     struct scratch *scratch)
{
	(void)ctx;
	(void)scratch;
	*cell = ((const struct total_row *)row)->before;
}

static void get_total_after(const void *ctx, const void *row, struct cell *cell,
			    struct scratch *scratch)
{
	(void)ctx;
	(void)scratch;
	*cell = ((const struct total_row *)row)->after;
}

static void get_total_delta(const void *ctx, const void *row, struct cell *cell,
			    struct scratch *scratch)
{
	(void)ctx;
	(void)scratch;
	*cell = ((const struct total_row *)row)->delta;
}

static const struct column total_columns[] = {
	{ "what", "", "counter", COLUMN_DEFAULT, 0, 25, get_total_name },
	{ "before", "BEFORE", "before", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 8, get_total_before },
	{ "after", "AFTER", "after", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 8, get_total_after },
	{ "delta", "CHANGE", "difference", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 8, get_total_delta },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

static struct total_row total_row_of(const struct comparison *comparison, size_t at,
				     struct scratch *scratch)
{
	struct diff_ctx json = { comparison, true }, people = { comparison, false };
	const struct compare_sum *sum = comparison->total.sum;
	struct cell both = diff_sum_cell(&json, sum, total_names[at].sum, scratch);
	struct total_row row = { .at = at };

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

static int report_totals(struct report *report, const struct comparison *comparison,
			 struct error *error)
{
	struct scratch *scratch = scratch_new();
	bool json = report_is_json(report);
	struct column_set set;
	int rc = scratch ? column_set_choose(&set, total_columns, NULL, false, error) :
			   error_nomem(error);

	if (rc >= 0 && json)
		rc = report_object_begin(report, "totals", NULL);
	else if (rc >= 0)
		rc = report_table_begin(report, "totals", "Totals", &set, NULL,
					ARRAY_SIZE(total_names));
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(total_names); i++) {
		struct total_row row = total_row_of(comparison, i, scratch);

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

int report_diff(struct report *report, const struct comparison *comparison,
		const struct diff_show *show, struct error *error)
{
	struct diff_ctx ctx = { comparison, report_is_json(report) };
	int rc = report_head(report, comparison, show);

	if (rc >= 0)
		rc = report_rows(report, &ctx, show);
	if (rc >= 0)
		rc = report_diff_transitions(report, comparison, error);
	if (rc >= 0)
		rc = report_diff_classes(report, comparison, error);
	if (rc >= 0)
		rc = report_diff_files(report, comparison, error);
	return rc < 0 ? rc : report_totals(report, comparison, error);
}
