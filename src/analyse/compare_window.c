// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

/* What is read ahead when a window is full is read again for the next one. */
#define CHUNK_PAGES (WINDOW_RUNS / 4)

/* The parts of a match, in the order of their addresses. */
enum slot_part {
	PART_FRONT_BEFORE,	/* went in front of what is common */
	PART_FRONT_AFTER,	/* came in front of it */
	PART_COMMON,
	PART_BACK_BEFORE,
	PART_BACK_AFTER,
	PART_MAX
};

static void slot_side(struct slot *slot, enum compare_side side, uint64_t start, uint64_t end,
		      uint64_t page_size)
{
	slot->start[side] = start;
	slot->pages[side] = (end - start) / page_size;
}

static bool paired(const struct compare_match *match)
{
	return match->side[BEFORE].vma != VMA_NONE && match->side[AFTER].vma != VMA_NONE;
}

static void slot_make(const struct compare_window *window, const struct slot_cursor *cursor,
		      struct slot *slot)
{
	const struct compare_match *match = &window->map->matches[cursor->row];
	enum compare_side side = cursor->part == PART_FRONT_BEFORE ||
				 cursor->part == PART_BACK_BEFORE ? BEFORE : AFTER;
	const struct compare_range *range = &match->side[side];
	uint64_t size = window->process[side]->page_size;

	*slot = (struct slot) { .row = cursor->row, .part = cursor->part };
	if (cursor->part == PART_COMMON && paired(match)) {
		for (int s = 0; s < SIDE_MAX; s++)
			slot_side(slot, s, match->common[s], match->common[s] + match->bytes, size);
	} else if (cursor->part != PART_COMMON && range->vma != VMA_NONE) {
		bool front = cursor->part < PART_COMMON;

		if (front && paired(match))
			slot_side(slot, side, range->start, match->common[side], size);
		else if (!front)
			slot_side(slot, side, paired(match) ? match->common[side] + match->bytes :
							      range->start, range->end, size);
	}
}

/* Leaves out what a former window dealt with. */
static void slot_skip(struct slot *slot, uint64_t skipped, uint64_t page_size)
{
	slot->skipped = skipped;
	for (int side = 0; side < SIDE_MAX; side++)
		if (slot->pages[side]) {
			slot->start[side] += skipped * page_size;
			slot->pages[side] -= skipped;
		}
}

/* Each side is read in ascending order: a part that lies below the last one has to wait. */
static bool fits(const struct compare_window *window, const struct slot *slot,
		 const uint64_t end[SIDE_MAX])
{
	for (int side = 0; side < SIDE_MAX; side++)
		if (slot->pages[side] && slot->start[side] < end[side])
			return false;
	return window->count < WINDOW_SLOTS;
}

static uint8_t hole_state(const struct process *process, uint32_t vma)
{
	static const struct page_run none = { .kind = PAGE_NONE, .folio_order = -1 };
	struct page_verdict verdict;
	struct state_facts facts;

	if (vma == VMA_NONE)
		return STATE_UNMAPPED;
	state_facts_of(process, &process->vmas[vma], &facts);
	state_decide(&facts, &none, &verdict);
	return (uint8_t)verdict.state;
}

static void slot_add(struct compare_window *window, const struct slot *slot, uint64_t end[SIDE_MAX])
{
	const struct compare_match *match = &window->map->matches[slot->row];

	for (int side = 0; side < SIDE_MAX; side++) {
		window->hole[side][window->count] = STATE_UNMAPPED;
		if (!slot->pages[side])
			continue;
		end[side] = slot->start[side] +
			    slot->pages[side] * window->process[side]->page_size;
		window->hole[side][window->count] =
			hole_state(window->process[side], match->side[side].vma);
	}
	window->slots[window->count++] = *slot;
}

/* Parts from the cursor on, until the window is full or the order breaks. */
static void window_fill(struct compare_window *window)
{
	uint64_t end[SIDE_MAX] = { 0, 0 };
	struct slot_cursor *next = &window->next;

	window->count = 0;
	while (next->row < window->map->count) {
		struct slot slot;

		slot_make(window, next, &slot);
		slot_skip(&slot, next->skipped, window->process[AFTER]->page_size);
		if (slot.pages[BEFORE] || slot.pages[AFTER]) {
			if (!fits(window, &slot, end))
				return;
			slot_add(window, &slot, end);
		}
		next->skipped = 0;
		next->part = (next->part + 1) % PART_MAX;
		next->row += !next->part;
	}
}

/* One side of a window on its way through the provider. */
struct side_walk {
	struct compare_window *window;
	enum compare_side side;
	size_t at;			/* next slot to hand out */
	uint32_t vma;			/* the facts are about */
	struct state_facts facts;
	bool full;			/* the runs became too many: where */
	size_t stop_slot;
	uint64_t stop_at;
};

static const struct vma *slot_vma(const struct side_walk *walk, size_t slot)
{
	const struct compare_window *window = walk->window;
	size_t row = window->slots[slot].row;

	return &window->process[walk->side]->vmas[window->map->matches[row].side[walk->side].vma];
}

