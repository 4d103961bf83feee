// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

#define COMPOUND (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL)
#define TRIES 3

void pages_set_flags(struct pages *pages, struct page_run *run, uint64_t flags)
{
	run->flags_known = pages->flags_gap == GAP_NONE && !(flags & SOURCE_FRAME_NOT_RECORDED);
	run->mark_known = run->flags_known && pages->exclusive_mark;
	if (flags & SOURCE_FRAME_NOT_RECORDED)
		run->gap = GAP_NOT_RECORDED;
	if (!run->flags_known)
		return;
	run->flags = pages->needs & PAGE_JOIN_FRAMES ? flags & PAGE_KIND_FLAGS : flags;
	run->zero = flags & KPF_ZERO_PAGE;
	run->zero_known = true;
	run->folio_order = flags & COMPOUND ? -1 : 0;
}

/*
 * Do word, flags and count contradict each other? The page was then freed or used again between
 * the reads. A count of 0 is right for pages that rmap does not track (zero page, drivers').
 */
bool pages_contradict(const struct pages *pages, const struct page_run *run)
{
	if (!run->flags_known || run->zero)
		return false;
	if (run->flags & (KPF_BUDDY | KPF_SLAB | KPF_PGTABLE | KPF_NOPAGE))
		return true;
	if (!(run->entry & PAGEMAP_FILE) != !!(run->flags & KPF_ANON))
		return true;
	return pages->needs & PAGE_NEED_COUNT && run->count_known && !run->mappings &&
	       run->flags & KPF_ANON;
}

struct page_run pages_begin_run(struct pages *pages, uint64_t page, uint64_t count,
				 uint64_t word)
{
	struct page_run run = {
		.start = page << pages->page_shift,
		.pages = count,
		.kind = pages_word_kind(word),
		.entry = word & PAGEMAP_FLAG_MASK,
		.folio_order = -1,
	};

	if (run.kind == PAGE_SWAP) {
		run.entry = word;
		run.swap = pagemap_swap(word, pages->frames_visible);
		run.gap = pages->frames_visible ? GAP_NONE : GAP_NEEDS_PRIVILEGE;
		if (pages->needs & PAGE_JOIN_FRAMES && run.swap.kind == SWAP_SLOT)
			run.entry &= PAGEMAP_FLAG_MASK | 0x1f;
	} else if (run.kind == PAGE_PRESENT) {
		run.frame_known = pages->frames_visible && !pages->shape;
		run.frame = run.frame_known ? pagemap_frame(word) : 0;
		run.gap = pages->frames_visible ? GAP_NONE : pages->flags_gap;
	}
	return run;
}

/* The rest of a large folio and how it is mapped are not read again. */
static void set_reread_shape(struct page_run *run, uint64_t flags)
{
	run->leaf = LEAF_BASE;
	run->folio_partial = flags & COMPOUND && flags & KPF_ANON;
	if (flags & (KPF_THP | KPF_HUGE)) {
		run->leaf = LEAF_UNKNOWN;
		run->gap = GAP_CHANGED;
	}
}

/* One page as it is now: word, flags and count read again. */
static int reread_page(struct pages *pages, uint64_t page, struct page_run *run,
		       struct error *error)
{
	uint64_t word = 0, flags = 0, count = 1;
	size_t got = 0;

	if (source_pagemap(pages->process, page, &word, 1, &got, error) < 0)
		return -1;
	*run = pages_begin_run(pages, page, 1, got ? word : 0);
	if (run->kind != PAGE_PRESENT || !run->frame_known || run->frame >= pages->frames_end)
		return 0;
	if (source_frames(pages->source, SOURCE_KPAGEFLAGS, run->frame, &flags, 1, &got, error) < 0)
		return -1;
	pages_set_flags(pages, run, flags);
	set_reread_shape(run, flags);
	run->count_known = pages->count_gap == GAP_NONE && pages->needs & PAGE_NEED_COUNT;
	if (run->count_known && !(word & PAGEMAP_EXCLUSIVE) &&
	    source_frames(pages->source, SOURCE_KPAGECOUNT, run->frame, &count, 1, &got, error) < 0)
		return -1;
	run->mappings = (uint32_t)count;
	return 0;
}

/* Flags and count may be of a frame that is somebody else's by now: only the word is left. */
static void give_up(struct pages *pages, struct page_run *run)
{
	*run = (struct page_run) {
		.start = run->start, .pages = run->pages, .kind = run->kind, .entry = run->entry,
		.swap = run->swap, .changed = true, .gap = GAP_CHANGED, .folio_order = -1,
	};
	pages->stats.changed_pages += run->pages;
}

/* What reads the same again is how it is: special pages of drivers. What goes on changing after
 * a few tries is marked. */
int pages_settle(struct pages *pages, struct page_run *run, struct error *error)
{
	bool steady = false;

	for (int tries = 0; pages_contradict(pages, run) && !steady && tries < TRIES; tries++) {
		struct page_run before = *run;

		if (!pages->rereads_left)
			break;
		pages->rereads_left--;
		pages->stats.reread_pages++;
		if (reread_page(pages, run->start >> pages->page_shift, run, error) < 0)
			return -1;
		steady = run->entry == before.entry && run->frame == before.frame &&
			 run->flags == before.flags && run->mappings == before.mappings;
	}
	if (!steady && pages_contradict(pages, run))
		give_up(pages, run);
	return 0;
}

/* As far as there are reads left for that. */
int pages_anew(struct pages *pages, uint64_t page, uint64_t word, struct page_run *run,
	       struct error *error)
{
	*run = pages_begin_run(pages, page, 1, word);
	if (!pages->rereads_left) {
		give_up(pages, run);
		return 0;
	}
	pages->rereads_left--;
	pages->stats.reread_pages++;
	if (reread_page(pages, page, run, error) < 0)
		return -1;
	return pages_settle(pages, run, error);
}
