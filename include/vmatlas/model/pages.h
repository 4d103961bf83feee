/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_PAGES_H
#define VMATLAS_MODEL_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/quality.h"
#include "vmatlas/parse/kpageflags.h"
#include "vmatlas/parse/pagemap.h"
#include "vmatlas/source/source.h"

/*
 * The one narrow interface between source and model: it fills address ranges with runs of
 * (entry, frame, flags, map count). Today pagemap, kpageflags, kpagecount and PAGEMAP_SCAN
 * answer it; a provider that reads the kernel's page tables may be added, so nothing above may
 * know where an entry came from, only how certain it is.
 */

/* What a walk needs; nothing else is read. */
enum page_need {
	PAGE_NEED_FLAGS = 1 << 0, /* kpageflags of present pages */
	PAGE_NEED_COUNT = 1 << 1, /* map count; not read where the entry says mapped once */
	PAGE_NEED_LEAF = 1 << 2,  /* size the page table maps it with */
	PAGE_NEED_HOLES = 1 << 3, /* runs of nothing are handed out too (as PAGE_NONE) */
	PAGE_JOIN_FRAMES = 1 << 4 /* frames and slots are not wanted: runs go on whatever these
				   * are, and only those of a run's first page are valid;
				   * flags are cut to PAGE_KIND_FLAGS. With neither FLAGS,
				   * COUNT nor HOLES only the shape of the table is wanted:
				   * frames are not known, and entries hold no more than
				   * PRESENT SWAP FILE GUARD UFFD_WP */
};

/* The flags that say what a page is. The others (LRU, referenced, dirty ...) change all the time
 * and would cut runs into crumbs. */
#define PAGE_KIND_FLAGS                                                                     \
	(KPF_SLAB | KPF_BUDDY | KPF_ANON | KPF_SWAPCACHE | KPF_SWAPBACKED | KPF_COMPOUND_HEAD | \
	 KPF_COMPOUND_TAIL | KPF_HUGE | KPF_HWPOISON | KPF_NOPAGE | KPF_KSM | KPF_THP |         \
	 KPF_OFFLINE | KPF_ZERO_PAGE | KPF_PGTABLE | KPF_RESERVED | KPF_ANON_EXCLUSIVE)

enum page_kind {
	PAGE_NONE,		/* no page-table entry */
	PAGE_PRESENT,
	PAGE_SWAP,		/* not present, bit 62: swap says what */
	PAGE_UNREADABLE		/* could not be read: gap says why */
};

/* enum page_leaf: how the page table maps it. 2M stands for "PMD leaf", 1G for "PUD leaf" of
 * the live geometry. */
enum page_leaf { LEAF_UNKNOWN, LEAF_BASE, LEAF_PMD, LEAF_PUD };

struct page_run {
	uint64_t start;		/* address */
	uint64_t pages;		/* base pages, at least 1 */
	enum page_kind kind;
	uint64_t entry;		/* PAGEMAP_FLAG_MASK bits; for PAGE_SWAP the whole first word */
	uint64_t frame;		/* first PFN, following pages follow by one; valid if frame_known */
	uint64_t flags;		/* kpageflags word common to all, valid if flags_known. Within one
				 * run of PMD or PUD leaves HEAD and TAIL differ: COMPOUND_TAIL is
				 * set if any page but the first is a tail, COMPOUND_HEAD if the
				 * first is a head */
	uint32_t mappings;	/* valid if count_known; common to all pages of the run */
	enum page_leaf leaf;
	struct swap_entry swap;	/* PAGE_SWAP; consecutive slots follow by one */
	bool zero;		/* the zero page or huge zero page (flags, or PAGEMAP_SCAN) */
	bool zero_known;
	bool frame_known;
	bool flags_known;
	bool mark_known;	/* KPF_ANON_EXCLUSIVE of flags is this kernel's exclusive mark */
	bool count_known;
	bool changed;		/* contradicted itself after all tries: GAP_CHANGED */
	enum gap gap;		/* why frame, flags or count are missing */
	/* Folio of a page mapped by a PTE, where flags are known: its order if all of it is mapped
	 * here in one piece, 0 for base pages, else -1. Anonymous large folios only: */
	int folio_order;
	bool folio_partial;	/* the folio has pages that this walk did not see */
	bool folio_shared;	/* some page of it is mapped more than once */
};

struct pages;			/* provider, with its buffers */

struct pages_stats {
	uint64_t pagemap_reads, scans, flag_reads, count_reads;
	uint64_t reread_pages;	/* pages read again because words contradicted each other */
	uint64_t changed_pages;	/* gave up on */
};

int pages_new(struct source_process *source, unsigned needs, struct pages **pages,
	      struct error *error);
void pages_free(struct pages *pages);
DEFINE_CLEANUP(pages_free, struct pages)

/* Forces the plain path (no PAGEMAP_SCAN) so that both are tested on one kernel. */
void pages_set_plain(struct pages *pages, bool plain);
/* The next walk is of another process of the same source. */
void pages_set_process(struct pages *pages, struct source_process *process);
/* Works on fewer pages at a time: for callers that end a walk early, and so that tests see
 * several chunks. */
void pages_set_chunk(struct pages *pages, uint64_t most);

/* A list of ranges in ascending order, usually VMAs: neighbouring ones are joined into one
 * read; runs never cross the end of a range. index is handed to fn. */
struct page_range {
	uint64_t start;
	uint64_t end;
	uint32_t index;		/* the caller's: VMA index */
	bool hidden;		/* PFN map: not read, one PAGE_UNREADABLE run, GAP_NOT_APPLICABLE */
	bool anonymous;		/* private and without a file: all its pages are anonymous */
	bool sums;		/* with PAGE_JOIN_FRAMES: runs may come in any order, and pages with
				 * the same facts as one run, wherever they lie */
};

/* next() fills the next range: 1, 0 at the end. Streams, so any number of VMAs. */
struct page_ranges {
	int (*next)(void *ctx, struct page_range *range);
	void *ctx;
	bool sparse;		/* VMAs are much larger than what is resident: scan first */
};

/* A negative value of fn ends the walk, which then fails too, not always with that value, and
 * leaves the error to fn. An address space that ended meanwhile is ERROR_GONE, after what was
 * read before was handed out; a pagemap that may not be read at all is no failure: each range
 * is one PAGE_UNREADABLE run. */
int pages_walk(struct pages *pages, const struct page_ranges *ranges,
	       int (*fn)(void *ctx, uint32_t index, const struct page_run *run), void *ctx,
	       struct error *error);

const struct pages_stats *pages_stats(const struct pages *pages);

#endif
