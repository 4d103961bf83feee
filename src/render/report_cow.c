// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/render/report_cow.h"

#include "cow_row.h"
#include "report_cow_files.h"

struct writer {
	struct report *report;
	struct process *process;
	const struct cow_show *show;
	struct picture *picture;
	struct cow_row row;
};

/* In text the runs of all VMAs are one table; in JSON each VMA holds its own. */
static bool runs_nested(const struct writer *writer)
{
	return writer->show->runs && report_is_json(writer->report);
}

/* The columns of a row as members of an object that also holds its runs: before these what does
 * not depend on them, then the rest. */
static int add_members(struct writer *writer, unsigned needs)
{
	const struct column_set *set = writer->show->columns;
	struct scratch *scratch = scratch_new();
	int rc = 0;

	for (size_t i = 0; scratch && rc >= 0 && set->columns[i].name; i++) {
		struct cell cell = cell_null();

		if (!(set->json >> i & 1) || set->columns[i].needs != needs)
			continue;
		set->columns[i].get(NULL, &writer->row, &cell, scratch);
		rc = report_fact(writer->report, set->columns[i].name, NULL, cell,
				 REPORT_JSON_ONLY);
	}
	scratch_free(scratch);
	return rc;
}

static int begin_vma(void *ctx, uint32_t index)
{
	struct writer *writer = ctx;
	int rc;

	writer->row = (struct cow_row) {
		.process = writer->process, .vma = &writer->process->vmas[index],
		.asked = writer->show->causes != NULL,
	};
	if (writer->show->causes && causes_begin(writer->show->causes, index) < 0)
		return -ERROR_NOMEM;
	if (writer->show->files)
		return 0;
	if (writer->picture)
		return picture_vma(writer->picture, &writer->row);
	if (!runs_nested(writer))
		return 0;
	rc = report_object_begin(writer->report, NULL, NULL);
	if (rc >= 0)
		rc = add_members(writer, 0);
	return rc < 0 ? rc : report_table_begin(writer->report, "runs", NULL, writer->show->runs,
						NULL, 0);
}

static int add_run(void *ctx, uint32_t index, const struct cow_run *run)
{
	struct writer *writer = ctx;

	(void)index;
	if (writer->show->causes && causes_run(writer->show->causes, run) < 0)
		return -ERROR_NOMEM;
	if (writer->picture)
		return picture_run(writer->picture, run);
	if (!writer->show->runs)
		return 0;
	writer->row.run = run;
	return report_row(writer->report, &writer->row);
}

static bool wants_runs(void *ctx, uint32_t index)
{
	const struct cow_show *show = ((struct writer *)ctx)->show;

	return show->runs || show->picture || causes_want(show->causes, index);
}

static int end_vma(void *ctx, uint32_t index, const struct cow_counts *counts)
{
	struct writer *writer = ctx;

	writer->row.counts = counts;
	if (writer->show->causes) {
		if (causes_end(writer->show->causes, index, counts) < 0)
			return -ERROR_NOMEM;
		writer->row.causes = causes_vma(writer->show->causes);
	}
	if (writer->show->files)
		return 0;
	if (writer->picture)
		return picture_vma_end(writer->picture);
	if (!writer->show->runs)
		return report_row(writer->report, &writer->row);
	if (!runs_nested(writer))
		return 0;
	report_table_end(writer->report);
	if (add_members(writer, COW_NEEDS_PAGES) < 0)
		return -1;
	return report_object_end(writer->report);
}

static int begin_rows(struct writer *writer)
{
	const struct cow_show *show = writer->show;

	if (writer->picture || show->files)
		return 0;
	if (runs_nested(writer))
		return report_array_begin(writer->report, "vmas", NULL);
	if (show->runs)
		return report_table_begin(writer->report, "runs", NULL, show->runs, NULL, 0);
	return report_table_begin(writer->report, "vmas", NULL, show->columns, NULL,
				  writer->process->vma_count);
}

static int end_rows(struct writer *writer)
{
	if (writer->show->files)
		return 0;
	if (writer->picture)
		return picture_end(writer->picture);
	if (runs_nested(writer))
		return report_array_end(writer->report);
	return report_table_end(writer->report);
}

