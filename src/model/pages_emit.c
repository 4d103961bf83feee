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
	if (a->start + (a->pages << pages->page_shift) != b->start || !same_facts(a, b))
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
	int rc = pages_tally_end(pages);

	if (!out->used || rc < 0)
		return rc;
	out->used = false;
	return out->fn(out->ctx, out->index, &out->run);
}

/* Ranges are told of one after the other. */
static int begin_range(struct pages *pages, uint32_t index)
{
	int rc = 0;

	if (pages->output.index != index)
		rc = pages_emit_end(pages);
	pages->output.index = index;
	return rc;
}

int pages_emit_run(struct pages *pages, uint32_t index, const struct page_run *run)
{
	struct pages_output *out = &pages->output;
	int rc = begin_range(pages, index);

	if (out->used && continues(pages, &out->run, run)) {
		out->run.pages += run->pages;
		return rc;
	}
	if (out->used && rc >= 0)
		rc = out->fn(out->ctx, out->index, &out->run);
	out->run = *run;
	out->used = true;
	return rc;
}

static int push_reread(struct pages *pages, const struct word_run *words,
		       const struct page_run *bad, struct error *error)
{
	uint64_t first = (bad->start >> pages->page_shift) - words->page;

	for (uint64_t i = 0; i < bad->pages; i++) {
		struct page_run run = *bad;

		run.start += i << pages->page_shift;
		run.frame = run.frame_known ? pagemap_frame(pages_run_word(words, first + i)) : 0;
		run.pages = 1;
		if (pages_settle(pages, &run, error) < 0)
			return -1;
		if (run.kind == PAGE_NONE && !(pages->needs & PAGE_NEED_HOLES))
			continue;
		if (pages_emit_run(pages, words->index, &run) < 0)
			return -1;
	}
	return 0;
}

static int push_checked(struct pages *pages, const struct word_run *words, struct page_run *run,
			struct error *error)
{
	if (pages_contradict(pages, run))
		return push_reread(pages, words, run, error);
	if (run->flags & COMPOUND && run->flags & KPF_ANON && !(run->flags & KPF_HUGE) &&
	    (run->leaf == LEAF_BASE || !(run->flags & KPF_ANON_EXCLUSIVE)))
		pages_folio(pages, run);
	return pages_emit_run(pages, words->index, run);
}

static bool same_fact(const struct pages *pages, uint16_t a, uint16_t b, uint64_t mask)
{
	const struct page_fact *x = &pages->facts[a], *y = &pages->facts[b];

	return a == b || (x->count == y->count && !((x->flags ^ y->flags) & mask));
}

/* Pages of one leaf kind, of which frames are known: cut where flags or counts differ. */
static int emit_frames(struct pages *pages, const struct word_run *words,
		       const struct page_run *run, struct error *error)
{
	const uint16_t *code = pages->codes + pages_rank(pages, run->frame);
	bool huge = run->leaf == LEAF_PMD || run->leaf == LEAF_PUD;
	uint64_t mask = huge ? ~COMPOUND : ~0ULL, done = 0;

	while (done < run->pages) {
		const struct page_fact *fact = &pages->facts[*code];
		struct page_run part = *run;
		uint16_t first = *code;

		part.start += done << pages->page_shift;
		part.frame += (uint64_t)((int64_t)done * words->step);
		for (part.pages = 0; done < run->pages; part.pages++, done++, code += words->step)
			if (!same_fact(pages, first, *code, mask))
				break;
		part.mappings = fact->count;
		part.count_known = pages->needs & PAGE_NEED_COUNT &&
			pages->count_gap == GAP_NONE && fact->count != UINT32_MAX;
		pages_set_flags(pages, &part,
				fact->flags | (huge && part.pages > 1 ? COMPOUND : 0));
		if (part.flags_known && pages->count_gap != GAP_NONE)
			part.gap = pages->count_gap;
		if (push_checked(pages, words, &part, error) < 0)
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

static bool has_frames(const struct pages *pages, const struct word_run *words)
{
	return pages_use_frames(pages) &&
	       pages_run_frame(words) + words->pages <= pages->frames_end;
}

static int emit_present(struct pages *pages, const struct word_run *words, struct error *error)
{
	uint64_t page = words->page, last = words->page + words->pages;
	bool frames = has_frames(pages, words);

	while (page < last) {
		uint64_t end = last;
		const struct page_mark *mark = mark_at(pages, page, &end);
		struct page_run run = pages_begin_run(pages, page, end - page,
						      pages_run_word(words, page - words->page));
		int rc;

		set_leaf(pages, mark, &run);
		rc = frames ? emit_frames(pages, words, &run, error) :
			pages_emit_run(pages, words->index, &run);
		if (rc < 0)
			return rc;
		page = end;
	}
	return 0;
}

static int emit_words(struct pages *pages, const struct word_run *words, struct error *error)
{
	struct page_run run;

	if (words->kind == PAGE_PRESENT)
		return emit_present(pages, words, error);
	run = pages_begin_run(pages, words->page, words->pages, words->word);
	if (words->kind == PAGE_UNREADABLE) {
		run.kind = PAGE_UNREADABLE;
		run.gap = words->gap;
	}
	return pages_emit_run(pages, words->index, &run);
}

/* What is left of a run when all that can be tallied was. */
static int emit_rest(struct pages *pages, const struct word_run *words, struct error *error)
{
	struct word_run rest = *words;
	uint64_t done;

	if (begin_range(pages, words->index) < 0)
		return -1;
	done = pages_tally(pages, words);
	if (done == words->pages)
		return 0;
	rest.page += done;
	rest.pages -= done;
	rest.word = pages_run_word(words, done);
	return emit_words(pages, &rest, error);
}

static int push_stale(struct pages *pages, uint32_t index, uint64_t page, uint64_t word,
		      struct error *error)
{
	struct page_run run;

	if (pages_anew(pages, page, word, &run, error) < 0)
		return -1;
	if (run.kind == PAGE_NONE && !(pages->needs & PAGE_NEED_HOLES))
		return 0;
	return pages_emit_run(pages, index, &run);
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

/* The run without its stale pages, which are read anew. */
static int emit_around(struct pages *pages, const struct word_run *run, struct error *error)
{
	uint64_t page = run->page, last = run->page + run->pages;
	int rc = 0;

	while (page < last && rc >= 0) {
		uint64_t end = next_stale(pages, page, last);
		struct word_run part = *run;

		part.page = page;
		part.pages = end - page;
		part.word = pages_run_word(run, page - run->page);
		if (part.pages)
			rc = emit_words(pages, &part, error);
		if (rc >= 0 && end < last)
			rc = push_stale(pages, run->index, end,
					pages_run_word(run, end - run->page), error);
		page = end + 1;
	}
	return rc;
}

int pages_emit_chunk(struct pages *pages, struct error *error)
{
	int rc = 0;

	for (size_t i = 0; i < pages->run_count && rc >= 0; i++) {
		const struct word_run *run = &pages->runs[i];

		if (pages->stale_count) {
			rc = emit_around(pages, run, error);
		} else if (run->sums && pages->tallies) {
			pages_tally_ahead(pages, i);
			rc = emit_rest(pages, run, error);
		} else {
			rc = emit_words(pages, run, error);
		}
	}
	return rc < 0 ? rc : pages_tally_end(pages);
}
