// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "diff_row.h"

struct diff_row {
	const struct diff_ctx *ctx;
	const struct compare_match *match;
	const struct compare_row *row;
	const struct compare_transition *items;
	const struct vma *vma;		/* after, or before if it went */
	const struct process *process;	/* of it */
	size_t index;
};

static struct diff_row row_of(const void *ctx, const void *data)
{
	struct diff_row row = { .ctx = ctx, .index = *(const size_t *)data };
	const struct comparison *comparison = row.ctx->comparison;
	enum compare_side side;

	row.match = &comparison->map.matches[row.index];
	row.row = &comparison->rows[row.index];
	row.items = comparison->pool + row.row->first;
	side = row.match->side[AFTER].vma == VMA_NONE ? BEFORE : AFTER;
	row.process = comparison->process[side];
	row.vma = &row.process->vmas[row.match->side[side].vma];
	return row;
}

#define GETTER(name, expression)                       \
	COLUMN_GETTER(get_##name)                      \
	{                                              \
		struct diff_row row = row_of(about, data); \
                                                       \
		*cell = (expression);                  \
	}

static struct cell sum_cell(const struct diff_row *row, enum diff_sum which,
			    struct scratch *scratch)
{
	if (!row->row->summed && which != DIFF_SIZE)
		return row->ctx->comparison->smaps_gap != GAP_NONE ?
			cell_missing(row->ctx->comparison->smaps_gap) : cell_null();
	return diff_sum_cell(row->ctx, row->row->sum, which, scratch);
}

static struct cell changes_cell(const struct diff_row *row, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, CHANGE_MAX);
	size_t n = 0;

	for (int i = 0; items && i < CHANGE_MAX; i++)
		if (row->match->changes >> i & 1)
			items[n++] = cell_text(name_of(compare_change_names, i));
	return items ? cell_list(items, n) : cell_null();
}

static struct cell pages_cell(const struct diff_row *row, struct scratch *scratch)
{
	enum gap gap = row->ctx->gaps.pages;

	return gap != GAP_NONE ? cell_missing(gap) :
		diff_pages_cell(row->items, row->row->count, scratch);
}

static struct cell path_cell(const struct diff_row *row)
{
	struct span name = vma_name(row->process, row->vma);

	return name.len ? cell_bytes(name) : cell_null();
}

static uint64_t start_of(const struct diff_row *row)
{
	enum compare_side side = row->match->side[AFTER].vma == VMA_NONE ? BEFORE : AFTER;

	return row->match->side[side].start;
}

static uint64_t changed_pages(const struct diff_row *row)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < row->row->count; i++)
		if (transition_changes(&row->items[i]))
			pages += row->items[i].pages;
	return pages;
}

static struct cell changed_cell(const struct diff_row *row)
{
	enum gap gap = row->ctx->gaps.pages;

	return gap != GAP_NONE ? cell_missing(gap) : cell_count(changed_pages(row));
}

/* The VMA is as it was, its pages are not: people need not hear "same". */
static struct cell change_cell(const struct diff_row *row)
{
	const struct comparison *comparison = row->ctx->comparison;
	enum compare_change change = compare_change_of(row->match);

	if (change == CHANGE_SAME && !row->ctx->json && compare_row_differs(comparison, row->index))
		return cell_text(comparison->pages_gap == GAP_NONE ? "pages" : "counters");
	return cell_text(name_of(compare_change_names, change));
}

GETTER(change, change_cell(&row))
GETTER(changes, changes_cell(&row, scratch))
GETTER(certainty, cell_text(certainty_name(row.match->certainty)))
GETTER(start, cell_hex(start_of(&row)))
GETTER(before, diff_vma_cell(row.ctx->comparison, row.match, BEFORE, scratch))
GETTER(after, diff_vma_cell(row.ctx->comparison, row.match, AFTER, scratch))
GETTER(class, cell_text(name_of(vma_class_names, row.vma->vma_class)))
GETTER(role, cell_text(name_of(vma_role_names, row.vma->role)))
GETTER(size, sum_cell(&row, DIFF_SIZE, scratch))
GETTER(rss, sum_cell(&row, DIFF_RSS, scratch))
GETTER(pss, sum_cell(&row, DIFF_PSS, scratch))
GETTER(uss, sum_cell(&row, DIFF_USS, scratch))
GETTER(swap, sum_cell(&row, DIFF_SWAP, scratch))
GETTER(copied, sum_cell(&row, DIFF_COPIED, scratch))
GETTER(shared, sum_cell(&row, DIFF_SHARED, scratch))
GETTER(changed, changed_cell(&row))
GETTER(pages, pages_cell(&row, scratch))
GETTER(frames, diff_frames_cell(row.ctx->comparison, row.items, row.row->count, scratch))
GETTER(path, path_cell(&row))
GETTER(what, cell_bytes(diff_sentence(row.ctx->comparison, row.index, scratch)))

#define SUM (COLUMN_JSON | COLUMN_RIGHT)

const struct column diff_columns[] = {
	{ "change", "CHANGE", "what happened to the VMA", BOTH, 0, 10,
	  get_change },
	{ "changes", "CHANGES", "all that happened to it", COLUMN_JSON, 0, 16, get_changes },
	{ "certainty", "CERTAINTY", "of the match",
	  COLUMN_JSON | COLUMN_VERBOSE | COLUMN_SPARE, 0, 9, get_certainty },
	{ "before", "BEFORE", "the VMA, or part of it, before", COLUMN_JSON, 0, 30, get_before },
	{ "after", "AFTER", "the same after", COLUMN_JSON, 0, 30, get_after },
	{ "start", "START", "first address after; of what went, before",
	  COLUMN_DEFAULT | COLUMN_RIGHT, 0, 14, get_start },
	{ "class", "C", "class of the VMA", 0, 0, 1, get_class },
	{ "role", "ROLE", "what the VMA is for", COLUMN_DEFAULT, 0, 11, get_role },
	{ "size", "SIZE", "bytes of address space, more or less", SUM | COLUMN_DEFAULT, 0, 6,
	  get_size },
	{ "rss", "RSS", "resident bytes, more or less", SUM | COLUMN_DEFAULT, 0, 6, get_rss },
	{ "pss", "PSS", "its share of resident bytes", SUM | COLUMN_VERBOSE, 0, 6, get_pss },
	{ "uss", "USS", "resident bytes that nobody else maps", SUM | COLUMN_VERBOSE | COLUMN_SPARE,
	  0, 6, get_uss },
	{ "swap", "SWAP", "bytes in swap slots", SUM | COLUMN_VERBOSE | COLUMN_SPARE, 0, 6,
	  get_swap },
	{ "copied", "COPIED", "bytes of private copies of file pages", SUM | COLUMN_VERBOSE, 0, 6,
	  get_copied },
	{ "shared", "SHARED", "bytes of private pages that others map too", SUM | COLUMN_VERBOSE, 0,
	  6, get_shared },
	{ "changed", "PAGES", "pages in another state than before", COLUMN_RIGHT, 0, 7,
	  get_changed },
	{ "pages", "FROM>TO", "pages by their states before and after", COLUMN_JSON, 0, 30,
	  get_pages },
	{ "frames", "FRAMES", "pages that are in the same frame, and in another",
	  COLUMN_JSON, 0, 20, get_frames },
	{ "path", "PATH", "name of the VMA",
	  COLUMN_VERBOSE | COLUMN_HEX_BYTES | COLUMN_PROSE, 0, 20, get_path },
	{ "what", "WHAT", "what happened, in words", COLUMN_DEFAULT | COLUMN_PROSE, 0, 30,
	  get_what },
	{ NULL },
};
