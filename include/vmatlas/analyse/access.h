/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_ACCESS_H
#define VMATLAS_ANALYSE_ACCESS_H

#include "vmatlas/analyse/state.h"

/*
 * What an access to one address would do, with all the evidence that is worth reading for one
 * page only: stack growth, the end of the file, the page cache, the pool of huge pages.
 */

/* Where an address in no VMA lies. */
enum address_kind {
	ADDRESS_USER,
	ADDRESS_KERNEL,		/* beyond user space */
	ADDRESS_NON_CANONICAL	/* x86-64: the upper bits differ; faults before any table is read */
};

/* Would the stack above grow to the address? mm/vma.c expand_downwards(), acct_stack_growth(). */
enum growth {
	GROWTH_NO_VMA,		/* nothing above */
	GROWTH_NOT_STACK,	/* what is above does not grow down */
	GROWTH_UNKNOWN,		/* what is above may grow down: its VmFlags were not read */
	GROWTH_LIMIT,		/* beyond RLIMIT_STACK */
	GROWTH_ADDRESS_SPACE,	/* beyond RLIMIT_AS */
	GROWTH_GAP,		/* too near to the mapping below */
	GROWTH_YES
};

extern const struct name growth_names[];

struct growth_verdict {
	enum growth growth;
	enum certainty certainty;
	uint64_t size;		/* of the stack afterwards, bytes */
	uint64_t limit;		/* RLIMIT_STACK, LIMIT_UNLIMITED; 0: unknown */
	uint64_t gap;		/* stack_guard_gap in bytes */
};

/* The file behind a page, as far as it was asked. */
enum file_cached {
	FILE_CACHED_UNKNOWN,	/* see cached_gap */
	FILE_CACHED_NO,
	FILE_CACHED_YES,
	FILE_CACHED_SWAPPED	/* shared memory in swap */
};

struct file_evidence {
	bool applies;		/* the VMA maps a file or object that can be opened */
	enum gap gap;		/* why size is unknown */
	bool size_known;
	uint64_t size;		/* bytes */
	uint64_t offset;	/* of the address in the file */
	bool past_end;		/* the page lies wholly beyond the last one */
	enum file_cached cached;
	enum gap cached_gap;
};

struct access_evidence {
	enum address_kind kind;
	bool mapped;			/* a VMA holds the address; else growth counts */
	bool minor_monitor;		/* userfaultfd waits for pages that are in the cache */
	bool no_reserve;		/* hugetlb: the pool was not asked for room at mmap */
	bool shmem;			/* not backed by a disk */
	bool pool_known;
	uint64_t pool_free;		/* huge pages of this size free and not reserved */
	struct growth_verdict growth;
	struct file_evidence file;
	uint8_t above_perms;		/* of the stack that would grow */
};

/* Links of the chain that led to the effect, in order; sentences are in render/phrase_access.c. */
enum access_step {
	STEP_KIND,		/* kernel or non-canonical address */
	STEP_NO_VMA,
	STEP_GROWTH,
	STEP_RIGHT,		/* what the VMA is and whether it allows the access */
	STEP_PAGE,		/* state of the page */
	STEP_REASON,		/* effect_reason of the page's own verdict */
	STEP_PAST_END,
	STEP_CACHE,		/* what the page cache holds */
	STEP_MINOR_MONITOR,
	STEP_POOL,		/* huge pages */
	STEP_OUTCOME,		/* what the kernel does then */
	STEP_MAX
};

#define ACCESS_STEPS_MAX 8

struct access_verdict {
	enum effect effect;
	enum certainty certainty;
	enum effect_reason reason;	/* of STEP_REASON */
	uint8_t steps[ACCESS_STEPS_MAX];
	uint8_t step_count;
};

/* Pure. `page` is the page's verdict, NULL where nothing is mapped. */
void access_predict(const struct access_evidence *evidence, const struct state_facts *facts,
		    const struct page_verdict *page, enum touch touch,
		    struct access_verdict *verdict);

/* What stack growth depends on. */
struct growth_facts {
	uint64_t address;
	uint64_t page_size;
	uint64_t stack_start, stack_end;
	uint64_t below_end;		/* end of the mapping below, 0 if there is none */
	bool below_accessible;
	bool below_grows;
	uint64_t stack_limit;		/* LIMIT_UNLIMITED if none */
	uint64_t space_limit;		/* RLIMIT_AS */
	uint64_t space_size;		/* VmSize */
	uint64_t gap;			/* stack_guard_gap in bytes */
};

enum growth growth_decide(const struct growth_facts *facts);

#endif
