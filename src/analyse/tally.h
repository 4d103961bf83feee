/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_TALLY_H
#define ANALYSE_TALLY_H

#include <pthread.h>

#include "vmatlas/analyse/tally.h"
#include "vmatlas/base/lines.h"
#include "vmatlas/parse/pagemap.h"

/*
 *   tally.c         processes to threads, and what came of each
 *   tally_read.c    one process: maps -> ranges -> joined pagemap reads
 *   tally_huge.c    pages that are no RSS: hugetlb, huge zero page
 *   tally_fold.c    words -> sets of frames and swap slots
 *   tally_set.c     the sets
 *   tally_slots.c   number of the set of each frame and swap slot
 *   tally_space.c   who has one address space
 *   tally_counts.c  kpagecount and kpageflags of frames that others may map too
 *   tally_crowd.c   who is in sets that are not told apart, and what the kernel says of them
 *   tally_sum.c     sets -> sums
 *   tally_sets.c    sets as they are handed out
 *   tally_rollup.c  the kernel's own sums, where frames are not visible
 */
#define TALLY_WINDOW 32768u		/* words of one read: 256 KiB */
#define TALLY_JOIN_GAP 64u		/* unwanted pages that one read goes on over */
#define TALLY_THREADS_MAX 16u
#define TALLY_SLOTS_MAX (1ULL << 34)	/* 64 TiB of memory or swap: what says more is damaged */
#define TALLY_BLOCK 64u			/* frames or slots whose words stand together */

/*
 * Numbers of sets by frame or slot. Frames of processes lie scattered over all memory, and a page
 * that is touched costs as much as counting a hundred of them: blocks of words stand in the order
 * in which they were first needed. Block 0 stands for all that have none, and stays empty.
 */
struct tally_slots {
	uint32_t *blocks;		/* by frame / TALLY_BLOCK: number of its block, or 0 */
	uint64_t count;			/* frames or slots there is room for */
	uint32_t *words;
	uint32_t used;			/* blocks, from 1 */
	uint32_t cap;
};

/* A word of tally_slots: number of the set, and whether an entry said "not mapped once". */
#define TALLY_SHARED (1u << 31)
#define TALLY_SET_MASK (TALLY_SHARED - 1)

/* Members that are none: so many entries of somebody else, or "merged by KSM". */
#define TALLY_OUTSIDE (1u << 31)
#define TALLY_OUTSIDE_MAX ((1u << 30) - 1)
#define TALLY_MARK_KSM (3u << 30)
#define TALLY_MARK_CROWD (TALLY_MARK_KSM | 1)

/*
 * The set of `parent` and one more. Equal sets are one node, whatever the order in which their
 * members came: nodes are found by the sum of 64-bit random numbers of their members.
 *
 * Where each of a thousand processes maps its own choice of pages, there are as many sets as
 * pages and as many nodes as page-table entries. Beyond `limit` no more are made: a frame that
 * would need one is in the crowd of its kind, of which only the frames are known, and who is
 * in it.
 */
struct tally_node {
	uint32_t parent : 31;
	uint32_t left : 1;		/* frames went from here to the crowd */
	uint32_t member;
	uint32_t memo_member[2];	/* what was added last, by either of two threads */
	uint32_t memo_child[2];
	uint64_t hash;
};

struct tally_nodes {
	struct tally_node *items;
	size_t count;
	size_t cap;
	uint32_t *buckets;		/* open addressing by hash, 0: free */
	size_t bucket_count;		/* power of two */
	size_t limit;
	uint64_t seed;
};

static inline bool tally_is_crowd(const struct tally_node *node)
{
	return node->member == TALLY_MARK_CROWD;
}

struct tally_size {
	uint32_t found;			/* entries of processes that count */
	uint32_t outside;
	uint8_t kind;
	bool ksm;
	bool crowd;
};

/* What is known of a process while it is counted; beside the record that is handed out. */
struct tally_work {
	struct source_space space;
	uint64_t exclusive;		/* entries mapped once ... */
	uint64_t twin_pages;		/* ... of which so many were seen in `twin` before */
	uint32_t twin;
	bool registered;		/* its pages are counted: others are compared with it */
	bool dropped;			/* its members count nothing: it ended, or is a twin */
	bool crowd;			/* it has frames in the crowd: their sums are not known */
	uint32_t root;			/* whose pages stand for it */
	uint32_t first;			/* of a root: its first process */
};

struct tally {
	struct source *source;
	struct tally_request request;
	uint32_t page_size;
	uint32_t block;			/* pages under one PMD entry */
	bool flags_readable;
	uint64_t zero_frame;
	uint64_t huge_zero;		/* its first frame, once seen */

	pthread_mutex_t lock;		/* of all that follows while readers run */
	size_t next;			/* process not taken */
	size_t done;
	uint64_t next_span;		/* of tally_counts.c */
	struct tally_process *processes;
	struct tally_work *works;
	uint32_t *spaces;		/* processes that are counted, by the order of spaces */
	size_t space_count;
	struct tally_member *members;
	size_t member_count;
	size_t member_cap;
	struct tally_nodes nodes;
	struct tally_slots frames;
	struct tally_slots swap[32];
	struct tally_size *sizes;	/* of each set, as far as they are known */
	struct tally_set *sets;
	size_t set_count;
	struct tally_totals totals;
	int rc;				/* first failure; readers stop */
	struct error error;
};

