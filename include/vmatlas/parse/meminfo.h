/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_MEMINFO_H
#define VMATLAS_PARSE_MEMINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/names.h"
#include "vmatlas/base/span.h"

/*
 * Lines of /proc/meminfo that are used, in bytes; fs/proc/meminfo.c meminfo_proc_show.
 * AnonPages:         27824 kB
 */
enum meminfo_key {
	MEMINFO_TOTAL,
	MEMINFO_FREE,
	MEMINFO_AVAILABLE,
	MEMINFO_BUFFERS,
	MEMINFO_CACHED,		/* page cache and shared memory, without Buffers and SwapCached */
	MEMINFO_SWAP_CACHED,
	MEMINFO_SWAP_TOTAL,
	MEMINFO_SWAP_FREE,
	MEMINFO_ZSWAP,		/* memory that the compressed pool takes */
	MEMINFO_ANON_PAGES,	/* mapped; KSM too */
	MEMINFO_MAPPED,		/* page cache and shared memory that is mapped */
	MEMINFO_SHMEM,
	MEMINFO_S_RECLAIMABLE,
	MEMINFO_S_UNRECLAIM,
	MEMINFO_KERNEL_STACK,
	MEMINFO_PAGE_TABLES,
	MEMINFO_SEC_PAGE_TABLES,	/* of virtual machines and IOMMUs; 6.2 */
	MEMINFO_VMALLOC_USED,	/* pages, since 5.3; before, 0 or address space */
	MEMINFO_PERCPU,
	MEMINFO_HUGETLB,	/* whole pools, of all sizes */
	MEMINFO_KEY_MAX
};

extern const struct name meminfo_key_names[];	/* value: enum meminfo_key, name: "MemTotal" */

struct meminfo {
	uint64_t present;		/* bit per key */
	uint64_t value[MEMINFO_KEY_MAX];
};

/* Never fails: unknown lines are passed over, missing or damaged ones are not present. */
void meminfo_parse(struct span text, struct meminfo *meminfo);

static inline bool meminfo_has(const struct meminfo *meminfo, enum meminfo_key key)
{
	return meminfo->present >> key & 1;
}

#endif
