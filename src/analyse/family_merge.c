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

/* Addresses at which each side either has pages of one run or none at all. */
struct overlap {
	const struct frame_run *x, *y;	/* NULL: none */
	uint64_t start;
	uint64_t pages;
};

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* false at the end */
static bool next_overlap(struct cursor *a, struct cursor *b, uint32_t page_size,
			 struct overlap *overlap)
{
	const struct frame_run *x = cursor_run(a), *y = cursor_run(b);
	uint64_t xs = x ? cursor_start(a, x) : UINT64_MAX;
	uint64_t ys = y ? cursor_start(b, y) : UINT64_MAX;
	uint64_t start = lower(xs, ys), end;

	if (!x && !y)
		return false;
	end = lower(xs == start ? run_end(x, page_size) : xs,
		    ys == start ? run_end(y, page_size) : ys);
	*overlap = (struct overlap) {
		xs == start ? x : NULL, ys == start ? y : NULL, start,
		(end - start) / page_size,
	};
	cursor_move(a, end, page_size);
	cursor_move(b, end, page_size);
	return true;
}

static uint64_t frame_at(const struct frame_run *run, uint64_t address, uint32_t page_size)
{
	return run->frame + (address - run->start) / page_size;
}

/* Counts the pages that both have; false if they have different frames. */
static bool count_shared(struct family_member *member, const struct overlap *o,
			 uint32_t page_size)
{
	if (!o->x || !o->y ||
	    frame_at(o->x, o->start, page_size) != frame_at(o->y, o->start, page_size))
		return false;
	member->vmas[o->x->vma].shared += o->pages;
	/* Mapped once, and yet both see it. */
	if (o->x->once && o->y->once)
		member->same_mm = true;
	return true;
}

int frame_runs_add(struct frame_runs *runs, const struct frame_run *run)
{
	if (array_grow((void **)&runs->items, &runs->cap, runs->count, sizeof(*runs->items)) < 0)
		return -ERROR_NOMEM;
	runs->items[runs->count++] = *run;
	return 0;
}

static int add_part(struct frame_runs *runs, const struct frame_run *run,
		    const struct overlap *o, uint32_t page_size)
{
	struct frame_run part;

	if (!run)
		return 0;
	part = *run;
	part.frame = frame_at(run, o->start, page_size);
	part.start = o->start;
	part.pages = o->pages;
	return frame_runs_add(runs, &part);
}

int family_split(struct family_member *member, const struct frame_runs *ours,
		 const struct frame_runs *theirs, struct frame_runs *our_rest,
		 struct frame_runs *their_rest, uint32_t page_size)
{
	struct cursor a = { ours, 0, 0 }, b = { theirs, 0, 0 };
	struct overlap o;

	our_rest->count = their_rest->count = 0;
	while (next_overlap(&a, &b, page_size, &o))
		if (!count_shared(member, &o, page_size) &&
		    (add_part(our_rest, o.x, &o, page_size) < 0 ||
		     add_part(their_rest, o.y, &o, page_size) < 0))
			return -ERROR_NOMEM;
	return 0;
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

void family_merge(struct family_member *member, const struct frame_runs *ours,
		  const struct frame_runs *theirs, uint32_t page_size)
{
	struct cursor a = { ours, 0, 0 }, b = { theirs, 0, 0 };
	struct overlap o;

	while (next_overlap(&a, &b, page_size, &o)) {
		struct family_pages *sum = &member->vmas[o.x ? o.x->vma : o.y->vma];

		if (count_shared(member, &o, page_size))
			continue;
		if (!o.y)
			sum->only_here += o.pages;
		else if (!o.x)
			sum->only_there += o.pages;
		else
			*diverged(sum, o.x, o.y) += o.pages;
	}
}
