/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_STATE_H
#define VMATLAS_ANALYSE_STATE_H

#include "vmatlas/analyse/predict.h"
#include "vmatlas/model/pages.h"
#include "vmatlas/model/process.h"

/* Section 4.2 of the design; names are promises (page_state_names). */
enum page_state {
	STATE_UNTOUCHED,
	STATE_ZERO,
	STATE_ANON,
	STATE_ANON_SHARED,
	STATE_FILE,
	STATE_COPY,
	STATE_COPY_SHARED,
	STATE_OBJECT,
	STATE_KSM,
	STATE_SWAP,
	STATE_GUARD,
	STATE_MARKER,
	STATE_MIGRATING,
	STATE_KERNEL,
	STATE_OPAQUE,
	STATE_UNKNOWN,		/* could not be read: never a name, always a gap */
	STATE_MAX
};

extern const struct name page_state_names[];	/* without STATE_UNKNOWN */

/* What the verdicts need to know about a VMA. */
struct state_facts {
	uint8_t perms;		/* enum vma_perm */
	bool has_file;		/* private copies are copies of an object's pages */
	bool hugetlb;
	bool kernel;		/* vDSO, ring buffers: pages the kernel provides */
	bool hidden;		/* PFN map: pagemap shows nothing, whatever is there */
	bool device;
	bool vsyscall;
	bool flags_known;	/* VmFlags were read, so the next two are certain */
	bool uffd_missing;
	bool uffd_async;	/* write protection that the kernel resolves itself */
};

/* facts.c */
void state_facts_of(const struct process *process, const struct vma *vma,
		    struct state_facts *facts);
/* Asks the kernel for uffd_async; worth it only where an entry has the uffd-wp bit. */
void state_facts_async(const struct process *process, const struct vma *vma,
		       struct state_facts *facts);

enum exclusive { EXCLUSIVE_NO, EXCLUSIVE_YES, EXCLUSIVE_NULL };

struct page_verdict {
	enum page_state state;
	enum certainty certainty;
	enum gap gap;			/* STATE_UNKNOWN: why */
	enum exclusive exclusive;	/* PageAnonExclusive */
	enum gap exclusive_gap;		/* EXCLUSIVE_NULL: does not apply, or why unknown */
	bool mappings_known;
	uint32_t mappings;
	enum gap mappings_gap;
	struct effect_verdict next[TOUCH_MAX];
};

/* Pure: the decision table of the kernel's rules (mm/memory.c do_wp_page, do_anonymous_page ...)
 * over one run of pages. */
void state_decide(const struct state_facts *facts, const struct page_run *run,
		  struct page_verdict *verdict);
/* The part of it in predict.c: what the next accesses would do. */
void predict_page(const struct state_facts *facts, const struct page_run *run,
		  struct page_verdict *verdict);

/* Does smaps count it as Rss? Not: zero pages, hugetlb, pages without a struct page. */
bool state_is_resident(const struct state_facts *facts, const struct page_run *run);

#endif
