// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

/* [vsyscall] lies in the kernel's half: pagemap ends below it. */
static bool is_hidden(const struct page_range *range)
{
	return range->hidden || range->start >> 63;
}

/* More ranges into the look-ahead; a scan, if any, is to cover them. */
static int queue_fill(struct pages *pages)
{
	struct pages_queue *queue = pages->queue;
	int rc = 1;

	queue->at = queue->count = 0;
	while (queue->count < PAGES_RANGES) {
		rc = pages->ranges->next(pages->ranges->ctx, &queue->ranges[queue->count]);
		if (rc <= 0)
			break;
		queue->count++;
	}
	queue->ended = rc == 0;
	queue->scan_at = queue->scan_end = 0;
	for (size_t i = 0; i < queue->count; i++) {
		if (is_hidden(&queue->ranges[i]))
			continue;
		if (!queue->scan_end)
			queue->scan_at = queue->ranges[i].start;
		queue->scan_end = queue->ranges[i].end;
	}
	queue->region = queue->region_count = 0;
	return rc < 0 ? rc : 0;
}

/* Neighbouring regions with a small gap cost less as one read. */
static void join_regions(struct pages *pages)
{
	struct pages_queue *queue = pages->queue;
	uint64_t gap = 16 * pages->page_size;
	size_t n = 0;

	for (size_t i = 0; i < queue->region_count; i++) {
		if (n && queue->regions[i].start <= queue->regions[n - 1].end + gap)
			queue->regions[n - 1].end = queue->regions[i].end;
		else
			queue->regions[n++] = queue->regions[i];
	}
	queue->region_count = n;
}

/* The next populated regions. FILE is never asked for: it triples the cost. */
static int scan_more(struct pages *pages, struct error *error)
{
	struct pages_queue *queue = pages->queue;
	struct source_scan scan = {
		.start = queue->scan_at,
		.end = queue->scan_end,
		.anyof = SCAN_PRESENT | SCAN_SWAPPED,
		.report = SCAN_PRESENT | SCAN_SWAPPED,
	};
	uint64_t walked = 0;
	int rc;

	queue->region = queue->region_count = 0;
	rc = source_pagemap_scan(pages->process, &scan, queue->regions, PAGES_REGIONS,
				 &queue->region_count, &walked, error);
	if (rc < 0)
		return rc;
	pages->stats.scans++;
	queue->scan_at = walked > queue->scan_at ? walked : queue->scan_end;
	join_regions(pages);
	return 0;
}

/* The first region that ends above `page`; false: nothing populated is left. */
static int find_region(struct pages *pages, uint64_t page, struct source_region **region,
		       struct error *error)
{
	struct pages_queue *queue = pages->queue;

	for (;;) {
		while (queue->region < queue->region_count) {
			*region = &queue->regions[queue->region];
			if ((*region)->end >> pages->page_shift > page)
				return 1;
			queue->region++;
		}
		if (queue->scan_at >= queue->scan_end)
			return 0;
		if (scan_more(pages, error) < 0)
			return -1;
	}
}

/* Where only what a scan found is read: the piece of the range that begins at piece->page. */
static int cut_sparse(struct pages *pages, struct piece *piece, struct error *error)
{
	struct source_region *region = NULL;
	struct error scan_error;
	uint64_t start, end;
	int rc;

	error_init(&scan_error);
	rc = find_region(pages, piece->page, &region, &scan_error);
	if (rc < 0 && scan_error.code != ERROR_GONE) {
		pages->no_scan = true;
		return 0;
	}
	if (rc < 0)
		return error_set(error, scan_error.code, "pagemap", "%s", scan_error.text);
	start = rc ? region->start >> pages->page_shift : piece->end;
	end = rc ? region->end >> pages->page_shift : piece->end;
	if (start > piece->page && (start >= piece->end || pages->needs & PAGE_NEED_HOLES)) {
		piece->kind = PAGE_NONE;
		end = start;
	} else if (start > piece->page) {
		piece->page = start;
	}
	if (end < piece->end)
		piece->end = end;
	return 0;
}

