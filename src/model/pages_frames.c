// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "pages_impl.h"

/* Measured break-even: a call costs as much as 3 to 4 frames. */
#define FRAME_GAP 4

bool pages_use_frames(const struct pages *pages)
{
	return pages->wanted != NULL;
}

int pages_frames_new(struct pages *pages, struct error *error)
{
	uint64_t words = pages->frames_end / 64 + 2;

	pages->wanted = calloc(words, sizeof(*pages->wanted));
	pages->counted = calloc(words, sizeof(*pages->counted));
	pages->tails = calloc(words, sizeof(*pages->tails));
	pages->rank = malloc(words * sizeof(*pages->rank));
	pages->codes = calloc(PAGES_CHUNK + PAGES_WINDOW, sizeof(*pages->codes));
	if (!pages->wanted || !pages->counted || !pages->tails || !pages->rank || !pages->codes)
		return error_nomem(error);
	pages->low = words;
	return pages_facts_new(pages, error);
}

static void set_bits(uint64_t *bitmap, uint64_t from, uint64_t end)
{
	while (from < end) {
		uint64_t room = 64 - from % 64, n = end - from < room ? end - from : room;

		bitmap[from / 64] |= ~0ULL >> (64 - n) << from % 64;
		from += n;
	}
}

/* Frames of a run of present words. Bit 56 is "mapped once": such a page needs no count. */
void pages_want(struct pages *pages, const struct word_run *run)
{
	uint64_t frame = pages_run_frame(run), end = frame + run->pages;

	if (!pages_use_frames(pages) || end > pages->frames_end)
		return;
	if (frame / 64 < pages->low)
		pages->low = frame / 64;
	if ((end + 63) / 64 > pages->high)
		pages->high = (end + 63) / 64;
	set_bits(pages->wanted, frame, end);
	if (!(run->word & PAGEMAP_EXCLUSIVE))
		set_bits(pages->counted, frame, end);
}

static uint32_t build_rank(struct pages *pages)
{
	uint32_t sum = 0;

	for (uint64_t w = pages->low; w < pages->high; w++) {
		if (!pages->wanted[w])
			continue;
		pages->rank[w] = sum;
		sum += pages_popcount(pages->wanted[w]);
	}
	return sum;
}

struct frame_pass {
	enum source_frames what;
	const uint64_t *bitmap;
	uint64_t *reads;
	void (*store)(struct pages *pages, uint64_t frame, const uint64_t *words, uint64_t count);
};

/* [from, end) in windows; frames that the file does not have any more read as 0. */
static int read_span(struct pages *pages, const struct frame_pass *pass, uint64_t from,
		     uint64_t end, struct error *error)
{
	while (from < end) {
		uint64_t n = end - from < PAGES_WINDOW ? end - from : PAGES_WINDOW;
		size_t got = 0;

		if (source_frames(pages->source, pass->what, from, pages->words, n, &got,
				  error) < 0)
			return -1;
		++*pass->reads;
		if (!got) {
			memset(pages->words, 0, n * sizeof(*pages->words));
			got = n;
		}
		pass->store(pages, from, pages->words, got);
		from += got;
	}
	return 0;
}

/* The frames set in the bitmap, ascending, one read going on over small gaps. */
static int read_set(struct pages *pages, const struct frame_pass *pass, uint64_t from,
		    uint64_t limit, struct error *error)
{
	uint64_t start = bitmap_find(pass->bitmap, from, limit, true);

	while (start < limit) {
		uint64_t end = bitmap_find(pass->bitmap, start, limit, false);
		uint64_t next = bitmap_find(pass->bitmap, end, limit, true);

		while (next < limit && next <= end + FRAME_GAP) {
			end = bitmap_find(pass->bitmap, next, limit, false);
			next = bitmap_find(pass->bitmap, end, limit, true);
		}
		if (read_span(pages, pass, start, end, error) < 0)
			return -1;
		start = next;
	}
	return 0;
}

static void store_flags(struct pages *pages, uint64_t frame, const uint64_t *words,
			uint64_t count)
{
	uint64_t at = bitmap_find(pages->wanted, frame, frame + count, true);
	uint64_t mask = pages->flags_mask, flags = ~mask;
	uint16_t code = 0;

	while (at < frame + count) {
		uint64_t end = bitmap_find(pages->wanted, at, frame + count, false);
		uint16_t *codes = pages->codes + pages_rank(pages, at);

		for (uint64_t i = at - frame; i < end - frame; i++) {
			if ((words[i] & mask) != flags) {
				flags = words[i] & mask;
				code = pages_fact(pages, flags, 1);
			}
			*codes++ = code;
		}
		at = bitmap_find(pages->wanted, end, frame + count, true);
	}
}

static void store_counts(struct pages *pages, uint64_t frame, const uint64_t *words,
			 uint64_t count)
{
	uint64_t at = bitmap_find(pages->counted, frame, frame + count, true);

	while (at < frame + count) {
		uint64_t end = bitmap_find(pages->counted, at, frame + count, false);
		uint16_t *code = pages->codes + pages_rank(pages, at);

		for (uint64_t i = at - frame; i < end - frame; i++, code++)
			if (words[i] != 1)
				*code = pages_fact_counted(pages, *code, words[i]);
		at = bitmap_find(pages->counted, end, frame + count, true);
	}
}

/* Keeps the bit of a frame that is a tail: the folio below goes on there. */
static void store_tails(struct pages *pages, uint64_t frame, const uint64_t *words,
			uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (!(words[i] & KPF_COMPOUND_TAIL))
			pages->tails[(frame + i) / 64] &= ~(1ULL << (frame + i) % 64);
}

