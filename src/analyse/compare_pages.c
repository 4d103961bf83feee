// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

struct comparing {
	struct comparison *comparison;
	size_t row;			/* at work, SIZE_MAX before the first */
	uint32_t vma;			/* of `after`, that causes are asked about; VMA_NONE */
	struct cow_counts copies;	/* of it: only what became a copy */
};

static bool is_copy(unsigned state)
{
	return state == STATE_COPY || state == STATE_COPY_SHARED;
}

static int causes_close(struct comparing *comparing)
{
	uint32_t vma = comparing->vma;

	comparing->vma = VMA_NONE;
	return vma == VMA_NONE ? 0 :
		causes_end(comparing->comparison->causes, vma, &comparing->copies);
}

static int causes_open(struct comparing *comparing, uint32_t vma)
{
	if (comparing->vma == vma)
		return 0;
	if (causes_close(comparing) < 0)
		return -ERROR_NOMEM;
	comparing->vma = vma;
	cow_counts_clear(&comparing->copies);
	return causes_begin(comparing->comparison->causes, vma);
}

/* Pages that are copies now and were none: why is told by the file. */
static int ask_causes(struct comparing *comparing, const struct compare_match *match,
		      const struct compare_transition *piece, uint64_t start)
{
	uint64_t bytes = piece->pages * comparing->comparison->process[AFTER]->page_size;
	struct cow_run run = {
		.start = start, .pages = piece->pages, .verdict.state = piece->to,
	};

	if (!comparing->comparison->causes || !is_copy(piece->to) || is_copy(piece->from))
		return 0;
	if (causes_open(comparing, match->side[AFTER].vma) < 0)
		return -ERROR_NOMEM;
	comparing->copies.rss += bytes;
	comparing->copies.copied += bytes;
	return causes_run(comparing->comparison->causes, &run);
}

static int add_transition(struct comparison *comparison, struct compare_row *row,
			  const struct compare_match *match,
			  const struct compare_transition *piece)
{
	struct compare_tally *tallies[] = { &comparison->total, compare_class(comparison, match) };

	if (compare_transition_add(&comparison->pool, &comparison->pool_cap,
				   &comparison->pool_count, row->first, piece) < 0)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(tallies); i++)
		if (compare_transition_add(&tallies[i]->items, &tallies[i]->cap, &tallies[i]->count,
					   0, piece) < 0)
			return -ERROR_NOMEM;
	if (row->object != OBJECT_NONE && transition_changes(piece)) {
		comparison->files[row->object].changed += piece->pages;
		if (is_copy(piece->to) && !is_copy(piece->from))
			comparison->files[row->object].copied += piece->pages;
	}
	return 0;
}

/* The row at work is done: its sums go where they belong. */
static void row_close(struct comparing *comparing)
{
	struct comparison *comparison = comparing->comparison;
	struct compare_row *row;

	if (comparing->row == SIZE_MAX)
		return;
	row = &comparison->rows[comparing->row];
	row->count = (uint32_t)(comparison->pool_count - row->first);
	row->summed = true;
	for (int side = 0; side < SIDE_MAX; side++) {
		struct compare_match *match = &comparison->map.matches[comparing->row];

		compare_sum_add(&comparison->total.sum[side], &row->sum[side]);
		compare_sum_add(&compare_class(comparison, match)->sum[side], &row->sum[side]);
		if (row->object != OBJECT_NONE)
			compare_sum_add(&comparison->files[row->object].sum[side], &row->sum[side]);
	}
}

static void row_open(struct comparing *comparing, size_t index)
{
	struct compare_row *row = &comparing->comparison->rows[index];

	if (comparing->row == index)
		return;
	row_close(comparing);
	comparing->row = index;
	row->first = comparing->comparison->pool_count;
}

static int take_piece(void *ctx, const struct slot *slot, const struct compare_transition *piece,
		      const struct side_run *const run[SIDE_MAX], const uint64_t start[SIDE_MAX])
{
	struct comparing *comparing = ctx;
	struct comparison *comparison = comparing->comparison;
	const struct compare_match *match = &comparison->map.matches[slot->row];
	struct compare_row *row = &comparison->rows[slot->row];

	row_open(comparing, slot->row);
	for (int side = 0; side < SIDE_MAX; side++)
		if (run[side])
			compare_sum_run(&row->sum[side], run[side], piece->pages,
					comparison->process[side]->page_size);
	if (add_transition(comparison, row, match, piece) < 0)
		return -ERROR_NOMEM;
	return ask_causes(comparing, match, piece, start[AFTER]);
}

int compare_pages(struct comparison *comparison, struct error *error)
{
	struct comparing comparing = {
		.comparison = comparison, .row = SIZE_MAX, .vma = VMA_NONE,
	};
	struct merge_sink sink = { &comparing, take_piece, comparison->frames };
	struct compare_reader reader;
	int rc = compare_reader_init(&reader, &comparison->map, comparison->process, error);

	if (rc < 0)
		return rc;
	cow_counts_init(&comparing.copies);
	while ((rc = compare_reader_next(&reader, error)) > 0)
		if (compare_merge(reader.window, &sink) < 0) {
			rc = error_nomem(error);
			break;
		}
	comparison->count_gap = reader.window->count_gap;
	compare_reader_done(&reader);
	row_close(&comparing);
	if (rc >= 0 && causes_close(&comparing) < 0)
		rc = error_nomem(error);
	cow_counts_done(&comparing.copies);
	return rc;
}
