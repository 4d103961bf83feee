// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

/*
 * The shape of a page table: which entries are set and what leaf maps them, without frames, flags
 * and counts. In private memory without a file all pages are anonymous, so PAGEMAP_SCAN alone
 * answers, at less than half the price of pagemap; elsewhere pagemap tells file from anonymous,
 * and a scan of what could be huge tells the leaf.
 */
#define SHAPE_BITS \
	(PAGEMAP_PRESENT | PAGEMAP_SWAP | PAGEMAP_FILE | PAGEMAP_GUARD | PAGEMAP_UFFD_WP)
#define SCAN_MIN (1u << 20)	/* a scan of its own pays from here on */
#define GROUP 1024u

/* Neighbouring ranges of one way of reading, taken from the caller's list. */
struct shape_group {
	const struct page_ranges *from;
	struct page_range ranges[GROUP];	/* to scan */
	size_t count;
	struct page_range pending;
	bool has_pending;
	bool ended;
};

static int take_range(struct shape_group *group, struct page_range *range)
{
	int rc;

	if (group->has_pending) {
		group->has_pending = false;
		*range = group->pending;
		return 1;
	}
	if (group->ended)
		return 0;
	rc = group->from->next(group->from->ctx, range);
	group->ended = rc <= 0;
	return rc;
}

static void hand_back(struct shape_group *group, const struct page_range *range)
{
	group->pending = *range;
	group->has_pending = true;
}

static bool is_scanned(const struct page_range *range)
{
	return range->anonymous && !range->hidden && range->end - range->start >= SCAN_MIN;
}

/* The ranges up to the next one that is scanned, for the walk over words. */
static int next_word_range(void *ctx, struct page_range *range)
{
	struct shape_group *group = ctx;
	int rc = take_range(group, range);

	if (rc > 0 && is_scanned(range)) {
		hand_back(group, range);
		return 0;
	}
	return rc;
}

static int fill_scan(struct shape_group *group)
{
	struct page_range range;
	int rc = 1;

	group->count = 0;
	while (group->count < GROUP && (rc = take_range(group, &range)) > 0) {
		if (!is_scanned(&range)) {
			hand_back(group, &range);
			break;
		}
		group->ranges[group->count++] = range;
	}
	return rc < 0 ? rc : 0;
}

static int emit_part(struct pages *pages, uint32_t index, uint64_t start, uint64_t end,
		     uint64_t categories)
{
	struct page_run run = {
		.start = start,
		.pages = (end - start) >> pages->page_shift,
		.kind = categories & SCAN_PRESENT ? PAGE_PRESENT : PAGE_SWAP,
		.entry = categories & SCAN_PRESENT ? PAGEMAP_PRESENT : PAGEMAP_SWAP,
		.swap.kind = SWAP_UNKNOWN,
		.folio_order = -1,
	};

	if (run.kind == PAGE_PRESENT) {
		run.leaf = categories & SCAN_HUGE ? LEAF_PMD : LEAF_BASE;
		run.zero = categories & SCAN_ZERO;
		run.zero_known = true;
	}
	return pages_emit_run(pages, index, &run);
}

/* A region may go over several ranges; `at` is the first that ends above it. */
static int emit_region(struct pages *pages, const struct shape_group *group, size_t *at,
		       const struct source_region *region)
{
	for (; *at < group->count; ++*at) {
		const struct page_range *range = &group->ranges[*at];
		uint64_t start = region->start > range->start ? region->start : range->start;
		uint64_t end = region->end < range->end ? region->end : range->end;

		if (start < end && emit_part(pages, range->index, start, end,
					     region->categories) < 0)
			return -1;
		if (range->end >= region->end)
			break;
	}
	return 0;
}

/* 0, or negative: with pages->no_scan set nothing was handed out and the words are to be read. */
static int scan_group(struct pages *pages, struct shape_group *group, struct error *error)
{
	struct source_scan scan = {
		.start = group->ranges[0].start,
		.end = group->ranges[group->count - 1].end,
		.anyof = SCAN_PRESENT | SCAN_SWAPPED,
		.report = SCAN_PRESENT | SCAN_SWAPPED | SCAN_HUGE | SCAN_ZERO,
	};
	struct source_region *regions = pages->queue->regions;
	bool first = true;
	size_t at = 0;

	while (scan.start < scan.end) {
		uint64_t walked = scan.end;
		size_t count = 0;

		if (source_pagemap_scan(pages->process, &scan, regions, PAGES_REGIONS, &count,
					&walked, error) < 0) {
			pages->no_scan = first && error->code != ERROR_GONE;
			return -1;
		}
		first = false;
		pages->stats.scans++;
		for (size_t i = 0; i < count; i++)
			if (emit_region(pages, group, &at, &regions[i]) < 0)
				return -1;
		scan.start = walked > scan.start ? walked : scan.end;
	}
	return 0;
}

