// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "cause_cells.h"
#include "diff_row.h"

#define BOTH (COLUMN_DEFAULT | COLUMN_JSON)
#define NUMBER (BOTH | COLUMN_RIGHT)

/* Transitions. */
static const struct compare_transition *transition_of(const void *row)
{
	return row;
}

#define GETTER(name, expression)                                                          \
	static void get_##name(const void *data, const void *row, struct cell *cell,      \
			       struct scratch *scratch)                                   \
	{                                                                                 \
		const struct diff_ctx *ctx = data;                                        \
                                                                                          \
		(void)ctx;                                                                \
		(void)scratch;                                                            \
		*cell = (expression);                                                     \
	}

static struct cell frame_cell(const struct diff_ctx *ctx, const struct compare_transition *t)
{
	if (!ctx->comparison->frames || t->frame == FRAME_NONE)
		return cell_null();
	return cell_text(t->frame == FRAME_SAME ? "same" : "other");
}

static struct cell meaning_cell(const struct diff_ctx *ctx, const struct compare_transition *t)
{
	const char *text = diff_meaning(ctx->comparison->map.kin, t);

	return text[0] ? cell_text(text) : cell_null();
}

static uint64_t page_bytes(const struct diff_ctx *ctx, uint64_t pages)
{
	return pages * ctx->comparison->process[AFTER]->page_size;
}

GETTER(pages, cell_count(transition_of(row)->pages))
GETTER(bytes, cell_size(page_bytes(ctx, transition_of(row)->pages)))
GETTER(from, cell_text(compare_state_name(transition_of(row)->from)))
GETTER(to, cell_text(compare_state_name(transition_of(row)->to)))
GETTER(frame, frame_cell(ctx, transition_of(row)))
GETTER(meaning, meaning_cell(ctx, transition_of(row)))