static int add_totals(struct report *report, const struct cow_counts *totals)
{
	struct scratch *scratch = scratch_new();

	if (!scratch)
		return -ERROR_NOMEM;
	report_object_begin(report, "totals", "Totals");
	report_fact(report, "states", "pages in each state", cow_states_cell(totals, scratch), 0);
	report_fact(report, "next_write", "what the next write does",
		    cow_writes_cell(totals, scratch), 0);
	report_fact(report, "rss", "resident", cow_size_cell(totals, totals->rss), 0);
	report_fact(report, "pss", "share of it", cow_pss_cell(totals), 0);
	report_fact(report, "uss", "only here", cow_size_cell(totals, totals->uss), 0);
	report_fact(report, "swap", "in swap", cow_size_cell(totals, totals->swap), 0);
	report_fact(report, "copied", "copied file pages", cow_size_cell(totals, totals->copied),
		    0);
	report_fact(report, "shared", "private, but still shared",
		    cow_size_cell(totals, totals->shared), 0);
	report_fact(report, "write_cost", "writes can cost at most",
		    cow_size_cell(totals, totals->write_cost), 0);
	scratch_free(scratch);
	return report_object_end(report);
}

static int warn_changed(struct report *report, const struct cow_counts *totals)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!totals->changed)
		return 0;
	buf_addf(&text, "%llu page%s changed while being read; the state is uncertain",
		 (unsigned long long)totals->changed, plural(totals->changed));
	return report_warning(report, gap_name(GAP_CHANGED), buf_span(&text));
}

/* Scripts that read lines get one table: that of files only if they asked for it. */
static bool wants_files(const struct report *report, const struct cow_show *show)
{
	return show->causes && !show->picture &&
	       (show->files || report_is_text(report) || report_is_json(report));
}

static int add_files(const struct writer *writer)
{
	const struct cow_show *show = writer->show;
	int rc;

	if (!wants_files(writer->report, show))
		return 0;
	rc = report_cow_files(writer->report, show->causes, writer->process, show->file_columns,
			      show->files);
	if (rc >= 0 && show->files)
		rc = report_cow_sections(writer->report, show->causes, writer->process);
	if (rc >= 0 && (report_is_text(writer->report) || report_is_json(writer->report)))
		rc = report_cow_patches(writer->report, show->causes, writer->process);
	return rc;
}

/* What a reader without rights gets, and what not. */
static int explain_gaps(struct report *report, const struct cow_counts *totals)
{
	if (totals->states[STATE_UNKNOWN] || totals->count_gap != GAP_NEEDS_PRIVILEGE)
		return 0;
	return report_prose(report, "Without CAP_SYS_ADMIN the kernel hides frame numbers. How "
			    "many map a page, the exclusive mark, KSM and large folios are "
			    "therefore not known; an anonymous page that is not mapped once counts "
			    "as shared (inferred).");
}

int report_cow(struct report *report, struct process *process, const struct cow_request *request,
	       const struct cow_show *show, struct error *error)
{
	struct writer writer = { .report = report, .process = process, .show = show };
	struct cow_sink sink = { .ctx = &writer, .begin = begin_vma, .end = end_vma };
	struct cow_counts totals;
	int rc = 0;

	if (show->picture && report_is_text(report))
		rc = picture_begin(report, &writer.picture);
	if (rc < 0)
		return error_nomem(error);
	if (show->runs || writer.picture || show->causes)
		sink.run = add_run;
	sink.wants_runs = wants_runs;
	sink.no_holes = !show->runs && !writer.picture;
	cow_counts_init(&totals);
	rc = begin_rows(&writer);
	if (rc >= 0)
		rc = cow_walk(process, request, &sink, &totals, error);
	if (rc >= 0)
		rc = end_rows(&writer);
	if (rc >= 0)
		rc = add_files(&writer);
	if (rc >= 0)
		rc = add_totals(report, &totals);
	if (rc >= 0)
		rc = explain_gaps(report, &totals);
	if (rc >= 0)
		rc = warn_changed(report, &totals);
	picture_free(writer.picture);
	cow_counts_done(&totals);
	return rc;
}
