/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_COMPARE_H
#define ANALYSE_COMPARE_H

#include "vmatlas/analyse/compare.h"

/* Parts of VMAs without a partner so far, ascending. */
struct compare_fragments {
	struct compare_range *items;
	size_t count;
	size_t cap;
};

struct matcher {
	const struct process *process[SIDE_MAX];
	struct compare_fragments left[SIDE_MAX];
	uint64_t *anchor[SIDE_MAX];	/* per VMA: what the nearest named VMA below it is */
	const struct compare_probe *probe;
	struct compare_map *map;
};

int compare_fragments_add(struct compare_fragments *list, const struct compare_range *range);
/* Those that got a partner (vma VMA_NONE) leave the list. */
void compare_fragments_drop(struct compare_fragments *list);
int compare_match_add(struct compare_map *map, const struct compare_match *match);
/* Both whole ranges, which correspond where shifting by `shift` makes them overlap. */
int compare_pair(struct matcher *matcher, const struct compare_range *before,
		 const struct compare_range *after, uint64_t shift, enum certainty certainty);

static inline const struct vma *matcher_vma(const struct matcher *matcher, enum compare_side side,
					    const struct compare_range *range)
{
	return &matcher->process[side]->vmas[range->vma];
}

/* Memory of the process's own, whatever it is called. */
static inline bool vma_is_private_anon(const struct vma *vma)
{
	return vma->backing == BACKING_ANON && !(vma->perms & VMA_SHARED);
}

/* compare_settle.c: what has no partner, what happened to each match, and their order. */
int compare_settle(struct matcher *matcher);

/* compare_kin.c */
enum compare_kin compare_kin_of(const struct process *before, const struct process *after);

/* compare_keys.c: a key of what a range is, 0 if a pass has nothing to say of it. */
typedef uint64_t compare_key_fn(const struct matcher *matcher, enum compare_side side,
				const struct compare_range *range);
struct compare_pass {
	compare_key_fn *key;
	enum certainty certainty;
};
/* For what is no file, in another layout; key NULL ends them. */
extern const struct compare_pass compare_passes[];
compare_key_fn compare_key_object, compare_key_exact, compare_key_shape;
/* What the nearest named VMA below each VMA is; the caller frees it. */
uint64_t *compare_anchors(const struct process *process);

/* compare_join.c: the nth of a key on one side is the nth of it on the other. */
int compare_join(struct matcher *matcher, const struct compare_pass *pass, struct error *error);

/* compare_overlap.c: ranges that overlap, by address or by offset in the same object. */
int compare_overlap(struct matcher *matcher, bool by_offset, struct error *error);
/* compare_moved.c: anonymous memory with the same frames at another address. */
int compare_moved(struct matcher *matcher, struct error *error);

/* Consecutive pages of one side in one state. */
struct side_run {
	uint64_t start;
	uint64_t pages;
	uint64_t frame;		/* valid if framed */
	uint32_t mappings;	/* 0: not known */
	uint8_t state;
	bool resident;
	bool slot;		/* a real swap slot */
	bool framed;		/* in a frame of its own: not the zero page, not merged */
};

/* A part of a match: as many pages on both sides, or on one side none. */
struct slot {
	size_t row;
	unsigned part;			/* enum slot_part */
	uint64_t start[SIDE_MAX];
	uint64_t pages[SIDE_MAX];
	uint64_t skipped;		/* pages of the part that were dealt with before */
};

/* Where the walk over all parts stands. */
struct slot_cursor {
	size_t row;
	unsigned part;
	uint64_t skipped;
};

#define WINDOW_SLOTS 4096u
#define WINDOW_RUNS (1u << 18)

/* A piece of the work that fits into memory: parts, and the runs of both sides in them. */
struct compare_window {
	const struct compare_map *map;
	struct process *const *process;
	struct slot slots[WINDOW_SLOTS];
	size_t count;
	struct side_run runs[SIDE_MAX][WINDOW_RUNS];
	size_t run_count[SIDE_MAX];
	struct slot_cursor next;	/* behind this window */
	uint8_t hole[SIDE_MAX][WINDOW_SLOTS];	/* state of pages that no run tells of */
	enum gap count_gap;
};

/* compare_window.c: 1 and the next window, 0 at the end. */
struct compare_reader {
	struct pages *pages[SIDE_MAX];
	struct compare_window *window;
};
int compare_reader_init(struct compare_reader *reader, const struct compare_map *map,
			struct process *const process[SIDE_MAX], struct error *error);
void compare_reader_done(struct compare_reader *reader);
int compare_reader_next(struct compare_reader *reader, struct error *error);

/* compare_merge.c: both sides of a window, run against run. */
struct merge_sink {
	void *ctx;
	/* Equal on all its pages; a side without a page has run NULL and state STATE_UNMAPPED, one
	 * with a hole run NULL. `start`: where its first page is. */
	int (*piece)(void *ctx, const struct slot *slot, const struct compare_transition *piece,
		     const struct side_run *const run[SIDE_MAX], const uint64_t start[SIDE_MAX]);
	bool frames;
};
int compare_merge(const struct compare_window *window, const struct merge_sink *sink);

/* compare_sum.c */
void compare_sum_run(struct compare_sum *sum, const struct side_run *run, uint64_t pages,
		     uint32_t page_size);
/* All but the size. */
void compare_sum_add(struct compare_sum *sum, const struct compare_sum *more);
/* The tally of the class that a match belongs to. */
struct compare_tally *compare_class(struct comparison *comparison,
				    const struct compare_match *match);
int compare_transition_add(struct compare_transition **items, size_t *cap, size_t *count,
			   size_t first, const struct compare_transition *transition);
int compare_files_make(struct comparison *comparison);
/* compare_smaps.c: sums from the counters of smaps. */
void compare_smaps(struct comparison *comparison, const struct compare_request *request);
/* compare_pages.c: what every page did. */
int compare_pages(struct comparison *comparison, struct error *error);

#endif
