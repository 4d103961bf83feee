// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "columns.h"
#include "diff_row.h"

/* Transitions. */
static const struct compare_transition *transition_of(const void *row)
{
	return row;
}

static struct cell frame_cell(const struct diff_ctx *ctx, const struct compare_transition *t)
{
	if (!ctx->frames || t->frame == FRAME_NONE)
		return cell_null();
	return cell_text(t->frame == FRAME_SAME ? "same" : "other");
}

static struct cell meaning_cell(const struct diff_ctx *ctx, const struct compare_transition *t)
{
	const char *text = diff_meaning(ctx->kin, t);

	return text[0] ? cell_text(text) : cell_null();
}

static uint64_t page_bytes(const struct diff_ctx *ctx, uint64_t pages)
{
	return pages * ctx->page_size;
}

DIFF_GETTER(pages, cell_count(transition_of(row)->pages))
DIFF_GETTER(bytes, cell_size(page_bytes(ctx, transition_of(row)->pages)))
DIFF_GETTER(from, cell_text(compare_state_name(transition_of(row)->from)))
DIFF_GETTER(to, cell_text(compare_state_name(transition_of(row)->to)))
DIFF_GETTER(frame, frame_cell(ctx, transition_of(row)))
DIFF_GETTER(meaning, meaning_cell(ctx, transition_of(row)))

static const struct column transition_columns[] = {
	{ "pages", "PAGES", "pages", NUMBER, 0, 8, get_pages },
	{ "bytes", "BYTES", "their bytes", NUMBER, 0, 6, get_bytes },
	{ "from", "FROM", "state before", BOTH, 0, 11, get_from },
	{ "to", "TO", "state after", BOTH, 0, 11, get_to },
	{ "frame", "FRAME", "in the same frame or in another", BOTH, 0, 5, get_frame },
	{ "meaning", "MEANING", "what happened", BOTH | COLUMN_PROSE, 0, 30, get_meaning },
	{ NULL },
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

int report_diff_transitions(struct report *report, const struct diff_ctx *ctx,
			    const struct compare_tally *total, struct error *error)
{
	CLEANUP_FREE struct compare_transition *sorted = calloc(total->count + 1, sizeof(*sorted));
	struct column_set set;
	size_t count = 0;
	int rc;

	if (!sorted)
		return error_nomem(error);
	for (size_t i = 0; i < total->count; i++)
		if (ctx->json || tells(&total->items[i]))
			sorted[count++] = total->items[i];
	if (!ctx->json && !count)
		return 0;
	qsort(sorted, count, sizeof(*sorted), by_pages);
	rc = column_set_choose(&set, transition_columns, NULL, false, error);
	if (rc >= 0)
		rc = report_table_begin(report, "transitions", "Pages that changed", &set, ctx,
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

	if (ctx->gaps.pages != GAP_NONE)
		return cell_missing(ctx->gaps.pages);
	for (size_t i = 0; i < tally->count; i++)
		pages += transition_changes(&tally->items[i]) ? tally->items[i].pages : 0;
	return cell_count(pages);
}

static struct cell class_pages(const struct diff_ctx *ctx, const struct compare_tally *tally,
			       struct scratch *scratch)
{
	return ctx->gaps.pages != GAP_NONE ? cell_missing(ctx->gaps.pages) :
		diff_pages_cell(tally->items, tally->count, scratch);
}

#define CLASS_SUM(which) diff_sum_cell(ctx, class_tally(ctx, row)->sum, which, scratch)

DIFF_GETTER(class, cell_text(vma_class_names[*(const int *)row].name))
DIFF_GETTER(class_size, CLASS_SUM(DIFF_SIZE))
DIFF_GETTER(class_rss, CLASS_SUM(DIFF_RSS))
DIFF_GETTER(class_pss, CLASS_SUM(DIFF_PSS))
DIFF_GETTER(class_uss, CLASS_SUM(DIFF_USS))
DIFF_GETTER(class_swap, CLASS_SUM(DIFF_SWAP))
DIFF_GETTER(class_copied, CLASS_SUM(DIFF_COPIED))
DIFF_GETTER(class_shared, CLASS_SUM(DIFF_SHARED))
DIFF_GETTER(class_changed, changed_cell(ctx, class_tally(ctx, row)))
DIFF_GETTER(class_pages, class_pages(ctx, class_tally(ctx, row), scratch))
DIFF_GETTER(class_meaning, cell_text(vma_class_names[*(const int *)row].meaning))

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
	{ "meaning", "MEANING", "of the class", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 20,
	  get_class_meaning },
	{ NULL },
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
	       before->swap != after->swap;
}

int report_diff_classes(struct report *report, const struct diff_ctx *ctx, struct error *error)
{
	const struct comparison *comparison = ctx->comparison;
	struct column_set set;
	size_t shown = 0;
	int rc = column_set_choose(&set, class_columns, NULL, false, error);

	for (int i = 0; i < VMA_CLASS_MAX; i++)
		shown += class_shown(ctx, &comparison->classes[i]);
	if (!ctx->json && !shown)
		return 0;
	if (rc >= 0)
		rc = report_table_begin(report, "classes", "By class", &set, ctx, shown + 1);
	for (int i = 0; i < VMA_CLASS_MAX && rc >= 0; i++)
		if (class_shown(ctx, &comparison->classes[i]))
			rc = report_row(report, &i);
	return rc < 0 ? rc : report_table_end(report);
}
