// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmatlas/parse/maps.h"

/*
 * pagemap and PAGEMAP_SCAN of one process, in ascending order and in one pass over maps. What a
 * scan calls empty is not read from pagemap, but for one word a VMA: all absent pages of a VMA
 * have the same (pagemap_pte_hole() in fs/proc/task_mmu.c: 0, or the soft-dirty bit of the VMA).
 */
#define WINDOW 32768u		/* words of one read: 256 KiB */
#define JOIN_GAP 64u		/* pages of no interest that a read goes on over */
#define VMAS 1024u		/* looked ahead: one scan covers them */
#define REGIONS 4096u
#define MAPS_CHUNK (64u << 10)

#define SCAN_EVERYTHING (SCAN_WPALLOWED | SCAN_WRITTEN | SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO | \
			 SCAN_HUGE | SCAN_SOFT_DIRTY | SCAN_GUARD)
#define SCAN_FILLED (SCAN_PRESENT | SCAN_SWAPPED)

/* What is asked for, until one set is known to the kernel. */
static const uint64_t scan_sets[] = {
	SCAN_EVERYTHING,
	SCAN_EVERYTHING & ~SCAN_GUARD,	/* before 6.15 */
	SCAN_FILLED | SCAN_ZERO | SCAN_HUGE,
	SCAN_FILLED,
};

struct pages_span {
	uint64_t first;
	uint64_t end;
};

struct words {
	struct recording *recording;
	struct recorded *process;
	struct source_process *source;
	uint64_t page_size;
	struct lines lines;
	struct source_stream *stream;

	struct out map_out, scan_out;
	struct runs map, scan;
	bool map_open, scan_open;

	struct pages_span vmas[VMAS];
	size_t vma_count;
	uint64_t categories;		/* 0: no scan */
	uint64_t scan_at, scan_end;	/* addresses not scanned yet */
	uint64_t scan_done;		/* pages below are written */
	struct source_region regions[REGIONS];
	size_t region, region_count;

	struct pages_span read;		/* being put together; empty: first == end */
	uint64_t words[WINDOW];
	struct error failure;		/* of the source, when a function returns 1 */
};

/* Functions below return 0, negative after a failure to write, or 1 when the source failed. */
static int source_failed(struct words *w, const struct error *failure)
{
	w->failure = *failure;
	return 1;
}

static void count_present(void *ctx, uint64_t word, uint64_t count, uint64_t step)
{
	struct words *w = ctx;

	if (!(word & PAGEMAP_PRESENT))
		return;
	w->process->pages += count;
	frame_set_add(&w->recording->frames, word, count, step);
}

static int read_flush(struct words *w, struct error *error)
{
	struct pages_span read = w->read;

	w->read = (struct pages_span) { 0, 0 };
	while (read.first < read.end) {
		struct error failure = ERROR_INIT;
		uint64_t n = read.end - read.first;
		size_t got = 0;

		if (recording_stopped(w->recording, error) < 0)
			return -1;
		if (source_pagemap(w->source, read.first, w->words, n < WINDOW ? n : WINDOW, &got,
				   &failure) < 0)
			return source_failed(w, &failure);
		if (!got)
			break;
		if (runs_words(&w->map, read.first, w->words, got, error) < 0)
			return -1;
		read.first += got;
	}
	return 0;
}

/* Reads begin and end at window boundaries where they are long: tables are walked once. */
static int read_add(struct words *w, uint64_t first, uint64_t end, struct error *error)
{
	bool joins = w->read.first < w->read.end && first <= w->read.end + JOIN_GAP;
	int rc = 0;

	if (!joins) {
		rc = read_flush(w, error);
		w->read.first = first;
	}
	w->read.end = end;
	if (!rc && w->read.end - w->read.first >= WINDOW)
		rc = read_flush(w, error);
	return rc;
}

/* A long hole of a VMA: its words are not read but for the first. */
static int hole_add(struct words *w, struct pages_span hole, uint64_t *word, struct error *error)
{
	struct error failure = ERROR_INIT;
	size_t got = 0;
	int rc;

	if (hole.end - hole.first <= JOIN_GAP)
		return read_add(w, hole.first, hole.end, error);
	rc = read_flush(w, error);
	if (!rc && *word == UINT64_MAX &&
	    source_pagemap(w->source, hole.first, word, 1, &got, &failure) < 0)
		return source_failed(w, &failure);
	/* Filled meanwhile: only what was seen. */
	if (!rc && *word & (PAGEMAP_PRESENT | PAGEMAP_SWAP)) {
		rc = runs_same(&w->map, hole.first, 1, *word, error);
		*word = UINT64_MAX;
	} else if (!rc && *word) {
		rc = runs_same(&w->map, hole.first, hole.end - hole.first, *word, error);
	}
	return rc;
}

