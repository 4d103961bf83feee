// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

/* One side of a window, from the first run that is not done with. */
struct cursor {
	const struct side_run *run;
	const struct side_run *end;
	uint32_t page_size;
};

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t run_end(const struct side_run *run, uint32_t page_size)
{
	return run->start + run->pages * page_size;
}

/* The run that holds the address, NULL in a hole; *pages: how far either goes, at most. */
static const struct side_run *cursor_at(struct cursor *cursor, uint64_t address, uint64_t *pages)
{
	while (cursor->run < cursor->end && run_end(cursor->run, cursor->page_size) <= address)
		cursor->run++;
	if (cursor->run == cursor->end)
		return NULL;
	if (cursor->run->start > address) {
		*pages = lower(*pages, (cursor->run->start - address) / cursor->page_size);
		return NULL;
	}
	*pages = lower(*pages, (run_end(cursor->run, cursor->page_size) - address) /
			       cursor->page_size);
	return cursor->run;
}

static enum compare_frame compare_frames(const struct side_run *const run[SIDE_MAX],
					 const uint64_t start[SIDE_MAX], uint32_t page_size)
{
	uint64_t before, after;

	if (!run[BEFORE] || !run[AFTER] || !run[BEFORE]->framed || !run[AFTER]->framed)
		return FRAME_NONE;
	before = run[BEFORE]->frame + (start[BEFORE] - run[BEFORE]->start) / page_size;
	after = run[AFTER]->frame + (start[AFTER] - run[AFTER]->start) / page_size;
	return before == after ? FRAME_SAME : FRAME_OTHER;
}

static uint8_t state_at(const struct side_run *run, uint8_t hole)
{
	return run ? run->state : hole;
}

static int merge_slot(const struct compare_window *window, size_t index,
		      struct cursor cursors[SIDE_MAX], const struct merge_sink *sink)
{
	const struct slot *slot = &window->slots[index];
	uint64_t total = slot->pages[BEFORE] ? slot->pages[BEFORE] : slot->pages[AFTER];
	uint32_t size = window->process[AFTER]->page_size;
	int rc = 0;

	for (uint64_t done = 0; done < total && rc >= 0;) {
		struct compare_transition piece = { .pages = total - done };
		const struct side_run *run[SIDE_MAX] = { NULL, NULL };
		uint64_t start[SIDE_MAX];

		for (int side = 0; side < SIDE_MAX; side++) {
			start[side] = slot->start[side] + done * size;
			if (slot->pages[side])
				run[side] = cursor_at(&cursors[side], start[side], &piece.pages);
		}
		piece.from = state_at(run[BEFORE], window->hole[BEFORE][index]);
		piece.to = state_at(run[AFTER], window->hole[AFTER][index]);
		if (sink->frames)
			piece.frame = (uint8_t)compare_frames(run, start, size);
		done += piece.pages;
		rc = sink->piece(sink->ctx, slot, &piece, run, start);
	}
	return rc;
}

int compare_merge(const struct compare_window *window, const struct merge_sink *sink)
{
	struct cursor cursors[SIDE_MAX];
	int rc = 0;

	for (int side = 0; side < SIDE_MAX; side++)
		cursors[side] = (struct cursor) {
			window->runs[side], window->runs[side] + window->run_count[side],
			window->process[side]->page_size
		};
	for (size_t i = 0; i < window->count && rc >= 0; i++)
		rc = merge_slot(window, i, cursors, sink);
	return rc;
}
