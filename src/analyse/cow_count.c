// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/analyse/cow.h"

#include <string.h>

void cow_counts_init(struct cow_counts *counts)
{
	*counts = (struct cow_counts) { .certainty = CERTAINTY_OBSERVED };
}

void cow_counts_done(struct cow_counts *counts)
{
	free(counts->sharers);
	cow_counts_init(counts);
}

void cow_counts_clear(struct cow_counts *counts)
{
	struct cow_sharer *sharers = counts->sharers;
	size_t cap = counts->sharer_cap;

	cow_counts_init(counts);
	counts->sharers = sharers;
	counts->sharer_cap = cap;
}

/* Few different counts occur, most often the one of the page before. */
static int add_sharer(struct cow_counts *counts, uint32_t mappings, uint64_t pages)
{
	size_t at = counts->sharer_count;

	while (at && counts->sharers[at - 1].mappings > mappings)
		at--;
	if (at && counts->sharers[at - 1].mappings == mappings) {
		counts->sharers[at - 1].pages += pages;
		return 0;
	}
	if (array_grow((void **)&counts->sharers, &counts->sharer_cap, counts->sharer_count,
		       sizeof(*counts->sharers)) < 0)
		return -ERROR_NOMEM;
	memmove(counts->sharers + at + 1, counts->sharers + at,
		(counts->sharer_count - at) * sizeof(*counts->sharers));
	counts->sharers[at] = (struct cow_sharer) { mappings, pages };
	counts->sharer_count++;
	return 0;
}

static bool costs_memory(enum effect effect)
{
	return effect == EFFECT_COPY || effect == EFFECT_ALLOCATE || effect == EFFECT_READ_IN ||
	       effect == EFFECT_UNKNOWN;
}

static bool is_slot(const struct page_run *run, const struct page_verdict *verdict)
{
	return verdict->state == STATE_SWAP &&
	       (run->swap.kind == SWAP_SLOT || run->swap.kind == SWAP_UNKNOWN);
}

/* As smaps_account(): each page's share is cut at 2^-12 of a byte. */
static void add_resident(struct cow_counts *counts, const struct page_verdict *verdict,
			 uint64_t pages, uint64_t page_size)
{
	uint64_t share = page_size << COW_PSS_SHIFT;

	counts->rss += pages * page_size;
	if (!verdict->mappings_known)
		return;
	if (verdict->mappings > 1)
		share /= verdict->mappings;
	else
		counts->uss += pages * page_size;
	counts->pss_fixed += share * pages;
}

static int add_present(struct cow_counts *counts, const struct state_facts *facts,
		       const struct page_run *run, const struct page_verdict *verdict,
		       uint64_t page_size)
{
	if (state_is_resident(facts, run))
		add_resident(counts, verdict, run->pages, page_size);
	if (verdict->mappings_known)
		return add_sharer(counts, verdict->mappings, run->pages);
	counts->uncounted += run->pages;
	counts->count_gap = verdict->mappings_gap;
	return 0;
}

/* Pages that are private by right and shared in fact. */
static void add_shared(struct cow_counts *counts, const struct page_verdict *verdict,
		       uint64_t bytes)
{
	uint32_t mappings = verdict->mappings_known ? verdict->mappings : 0;

	if (!counts->shared || mappings < counts->fork_least)
		counts->fork_least = mappings;
	if (mappings > counts->fork_most)
		counts->fork_most = mappings;
	counts->shared += bytes;
}

int cow_count(struct cow_counts *counts, const struct state_facts *facts,
	      const struct page_run *run, const struct page_verdict *verdict, uint64_t page_size)
{
	enum effect write = verdict->next[TOUCH_WRITE].effect;
	uint64_t bytes = run->pages * page_size;

	counts->states[verdict->state] += run->pages;
	counts->writes[write] += run->pages;
	counts->certainty = certainty_worse(counts->certainty, verdict->certainty);
	if (costs_memory(write))
		counts->write_cost += bytes;
	if (run->changed)
		counts->changed += run->pages;
	if (is_slot(run, verdict))
		counts->swap += bytes;
	if (verdict->state == STATE_COPY || verdict->state == STATE_COPY_SHARED)
		counts->copied += bytes;
	if (verdict->state == STATE_ANON_SHARED || verdict->state == STATE_COPY_SHARED ||
	    verdict->state == STATE_KSM)
		add_shared(counts, verdict, bytes);
	if (verdict->state == STATE_UNKNOWN)
		counts->gap = verdict->gap;
	return run->kind == PAGE_PRESENT ? add_present(counts, facts, run, verdict, page_size) : 0;
}

int cow_counts_add(struct cow_counts *sum, const struct cow_counts *counts)
{
	sum->pages += counts->pages;
	for (int i = 0; i < STATE_MAX; i++)
		sum->states[i] += counts->states[i];
	for (int i = 0; i < EFFECT_MAX; i++)
		sum->writes[i] += counts->writes[i];
	sum->rss += counts->rss;
	sum->pss_fixed += counts->pss_fixed;
	sum->uss += counts->uss;
	sum->swap += counts->swap;
	sum->copied += counts->copied;
	sum->shared += counts->shared;
	sum->write_cost += counts->write_cost;
	sum->changed += counts->changed;
	sum->uncounted += counts->uncounted;
	sum->certainty = certainty_worse(sum->certainty, counts->certainty);
	if (counts->gap != GAP_NONE)
		sum->gap = counts->gap;
	if (counts->count_gap != GAP_NONE)
		sum->count_gap = counts->count_gap;
	for (size_t i = 0; i < counts->sharer_count; i++)
		if (add_sharer(sum, counts->sharers[i].mappings, counts->sharers[i].pages) < 0)
			return -ERROR_NOMEM;
	return 0;
}
