// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

/*
 * Fragmented memory and counts that differ from page to page leave runs of one or two pages.
 * Where only sums are wanted their order does not matter: plain pages are counted by fact and
 * entry, and handed out as one run each.
 */
#define VARIANT_SHIFT 55	/* PAGEMAP_SOFT_DIRTY, PAGEMAP_EXCLUSIVE, PAGEMAP_UFFD_WP */
#define TALLY_AHEAD 8

static bool has_codes(const struct pages *pages, const struct word_run *run)
{
	return run->kind == PAGE_PRESENT &&
	       pages_run_frame(run) + run->pages <= pages->frames_end;
}

/* A run of scattered memory waits for the cache twice: for its bit and rank, and for its code. */
void pages_tally_ahead(const struct pages *pages, size_t at)
{
	const struct word_run *far = &pages->runs[at + 2 * TALLY_AHEAD];
	const struct word_run *near = &pages->runs[at + TALLY_AHEAD];

	if (at + 2 * TALLY_AHEAD >= pages->run_count)
		return;
	if (has_codes(pages, far)) {
		__builtin_prefetch(&pages->wanted[pagemap_frame(far->word) / 64]);
		__builtin_prefetch(&pages->rank[pagemap_frame(far->word) / 64]);
	}
	if (has_codes(pages, near))
		__builtin_prefetch(&pages->codes[pages_rank(pages, pagemap_frame(near->word))]);
}

static void count_pages(struct pages *pages, uint16_t code, uint8_t variant, uint64_t count)
{
	struct pages_output *out = &pages->output;
	struct page_fact *fact = &pages->facts[code];

	if (!fact->tally[variant])
		out->tallied[out->tallied_count++] = (struct tallied) { code, variant };
	fact->tally[variant] += count;
}

uint64_t pages_tally(struct pages *pages, const struct word_run *run)
{
	enum fact_plain wanted = run->word & PAGEMAP_FILE ? FACT_FILE : FACT_ANON;
	uint8_t variant = run->word >> VARIANT_SHIFT & (FACT_VARIANTS - 1);
	uint64_t frame = pagemap_frame(run->word), done = 0;
	const uint16_t *codes;

	if (!has_codes(pages, run))
		return 0;
	codes = pages->codes + pages_rank(pages, frame);
	while (done < run->pages) {
		uint16_t code = *codes;
		uint64_t count = 0;

		if (pages->facts[code].plain != wanted)
			break;
		for (; done + count < run->pages && *codes == code; codes += run->step)
			count++;
		count_pages(pages, code, variant, count);
		done += count;
	}
	if (done)
		pages->output.tally_start = run->page << pages->page_shift;
	return done;
}

static int hand_out(struct pages *pages, const struct page_fact *fact, unsigned variant)
{
	struct pages_output *out = &pages->output;
	struct page_run run = {
		.start = out->tally_start,
		.pages = fact->tally[variant],
		.kind = PAGE_PRESENT,
		.entry = PAGEMAP_PRESENT | (uint64_t)variant << VARIANT_SHIFT |
			 (fact->plain == FACT_FILE ? PAGEMAP_FILE : 0),
		.leaf = pages->needs & PAGE_NEED_LEAF ? LEAF_BASE : LEAF_UNKNOWN,
		.mappings = fact->count,
		.count_known = true,
	};

	pages_set_flags(pages, &run, fact->flags);
	return out->fn(out->ctx, out->index, &run);
}

int pages_tally_end(struct pages *pages)
{
	struct pages_output *out = &pages->output;
	int rc = 0;

	for (size_t i = 0; i < out->tallied_count; i++) {
		const struct tallied *tallied = &out->tallied[i];
		struct page_fact *fact = &pages->facts[tallied->code];

		if (rc >= 0)
			rc = hand_out(pages, fact, tallied->variant);
		fact->tally[tallied->variant] = 0;
	}
	out->tallied_count = 0;
	return rc;
}