static bool use_sparse(const struct pages *pages)
{
	return pages->ranges->sparse && !pages->plain && !pages->no_scan;
}

/* The next piece of the ranges. */
static int cut_piece(struct pages *pages, struct piece *piece, struct error *error)
{
	struct pages_queue *queue = pages->queue;
	const struct page_range *range;
	uint64_t end;

	while (queue->at == queue->count) {
		if (queue->ended)
			return 0;
		if (queue_fill(pages) < 0)
			return error_set(error, ERROR_CHANGED, "", "the list of VMAs ended early");
	}
	range = &queue->ranges[queue->at];
	end = range->end >> pages->page_shift;
	*piece = (struct piece) {
		.page = queue->position ? queue->position : range->start >> pages->page_shift,
		.end = end,
		.index = range->index,
		.kind = PAGE_PRESENT,
		.sums = range->sums,
	};
	if (is_hidden(range) || pages->map_gap != GAP_NONE) {
		piece->kind = PAGE_UNREADABLE;
		piece->gap = is_hidden(range) ? GAP_NOT_APPLICABLE : pages->map_gap;
	} else if (use_sparse(pages) && cut_sparse(pages, piece, error) < 0) {
		return -1;
	}
	queue->position = piece->end < end ? piece->end : 0;
	queue->at += piece->end >= end;
	return 1;
}

/* Of a long hole in a recording no word is read. */
static void skip_hole(struct pages *pages, struct piece *piece)
{
	struct pages_queue *queue = pages->queue;
	uint64_t end;

	if (piece->kind != PAGE_PRESENT ||
	    !source_pagemap_hole(pages->process, piece->page, &end) ||
	    end < piece->page + PAGES_WINDOW)
		return;
	if (end < piece->end) {
		queue->pending = *piece;
		queue->pending.page = piece->end = end;
		queue->has_pending = true;
	}
	piece->kind = PAGE_NONE;
}

/* 1 and the next piece in ascending order, 0 at the end. */
static int next_piece(struct pages *pages, struct piece *piece, struct error *error)
{
	struct pages_queue *queue = pages->queue;
	int rc = 1;

	if (queue->has_pending)
		*piece = queue->pending;
	else
		rc = cut_piece(pages, piece, error);
	queue->has_pending = false;
	if (rc > 0)
		skip_hole(pages, piece);
	return rc;
}

enum page_kind pages_word_kind(uint64_t word)
{
	if (word & PAGEMAP_PRESENT)
		return PAGE_PRESENT;
	return word & PAGEMAP_SWAP ? PAGE_SWAP : PAGE_NONE;
}

/* By how much the word of the next page of a run is larger. */
static int word_step(const struct pages *pages, uint64_t word, uint64_t next)
{
	if (!pages->frames_visible)
		return 0;
	if (word & PAGEMAP_PRESENT)
		return pages->needs & PAGE_JOIN_FRAMES && next == word - 1 ? -1 : 1;
	if (word & PAGEMAP_SWAP && pagemap_swap(word, true).kind == SWAP_SLOT)
		return 1 << 5;
	return 0;
}

static void add_run(struct pages *pages, const struct word_run *run)
{
	if (run->kind == PAGE_PRESENT) {
		pages->present += run->pages;
		pages_want(pages, run);
	}
	if (run->kind != PAGE_NONE || pages->needs & PAGE_NEED_HOLES)
		pages->runs[pages->run_count++] = *run;
}

/* The hot loop: one comparison per page. */
static void add_words(struct pages *pages, const uint64_t *words, const struct piece *piece)
{
	uint64_t count = piece->end - piece->page, at = 0, i;

	if (pages->shape) {
		pages_shape_words(pages, words, piece);
		return;
	}
	for (; at < count; at = i) {
		uint64_t word = words[at], next = at + 1 < count ? words[at + 1] : 0;
		struct word_run run = {
			.page = piece->page + at, .word = word, .index = piece->index,
			.kind = pages_word_kind(word), .step = (int8_t)word_step(pages, word, next),
			.sums = piece->sums,
		};
		uint64_t step = (uint64_t)(int64_t)run.step;

		for (i = at + 1, next = word + step; i < count && words[i] == next; i++)
			next += step;
		run.pages = i - at;
		add_run(pages, &run);
	}
}

