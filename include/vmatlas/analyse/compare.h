/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_COMPARE_H
#define VMATLAS_ANALYSE_COMPARE_H

#include "vmatlas/analyse/cause.h"
#include "vmatlas/analyse/cow.h"
#include "vmatlas/model/process.h"

/*
 * Two address spaces side by side: one process at two times, a process and its fork, or two runs
 * of a program. VMAs are matched by what they are, then pages by the state they are in. Both
 * sides are classified processes (classify_process) and are borrowed.
 */
enum compare_side { BEFORE, AFTER, SIDE_MAX };

/* How the two are related; decides what addresses and frames prove. */
enum compare_kin {
	KIN_SAME,	/* one process: same PID, start time and program */
	KIN_FORK,	/* laid out alike to the last address: a fork, or no randomisation */
	KIN_OTHER	/* another exec: addresses and frames mean nothing to each other */
};

extern const struct name compare_kin_names[];

/* What happened to a VMA; several may be true. Names are promises. */
enum compare_change {
	CHANGE_ADDED,
	CHANGE_REMOVED,
	CHANGE_GROWN,
	CHANGE_SHRUNK,
	CHANGE_MOVED,		/* within one layout only: mremap */
	CHANGE_PROTECTION,
	CHANGE_SPLIT,		/* a part of a VMA that is several now */
	CHANGE_MERGED,		/* a part of a VMA that was several */
	CHANGE_FILE,		/* another file of that name, or it was deleted */
	CHANGE_FLAGS,		/* VmFlags: advice, locking */
	CHANGE_SAME,
	CHANGE_MAX
};

extern const struct name compare_change_names[];	/* value: enum compare_change */

/* A VMA or a part of it; vma VMA_NONE: there is none on this side. */
struct compare_range {
	uint64_t start;
	uint64_t end;
	uint32_t vma;
};

/*
 * Two ranges that are the same thing. Of these, `bytes` from common[] on correspond; what is in
 * front of and behind them was added or went. A VMA that was split is in several matches.
 */
struct compare_match {
	struct compare_range side[SIDE_MAX];
	uint64_t common[SIDE_MAX];
	uint64_t bytes;			/* 0 where one side is missing */
	uint32_t changes;		/* bit per enum compare_change */
	enum certainty certainty;	/* of the match */
};

struct compare_map {
	struct compare_match *matches;	/* in the order of `after`; what went stands where it was */
	size_t count;
	size_t cap;
	enum compare_kin kin;
};

/* The first resident anonymous page of a range, and its frame: what tells whether anonymous memory
 * was moved. 1: found; 0: there is none; negative: frames cannot be known. */
typedef int compare_frame_fn(void *ctx, enum compare_side side, const struct compare_range *range,
			     uint64_t *address, uint64_t *frame);

struct compare_probe {
	compare_frame_fn *first;
	void *ctx;
};

/* probe may be NULL. Fails only for want of memory. */
int compare_map_build(const struct process *before, const struct process *after,
		      const struct compare_probe *probe, struct compare_map *map,
		      struct error *error);
void compare_map_done(struct compare_map *map);
/* The change to name if only one can be named. */
enum compare_change compare_change_of(const struct compare_match *match);

/* Beside enum page_state: no VMA on this side. */
#define STATE_UNMAPPED STATE_MAX
#define COMPARE_STATES (STATE_MAX + 1)
const char *compare_state_name(unsigned state);		/* "unknown" for STATE_UNKNOWN */

enum compare_frame {
	FRAME_NONE,	/* does not apply, or cannot be known */
	FRAME_SAME,	/* in the same frame as before */
	FRAME_OTHER	/* in another one: copied, migrated or replaced */
};

struct compare_transition {
	uint64_t pages;
	uint8_t from, to;	/* enum page_state or STATE_UNMAPPED */
	uint8_t frame;		/* enum compare_frame */
};

