// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

static int add_mark(struct pages *pages, uint64_t page, uint64_t end, enum page_leaf leaf,
		    bool zero, struct error *error)
{
	struct page_mark *last = pages->mark_count ? &pages->marks[pages->mark_count - 1] : NULL;

	if (last && last->end == page && last->leaf == leaf && last->zero == zero) {
		last->end = end;
		return 0;
	}
	if (array_grow((void **)&pages->marks, &pages->mark_cap, pages->mark_count,
		       sizeof(*pages->marks)) < 0)
		return error_nomem(error);
	pages->marks[pages->mark_count++] = (struct page_mark) { page, end, leaf, zero };
	return 0;
}

static int add_regions(struct pages *pages, const struct source_region *regions, size_t count,
		       struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t bits = regions[i].categories;

		if (add_mark(pages, regions[i].start >> pages->page_shift,
			     regions[i].end >> pages->page_shift,
			     bits & SCAN_HUGE ? LEAF_PMD : LEAF_BASE, bits & SCAN_ZERO, error) < 0)
			return -1;
	}
	return 0;
}

/* Marks of [page, end) that have one of the categories. -1: the kernel cannot scan. */
static int scan_marks(struct pages *pages, uint64_t page, uint64_t end, uint64_t categories,
		      struct error *error)
{
	struct source_region regions[256];
	struct source_scan scan = {
		.start = page << pages->page_shift,
		.end = end << pages->page_shift,
		.anyof = categories,
		.report = categories,
	};

	while (scan.start < scan.end) {
		uint64_t walked = scan.end;
		size_t count = 0;

		if (source_pagemap_scan(pages->process, &scan, regions, 256, &count, &walked,
					error) < 0)
			return -1;
		pages->stats.scans++;
		if (add_regions(pages, regions, count, error) < 0)
			return -1;
		scan.start = walked > scan.start ? walked : scan.end;
	}
	return 0;
}

/* Large pages of unknown mapping level, one behind the other. */
struct leaf_span {
	uint64_t page;
	uint64_t end;
};

static int close_span(struct pages *pages, struct leaf_span *span, struct error *error)
{
	struct error failure = ERROR_INIT;
	struct leaf_span done = *span;

	*span = (struct leaf_span) { 0, 0 };
	if (done.page == done.end)
		return 0;
	if (!pages->plain && !pages->no_scan) {
		if (scan_marks(pages, done.page, done.end, SCAN_HUGE, &failure) == 0)
			return 0;
		if (failure.code == ERROR_GONE)
			return error_set(error, failure.code, "pagemap", "%s", failure.text);
		pages->no_scan = true;
	}
	return add_mark(pages, done.page, done.end, LEAF_UNKNOWN, false, error);
}

/* hugetlb needs no scan: its size is its mapping level. A head whose folio goes on in the next
 * block, or a tail at the begin of a block, is part of a page larger than a PMD's. */
static enum page_leaf hugetlb_leaf(const struct pages *pages, const struct word_run *run,
				   uint64_t page, uint64_t flags)
{
	uint64_t next = pagemap_frame(run->word) + (page - run->page) + pages->block;

	if (flags & KPF_COMPOUND_TAIL)
		return LEAF_PUD;
	if (page + pages->block >= run->page + run->pages)
		return LEAF_PMD;
	return pages_fact_of(pages, next)->flags & KPF_COMPOUND_TAIL ? LEAF_PUD : LEAF_PMD;
}

/* Only an aligned block of a large page that begins on an aligned frame can be one entry. */
static int mark_block(struct pages *pages, const struct word_run *run, uint64_t page,
		      struct leaf_span *span, struct error *error)
{
	uint64_t frame = pagemap_frame(run->word) + (page - run->page);
	uint64_t flags;

	if (frame % pages->block || !bitmap_has(pages->wanted, frame))
		return 0;
	flags = pages_fact_of(pages, frame)->flags;
	if (!(flags & (KPF_THP | KPF_HUGE)))
		return 0;
	if (span->end != page || flags & KPF_HUGE)
		if (close_span(pages, span, error) < 0)
			return -1;
	if (flags & KPF_HUGE)
		return add_mark(pages, page, page + pages->block,
				hugetlb_leaf(pages, run, page, flags), false, error);
	if (span->end != page)
		span->page = page;
	span->end = page + pages->block;
	return 0;
}

static int mark_by_frames(struct pages *pages, struct error *error)
{
	struct leaf_span span = { 0, 0 };
	uint64_t block = pages->block;

	if (!pages_facts_have(pages, KPF_THP | KPF_HUGE))
		return 0;
	for (size_t i = 0; i < pages->run_count; i++) {
		const struct word_run *run = &pages->runs[i];
		uint64_t at = (run->page + block - 1) & ~(block - 1);

		if (run->kind != PAGE_PRESENT || run->step < 0 ||
		    pagemap_frame(run->word) + run->pages > pages->frames_end)
			continue;
		for (; at < run->page + run->pages; at += block)
			if (mark_block(pages, run, at, &span, error) < 0)
				return -1;
	}
	return close_span(pages, &span, error);
}

/* Without flags the scan is the only one who knows the zero page and the mapping level. */
static int mark_by_scan(struct pages *pages, struct error *error)
{
	struct error failure = ERROR_INIT;
	size_t first = 0, last = pages->run_count;

	while (first < last && pages->runs[first].kind != PAGE_PRESENT)
		first++;
	while (last > first && pages->runs[last - 1].kind != PAGE_PRESENT)
		last--;
	if (first == last || pages->plain || pages->no_scan)
		return 0;
	if (scan_marks(pages, pages->runs[first].page,
		       pages->runs[last - 1].page + pages->runs[last - 1].pages,
		       SCAN_ZERO | SCAN_HUGE, &failure) == 0)
		return 0;
	if (failure.code == ERROR_GONE || failure.code == ERROR_NOMEM)
		return error_set(error, failure.code, "pagemap", "%s", failure.text);
	pages->no_scan = true;
	return 0;
}

/* Only the candidates of a walk for the shape are scanned. */
static int mark_candidates(struct pages *pages, struct error *error)
{
	struct error failure = ERROR_INIT;

	for (size_t i = 0; i < pages->run_count; i++) {
		const struct word_run *run = &pages->runs[i];
		uint64_t end = run->page + run->pages;

		if (!run->huge)
			continue;
		if (!pages->plain && !pages->no_scan) {
			if (scan_marks(pages, run->page, end, SCAN_ZERO | SCAN_HUGE,
				       &failure) == 0)
				continue;
			if (failure.code == ERROR_GONE)
				return error_set(error, failure.code, "pagemap", "%s",
						 failure.text);
			pages->no_scan = true;
		}
		if (add_mark(pages, run->page, end, LEAF_UNKNOWN, false, error) < 0)
			return -1;
	}
	return 0;
}

int pages_read_leaves(struct pages *pages, struct error *error)
{
	pages->mark_count = 0;
	pages->output.mark = 0;
	if (pages->shape)
		return mark_candidates(pages, error);
	if (pages_use_frames(pages) && pages->flags_gap == GAP_NONE)
		return pages->needs & PAGE_NEED_LEAF ? mark_by_frames(pages, error) : 0;
	if (!(pages->needs & (PAGE_NEED_LEAF | PAGE_NEED_FLAGS)))
		return 0;
	return mark_by_scan(pages, error);
}
