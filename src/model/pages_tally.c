// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "pages_impl.h"

/*
 * Fragmented memory and counts that differ from page to page leave runs of one or two pages.
 * Where only sums are wanted their order does not matter: plain pages are counted by fact and
 * entry, and handed out as one run each.
 */
#define VARIANT_SHIFT 55	/* PAGEMAP_SOFT_DIRTY, PAGEMAP_EXCLUSIVE, PAGEMAP_UFFD_WP */

static void count_pages(struct pages *pages, uint16_t code, unsigned variant, uint64_t count)
{
	struct pages_output *out = &pages->output;
	struct page_fact *fact = &pages->facts[code];

	if (!fact->tallied)
		out->tallied[out->tallied_count++] = code;
	fact->tallied = true;
	fact->tally[variant] += count;
}

uint64_t pages_tally(struct pages *pages, const struct word_run *run)
{
	enum fact_plain wanted = run->word & PAGEMAP_FILE ? FACT_FILE : FACT_ANON;
	unsigned variant = run->word >> VARIANT_SHIFT & (FACT_VARIANTS - 1);
	uint64_t frame = pagemap_frame(run->word), done = 0;
	const uint16_t *codes;

	if (run->kind != PAGE_PRESENT || frame + (run->step > 0 ? run->pages : 1) > pages->frames_end)
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
		struct page_fact *fact = &pages->facts[out->tallied[i]];

		for (unsigned variant = 0; variant < FACT_VARIANTS && rc >= 0; variant++)
			if (fact->tally[variant])
				rc = hand_out(pages, fact, variant);
		memset(fact->tally, 0, sizeof(fact->tally));
		fact->tallied = false;
	}
	out->tallied_count = 0;
	return rc;
}
