// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

/* Frames may only be asked for where pagemap shows them. */
static int frames_init(struct pages *pages, struct error *error)
{
	bool wanted = pages->needs & (PAGE_NEED_FLAGS | PAGE_NEED_COUNT);

	if (wanted) {
		pages->flags_gap = source_frames_access(pages->source, SOURCE_KPAGEFLAGS);
		pages->count_gap = source_frames_access(pages->source, SOURCE_KPAGECOUNT);
	}
	if (!pages->frames_visible || !wanted) {
		pages->flags_gap = pages->count_gap = GAP_NEEDS_PRIVILEGE;
		return 0;
	}
	if (!(pages->needs & PAGE_NEED_FLAGS))
		pages->flags_gap = GAP_NOT_READ;
	if (!(pages->needs & PAGE_NEED_COUNT))
		pages->count_gap = GAP_NOT_READ;
	if (pages->flags_gap != GAP_NONE && pages->count_gap != GAP_NONE)
		return 0;
	pages->exclusive_mark = pages->flags_gap == GAP_NONE &&
				source_exclusive_mark(pages->source);
	pages->frames_end = source_frames_end(pages->source);
	return pages->frames_end ? pages_frames_new(pages, error) : 0;
}

static int buffers_init(struct pages *pages, struct error *error)
{
	pages->queue = calloc(1, sizeof(*pages->queue));
	pages->words = malloc(PAGES_WINDOW * sizeof(*pages->words));
	pages->pieces = malloc(PAGES_PIECES * sizeof(*pages->pieces));
	pages->runs = malloc(PAGES_RUNS * sizeof(*pages->runs));
	if (!pages->queue || !pages->words || !pages->pieces || !pages->runs)
		return error_nomem(error);
	return frames_init(pages, error);
}

int pages_new(struct source_process *source, unsigned needs, struct pages **out,
	      struct error *error)
{
	struct pages *pages = calloc(1, sizeof(*pages));
	const struct source_host *host;

	if (!pages)
		return error_nomem(error);
	pages->process = source;
	pages->source = source_process_source(source);
	pages->needs = needs;
	host = source_host(pages->source);
	pages->page_size = host->page_size;
	pages->page_shift = (unsigned)__builtin_ctz(host->page_size);
	pages->block = host->page_size / 8;
	pages->chunk = PAGES_CHUNK;
	pages->frames_visible = host->frames_visible;
	if (buffers_init(pages, error) < 0) {
		pages_free(pages);
		return -1;
	}
	*out = pages;
	return 0;
}

void pages_free(struct pages *pages)
{
	if (!pages)
		return;
	free(pages->queue);
	free(pages->words);
	free(pages->pieces);
	free(pages->runs);
	free(pages->wanted);
	free(pages->counted);
	free(pages->tails);
	free(pages->rank);
	free(pages->codes);
	free(pages->facts);
	free(pages->buckets);
	free(pages->output.tallied);
	free(pages->marks);
	free(pages->stale);
	free(pages);
}

void pages_set_plain(struct pages *pages, bool plain)
{
	pages->plain = plain;
}

void pages_set_process(struct pages *pages, struct source_process *process)
{
	pages->process = process;
	pages->map_gap = GAP_NONE;
}

void pages_set_chunk(struct pages *pages, uint64_t most)
{
	pages->chunk = most < PAGES_CHUNK ? most : PAGES_CHUNK;
}

int pages_walk(struct pages *pages, const struct page_ranges *ranges,
	       int (*fn)(void *ctx, uint32_t index, const struct page_run *run), void *ctx,
	       struct error *error)
{
	int rc;

	pages->ranges = ranges;
	pages->rereads_left = PAGES_REREADS;
	pages->output = (struct pages_output) {
		.fn = fn, .ctx = ctx, .tallied = pages->output.tallied,
	};
	pages->tallies = pages->flags_gap == GAP_NONE && pages->count_gap == GAP_NONE &&
			 pages->needs & PAGE_JOIN_FRAMES && pages_use_frames(pages);
	pages->shape = pages_shape_wanted(pages);
	rc = pages->shape ? pages_walk_shape(pages, error) : pages_walk_words(pages, error);
	return rc < 0 ? rc : pages_emit_end(pages);
}

int pages_walk_words(struct pages *pages, struct error *error)
{
	struct pages_pulse pulse = { 0 };
	int rc;

	pages->queue->at = pages->queue->count = 0;
	pages->queue->position = 0;
	pages->queue->has_pending = pages->queue->ended = false;
	if (pages_use_frames(pages))
		pages_pulse(pages, &pulse);
	for (;;) {
		pages_frames_reset(pages);
		rc = pages_read_chunk(pages, error);
		if (rc <= 0)
			return rc;
		rc = pages_read_frames(pages, error);
		if (rc == 0)
			rc = pages_read_leaves(pages, error);
		if (rc == 0)
			rc = pages_verify(pages, &pulse, error);
		if (rc == 0)
			rc = pages_emit_chunk(pages, error);
		if (rc < 0)
			return rc;
	}
}

const struct pages_stats *pages_stats(const struct pages *pages)
{
	return &pages->stats;
}
