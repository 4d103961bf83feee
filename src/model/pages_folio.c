// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

static bool is_wanted(const struct pages *pages, uint64_t frame)
{
	return frame < pages->frames_end && bitmap_has(pages->wanted, frame);
}

static uint64_t flags_at(const struct pages *pages, uint64_t frame)
{
	return pages_fact_of(pages, frame)->flags;
}

/* The first frame of the folio that this walk saw. */
static uint64_t folio_low(const struct pages *pages, uint64_t frame)
{
	uint64_t bottom = frame - frame % pages->block;

	while (frame > bottom && flags_at(pages, frame) & KPF_COMPOUND_TAIL &&
	       is_wanted(pages, frame - 1))
		frame--;
	return frame;
}

/* One more than the last frame of it that this walk saw. */
static uint64_t folio_high(const struct pages *pages, uint64_t frame)
{
	uint64_t top = frame - frame % pages->block + pages->block;

	do
		frame++;
	while (frame < top && is_wanted(pages, frame) &&
	       flags_at(pages, frame) & KPF_COMPOUND_TAIL);
	return frame;
}

void pages_folio(const struct pages *pages, struct page_run *run)
{
	uint64_t low = folio_low(pages, run->frame), high = folio_high(pages, low);
	bool begins = flags_at(pages, low) & KPF_COMPOUND_HEAD;
	bool goes_on = high < pages->frames_end && high % pages->block &&
		       !is_wanted(pages, high) && bitmap_has(pages->tails, high);
	uint64_t size = high - low;

	run->folio_partial = !begins || goes_on || size & (size - 1);
	run->folio_order = run->folio_partial ? -1 : __builtin_ctzll(size);
	run->folio_shared = false;
	for (uint64_t f = low; f < high && !run->folio_shared; f++)
		run->folio_shared = pages_fact_of(pages, f)->count > 1;
}