/* The first set that the kernel takes; none: pagemap is read as a whole. */
static int scan_choose(struct words *w, struct error *error)
{
	struct error failure = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(scan_sets); i++) {
		struct source_scan scan = {
			.start = w->vmas[0].first * w->page_size,
			.end = (w->vmas[0].first + 1) * w->page_size,
			.anyof = scan_sets[i], .report = scan_sets[i],
		};
		uint64_t walked;
		size_t got;

		if (source_pagemap_scan(w->source, &scan, w->regions, 1, &got, &walked,
					&failure) >= 0) {
			w->categories = scan_sets[i];
			return 0;
		}
		if (failure.code != ERROR_NOT_IN_KERNEL)
			break;
	}
	return missing_add(&w->process->missing[JOB_WORDS], "scan", &failure, error);
}

static int scan_begin(struct words *w, int dir, struct error *error)
{
	char head[40];
	int rc = scan_choose(w, error);

	if (rc < 0 || !w->categories)
		return rc;
	rc = out_open(&w->scan_out, w->recording, dir, "scan", error);
	if (rc < 0)
		return rc;
	w->scan_open = true;
	w->scan = (struct runs) { .out = &w->scan_out };
	snprintf(head, sizeof(head), "categories %llx\n", (unsigned long long)w->categories);
	return out_add(&w->scan_out, head, strlen(head), error);
}

static int scan_more(struct words *w, struct error *error)
{
	struct error failure = ERROR_INIT;
	struct source_scan scan = {
		.start = w->scan_at, .end = w->scan_end,
		.anyof = w->categories, .report = w->categories,
	};
	uint64_t walked = 0;

	w->region = w->region_count = 0;
	if (recording_stopped(w->recording, error) < 0)
		return -1;
	if (source_pagemap_scan(w->source, &scan, w->regions, REGIONS, &w->region_count, &walked,
				&failure) < 0)
		return source_failed(w, &failure);
	w->scan_at = walked > w->scan_at ? walked : w->scan_end;
	for (size_t i = 0; i < w->region_count; i++) {
		const struct source_region *region = &w->regions[i];
		uint64_t first = region->start / w->page_size, end = region->end / w->page_size;

		first = first > w->scan_done ? first : w->scan_done;
		if (first >= end)
			continue;
		if (runs_same(&w->scan, first, end - first, region->categories, error) < 0)
			return -1;
		w->scan_done = end;
	}
	return 0;
}

/* The first region with entries that ends above the page; *found false when there is none. */
static int region_find(struct words *w, uint64_t page, struct pages_span *found,
		       struct error *error)
{
	int rc;

	*found = (struct pages_span) { UINT64_MAX, UINT64_MAX };
	for (;;) {
		for (; w->region < w->region_count; w->region++) {
			const struct source_region *region = &w->regions[w->region];

			if (!(region->categories & SCAN_FILLED) ||
			    region->end / w->page_size <= page)
				continue;
			*found = (struct pages_span) { region->start / w->page_size,
						       region->end / w->page_size };
			return 0;
		}
		if (w->scan_at >= w->scan_end)
			return 0;
		rc = scan_more(w, error);
		if (rc)
			return rc;
	}
}

static int vma_words(struct words *w, struct pages_span vma, struct error *error)
{
	uint64_t at = vma.first, hole_word = UINT64_MAX;
	struct pages_span found;
	int rc = 0;

	if (!w->categories)
		return read_add(w, vma.first, vma.end, error);
	while (!rc && at < vma.end) {
		rc = region_find(w, at, &found, error);
		if (rc)
			return rc;
		if (found.first > at) {
			uint64_t end = found.first < vma.end ? found.first : vma.end;

			rc = hole_add(w, (struct pages_span) { at, end }, &hole_word, error);
			at = end;
			continue;
		}
		found.end = found.end < vma.end ? found.end : vma.end;
		rc = read_add(w, at, found.end, error);
		at = found.end;
	}
	return rc;
}

