// SPDX-License-Identifier: LGPL-2.1-or-later
#include "family_pages.h"

/* Part of a run from `address` on. */
struct cursor {
	const struct frame_runs *runs;
	size_t at;
	uint64_t address;
};

static const struct frame_run *cursor_run(const struct cursor *cursor)
{
	return cursor->at < cursor->runs->count ? &cursor->runs->items[cursor->at] : NULL;
}

static uint64_t run_end(const struct frame_run *run, uint32_t page_size)
{
	return run->start + run->pages * page_size;
}

/* The first address at or above the cursor that the run covers. */
static uint64_t cursor_start(const struct cursor *cursor, const struct frame_run *run)
{
	return run->start > cursor->address ? run->start : cursor->address;
}

static void cursor_move(struct cursor *cursor, uint64_t address, uint32_t page_size)
{
	const struct frame_run *run;

	cursor->address = address;
	while ((run = cursor_run(cursor)) && run_end(run, page_size) <= address)
		cursor->at++;
}

static uint64_t *diverged(struct family_pages *pages, const struct frame_run *a,
			  const struct frame_run *b)
{
	if (!a->exclusive_known || !b->exclusive_known)
		return &pages->unknown;
	if (a->exclusive && b->exclusive)
		return &pages->both;
	if (a->exclusive)
		return &pages->here;
	return b->exclusive ? &pages->there : &pages->unknown;
}

static void count_pair(struct family_member *member, const struct frame_run *a,
		       const struct frame_run *b, uint64_t start, uint64_t pages,
		       uint32_t page_size)
{
	struct family_pages *sum = &member->vmas[a->vma];
	uint64_t ours = a->frame + (start - a->start) / page_size;
	uint64_t theirs = b->frame + (start - b->start) / page_size;

	if (ours != theirs) {
		*diverged(sum, a, b) += pages;
		return;
	}
	sum->shared += pages;
	if (a->once && b->once)
		member->same_mm = true;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Pages that only one side has, up to where the other's next run begins. */
static uint64_t count_single(uint64_t *sum, const struct frame_run *run, uint64_t start,
			     uint64_t other, uint32_t page_size)
{
	uint64_t end = lower(run_end(run, page_size), other);

	*sum += (end - start) / page_size;
	return end;
}

void family_merge(struct family_member *member, const struct frame_runs *ours,
		  const struct frame_runs *theirs, uint32_t page_size)
{
	struct cursor a = { ours, 0, 0 }, b = { theirs, 0, 0 };
	const struct frame_run *x, *y;

	while ((x = cursor_run(&a)), (y = cursor_run(&b)), x || y) {
		uint64_t xs = x ? cursor_start(&a, x) : UINT64_MAX;
		uint64_t ys = y ? cursor_start(&b, y) : UINT64_MAX;
		uint64_t end;

		if (xs < ys) {
			end = count_single(&member->vmas[x->vma].only_here, x, xs, ys, page_size);
		} else if (ys < xs) {
			end = count_single(&member->vmas[y->vma].only_there, y, ys, xs, page_size);
		} else {
			end = lower(run_end(x, page_size), run_end(y, page_size));
			count_pair(member, x, y, xs, (end - xs) / page_size, page_size);
		}
		cursor_move(&a, end, page_size);
		cursor_move(&b, end, page_size);
	}
}