static const struct column transition_columns[] = {
	{ "pages", "PAGES", "pages", NUMBER, 0, 8, get_pages },
	{ "bytes", "BYTES", "their bytes", NUMBER, 0, 6, get_bytes },
	{ "from", "FROM", "state before", BOTH, 0, 11, get_from },
	{ "to", "TO", "state after", BOTH, 0, 11, get_to },
	{ "frame", "FRAME", "in the same frame or in another", BOTH, 0, 5, get_frame },
	{ "meaning", "MEANING", "what happened", BOTH, 0, 30, get_meaning },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

static int by_pages(const void *left, const void *right)
{
	const struct compare_transition *a = left, *b = right;

	if (a->pages != b->pages)
		return a->pages > b->pages ? -1 : 1;
	return a->from != b->from ? a->from - b->from : a->to != b->to ? a->to - b->to :
	       a->frame - b->frame;
}

static bool tells(const struct compare_transition *transition)
{
	return transition_changes(transition) || transition->frame == FRAME_OTHER;
}

int report_diff_transitions(struct report *report, const struct comparison *comparison,
			    struct error *error)
{
	struct diff_ctx ctx = { comparison, report_is_json(report) };
	const struct compare_tally *total = &comparison->total;
	CLEANUP_FREE struct compare_transition *sorted = calloc(total->count + 1, sizeof(*sorted));
	struct column_set set;
	size_t count = 0;
	int rc;

	if (!sorted)
		return error_nomem(error);
	for (size_t i = 0; i < total->count; i++)
		if (ctx.json || tells(&total->items[i]))
			sorted[count++] = total->items[i];
	if (!ctx.json && !count)
		return 0;
	qsort(sorted, count, sizeof(*sorted), by_pages);
	rc = column_set_choose(&set, transition_columns, NULL, false, error);
	if (rc >= 0)
		rc = report_table_begin(report, "transitions", "Pages that changed", &set, &ctx,
					count + 1);
	for (size_t i = 0; i < count && rc >= 0; i++)
		rc = report_row(report, &sorted[i]);
	return rc < 0 ? rc : report_table_end(report);
}

/* Classes. */
static const struct compare_tally *class_tally(const struct diff_ctx *ctx, const void *row)
{
	return &ctx->comparison->classes[*(const int *)row];
}

static struct cell changed_cell(const struct diff_ctx *ctx, const struct compare_tally *tally)
{
	uint64_t pages = 0;

	if (ctx->comparison->pages_gap != GAP_NONE)
		return cell_missing(ctx->comparison->pages_gap);
	for (size_t i = 0; i < tally->count; i++)
		pages += transition_changes(&tally->items[i]) ? tally->items[i].pages : 0;
	return cell_count(pages);
}

static struct cell class_pages(const struct diff_ctx *ctx, const struct compare_tally *tally,
			       struct scratch *scratch)
{
	return ctx->comparison->pages_gap != GAP_NONE ?
		cell_missing(ctx->comparison->pages_gap) :
		diff_pages_cell(tally->items, tally->count, scratch);
}

#define CLASS_SUM(which) diff_sum_cell(ctx, class_tally(ctx, row)->sum, which, scratch)

GETTER(class, cell_text(vma_class_names[*(const int *)row].name))
GETTER(class_size, CLASS_SUM(DIFF_SIZE))
GETTER(class_rss, CLASS_SUM(DIFF_RSS))
GETTER(class_pss, CLASS_SUM(DIFF_PSS))
GETTER(class_uss, CLASS_SUM(DIFF_USS))
GETTER(class_swap, CLASS_SUM(DIFF_SWAP))
GETTER(class_copied, CLASS_SUM(DIFF_COPIED))
GETTER(class_shared, CLASS_SUM(DIFF_SHARED))
GETTER(class_changed, changed_cell(ctx, class_tally(ctx, row)))
GETTER(class_pages, class_pages(ctx, class_tally(ctx, row), scratch))
GETTER(class_meaning, cell_text(vma_class_names[*(const int *)row].meaning))

static const struct column class_columns[] = {
	{ "class", "C", "class", BOTH, 0, 1, get_class },
	{ "size", "SIZE", "address space", NUMBER, 0, 6, get_class_size },
	{ "rss", "RSS", "resident", NUMBER, 0, 6, get_class_rss },
	{ "pss", "PSS", "share of it", NUMBER, 0, 6, get_class_pss },
	{ "uss", "USS", "only here", NUMBER, 0, 6, get_class_uss },
	{ "swap", "SWAP", "in swap", NUMBER, 0, 6, get_class_swap },
	{ "copied", "COPIED", "copied file pages", NUMBER, 0, 6, get_class_copied },
	{ "shared", "SHARED", "private, still shared", NUMBER, 0, 6, get_class_shared },
	{ "changed", "PAGES", "pages in another state", NUMBER, 0, 6, get_class_changed },
	{ "pages", "FROM>TO", "pages by states", COLUMN_JSON, 0, 20, get_class_pages },
	{ "meaning", "MEANING", "of the class", COLUMN_DEFAULT, 0, 20, get_class_meaning },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

/* Which classes have something to say: all that are there, for people those that changed. */
static bool class_shown(const struct diff_ctx *ctx, const struct compare_tally *tally)
{
	const struct compare_sum *before = &tally->sum[BEFORE], *after = &tally->sum[AFTER];

	if (ctx->json)
		return before->size || after->size;
	for (size_t i = 0; i < tally->count; i++)
		if (transition_changes(&tally->items[i]))
			return true;
	return before->size != after->size || before->rss != after->rss ||
	       before->pss_fixed != after->pss_fixed || before->swap != after->swap;
}

int report_diff_classes(struct report *report, const struct comparison *comparison,
			struct error *error)
{
	struct diff_ctx ctx = { comparison, report_is_json(report) };
	struct column_set set;
	size_t shown = 0;
	int rc = column_set_choose(&set, class_columns, NULL, false, error);

	for (int i = 0; i < VMA_CLASS_MAX; i++)
		shown += class_shown(&ctx, &comparison->classes[i]);
	if (!ctx.json && !shown)
		return 0;
	if (rc >= 0)
		rc = report_table_begin(report, "classes", "By class", &set, &ctx, shown + 1);
	for (int i = 0; i < VMA_CLASS_MAX && rc >= 0; i++)
		if (class_shown(&ctx, &comparison->classes[i]))
			rc = report_row(report, &i);
	return rc < 0 ? rc : report_table_end(report);
}

/* Files. */
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
	const char *slash = memrchr(object->name, '/', object->name_len);
	struct span whole = { object->name, object->name_len };

	return cell_bytes(last_part && slash && slash[1] ? span_of(slash + 1) : whole);
}

static struct cell file_change(const struct diff_ctx *ctx, const struct compare_file *file)
{
	if (file->object[BEFORE] && file->object[AFTER])
		return ctx->json ? cell_text("same") : cell_null();
	return cell_text(file->object[AFTER] ? "added" : "removed");
}

static struct cell file_pages(const struct diff_ctx *ctx, uint64_t pages)
{
	return ctx->comparison->pages_gap != GAP_NONE ?
		cell_missing(ctx->comparison->pages_gap) : cell_count(pages);
}

static struct cell file_causes(const struct diff_ctx *ctx, const struct file_row *row,
			       struct scratch *scratch)
{
	if (!ctx->comparison->causes)
		return cell_null();
	return row->cause ? causes_cell(&row->cause->sums, page_bytes(ctx, 1), scratch) :
			    cell_list(NULL, 0);
}

static struct cell file_holders(const struct file_row *row, struct scratch *scratch)
{
	return row->cause ? cause_holders_cell(&row->cause->sums, scratch) : cell_null();
}

#define FILE_SUM(which) diff_sum_cell(ctx, file_of(row)->file->sum, which, scratch)

GETTER(file, file_path(file_of(row)->file, true))
GETTER(file_path, file_path(file_of(row)->file, false))
GETTER(file_change, file_change(ctx, file_of(row)->file))
GETTER(file_rss, FILE_SUM(DIFF_RSS))
GETTER(file_pss, FILE_SUM(DIFF_PSS))
GETTER(file_uss, FILE_SUM(DIFF_USS))
GETTER(file_swap, FILE_SUM(DIFF_SWAP))
GETTER(file_copied, FILE_SUM(DIFF_COPIED))
GETTER(file_changed, file_pages(ctx, file_of(row)->file->changed))
GETTER(file_new, file_pages(ctx, file_of(row)->file->copied))
GETTER(file_causes, file_causes(ctx, file_of(row), scratch))
GETTER(file_holders, file_holders(file_of(row), scratch))

static const struct column file_columns[] = {
	{ "file", "FILE", "last part of the path", COLUMN_DEFAULT, 0, 20, get_file },
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
	{ "holders", "WRITTEN", "symbols that were written", COLUMN_DEFAULT, 0, 20,
	  get_file_holders },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
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

int report_diff_files(struct report *report, const struct comparison *comparison,
		      struct error *error)
{
	struct diff_ctx ctx = { comparison, report_is_json(report) };
	struct column_set set;
	size_t shown = 0;
	int rc = column_set_choose(&set, file_columns, NULL, false, error);

	for (size_t i = 0; i < comparison->file_count; i++)
		shown += file_shown(&ctx, &comparison->files[i]);
	if (!ctx.json && !shown)
		return 0;
	if (rc >= 0)
		rc = report_table_begin(report, "files", "By file", &set, &ctx, shown + 1);
	for (size_t i = 0; i < comparison->file_count && rc >= 0; i++) {
		const struct compare_file *file = &comparison->files[i];

		if (file_shown(&ctx, file))
			rc = report_row(report, &(struct file_row) {
					file, cause_of(comparison, file) });
	}
	return rc < 0 ? rc : report_table_end(report);
}
