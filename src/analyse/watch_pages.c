// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "watch.h"

#include "vmatlas/analyse/classify.h"

void watch_state_free(struct watch_state *state)
{
	if (!state)
		return;
	process_free(state->process);
	free(state->vmas);
	free(state);
}

static int end_vma(void *ctx, uint32_t vma, const struct cow_counts *counts)
{
	struct watch_state *state = ctx;

	state->vmas[vma] = (struct watch_vma) {
		.rss = counts->rss, .swap = counts->swap, .copied = counts->copied,
		.shared = counts->shared,
	};
	return 0;
}

static void set(struct watch_sample *sample, enum watch_counter counter, uint64_t value,
		enum gap gap)
{
	sample->value[counter] = value;
	sample->gap[counter] = gap;
}

/* A page that could not be read makes every sum too small. */
static void take_totals(const struct cow_counts *totals, struct watch_sample *sample)
{
	enum gap gap = totals->states[STATE_UNKNOWN] ? totals->gap : GAP_NONE;
	enum gap counted = gap != GAP_NONE || !totals->uncounted ? gap : totals->count_gap;

	set(sample, WATCH_RSS, totals->rss, gap);
	set(sample, WATCH_PSS, totals->pss_fixed >> COW_PSS_SHIFT, counted);
	set(sample, WATCH_USS, totals->uss, counted);
	set(sample, WATCH_SWAP, totals->swap, gap);
	set(sample, WATCH_COPIED, totals->copied, gap);
	set(sample, WATCH_SHARED, totals->shared, gap);
}

int watch_pages(struct source_process *process, struct watch_sample *sample,
		struct watch_state **state, struct error *error)
{
	CLEANUP(watch_state_freep) struct watch_state *made = calloc(1, sizeof(*made));
	struct cow_request request = { .start = 0 };
	struct cow_sink sink = { .ctx = made, .end = end_vma };
	struct cow_counts totals;
	int rc;

	if (!made)
		return error_nomem(error);
	rc = process_load(process, 0, &made->process, error);
	if (rc >= 0)
		rc = classify_process(made->process, error);
	if (rc < 0)
		return rc;
	made->vmas = calloc(made->process->vma_count + 1, sizeof(*made->vmas));
	if (!made->vmas)
		return error_nomem(error);
	cow_counts_init(&totals);
	rc = cow_walk(made->process, &request, &sink, &totals, error);
	if (rc >= 0)
		take_totals(&totals, sample);
	cow_counts_done(&totals);
	if (rc < 0)
		return rc;
	set(sample, WATCH_VMAS, made->process->vma_count, GAP_NONE);
	*state = made;
	made = NULL;
	return 0;
}