static int next_scan_range(void *ctx, struct page_range *range)
{
	struct shape_group *group = ctx;

	if (!group->count)
		return 0;
	*range = group->ranges[0];
	group->count--;
	memmove(group->ranges, group->ranges + 1, group->count * sizeof(*range));
	return 1;
}

static int walk_words(struct pages *pages, struct shape_group *group,
		      int (*next)(void *ctx, struct page_range *range), struct error *error)
{
	struct page_ranges ranges = {
		.next = next, .ctx = group, .sparse = group->from->sparse,
	};

	pages->ranges = &ranges;
	return pages_walk_words(pages, error);
}

static int walk_scanned(struct pages *pages, struct shape_group *group, struct error *error)
{
	struct error failure = ERROR_INIT;

	if (fill_scan(group) < 0)
		return error_set(error, ERROR_CHANGED, "", "the list of VMAs ended early");
	if (group->count && !pages->plain && !pages->no_scan &&
	    scan_group(pages, group, &failure) == 0)
		return 0;
	if (failure.code != ERROR_NONE && !pages->no_scan)
		return error_set(error, failure.code, "pagemap", "%s", failure.text);
	return walk_words(pages, group, next_scan_range, error);
}

bool pages_shape_wanted(const struct pages *pages)
{
	const unsigned more = PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_HOLES;

	return pages->needs & PAGE_JOIN_FRAMES && !(pages->needs & more);
}

int pages_walk_shape(struct pages *pages, struct error *error)
{
	CLEANUP_FREE struct shape_group *group = calloc(1, sizeof(*group));
	int rc = 0;

	if (!group)
		return error_nomem(error);
	group->from = pages->ranges;
	while (rc >= 0 && (!group->ended || group->has_pending)) {
		rc = walk_words(pages, group, next_word_range, error);
		if (rc >= 0)
			rc = walk_scanned(pages, group, error);
	}
	return rc;
}

/* Could these words be one huge leaf? Then frames count up from an aligned one. */
static bool may_be_huge(const struct pages *pages, const uint64_t *words)
{
	uint64_t last = pages->block - 1, step = pages->frames_visible;
	uint64_t mask = ~(PAGEMAP_EXCLUSIVE | PAGEMAP_SOFT_DIRTY);

	if (!(words[0] & PAGEMAP_PRESENT) || ((words[last] ^ (words[0] + last * step)) & mask) ||
	    (step && pagemap_frame(words[0]) % pages->block))
		return false;
	for (uint64_t i = 1; i < last; i++)
		if ((words[i] ^ (words[0] + i * step)) & mask)
			return false;
	return true;
}

/* What must be equal for two words to be of one run. */
static uint64_t shape_mask(uint64_t word)
{
	if (word & PAGEMAP_PRESENT || !(word & PAGEMAP_SWAP))
		return SHAPE_BITS;
	return ~(PAGEMAP_EXCLUSIVE | PAGEMAP_SOFT_DIRTY) &
		(pagemap_swap(word, true).kind == SWAP_SLOT ? SHAPE_BITS | 0x1f : ~0ULL);
}

/* How many of the words have the shape of the first one. */
static uint64_t shape_length(const uint64_t *words, uint64_t count)
{
	uint64_t word = words[0], mask = shape_mask(word), i = 1;

	for (; i + 8 <= count; i += 8) {
		uint64_t differ = 0;

		for (int j = 0; j < 8; j++)
			differ |= words[i + j] ^ word;
		if (differ & mask)
			break;
	}
	while (i < count && !((words[i] ^ word) & mask))
		i++;
	return i;
}

static void shape_add(struct pages *pages, const struct word_run *run)
{
	struct word_run *last = pages->run_count ? &pages->runs[pages->run_count - 1] : NULL;

	if (run->kind == PAGE_NONE)
		return;
	if (run->kind == PAGE_PRESENT)
		pages->present += run->pages;
	if (last && last->page + last->pages == run->page && last->index == run->index &&
	    last->kind == run->kind && last->huge == run->huge &&
	    !((last->word ^ run->word) & shape_mask(run->word)))
		last->pages += run->pages;
	else
		pages->runs[pages->run_count++] = *run;
}

void pages_shape_words(struct pages *pages, const uint64_t *words, const struct piece *piece)
{
	uint64_t block = pages->block, page = piece->page, room;
	struct word_run run;

	for (; page < piece->end; page += run.pages, words += run.pages) {
		room = block - page % block;
		if (room > piece->end - page)
			room = piece->end - page;
		run = (struct word_run) {
			.page = page, .word = words[0] & ~(PAGEMAP_EXCLUSIVE | PAGEMAP_SOFT_DIRTY),
			.index = piece->index, .kind = pages_word_kind(words[0]),
		};
		run.huge = room == block && may_be_huge(pages, words);
		run.pages = run.huge ? block : shape_length(words, room);
		shape_add(pages, &run);
	}
}
