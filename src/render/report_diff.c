// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "diff_row.h"
#include "vmatlas/render/document.h"

struct diff_ctx diff_ctx_of(const struct report *report, const struct comparison *comparison)
{
	return (struct diff_ctx) {
		.comparison = comparison, .kin = comparison->map.kin, .frames = comparison->frames,
		.gaps = { comparison->pages_gap, comparison->smaps_gap, comparison->count_gap },
		.page_size = comparison->process[AFTER]->page_size, .json = report_is_json(report),
	};
}

static const char *const side_names[SIDE_MAX] = { [BEFORE] = "before", [AFTER] = "after" };

static struct cell process_cell(const struct process *process, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, 4);

	if (!items)
		return cell_null();
	items[0] = cell_named("pid", process->pid ? cell_count((uint64_t)process->pid) :
			      cell_missing(GAP_NOT_RECORDED));
	items[1] = cell_named("comm", process->comm.len ? cell_path(buf_span(&process->comm)) :
			      cell_missing(process->stat_gap));
	items[2] = cell_named("exe", process->exe.len ? cell_path(buf_span(&process->exe)) :
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
	items[1] = cell_named("operand", cell_path(show->operand[side]));
	items[2] = cell_named("time", time_cell(host));
	items[3] = cell_named("process", process_cell(process, scratch));
	items[4] = cell_named("vmas", cell_count(process->vma_count));
	report_fact(report, side_names[side], NULL, cell_object(items, 5), REPORT_JSON_ONLY);
	report_fact(report, NULL, side_names[side],
		    cell_bytes(who(process, show->operand[side], scratch)), REPORT_TEXT_ONLY);
	scratch_free(scratch);
	return 0;
}

/* Texts of a map alone do not tell whose they are. */
static const char *relation_words(const struct comparison *comparison)
{
	if (comparison->map.kin == KIN_FORK && (!comparison->process[BEFORE]->pid ||
						!comparison->process[AFTER]->pid))
		return "laid out alike: one process at two times, a fork, or a program without "
		       "address randomisation";
	return name_meaning(compare_kin_names, comparison->map.kin);
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
		    cell_text(relation_words(comparison)),
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

int report_diff(struct report *report, const struct comparison *comparison,
		const struct diff_show *show, struct error *error)
{
	struct diff_ctx ctx = diff_ctx_of(report, comparison);
	int rc = report_head(report, comparison, show);

	if (rc >= 0)
		rc = report_rows(report, &ctx, show);
	if (rc >= 0)
		rc = report_diff_transitions(report, &ctx, &comparison->total, error);
	if (rc >= 0)
		rc = report_diff_classes(report, &ctx, error);
	if (rc >= 0)
		rc = report_diff_files(report, &ctx, error);
	return rc < 0 ? rc : report_diff_totals(report, &ctx, comparison->total.sum, error);
}