/* The next VMAs; [vsyscall] has no words. A map that changes while it is read may go back:
 * such a line is cut. 1 when the source failed, 0 otherwise; no VMAs: the end. */
static int vmas_fill(struct words *w)
{
	struct error failure = ERROR_INIT;
	uint64_t last = w->vma_count ? w->vmas[w->vma_count - 1].end : 0;
	struct maps_line line;
	struct span text;
	int rc = 0;

	w->vma_count = 0;
	while (w->vma_count < VMAS && (rc = lines_next(&w->lines, &text, &failure)) > 0) {
		struct pages_span vma;

		if (maps_parse_line(text, &line, &failure) < 0)
			return source_failed(w, &failure);
		vma = (struct pages_span) { line.start / w->page_size, line.end / w->page_size };
		if (line.start >> 63 || vma.end <= last)
			continue;
		vma.first = vma.first > last ? vma.first : last;
		w->vmas[w->vma_count++] = vma;
		last = vma.end;
	}
	return rc < 0 ? source_failed(w, &failure) : 0;
}

static int walk(struct words *w, int dir, struct error *error)
{
	bool begun = false;
	int rc;

	while (!(rc = vmas_fill(w)) && w->vma_count) {
		if (!begun && (rc = scan_begin(w, dir, error)) < 0)
			return rc;
		begun = true;
		w->scan_at = w->vmas[0].first * w->page_size;
		w->scan_end = w->vmas[w->vma_count - 1].end * w->page_size;
		w->region = w->region_count = 0;
		for (size_t i = 0; !rc && i < w->vma_count; i++)
			rc = vma_words(w, w->vmas[i], error);
		if (rc)
			return rc;
	}
	return rc ? rc : read_flush(w, error);
}

/* pagemap could not be read, and so no scan could be made. */
static int words_missing(struct words *w, const struct error *failure, bool scan,
			 struct error *error)
{
	struct missing *missing = &w->process->missing[JOB_WORDS];

	w->process->pages = 0;
	w->process->pages_gap = gap_from_error(failure);
	if (missing_add(missing, "pagemap", failure, error) < 0)
		return -1;
	return scan ? missing_add(missing, "scan", failure, error) : 0;
}

/* What breaks off half-way is removed: it is missing like what may not be read at all. */
static int words_finish(struct words *w, int dir, int rc, struct error *error)
{
	if (!rc) {
		if (w->scan_open)
			rc = runs_end(&w->scan, error);
		return rc < 0 ? rc : runs_end(&w->map, error);
	}
	if (rc < 0)
		return rc;
	unlinkat(dir, "pagemap", 0);
	if (w->scan_open)
		unlinkat(dir, "scan", 0);
	return words_missing(w, &w->failure, w->scan_open, error);
}

static int words_run(struct words *w, int dir, struct error *error)
{
	struct error failure = ERROR_INIT;
	size_t got;
	int rc;

	/* Asked first: without it there is nothing to look up in maps. */
	if (source_pagemap(w->source, 0, w->words, 1, &got, &failure) < 0 ||
	    source_stream_open(w->source, SOURCE_MAPS, &w->stream, &failure) < 0)
		return words_missing(w, &failure, true, error);
	w->lines.ctx = w->stream;
	rc = out_open(&w->map_out, w->recording, dir, "pagemap", error);
	if (rc < 0)
		return rc;
	w->map_open = true;
	w->map = (struct runs) {
		.out = &w->map_out, .steps = true, .skip_zero = true, .done = count_present,
		.ctx = w,
	};
	rc = walk(w, dir, error);
	return words_finish(w, dir, rc, error);
}

int words_record(struct recording *recording, struct recorded *process,
		 struct source_process *source, int dir, struct error *error)
{
	CLEANUP_FREE struct words *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return error_nomem(error);
	w->recording = recording;
	w->process = process;
	w->source = source;
	w->page_size = recording->page_size;
	lines_init(&w->lines, source_stream_read, NULL, MAPS_CHUNK);
	rc = words_run(w, dir, error);
	if (w->map_open)
		out_done(&w->map_out);
	if (w->scan_open)
		out_done(&w->scan_out);
	lines_done(&w->lines);
	source_stream_free(w->stream);
	return rc;
}