/* Pages [first, end) into the window; what the kernel does not give reads as an error. */
int pages_read_words(struct pages *pages, uint64_t first, uint64_t end, struct error *error)
{
	uint64_t done = 0;

	while (first + done < end) {
		size_t got = 0;

		if (source_pagemap(pages->process, first + done, pages->words + done,
				   end - first - done, &got, error) < 0)
			return -1;
		pages->stats.pagemap_reads++;
		if (!got)
			return error_set(error, ERROR_GONE, "pagemap", "the address space is gone");
		done += got;
	}
	return 0;
}

/* Everything that the read from pieces[0] on can take in: up to the next window boundary, over
 * small gaps. The read is [first, end), empty if there is nothing to read. */
static int gather(struct pages *pages, uint64_t *first, uint64_t *read_end, struct error *error)
{
	struct pages_queue *queue = pages->queue;
	uint64_t limit = 0, end = 0;
	struct piece piece;
	int rc;

	pages->piece_count = 0;
	while (pages->piece_count < PAGES_PIECES) {
		rc = next_piece(pages, &piece, error);
		if (rc < 0)
			return rc;
		if (!rc)
			break;
		if (piece.kind == PAGE_PRESENT) {
			if (!limit) {
				*first = piece.page;
				limit = (piece.page | (PAGES_WINDOW - 1)) + 1;
				if (limit > piece.page + pages->chunk)
					limit = piece.page + pages->chunk;
			} else if (piece.page >= limit || piece.page > end + PAGES_JOIN_GAP) {
				queue->pending = piece;
				queue->has_pending = true;
				break;
			}
			if (piece.end > limit) {
				queue->pending = piece;
				queue->pending.page = piece.end = limit;
				queue->has_pending = true;
			}
			end = piece.end;
		}
		pages->pieces[pages->piece_count++] = piece;
		if (queue->has_pending)
			break;
	}
	*read_end = end;
	return 0;
}

static void add_pieces(struct pages *pages, uint64_t first)
{
	for (size_t i = 0; i < pages->piece_count; i++) {
		const struct piece *piece = &pages->pieces[i];

		if (piece->kind == PAGE_PRESENT && pages->map_gap == GAP_NONE)
			add_words(pages, pages->words + (piece->page - first), piece);
		else
			add_run(pages, &(struct word_run) {
				.page = piece->page,
				.pages = piece->end - piece->page,
				.index = piece->index,
				.kind = piece->kind == PAGE_NONE ? PAGE_NONE : PAGE_UNREADABLE,
				.gap = piece->kind == PAGE_PRESENT ? pages->map_gap : piece->gap,
			});
	}
}

/* A pagemap that may not be read at all is a gap of every range, not a failure. */
static int read_window(struct pages *pages, struct error *error)
{
	struct error failure;
	uint64_t first = 0, end = 0;

	error_init(&failure);
	if (gather(pages, &first, &end, error) < 0)
		return -1;
	if (end && pages->map_gap == GAP_NONE &&
	    pages_read_words(pages, first, end, &failure) < 0) {
		if (failure.code == ERROR_GONE || pages->stats.pagemap_reads)
			return error_set(error, failure.code, "pagemap", "%s", failure.text);
		pages->map_gap = gap_from_error(&failure);
	}
	add_pieces(pages, first);
	return pages->piece_count > 0;
}

int pages_read_chunk(struct pages *pages, struct error *error)
{
	int rc = 1;

	pages->run_count = 0;
	pages->present = 0;
	while (pages->present < pages->chunk && pages->run_count < PAGES_CHUNK_RUNS) {
		rc = read_window(pages, error);
		if (rc <= 0)
			break;
	}
	if (rc < 0)
		return rc;
	return pages->run_count > 0 || rc > 0;
}
