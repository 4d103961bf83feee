// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <string.h>

#include "vmatlas/analyse/cow.h"

/* Verdicts already made: neighbours differ in little, so a few are enough. */
#define MEMO 4

struct memo {
	struct state_facts facts;
	struct page_run run;		/* address, length, frame and mappings do not count */
	struct page_verdict verdict;
	bool used;
};

struct walk {
	struct process *process;
	const struct cow_request *request;
	const struct cow_sink *sink;
	struct cow_counts *totals;
	struct cow_counts counts;	/* of the VMA at work */
	uint32_t vma;			/* at work, VMA_NONE before the first */
	struct state_facts facts;
	bool asked_async;
	uint64_t first, end;		/* what is looked at of it */
	uint64_t seen;			/* pages that runs told of */
	bool joins;			/* its runs are wanted */
	uint32_t next;			/* next VMA to hand to the provider */
	struct memo memo[MEMO];
	unsigned memo_at;
	struct cow_run run;		/* joined so far */
};

static uint64_t clip_low(const struct walk *walk, uint64_t address)
{
	uint64_t low = walk->request->start & ~(uint64_t)(walk->process->page_size - 1);

	return address < low ? low : address;
}

static uint64_t clip_high(const struct walk *walk, uint64_t address)
{
	uint64_t mask = walk->process->page_size - 1;
	uint64_t high = walk->request->end ? ((walk->request->end - 1) | mask) : UINT64_MAX;

	return address - 1 > high ? high + 1 : address;
}

static bool is_selected(const struct walk *walk, uint32_t index)
{
	const struct cow_request *request = walk->request;
	const struct vma *vma = &walk->process->vmas[index];

	if (clip_low(walk, vma->start) >= clip_high(walk, vma->end))
		return false;
	return !request->selects ||
	       request->selects(request->selects_ctx, walk->process, index);
}

static uint32_t select_next(const struct walk *walk, uint32_t index)
{
	while (index < walk->process->vma_count && !is_selected(walk, index))
		index++;
	return index;
}

static bool wants_runs(const struct walk *walk, uint32_t index)
{
	const struct cow_sink *sink = walk->sink;

	return sink->run && (!sink->wants_runs || sink->wants_runs(sink->ctx, index));
}

static int next_range(void *ctx, struct page_range *range)
{
	struct walk *walk = ctx;
	struct state_facts facts;
	const struct vma *vma;

	walk->next = select_next(walk, walk->next);
	if (walk->next == walk->process->vma_count)
		return 0;
	vma = &walk->process->vmas[walk->next];
	state_facts_of(walk->process, vma, &facts);
	*range = (struct page_range) {
		.start = clip_low(walk, vma->start),
		.end = clip_high(walk, vma->end),
		.index = walk->next++,
		.hidden = facts.hidden,
	};
	range->sums = !wants_runs(walk, range->index);
	return 1;
}

static bool same_case(const struct page_run *a, const struct page_run *b)
{
	return a->kind == b->kind && a->entry == b->entry && a->flags == b->flags &&
	       (a->mappings == b->mappings || (a->mappings > 1 && b->mappings > 1)) &&
	       a->leaf == b->leaf && a->zero == b->zero && a->zero_known == b->zero_known &&
	       a->flags_known == b->flags_known && a->count_known == b->count_known &&
	       a->changed == b->changed && a->gap == b->gap && a->swap.kind == b->swap.kind &&
	       a->folio_partial == b->folio_partial && a->folio_shared == b->folio_shared;
}

