// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

#define COMPOUND (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL)

static bool same_facts(const struct page_run *a, const struct page_run *b)
{
	return a->kind == b->kind && a->entry == b->entry && a->flags == b->flags &&
	       a->mappings == b->mappings && a->leaf == b->leaf && a->zero == b->zero &&
	       a->zero_known == b->zero_known && a->frame_known == b->frame_known &&
	       a->flags_known == b->flags_known && a->count_known == b->count_known &&
	       a->changed == b->changed && a->gap == b->gap &&
	       a->folio_order == b->folio_order && a->folio_partial == b->folio_partial &&
	       a->folio_shared == b->folio_shared;
}

/* Does b go on where a ends, as far as this walk cares? */
static bool continues(const struct pages *pages, const struct page_run *a,
		      const struct page_run *b)
{
	if (a->start + (a->pages << pages->page_shift) != b->start || a->counts || b->counts ||
	    !same_facts(a, b))
		return false;
	if (a->kind == PAGE_SWAP)
		return a->swap.kind == b->swap.kind && a->swap.type == b->swap.type &&
		       (pages->needs & PAGE_JOIN_FRAMES || a->swap.kind != SWAP_SLOT ||
			a->swap.offset + a->pages == b->swap.offset);
	return a->kind != PAGE_PRESENT || !a->frame_known || pages->needs & PAGE_JOIN_FRAMES ||
	       a->frame + a->pages == b->frame;
}

int pages_emit_end(struct pages *pages)
{
	struct pages_output *out = &pages->output;

	if (!out->used)
		return 0;
	out->used = false;
	return out->fn(out->ctx, out->index, &out->run);
}

static int push(struct pages *pages, uint32_t index, const struct page_run *run)
{
	struct pages_output *out = &pages->output;
	int rc;

	if (out->used && out->index == index && continues(pages, &out->run, run)) {
		out->run.pages += run->pages;
		return 0;
	}
	rc = pages_emit_end(pages);
	out->run = *run;
	out->index = index;
	out->used = true;
	return run->counts && rc >= 0 ? pages_emit_end(pages) : rc;
}

int pages_emit_run(struct pages *pages, uint32_t index, const struct page_run *run)
{
	return push(pages, index, run);
}

static int push_reread(struct pages *pages, uint32_t index, const struct page_run *bad,
		       struct error *error)
{
	for (uint64_t i = 0; i < bad->pages; i++) {
		struct page_run run = *bad;

		run.start += i << pages->page_shift;
		run.frame += run.frame_known ? i : 0;
		run.pages = 1;
		run.mappings = bad->counts ? bad->counts[i] : bad->mappings;
		run.counts = NULL;
		if (pages_settle(pages, &run, error) < 0)
			return -1;
		if (run.kind == PAGE_NONE && !(pages->needs & PAGE_NEED_HOLES))
			continue;
		if (push(pages, index, &run) < 0)
			return -1;
	}
	return 0;
}

static int push_checked(struct pages *pages, uint32_t index, struct page_run *run,
			struct error *error)
{
	if (pages_contradict(pages, run))
		return push_reread(pages, index, run, error);
	if (run->flags & COMPOUND && run->flags & KPF_ANON && !(run->flags & KPF_HUGE) &&
	    (run->leaf == LEAF_BASE || !(run->flags & KPF_ANON_EXCLUSIVE)))
		pages_folio(pages, run);
	return push(pages, index, run);
}

/* How many pages from the first on may be one run; *mixed: their counts differ. */
static uint64_t same_pages(const struct pages *pages, const uint64_t *flags,
			   const uint32_t *counts, uint64_t most, uint64_t mask, bool *mixed)
{
	bool join = pages->needs & PAGE_JOIN_COUNTS && counts[0] > 1;
	uint64_t i = 1;

	*mixed = false;
	for (; i < most && !((flags[i] ^ flags[0]) & mask); i++) {
		if (counts[i] == counts[0])
			continue;
		if (!join || counts[i] < 2)
			break;
		*mixed = true;
	}
	return i;
}

/* Pages of one leaf kind with flags and counts: cut where these differ. */
static int emit_frames(struct pages *pages, uint32_t index, const struct page_run *run,
		       struct error *error)
{
	uint64_t rank = pages_rank(pages, run->frame), i = 0;
	const uint64_t *flags = pages->flags + rank;
	const uint32_t *counts = pages->counts + rank;
	bool huge = run->leaf == LEAF_PMD || run->leaf == LEAF_PUD;
	uint64_t mask = pages->needs & PAGE_JOIN_FRAMES ? PAGE_KIND_FLAGS : ~0ULL;

	if (huge)
		mask &= ~COMPOUND;
	while (i < run->pages) {
		struct page_run part = *run;
		uint64_t begin = i;
		bool mixed;

		i += same_pages(pages, flags + i, counts + i, run->pages - i, mask, &mixed);
		part.counts = mixed ? counts + begin : NULL;
		part.start += begin << pages->page_shift;
		part.frame += begin;
		part.pages = i - begin;
		part.mappings = counts[begin];
		part.count_known = pages->needs & PAGE_NEED_COUNT && pages->count_gap == GAP_NONE;
		pages_set_flags(pages, &part, flags[begin] | (huge && i > begin + 1 ? COMPOUND : 0));
		if (part.flags_known && (pages->count_gap != GAP_NONE))
			part.gap = pages->count_gap;
		if (push_checked(pages, index, &part, error) < 0)
			return -1;
	}
	return 0;
}

