/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_COW_H
#define VMATLAS_ANALYSE_COW_H

#include "vmatlas/analyse/state.h"

/* Pages with this many mappings (kpagecount). */
struct cow_sharer {
	uint32_t mappings;
	uint64_t pages;
};

/*
 * Sums over the pages of a VMA or of a process; sizes in bytes. What smaps counts is counted by
 * its rules (fs/proc/task_mmu.c smaps_account): hugetlb and zero pages are not resident.
 */
struct cow_counts {
	uint64_t pages;
	uint64_t states[STATE_MAX];		/* pages */
	uint64_t writes[EFFECT_MAX];		/* pages, by what the next write does */
	uint64_t rss;
	uint64_t pss_fixed;			/* bytes << COW_PSS_SHIFT; see count_gap */
	uint64_t uss;				/* resident and mapped once */
	uint64_t swap;				/* real swap slots */
	uint64_t copied;			/* private copies of file pages, also shared ones */
	uint64_t shared;			/* private pages that others map
						 * too, so a write copies */
	uint64_t write_cost; /* memory that writes can still cost at most: each page
			      * whose next write copies, allocates, swaps in, or
			      * cannot be foretold, once */
	uint64_t changed;			/* pages that contradicted themselves */
	uint64_t uncounted;			/* present pages whose mappings are not known */
	uint32_t fork_least, fork_most;		/* mappings of the pages in `shared`, 0: unknown */
	enum gap gap;				/* why states[STATE_UNKNOWN] are unknown */
	enum gap count_gap;			/* why `uncounted` are */
	enum certainty certainty;		/* the worst of all states */
	struct cow_sharer *sharers;		/* ascending; present pages with known mappings */
	size_t sharer_count;
	size_t sharer_cap;
};

#define COW_PSS_SHIFT 12			/* PSS_SHIFT of the kernel */

void cow_counts_init(struct cow_counts *counts);
void cow_counts_done(struct cow_counts *counts);
void cow_counts_clear(struct cow_counts *counts);	/* as initialised, keeps the memory */

/* Consecutive pages of one VMA with the same verdict. */
struct cow_run {
	uint64_t start;
	uint64_t pages;
	enum page_leaf leaf;	/* LEAF_UNKNOWN: not present, or leaf_gap says why */
	enum gap leaf_gap;
	bool changed;
	struct page_verdict verdict;
};

/* What to look at: all VMAs by default. */
struct cow_request {
	uint64_t start, end;			/* address range, end 0: everything */
	bool (*selects)(const void *ctx, const struct process *process, uint32_t vma);
	const void *selects_ctx;		/* NULL selects: all */
	bool plain;				/* see pages_set_plain() */
};

/* Called in ascending order; a negative value ends the walk and is returned. */
struct cow_sink {
	void *ctx;
	int (*begin)(void *ctx, uint32_t vma);
	int (*run)(void *ctx, uint32_t vma, const struct cow_run *run);	/* NULL: not wanted */
	int (*end)(void *ctx, uint32_t vma, const struct cow_counts *counts);
	bool (*wants_runs)(void *ctx, uint32_t vma);	/* of this VMA? NULL: of all */
	bool no_holes;	/* no runs of pages without a page-table entry */
};

/* begin and run may be NULL. `totals` is initialised by the caller. */
int cow_walk(struct process *process, const struct cow_request *request,
	     const struct cow_sink *sink, struct cow_counts *totals, struct error *error);

/* Adds pages of one verdict. */
int cow_count(struct cow_counts *counts, const struct state_facts *facts,
	      const struct page_run *run, const struct page_verdict *verdict,
	      uint64_t page_size);
int cow_counts_add(struct cow_counts *sum, const struct cow_counts *counts);

#endif