/* All members are bytes, so there is no padding. */
static bool same_facts(const struct state_facts *a, const struct state_facts *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static const struct page_verdict *decide(struct walk *walk, const struct page_run *run)
{
	struct memo *memo;

	for (int i = 0; i < MEMO; i++) {
		memo = &walk->memo[i];
		if (!memo->used || !same_facts(&memo->facts, &walk->facts) ||
		    !same_case(&memo->run, run))
			continue;
		if (memo->verdict.mappings_known && memo->verdict.mappings > 1)
			memo->verdict.mappings = run->mappings;
		return &memo->verdict;
	}
	memo = &walk->memo[walk->memo_at++ % MEMO];
	memo->facts = walk->facts;
	memo->run = *run;
	memo->used = true;
	state_decide(&walk->facts, run, &memo->verdict);
	return &memo->verdict;
}

static int flush_run(struct walk *walk)
{
	int rc = 0;

	if (walk->run.pages)
		rc = walk->sink->run(walk->sink->ctx, walk->vma, &walk->run);
	walk->run.pages = 0;
	return rc;
}

static bool same_verdict(const struct cow_run *a, const struct cow_run *b)
{
	const struct page_verdict *v = &a->verdict, *w = &b->verdict;

	return v->state == w->state && v->certainty == w->certainty &&
	       v->exclusive == w->exclusive && v->mappings_known == w->mappings_known &&
	       v->mappings == w->mappings && a->leaf == b->leaf && a->changed == b->changed &&
	       v->next[TOUCH_READ].effect == w->next[TOUCH_READ].effect &&
	       v->next[TOUCH_WRITE].effect == w->next[TOUCH_WRITE].effect;
}

static int join_run(struct walk *walk, const struct page_run *run,
		    const struct page_verdict *verdict)
{
	struct cow_run part = {
		.start = run->start, .pages = run->pages, .leaf = run->leaf,
		.changed = run->changed, .verdict = *verdict, .leaf_gap = GAP_NOT_APPLICABLE,
	};
	int rc = 0;

	if (run->kind == PAGE_PRESENT && run->leaf == LEAF_UNKNOWN)
		part.leaf_gap = run->gap == GAP_CHANGED ? GAP_CHANGED : GAP_NOT_IN_KERNEL;
	if (walk->run.pages && same_verdict(&walk->run, &part) &&
	    walk->run.start + walk->run.pages * walk->process->page_size == part.start) {
		walk->run.pages += run->pages;
		return 0;
	}
	rc = flush_run(walk);
	walk->run = part;
	return rc;
}

/* What no run told of has no page-table entry. */
static int count_rest(struct walk *walk)
{
	struct page_run none = { .kind = PAGE_NONE, .folio_order = -1 };

	none.pages = walk->counts.pages - walk->seen;
	if (!none.pages)
		return 0;
	return cow_count(&walk->counts, &walk->facts, &none, decide(walk, &none),
			 walk->process->page_size);
}

static int end_vma(struct walk *walk)
{
	int rc;

	if (walk->vma == VMA_NONE)
		return 0;
	rc = flush_run(walk);
	if (rc >= 0)
		rc = count_rest(walk);
	if (rc >= 0)
		rc = cow_counts_add(walk->totals, &walk->counts);
	if (rc >= 0)
		rc = walk->sink->end(walk->sink->ctx, walk->vma, &walk->counts);
	cow_counts_clear(&walk->counts);
	return rc;
}

static int begin_vma(struct walk *walk, uint32_t index)
{
	const struct vma *vma = &walk->process->vmas[index];

	walk->vma = index;
	walk->first = clip_low(walk, vma->start);
	walk->end = clip_high(walk, vma->end);
	walk->seen = 0;
	walk->asked_async = false;
	walk->joins = wants_runs(walk, index);
	state_facts_of(walk->process, vma, &walk->facts);
	walk->counts.pages = (walk->end - walk->first) / walk->process->page_size;
	return walk->sink->begin ? walk->sink->begin(walk->sink->ctx, index) : 0;
}

/* Ends the VMA at work and those behind it up to `index`, which nothing was told of. */
static int advance(struct walk *walk, uint32_t index)
{
	uint32_t at = walk->vma == VMA_NONE ? 0 : walk->vma + 1;
	int rc = end_vma(walk);

	for (at = select_next(walk, at); rc >= 0 && at < index; at = select_next(walk, at + 1)) {
		rc = begin_vma(walk, at);
		if (rc >= 0)
			rc = end_vma(walk);
	}
	if (rc < 0 || index >= walk->process->vma_count)
		return rc;
	return begin_vma(walk, index);
}

static int take_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct walk *walk = ctx;
	const struct page_verdict *verdict;
	int rc = 0;

	if (index != walk->vma)
		rc = advance(walk, index);
	if (rc < 0)
		return rc;
	if (run->entry & PAGEMAP_UFFD_WP && !walk->asked_async) {
		walk->asked_async = true;
		state_facts_async(walk->process, &walk->process->vmas[index], &walk->facts);
	}
	verdict = decide(walk, run);
	walk->seen += run->pages;
	rc = cow_count(&walk->counts, &walk->facts, run, verdict, walk->process->page_size);
	if (rc >= 0 && walk->joins)
		rc = join_run(walk, run, verdict);
	return rc;
}

static bool is_sparse(const struct walk *walk)
{
	uint64_t bytes = 0;

	for (uint32_t i = select_next(walk, 0); i < walk->process->vma_count;
	     i = select_next(walk, i + 1))
		bytes += clip_high(walk, walk->process->vmas[i].end) -
			 clip_low(walk, walk->process->vmas[i].start);
	return process_is_sparse(walk->process, bytes);
}

int cow_walk(struct process *process, const struct cow_request *request,
	     const struct cow_sink *sink, struct cow_counts *totals, struct error *error)
{
	CLEANUP(pages_freep) struct pages *pages = NULL;
	struct walk walk = {
		.process = process, .request = request, .sink = sink, .totals = totals,
		.vma = VMA_NONE,
	};
	struct page_ranges ranges = { next_range, &walk, is_sparse(&walk) };
	unsigned needs = PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_LEAF | PAGE_JOIN_FRAMES;
	int rc;

	if (sink->run && !sink->no_holes)
		needs |= PAGE_NEED_HOLES;
	cow_counts_init(&walk.counts);
	rc = pages_new(process->source, needs, &pages, error);
	if (rc < 0)
		return rc;
	pages_set_plain(pages, request->plain);
	rc = pages_walk(pages, &ranges, take_run, &walk, error);
	if (rc >= 0)
		rc = advance(&walk, (uint32_t)process->vma_count);
	cow_counts_done(&walk.counts);
	return rc;
}