/* Probes that found no folio: so many in a row, and only each eighth block is tried. */
#define MISSES_MAX 8

static bool is_candidate(const struct pages *pages, uint64_t frame, unsigned misses)
{
	uint64_t all = pages->wanted[frame / 64];

	if (misses >= MISSES_MAX && frame / pages->block % 8)
		return false;
	for (uint64_t i = 0; i < pages->block / 64; i++)
		all &= pages->wanted[frame / 64 + i];
	return all == ~0ULL;
}

/*
 * Folios are naturally aligned powers of two: if the middle frame of an aligned block is a
 * tail, one folio covers the block, and its head's and one tail's flags are those of all (each
 * tail shows the folio's: fs/proc/page.c stable_page_flags(), 6.12 and later; before, tails
 * were as bare as this one). 1 if the block was done so.
 */
static int read_folio_block(struct pages *pages, uint64_t frame, struct error *error)
{
	uint64_t word[2];
	uint16_t *codes = pages->codes + pages_rank(pages, frame), tail;
	size_t got = 0;

	pages->stats.flag_reads++;
	if (source_frames(pages->source, SOURCE_KPAGEFLAGS, frame + pages->block / 2, word, 1,
			  &got, error) < 0)
		return -1;
	if (!got || !(word[0] & KPF_COMPOUND_TAIL))
		return 0;
	pages->stats.flag_reads++;
	if (source_frames(pages->source, SOURCE_KPAGEFLAGS, frame, word, 2, &got, error) < 0)
		return -1;
	if (got != 2)
		return 0;
	codes[0] = pages_fact(pages, word[0] & pages->flags_mask, 1);
	tail = pages_fact(pages, word[1] & pages->flags_mask, 1);
	for (uint64_t i = 1; i < pages->block; i++)
		codes[i] = tail;
	/* Bit 56 of a PMD-mapped page is its head's (6.18): only if nobody else can map a piece
	 * of the folio is it everybody's. */
	if (!(word[0] & KPF_ANON) || !(word[0] & KPF_ANON_EXCLUSIVE))
		set_bits(pages->counted, frame, frame + pages->block);
	return 1;
}

static int read_flags(struct pages *pages, struct error *error)
{
	struct frame_pass pass = {
		SOURCE_KPAGEFLAGS, pages->wanted, &pages->stats.flag_reads, store_flags,
	};
	uint64_t limit = pages->high * 64, from = pages->low * 64, block = pages->block;
	unsigned misses = 0;

	for (uint64_t at = (from + block - 1) & ~(block - 1); at + block <= limit; at += block) {
		int rc;

		if (!is_candidate(pages, at, misses))
			continue;
		rc = read_folio_block(pages, at, error);
		if (rc < 0)
			return rc;
		misses = rc ? 0 : misses + 1;
		if (!rc)
			continue;
		if (read_set(pages, &pass, from, at, error) < 0)
			return -1;
		from = at + block;
	}
	return read_set(pages, &pass, from, limit, error);
}

/* Asks about the frame behind each large anonymous folio that reaches the end of a run, where
 * nothing of this process lies there: only so is the folio's size known. */
static int read_folio_ends(struct pages *pages, struct error *error)
{
	struct frame_pass pass = {
		SOURCE_KPAGEFLAGS, pages->tails, &pages->stats.flag_reads, store_tails,
	};

	if (!pages_facts_have(pages, KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL))
		return 0;
	for (size_t i = 0; i < pages->run_count; i++) {
		const struct word_run *run = &pages->runs[i];
		uint64_t end = pages_run_frame(run) + run->pages, flags;

		if (run->kind != PAGE_PRESENT || end >= pages->frames_end || end % 2 ||
		    run->word & PAGEMAP_FILE || bitmap_has(pages->wanted, end))
			continue;
		flags = pages_fact_of(pages, end - 1)->flags;
		if (!(flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL)) || end % pages->block == 0)
			continue;
		set_bits(pages->tails, end, end + 1);
		pages->has_tails = true;
	}
	return !pages->has_tails ? 0 :
		read_set(pages, &pass, pages->low * 64, pages->high * 64 + 1, error);
}

int pages_read_frames(struct pages *pages, struct error *error)
{
	struct frame_pass count_pass = {
		SOURCE_KPAGECOUNT, pages->counted, &pages->stats.count_reads, store_counts,
	};
	uint32_t frames;

	if (!pages_use_frames(pages) || pages->low >= pages->high)
		return 0;
	frames = build_rank(pages);
	pages_facts_reset(pages);
	if (pages->flags_gap != GAP_NONE)
		memset(pages->codes, 0, frames * sizeof(*pages->codes));
	else if (read_flags(pages, error) < 0 || read_folio_ends(pages, error) < 0)
		return -1;
	if (pages->count_gap != GAP_NONE)
		return 0;
	return read_set(pages, &count_pass, pages->low * 64, pages->high * 64, error);
}

/* Where nothing was set nothing is written: of a snapshot that claims the largest of memories
 * only what is used takes memory. */
static void clear_bits(uint64_t *bitmap, uint64_t low, uint64_t high)
{
	for (uint64_t w = low; w < high; w++)
		if (bitmap[w])
			bitmap[w] = 0;
}

void pages_frames_reset(struct pages *pages)
{
	if (!pages_use_frames(pages) || pages->low >= pages->high)
		return;
	clear_bits(pages->wanted, pages->low, pages->high + 1);
	clear_bits(pages->counted, pages->low, pages->high + 1);
	if (pages->has_tails)
		clear_bits(pages->tails, pages->low, pages->high + 1);
	pages->has_tails = false;
	pages->low = pages->frames_end / 64 + 2;
	pages->high = 0;
}
