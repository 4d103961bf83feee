// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause_cells.h"
#include "columns.h"
#include "diff_row.h"

struct file_row {
	const struct compare_file *file;
	const struct cause_file *cause;		/* NULL: no new copy of it was explained */
};

static const struct file_row *file_of(const void *row)
{
	return row;
}

static struct cell file_path(const struct compare_file *file, bool last_part)
{
	const struct object *object = file->object[file->object[AFTER] ? AFTER : BEFORE];

	return cell_bytes(last_part ? span_last_part(object_name(object)) : object_name(object));
}

static struct cell file_change(const struct diff_ctx *ctx, const struct compare_file *file)
{
	if (file->object[BEFORE] && file->object[AFTER])
		return ctx->json ? cell_text("same") : cell_null();
	return cell_text(file->object[AFTER] ? "added" : "removed");
}

static struct cell file_pages(const struct diff_ctx *ctx, uint64_t pages)
{
	return ctx->gaps.pages != GAP_NONE ? cell_missing(ctx->gaps.pages) : cell_count(pages);
}

static struct cell file_causes(const struct diff_ctx *ctx, const struct file_row *row,
			       struct scratch *scratch)
{
	if (!ctx->comparison->causes)
		return cell_null();
	return row->cause ? causes_cell(&row->cause->sums, ctx->page_size, scratch) :
			    cell_list(NULL, 0);
}

static struct cell file_holders(const struct file_row *row, struct scratch *scratch)
{
	return row->cause ? cause_holders_cell(&row->cause->sums, scratch) : cell_null();
}

#define FILE_SUM(which) diff_sum_cell(ctx, file_of(row)->file->sum, which, scratch)

DIFF_GETTER(file, file_path(file_of(row)->file, true))
DIFF_GETTER(file_path, file_path(file_of(row)->file, false))
DIFF_GETTER(file_change, file_change(ctx, file_of(row)->file))
DIFF_GETTER(file_rss, FILE_SUM(DIFF_RSS))
DIFF_GETTER(file_pss, FILE_SUM(DIFF_PSS))
DIFF_GETTER(file_uss, FILE_SUM(DIFF_USS))
DIFF_GETTER(file_swap, FILE_SUM(DIFF_SWAP))
DIFF_GETTER(file_copied, FILE_SUM(DIFF_COPIED))
DIFF_GETTER(file_changed, file_pages(ctx, file_of(row)->file->changed))
DIFF_GETTER(file_new, file_pages(ctx, file_of(row)->file->copied))
DIFF_GETTER(file_causes, file_causes(ctx, file_of(row), scratch))
DIFF_GETTER(file_holders, file_holders(file_of(row), scratch))

static const struct column file_columns[] = {
	{ "file", "FILE", "last part of the path", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 20, get_file },
	{ "path", "PATH", "path", COLUMN_JSON | COLUMN_HEX_BYTES, 0, 20, get_file_path },
	{ "change", "CHANGE", "added or removed", BOTH, 0, 7, get_file_change },
	{ "rss", "RSS", "resident", NUMBER, 0, 6, get_file_rss },
	{ "pss", "PSS", "share of it", NUMBER, 0, 6, get_file_pss },
	{ "uss", "USS", "only here", COLUMN_JSON | COLUMN_RIGHT, 0, 6, get_file_uss },
	{ "swap", "SWAP", "in swap", COLUMN_JSON | COLUMN_RIGHT, 0, 6, get_file_swap },
	{ "copied", "COPIED", "copied pages", NUMBER, 0, 6, get_file_copied },
	{ "changed", "PAGES", "pages in another state", NUMBER, 0, 6, get_file_changed },
	{ "new_copies", "COPIES", "pages that became private copies", NUMBER, 0, 6, get_file_new },
	{ "causes", "CAUSES", "why they did", COLUMN_JSON, 0, 20, get_file_causes },
	{ "holders", "WRITTEN", "symbols that were written", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 20,
	  get_file_holders },
	{ NULL },
};

static bool file_shown(const struct diff_ctx *ctx, const struct compare_file *file)
{
	return ctx->json || file->changed || !file->object[BEFORE] || !file->object[AFTER];
}

/* What was explained of the file of that name, as the causes know it by object of `after`. */
static const struct cause_file *cause_of(const struct comparison *comparison,
					 const struct compare_file *file)
{
	struct cause_file *const *files = NULL;
	size_t count = 0;

	if (!comparison->causes || !file->object[AFTER] ||
	    causes_files(comparison->causes, &files, &count) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (&comparison->process[AFTER]->objects[files[i]->object] == file->object[AFTER])
			return files[i];
	return NULL;
}

int report_diff_files(struct report *report, const struct diff_ctx *ctx, struct error *error)
{
	const struct comparison *comparison = ctx->comparison;
	struct column_set set;
	size_t shown = 0;
	int rc = column_set_choose(&set, file_columns, NULL, false, error);

	for (size_t i = 0; i < comparison->file_count; i++)
		shown += file_shown(ctx, &comparison->files[i]);
	if (!ctx->json && !shown)
		return 0;
	if (rc >= 0)
		rc = report_table_begin(report, "files", "By file", &set, ctx, shown + 1);
	for (size_t i = 0; i < comparison->file_count && rc >= 0; i++) {
		const struct compare_file *file = &comparison->files[i];

		if (file_shown(ctx, file))
			rc = report_row(report, &(struct file_row) {
					file, cause_of(comparison, file) });
	}
	return rc < 0 ? rc : report_table_end(report);
}