static int next_range(void *ctx, struct page_range *range)
{
	struct side_walk *walk = ctx;
	const struct compare_window *window = walk->window;
	const struct process *process = window->process[walk->side];
	const struct slot *slot;
	struct state_facts facts;

	while (walk->at < window->count && !window->slots[walk->at].pages[walk->side])
		walk->at++;
	if (walk->at == window->count)
		return 0;
	slot = &window->slots[walk->at];
	state_facts_of(process, slot_vma(walk, walk->at), &facts);
	*range = (struct page_range) {
		.start = slot->start[walk->side],
		.end = slot->start[walk->side] + slot->pages[walk->side] * process->page_size,
		.index = (uint32_t)walk->at++,
		.hidden = facts.hidden,
	};
	return 1;
}

static void update_facts(struct side_walk *walk, size_t slot, const struct page_run *run)
{
	struct process *process = walk->window->process[walk->side];
	const struct vma *vma = slot_vma(walk, slot);
	uint32_t index = (uint32_t)(vma - process->vmas);

	if (walk->vma != index) {
		walk->vma = index;
		state_facts_of(process, vma, &walk->facts);
	}
	if (run->entry & PAGEMAP_UFFD_WP && !walk->facts.uffd_async)
		state_facts_async(process, vma, &walk->facts);
}

static int take_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct side_walk *walk = ctx;
	struct compare_window *window = walk->window;
	struct page_verdict verdict;
	struct side_run *made;

	if (window->run_count[walk->side] == WINDOW_RUNS) {
		walk->stop_slot = index;
		walk->stop_at = run->start;
		walk->full = true;
		return -1;
	}
	update_facts(walk, index, run);
	state_decide(&walk->facts, run, &verdict);
	made = &window->runs[walk->side][window->run_count[walk->side]++];
	*made = (struct side_run) {
		.start = run->start, .pages = run->pages, .frame = run->frame,
		.mappings = verdict.mappings_known ? verdict.mappings : 0,
		.state = (uint8_t)verdict.state, .resident = state_is_resident(&walk->facts, run),
		.slot = verdict.state == STATE_SWAP &&
			(run->swap.kind == SWAP_SLOT || run->swap.kind == SWAP_UNKNOWN),
		.framed = run->kind == PAGE_PRESENT && run->frame_known && !run->zero &&
			  verdict.state != STATE_ZERO && verdict.state != STATE_KSM,
	};
	if (run->kind == PAGE_PRESENT && !verdict.mappings_known)
		window->count_gap = verdict.mappings_gap;
	return 0;
}

/* Takes from the window what lies behind the place where a side became too many runs. */
static void window_cut(struct side_walk *walk)
{
	struct compare_window *window = walk->window;
	struct slot *slot = &window->slots[walk->stop_slot];
	uint64_t size = window->process[walk->side]->page_size;
	uint64_t pages = (walk->stop_at - slot->start[walk->side]) / size;

	window->next = (struct slot_cursor) { slot->row, slot->part, slot->skipped + pages };
	window->count = walk->stop_slot + (pages > 0);
	for (int side = 0; side < SIDE_MAX; side++)
		if (slot->pages[side])
			slot->pages[side] = pages;
}

static int read_side(struct compare_reader *reader, enum compare_side side, struct error *error)
{
	struct side_walk walk = { .window = reader->window, .side = side, .vma = VMA_NONE };
	struct page_ranges ranges = { next_range, &walk, true };
	int rc;

	reader->window->run_count[side] = 0;
	rc = pages_walk(reader->pages[side], &ranges, take_run, &walk, error);
	if (!walk.full)
		return rc;
	window_cut(&walk);
	return 0;
}

int compare_reader_next(struct compare_reader *reader, struct error *error)
{
	int rc;

	window_fill(reader->window);
	if (!reader->window->count)
		return 0;
	rc = read_side(reader, BEFORE, error);
	if (rc >= 0)
		rc = read_side(reader, AFTER, error);
	return rc < 0 ? rc : 1;
}

int compare_reader_init(struct compare_reader *reader, const struct compare_map *map,
			struct process *const process[SIDE_MAX], struct error *error)
{
	unsigned needs = PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_LEAF;
	int rc = 0;

	*reader = (struct compare_reader) { .window = NULL };
	reader->window = calloc(1, sizeof(*reader->window));
	if (!reader->window)
		return error_nomem(error);
	reader->window->map = map;
	reader->window->process = process;
	for (int side = 0; side < SIDE_MAX && rc >= 0; side++) {
		rc = pages_new(process[side]->source, needs, &reader->pages[side], error);
		if (rc >= 0)
			pages_set_chunk(reader->pages[side], CHUNK_PAGES);
	}
	if (rc < 0)
		compare_reader_done(reader);
	return rc;
}

void compare_reader_done(struct compare_reader *reader)
{
	for (int side = 0; side < SIDE_MAX; side++)
		pages_free(reader->pages[side]);
	free(reader->window);
	*reader = (struct compare_reader) { .window = NULL };
}