/* Where a VMA is read, in pages. */
struct tally_range {
	uint64_t page;
	uint64_t end;
	uint32_t group;			/* then its member */
	bool maybe_hugetlb;
	bool hugetlb;
	bool anonymous;			/* no file: only there is the huge zero page */
};

struct tally_ranges {
	struct tally_range *items;
	size_t count;
	size_t cap;
};

/* One thread. */
struct tally_reader {
	struct tally *tally;
	unsigned number;
	size_t process;
	struct source_process *source;
	uint64_t *words;		/* TALLY_WINDOW */
	struct tally_ranges ranges;
	struct tally_ranges pieces;	/* populated parts of ranges, where that is sparse */
	uint32_t *member_of;		/* by group; valid where member_stamp is process + 1 */
	uint32_t *member_stamp;
	size_t group_cap;
	uint64_t zero;			/* of the process, in pages */
	uint64_t huge_zero;		/* of zero */
	uint64_t special;
};

/* tally.c */
int tally_each_thread(struct tally *tally, size_t jobs, void (*run)(struct tally_reader *reader));
void tally_fail(struct tally *tally, const struct error *error);

/* tally_read.c: fills the record of reader->process. */
void tally_read(struct tally_reader *reader);
enum tally_state tally_state_of(enum error_code code, bool opened);

/* tally_rollup.c */
int tally_rollup(struct source_process *process, struct tally_sum *sum, bool *swap_pss_known,
		 struct error *error);
/* SwapPss, cut to TALLY_ROLLUP_UNIT: where it says the same, what was counted is finer. */
#define TALLY_ROLLUP_UNIT 1024u
int tally_kernels_swap_pss(struct source *source, const struct tally_process *process,
			   uint64_t *bytes, struct error *error);

/* tally_huge.c */
void tally_drop_huge_zero(struct tally_reader *reader, const struct tally_range *range,
			  uint64_t *words, uint64_t page, uint64_t count);
void tally_tell_hugetlb(struct tally_reader *reader, struct tally_range *range,
			const uint64_t *words, uint64_t count);

/* tally_fold.c; with the lock held. Words go on up to `end`: those of the next range. */
int tally_fold(struct tally_reader *reader, const struct tally_range *range,
	       const uint64_t *words, uint64_t count, const uint64_t *end);

/* tally_set.c */
int tally_nodes_init(struct tally_nodes *nodes, size_t limit);
void tally_nodes_done(struct tally_nodes *nodes);
/* The set with one more member (or its crowd), by thread `number`; TALLY_NONE for want of
 * memory. */
uint32_t tally_nodes_add(struct tally_nodes *nodes, uint32_t set, uint32_t member,
			 unsigned number);

/* tally_slots.c; all but reading a word may move the words. */
int tally_slots_grow(struct tally_slots *slots, uint64_t count);
int tally_slots_add(struct tally_slots *slots, uint64_t block);
void tally_slots_done(struct tally_slots *slots);

static inline uint32_t *tally_slot(const struct tally_slots *slots, uint64_t at)
{
	return slots->words + (uint64_t)slots->blocks[at / TALLY_BLOCK] * TALLY_BLOCK +
	       at % TALLY_BLOCK;
}

/* The word of a frame below count, to write to; NULL for want of memory. */
static inline uint32_t *tally_slot_make(struct tally_slots *slots, uint64_t at)
{
	uint64_t block = at / TALLY_BLOCK;

	if (!slots->blocks[block] && tally_slots_add(slots, block) < 0)
		return NULL;
	return tally_slot(slots, at);
}

static inline uint32_t tally_step(struct tally_nodes *nodes, uint32_t set, uint32_t member,
				  unsigned number)
{
	const struct tally_node *node = &nodes->items[set];

	if (node->memo_member[number & 1] == member)
		return node->memo_child[number & 1];
	return tally_nodes_add(nodes, set, member, number);
}

/* tally_space.c; with the lock held. */
/* The process that is counted for this space from now on: itself, or an earlier one. */
uint32_t tally_space_enter(struct tally *tally, size_t process);
void tally_space_note(struct tally *tally, size_t process, uint32_t set);
void tally_spaces_settle(struct tally *tally);

/* tally_counts.c: frames that others may map too get a set that says so. */
int tally_counts(struct tally *tally);

/* tally_crowd.c */
int tally_crowd(struct tally *tally);

/* tally_sum.c */
int tally_sizes(struct tally *tally);	/* of all sets there are now */
int tally_sum_up(struct tally *tally);
/* Is it a member, of a process that was read to its end? */
bool tally_member_counts(const struct tally *tally, uint32_t member);

/* tally_sets.c: the sets as they are handed out. */
int tally_sets_make(struct tally *tally, const uint64_t *frames);

#endif
