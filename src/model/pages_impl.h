/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MODEL_PAGES_IMPL_H
#define MODEL_PAGES_IMPL_H

#include "vmatlas/base/bitmap.h"
#include "vmatlas/model/pages.h"

/*
 * How the procfs provider works, chunk by chunk so that memory is bounded:
 *   pages_read.c    ranges -> pieces -> joined pagemap reads -> runs of words
 *   pages_frames.c  bitmaps of the frames seen -> kpageflags and kpagecount, ascending
 *   pages_facts.c   equal flags and counts are kept once; a frame has the number of its fact
 *   pages_leaf.c    PAGEMAP_SCAN for the mapping level, and for the zero page without frames
 *   pages_verify.c  entries read again where the process was active meanwhile
 *   pages_settle.c  a run from a word; pages that contradict themselves
 *   pages_emit.c    words + facts -> struct page_run, joined, handed out
 *   pages_tally.c   the short way through ranges of which only sums are wanted
 *   pages_shape.c   the short way where neither frames, flags nor counts are wanted
 */
#define PAGES_WINDOW 32768u		/* words of one read: 256 KiB */
/* A chunk ends after so many present pages (8 GiB: frames that lie side by side in memory and
 * apart in address space are then read together) or so many runs (12 MiB of them). */
#define PAGES_CHUNK (PAGES_WINDOW * 65)
#define PAGES_CHUNK_RUNS (PAGES_WINDOW * 12)
#define PAGES_PIECES 4096u		/* pieces joined in one read */
#define PAGES_RANGES 1024u		/* ranges looked ahead: one scan covers them */
#define PAGES_REGIONS 4096u
#define PAGES_RUNS (PAGES_CHUNK_RUNS + PAGES_WINDOW + PAGES_PIECES)
#define PAGES_JOIN_GAP 64u		/* unwanted pages that one read goes on over */
#define PAGES_FACTS 65536u
#define FACT_BUCKETS 1024u
#define FACT_VARIANTS 8u
#define FACT_MEMO 64u
#define PAGES_REREADS 8192u		/* pages read again in one walk, at most */

/* Pages whose words follow from the first: present frames and swap slots count up, with
 * PAGE_JOIN_FRAMES frames also down, as fragmented memory is handed out. */
struct word_run {
	uint64_t page;
	uint64_t pages;
	uint64_t word;
	uint32_t index;
	uint8_t kind;			/* enum page_kind */
	uint8_t gap;			/* PAGE_UNREADABLE: why */
	int8_t step;			/* from one word to the next */
	bool sums : 1;			/* see struct page_range */
	bool huge : 1;			/* a walk for the shape only: could be huge leaves */
};

/* Part of a range: to be read, known to be empty, or not readable. */
struct piece {
	uint64_t page;
	uint64_t end;
	uint32_t index;
	uint8_t kind;			/* PAGE_PRESENT: read it; PAGE_NONE; PAGE_UNREADABLE */
	uint8_t gap;
	bool sums;
};

/* What kpageflags and kpagecount say of a frame. Few differ, so they are kept once. */
struct page_fact {
	uint64_t flags;
	uint32_t count;
	uint16_t next;			/* of the same hash, 0: none */
	uint8_t plain;			/* enum fact_plain */
	/* Pages of the range at work, by the entry's bits from PAGEMAP_SOFT_DIRTY up. */
	uint64_t tally[FACT_VARIANTS];
};

struct tallied {
	uint16_t code;			/* index into facts */
	uint8_t variant;		/* index into its tally */
};

/* May such a page be taken as it is: mapped by a PTE, no part of a folio, no contradiction? */
enum fact_plain { FACT_SPECIAL, FACT_ANON, FACT_FILE };

/* What PAGEMAP_SCAN said of [page, end); ascending, never overlapping. */
struct page_mark {
	uint64_t page;
	uint64_t end;
	uint8_t leaf;			/* enum page_leaf */
	bool zero;
};

struct pages_queue {
	struct page_range ranges[PAGES_RANGES];
	size_t at, count;
	uint64_t scan_at, scan_end;	/* addresses not scanned yet */
	struct source_region regions[PAGES_REGIONS];
	size_t region, region_count;
	uint64_t position;		/* first page of ranges[at] not handed out; 0: its start */
	struct piece pending;		/* handed back, valid if has_pending */
	bool has_pending;
	bool ended;
};

/* Counters of the process that move when its entries do. */
struct pages_pulse {
	uint64_t minflt, majflt, rss;
};

struct pages_output {
	int (*fn)(void *ctx, uint32_t index, const struct page_run *run);
	void *ctx;
	struct page_run run;		/* joined so far */
	uint32_t index;
	bool used;
	struct tallied *tallied;	/* tallies that are not 0 */
	size_t tallied_count;
	uint64_t tally_start;		/* address of one of their pages */
	size_t mark;			/* first mark not passed */
	size_t stale;			/* first stale page not passed */
};

struct pages {
	struct source_process *process;
	struct source *source;
	unsigned needs;
	bool plain;
	bool no_scan;			/* the kernel or the snapshot has no PAGEMAP_SCAN */
	bool frames_visible;
	bool exclusive_mark;
	uint64_t page_size;
	unsigned page_shift;
	uint64_t block;			/* pages under one PMD entry */
	enum gap map_gap;		/* why pagemap cannot be read */
	enum gap flags_gap, count_gap;
	bool tallies;			/* plain pages may be tallied: see pages_tally.c */
	bool shape;			/* only the shape is wanted: see pages_shape.c */
	struct pages_stats stats;

