/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_PAGETABLE_H
#define VMATLAS_MODEL_PAGETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmatlas/model/geometry.h"
#include "vmatlas/model/pages.h"
#include "vmatlas/model/process.h"

/*
 * The page table that must exist for what is seen. Entries come in ascending order, so one
 * current table per level is all that is remembered: memory does not grow with the target.
 *
 * A table that serves two VMAs is counted once, for the VMA with the lower address. The model is
 * a lower bound of what the kernel has: tables that lost all their entries stay until munmap
 * (mm/memory.c free_pgd_range()) and cannot be seen.
 */

/* Neighbouring entries of one kind. */
struct table_run {
	uint64_t start;		/* address */
	uint64_t pages;		/* base pages */
	uint32_t vma;
	enum page_leaf leaf;	/* LEAF_UNKNOWN is taken as LEAF_BASE */
	bool present;		/* false: swap, marker, migration; it occupies an entry too */
	bool deposit;		/* each PMD leaf keeps a PTE table in reserve (anonymous THP and
				 * huge zero page: mm/huge_memory.c pgtable_trans_huge_deposit()) */
	bool anonymous;		/* anonymous page or swap entry: proves
				 * that the VMA has an anon_vma */
	bool fork_skips;	/* not copied even where the VMA is: private file PMD leaf
				 * (copy_huge_pmd()) */
};

/* Index: enum table_level. Folded levels stay 0. */
struct table_counts {
	uint64_t tables[LEVEL_MAX];
	uint64_t entries[LEVEL_MAX];	/* used entries in the tables of this level */
	uint64_t leaves[LEVEL_MAX];	/* of them: pages of geometry_span(level) bytes */
	uint64_t absent;		/* of entries: not present (swap, markers, migration) */
	uint64_t deposited;		/* PTE tables in reserve behind PMD leaves */
};

/* Bytes as VmPTE counts them: PUD + PMD + PTE + deposited; PGD and P4D are not in it
 * (include/linux/mm.h mm_inc_nr_{puds,pmds,ptes}()). */
uint64_t table_counts_bytes(const struct geometry *g, const struct table_counts *counts);

/* Neighbouring PTE tables of one VMA that hold few entries. */
struct table_waste {
	uint64_t start;		/* first address that the first table covers */
	uint64_t end;
	uint64_t tables;
	uint64_t entries;
	uint32_t vma;
};

#define TABLE_WASTE_MAX 8	/* the worst ranges kept */
#define TABLE_SPARSE_PART 8	/* few entries: at most one in eight */

struct table_fill {
	uint64_t full;		/* PTE tables with every entry used */
	uint64_t sparse;	/* with at most 1 / TABLE_SPARSE_PART */
	uint64_t single;	/* of sparse: with one entry */
	struct table_waste worst[TABLE_WASTE_MAX];	/* most wasted bytes first */
	size_t worst_count;
};

/* What fork() copies: only VMAs with an anon_vma (mm/memory.c vma_needs_copy()), which is
 * inferred from an anonymous page or swap entry in them. */
struct table_fork {
	uint64_t vmas;			/* copied */
	uint64_t vmas_skipped;		/* have entries, but start empty in the child */
	struct table_counts counts;	/* tables and entries the child starts with */
	uint64_t protected_entries;	/* anonymous present entries, write-protected in both */
	uint64_t protected_pages;	/* base pages of them */
};

/* One level's place in a walk. */
struct table_walk {
	uint64_t next_entry[LEVEL_MAX];	/* first entry number not counted yet */
	uint64_t next_table[LEVEL_MAX];
	struct table_counts counts;
};

/* Streaming: init, add ascending runs, finish. on_vma() gets each VMA that has entries, in
 * ascending order, with what is attributed to it. */
struct table_builder {
	const struct geometry *geometry;
	int (*on_vma)(void *ctx, uint32_t vma, const struct table_counts *counts);
	void *ctx;

	struct table_walk walk;
	struct table_counts before;	/* of walk when the VMA began */
	uint32_t vma;
	bool any;
	uint64_t preallocated;		/* after finish: PMD tables that
					 * only preallocation explains */

	struct table_fill fill;
	uint64_t fill_table;		/* number of the PTE table being filled */
	uint64_t fill_entries;
	uint32_t fill_vma;
	bool fill_any;
	struct table_waste range;	/* of sparse tables being extended; tables 0: none */

	struct table_fork fork;
	struct table_walk fork_walk, fork_before;
	uint64_t fork_entries, fork_pages;	/* anonymous ones of the current VMA */
	bool fork_anonymous;
};

void table_builder_init(struct table_builder *builder, const struct geometry *geometry,
			int (*on_vma)(void *ctx, uint32_t vma, const struct table_counts *counts),
			void *ctx);