/* Bytes of one side; what smaps counts by the rules of smaps. */
struct compare_sum {
	uint64_t size;
	uint64_t rss;
	uint64_t pss_fixed;	/* bytes << COW_PSS_SHIFT */
	uint64_t uss;
	uint64_t swap;
	uint64_t copied;	/* private copies of file pages */
	uint64_t shared;	/* private pages that others map too */
	uint64_t uncounted;	/* present pages whose mappings are not known */
	uint64_t unknown;	/* pages that could not be read */
};

/* Sums of both sides and every transition of their pages. */
struct compare_tally {
	struct compare_sum sum[SIDE_MAX];
	struct compare_transition *items;
	size_t count;
	size_t cap;
};

/* A match and what its pages did: `count` transitions from `first` on in comparison.pool. */
struct compare_row {
	struct compare_sum sum[SIDE_MAX];
	size_t first;
	uint32_t count;
	uint32_t object;	/* index in comparison.files, OBJECT_NONE */
	bool summed;		/* the sums are known: pages, or counters of whole VMAs */
};

struct compare_file {
	const struct object *object[SIDE_MAX];	/* NULL: not mapped on that side */
	struct compare_sum sum[SIDE_MAX];
	uint64_t changed;			/* pages in another state than before */
	uint64_t copied;			/* of those: private copies now */
};

/* What of it comes from where: page by page where both page streams can be read, else only from
 * the counters of smaps, which know no states, and `copied` and `shared` in part only. */
struct comparison {
	struct process *process[SIDE_MAX];
	struct compare_map map;
	enum gap pages_gap;		/* why pages were not compared */
	enum gap smaps_gap;		/* without pages: why there are no sums either */
	enum gap count_gap;		/* why `uncounted` are */
	bool frames;			/* frames of both sides are comparable */
	struct compare_row *rows;	/* one per match */
	struct compare_transition *pool;
	size_t pool_count;
	size_t pool_cap;
	struct compare_tally total;
	struct compare_tally classes[VMA_CLASS_MAX];	/* of `after`, of what went of `before` */
	struct compare_file *files;
	size_t file_count;
	struct causes *causes;		/* of the pages that became copies; NULL: not asked */
};

struct compare_request {
	bool causes;	/* compare new copies with their files (of `after`) */
	bool (*selects)(const void *ctx, const struct process *process, const struct vma *vma);
	const void *ctx;	/* selects NULL: everything */
};

/* Both processes are classified and borrowed; they outlive the comparison. */
int comparison_new(struct process *before, struct process *after,
		   const struct compare_request *request, struct comparison **made,
		   struct error *error);
void comparison_free(struct comparison *comparison);
DEFINE_CLEANUP(comparison_free, struct comparison)
/* Can the pages of a process be read at all? GAP_NONE, or why not. */
enum gap compare_pages_access(struct source_process *process);

static inline bool transition_changes(const struct compare_transition *transition)
{
	return transition->from != transition->to;
}

/* One process of several that were compared. */
struct compare_member {
	pid_t pid;
	struct buf comm;
	enum compare_change change;	/* CHANGE_ADDED, CHANGE_REMOVED, CHANGE_SAME */
	bool differs;
	struct compare_sum sum[SIDE_MAX];
	uint64_t changed;		/* pages in another state */
	uint64_t eroded;		/* pages that were shared after
					 * fork and were copied since */
};

/* Several processes on both sides: a family at two times. Sums count a page once for each process
 * that maps it; those of PSS count it once where all who map it are here. */
struct compare_group {
	struct compare_member *members;
	size_t count;
	size_t cap;
	struct compare_tally total;
	enum gap pages_gap, smaps_gap, count_gap;
	bool differs;
	uint32_t page_size;
};

void compare_group_done(struct compare_group *group);
int compare_group_add(struct compare_group *group, const struct comparison *comparison,
		      struct error *error);
/* A process that is on one side only; classified. */
int compare_group_alone(struct compare_group *group, enum compare_side side,
			struct process *process, struct error *error);

/* Did any VMA change, or any page its state? Another frame alone is no difference: the kernel
 * moves pages as it likes. */
bool comparison_differs(const struct comparison *comparison);
bool compare_row_differs(const struct comparison *comparison, size_t row);

#endif