	const struct page_ranges *ranges;
	struct pages_queue *queue;
	uint64_t *words;
	struct piece *pieces;
	size_t piece_count;
	struct word_run *runs;
	size_t run_count;
	uint64_t chunk;			/* ends after so many present pages */
	uint64_t present;		/* present pages of the chunk */

	/* One bit per frame of the machine; `rank` counts the bits below each word. */
	uint64_t frames_end;
	uint64_t *wanted;
	uint64_t *counted;		/* whose map count is read */
	uint64_t *tails;		/* frames behind large folios: set if they belong to them */
	bool has_tails;
	uint32_t *rank;
	uint64_t low, high;		/* bitmap words in use: [low, high) */
	uint16_t *codes;		/* index into facts of the wanted frames, by rank */
	struct page_fact *facts;	/* [0]: not known */
	size_t fact_count, fact_cap;
	uint16_t *buckets;
	uint16_t memo_code;		/* memo[]: the same fact with that many mappings, 0: ask */
	uint16_t memo[FACT_MEMO];
	uint64_t flags_mask;		/* what of the flags is kept */

	struct page_mark *marks;
	size_t mark_count, mark_cap;
	uint64_t *stale;		/* pages whose word changed meanwhile, ascending */
	size_t stale_count, stale_cap;
	struct pages_output output;
	uint64_t rereads_left;
};

/* pages_read.c: the next chunk of runs; 1, or 0 when nothing is left. */
int pages_read_chunk(struct pages *pages, struct error *error);
enum page_kind pages_word_kind(uint64_t word);
int pages_read_words(struct pages *pages, uint64_t first, uint64_t end, struct error *error);

/* pages_frames.c */
bool pages_use_frames(const struct pages *pages);
int pages_frames_new(struct pages *pages, struct error *error);
void pages_want(struct pages *pages, const struct word_run *run);
int pages_read_frames(struct pages *pages, struct error *error);
void pages_frames_reset(struct pages *pages);

/* In place: without -mpopcnt the compiler calls a function that looks bytes up. */
static inline unsigned pages_popcount(uint64_t bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned)(bits * 0x0101010101010101 >> 56);
}

/* Index of a wanted frame in codes[]. */
static inline uint64_t pages_rank(const struct pages *pages, uint64_t frame)
{
	uint64_t below = pages->wanted[frame / 64] & ((1ULL << frame % 64) - 1);

	return pages->rank[frame / 64] + pages_popcount(below);
}

static inline const struct page_fact *pages_fact_of(const struct pages *pages, uint64_t frame)
{
	return &pages->facts[pages->codes[pages_rank(pages, frame)]];
}

/* The word of the page that is `offset` pages behind the first one. */
static inline uint64_t pages_run_word(const struct word_run *run, uint64_t offset)
{
	return run->word + (uint64_t)(int64_t)run->step * offset;
}

/* The lowest frame of a run of present pages. */
static inline uint64_t pages_run_frame(const struct word_run *run)
{
	return pagemap_frame(run->word) - (run->step < 0 ? run->pages - 1 : 0);
}

/* pages_facts.c: the number of a fact; 0 if there are too many. */
int pages_facts_new(struct pages *pages, struct error *error);
void pages_facts_reset(struct pages *pages);
uint16_t pages_fact(struct pages *pages, uint64_t flags, uint32_t count);
/* The same with another count. */
uint16_t pages_fact_counted(struct pages *pages, uint16_t code, uint64_t count);
bool pages_facts_have(const struct pages *pages, uint64_t flags);

/* pages_tally.c: takes pages of a run from the first one on; how many. */
uint64_t pages_tally(struct pages *pages, const struct word_run *run);
int pages_tally_end(struct pages *pages);
void pages_tally_ahead(const struct pages *pages, size_t at);	/* runs behind that one */

/* pages.c: all of pages->ranges through pagemap. */
int pages_walk_words(struct pages *pages, struct error *error);

/* pages_shape.c */
bool pages_shape_wanted(const struct pages *pages);
int pages_walk_shape(struct pages *pages, struct error *error);
void pages_shape_words(struct pages *pages, const uint64_t *words, const struct piece *piece);

/* pages_leaf.c */
int pages_read_leaves(struct pages *pages, struct error *error);

/* pages_verify.c */
void pages_pulse(struct pages *pages, struct pages_pulse *pulse);
int pages_verify(struct pages *pages, struct pages_pulse *before, struct error *error);

/* pages_settle.c */
struct page_run pages_begin_run(struct pages *pages, uint64_t page, uint64_t count,
				uint64_t word);
void pages_set_flags(struct pages *pages, struct page_run *run, uint64_t flags);
bool pages_contradict(const struct pages *pages, const struct page_run *run);
int pages_settle(struct pages *pages, struct page_run *run, struct error *error);
/* A page whose word changed after it was read as `word`: everything about it anew. */
int pages_anew(struct pages *pages, uint64_t page, uint64_t word, struct page_run *run,
	       struct error *error);

/* pages_emit.c */
int pages_emit_chunk(struct pages *pages, struct error *error);
int pages_emit_end(struct pages *pages);
int pages_emit_run(struct pages *pages, uint32_t index, const struct page_run *run);

/* pages_folio.c: fills folio_order, folio_partial and folio_shared of a run in a large folio. */
void pages_folio(const struct pages *pages, struct page_run *run);

#endif