/* Returns what on_vma() returned if that is negative. */
int table_builder_add(struct table_builder *builder, const struct table_run *run);
/* Ends the last VMA, adds the PGD and what is preallocated. Totals are in builder->walk.counts. */
int table_builder_finish(struct table_builder *builder);

/* The level whose entries map such a leaf in this geometry. */
enum table_level table_leaf_level(const struct geometry *g, enum page_leaf leaf);

/* What one VMA needs, as far as no VMA below it needs the same table. */
struct vma_tables {
	uint64_t bases;			/* present entries on the PTE level */
	uint64_t absent;
	uint32_t vma;
	uint32_t tables[LEVEL_PGD];	/* PTE to P4D */
	uint32_t deposited;
	uint32_t pmd_leaves;		/* entries of LEAF_PMD, LEAF_PUD */
	uint32_t pud_leaves;
};

/* The whole model of one process. */
struct pagetable {
	const struct geometry *geometry;
	struct table_counts counts;
	uint64_t preallocated;		/* of counts.tables[LEVEL_PMD]: not needed by any entry */
	struct table_fill fill;
	struct table_fork fork;
	struct vma_tables *vmas;	/* ascending, only those with entries */
	size_t vma_count;
	size_t vma_cap;
	enum gap gap;			/* why pages are missing; GAP_NONE: all were read */
	uint64_t unread_pages;		/* of VMAs that should have been readable */
	uint64_t hidden_pages;		/* PFN maps: pagemap never shows them */
	uint64_t unknown_leaf_pages;	/* could be huge, nothing tells; taken as base pages */
	uint64_t changed_pages;		/* contradicted themselves while they were read */
};

/* Which part of the address space to look at. */
struct table_filter {
	uint64_t start;
	uint64_t end;
	bool (*wants)(const void *ctx, const struct process *process, const struct vma *vma);
	const void *ctx;
};

/*
 * Reads which entries are set and what maps them, nothing else. Fails only if the address space
 * went away or memory ran out; a pagemap that may not be read is a gap. filter NULL: everything.
 */
int pagetable_build(struct process *process, const struct geometry *geometry,
		    const struct table_filter *filter, struct pagetable **pagetable,
		    struct error *error);
void pagetable_free(struct pagetable *pagetable);
DEFINE_CLEANUP(pagetable_free, struct pagetable)

uint64_t pagetable_bytes(const struct pagetable *pagetable);	/* as VmPTE counts */
uint64_t vma_tables_bytes(const struct geometry *g, const struct vma_tables *tables);

/*
 * The VMAs of user space that the filter wants as ranges for pages_walk(). What cannot be seen is
 * marked hidden; `sparse` compares their size with what is resident.
 */
struct table_ranges {
	const struct process *process;
	struct table_filter filter;
	size_t next;
};
struct page_ranges table_ranges_init(struct table_ranges *ranges, const struct process *process,
				     const struct geometry *geometry,
				     const struct table_filter *filter);

/* What an entry holds. */
enum entry_kind {
	ENTRY_KIND_ANON,
	ENTRY_KIND_FILE,	/* page of a file or shared object */
	ENTRY_KIND_ZERO,
	ENTRY_KIND_SWAP,
	ENTRY_KIND_GUARD,
	ENTRY_KIND_MARKER,	/* userfaultfd, poison */
	ENTRY_KIND_SPECIAL,	/* migration, device, hwpoison */
	ENTRY_KIND_ABSENT,	/* not present; without privilege nothing tells which of these */
	ENTRY_KIND_MAX
};
extern const struct name entry_kind_names[];
enum entry_kind entry_kind_of(const struct page_run *pages);

/* What a run of the provider means to the table; false if it has no entry. */
bool table_run_from_pages(const struct process *process, uint32_t vma,
			  const struct page_run *pages, struct table_run *run);

/* What the entries on the way to an address hold. Below an empty entry and below a leaf, and
 * where pagemap may not be read, they are LOOKUP_NONE. */
enum lookup_entry { LOOKUP_NONE, LOOKUP_EMPTY, LOOKUP_TABLE, LOOKUP_LEAF };
struct table_lookup {
	enum lookup_entry entry[LEVEL_MAX];
	enum entry_kind kind;		/* of the leaf, where there is one */
	bool frame_known;
	uint64_t frame;			/* of the page that holds the address */
};
int pagetable_lookup(const struct process *process, const struct geometry *geometry,
		     uint64_t address, struct table_lookup *out, struct error *error);

/* The geometry of a process from what its source tells. *certainty: GUESS if the machine is not
 * known (x86-64 is assumed), else INFERRED. Never NULL. */
const struct geometry *pagetable_geometry(const struct process *process,
					  enum certainty *certainty);

#endif