/* The mark that covers `page`, and up to where that (or its absence) holds. */
static const struct page_mark *mark_at(struct pages *pages, uint64_t page, uint64_t *end)
{
	struct pages_output *out = &pages->output;

	while (out->mark < pages->mark_count && pages->marks[out->mark].end <= page)
		out->mark++;
	if (out->mark == pages->mark_count)
		return NULL;
	if (pages->marks[out->mark].page > page) {
		*end = *end < pages->marks[out->mark].page ? *end : pages->marks[out->mark].page;
		return NULL;
	}
	*end = *end < pages->marks[out->mark].end ? *end : pages->marks[out->mark].end;
	return &pages->marks[out->mark];
}

static void set_leaf(const struct pages *pages, const struct page_mark *mark,
		     struct page_run *run)
{
	bool by_flags = pages_use_frames(pages) && pages->flags_gap == GAP_NONE;
	bool by_scan = !pages->plain && !pages->no_scan;

	if (pages->shape) {
		run->leaf = mark ? mark->leaf : LEAF_BASE;
		run->zero = mark && mark->zero;
		run->zero_known = mark != NULL;
		return;
	}
	if (!(pages->needs & PAGE_NEED_LEAF))
		run->leaf = LEAF_UNKNOWN;
	else if (mark)
		run->leaf = mark->leaf;
	else
		run->leaf = by_flags || by_scan ? LEAF_BASE : LEAF_UNKNOWN;
	if (by_flags || !by_scan || !(pages->needs & PAGE_NEED_FLAGS))
		return;
	run->zero = mark && mark->zero;
	run->zero_known = true;
}

static int emit_present(struct pages *pages, const struct word_run *words, struct error *error)
{
	uint64_t page = words->page, last = words->page + words->pages;

	while (page < last) {
		uint64_t end = last;
		const struct page_mark *mark = mark_at(pages, page, &end);
		uint64_t word = words->word;
		struct page_run run;
		int rc;

		if (pages->frames_visible)
			word += page - words->page;
		run = pages_begin_run(pages, page, end - page, word);
		set_leaf(pages, mark, &run);
		if (pages_use_frames(pages) && run.frame + run.pages <= pages->frames_end)
			rc = emit_frames(pages, words->index, &run, error);
		else
			rc = push(pages, words->index, &run);
		if (rc < 0)
			return rc;
		page = end;
	}
	return 0;
}

/* The shortest way for memory in scattered frames: one more page like those before it. */
static bool extends(struct pages *pages, const struct word_run *words)
{
	struct pages_output *out = &pages->output;
	struct page_run *run = &out->run;
	uint64_t frame = pagemap_frame(words->word), flags, rank, end = UINT64_MAX;

	if (words->pages != 1 || !out->used || words->kind != PAGE_PRESENT ||
	    run->kind != PAGE_PRESENT || out->index != words->index || run->changed ||
	    !run->flags_known || run->entry != (words->word & PAGEMAP_FLAG_MASK) ||
	    run->start + (run->pages << pages->page_shift) != words->page << pages->page_shift)
		return false;
	if (frame >= pages->frames_end || mark_at(pages, words->page, &end))
		return false;
	rank = pages_rank(pages, frame);
	flags = pages->flags[rank] & PAGE_KIND_FLAGS;
	if (flags != run->flags || flags & COMPOUND || pages->counts[rank] != run->mappings)
		return false;
	run->pages++;
	return true;
}

static int emit_words(struct pages *pages, const struct word_run *words, struct error *error)
{
	struct page_run run;

	if (pages->needs & PAGE_JOIN_FRAMES && pages_use_frames(pages) && extends(pages, words))
		return 0;
	if (words->kind == PAGE_PRESENT)
		return emit_present(pages, words, error);
	run = pages_begin_run(pages, words->page, words->pages, words->word);
	if (words->kind == PAGE_UNREADABLE) {
		run.kind = PAGE_UNREADABLE;
		run.gap = words->gap;
	}
	return push(pages, words->index, &run);
}

static int push_stale(struct pages *pages, uint32_t index, uint64_t page, uint64_t word,
		      struct error *error)
{
	struct page_run run;

	if (pages_anew(pages, page, word, &run, error) < 0)
		return -1;
	if (run.kind == PAGE_NONE && !(pages->needs & PAGE_NEED_HOLES))
		return 0;
	return push(pages, index, &run);
}

/* The first stale page at or above `page`, or `last`. */
static uint64_t next_stale(struct pages *pages, uint64_t page, uint64_t last)
{
	struct pages_output *out = &pages->output;

	while (out->stale < pages->stale_count && pages->stale[out->stale] < page)
		out->stale++;
	if (out->stale == pages->stale_count || pages->stale[out->stale] > last)
		return last;
	return pages->stale[out->stale];
}

static int emit_run(struct pages *pages, const struct word_run *run, struct error *error)
{
	uint64_t page = run->page, last = run->page + run->pages;
	int rc = 0;

	while (page < last && rc >= 0) {
		uint64_t end = next_stale(pages, page, last);
		uint64_t step = pages_word_step(pages, run->word);
		struct word_run part = *run;

		part.page = page;
		part.pages = end - page;
		part.word += step * (page - run->page);
		if (part.pages)
			rc = emit_words(pages, &part, error);
		if (rc >= 0 && end < last)
			rc = push_stale(pages, run->index, end,
					run->word + step * (end - run->page), error);
		page = end + 1;
	}
	return rc;
}

int pages_emit_chunk(struct pages *pages, struct error *error)
{
	int rc = 0;

	for (size_t i = 0; i < pages->run_count && rc >= 0; i++)
		rc = pages->stale_count ? emit_run(pages, &pages->runs[i], error) :
			emit_words(pages, &pages->runs[i], error);
	return rc;
}
