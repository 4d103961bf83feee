// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/meminfo.h"

#include "text.h"

/* More is no memory, and sums of less cannot overflow. */
#define MEMORY_MAX (1ULL << 56)

/* In the kernel's order. */
const struct name meminfo_key_names[] = {
	[MEMINFO_TOTAL] = { MEMINFO_TOTAL, "MemTotal", "memory that the kernel manages" },
	[MEMINFO_FREE] = { MEMINFO_FREE, "MemFree", "free" },
	[MEMINFO_AVAILABLE] = { MEMINFO_AVAILABLE, "MemAvailable", "free or easily reclaimed" },
	[MEMINFO_BUFFERS] = { MEMINFO_BUFFERS, "Buffers", "page cache of block devices" },
	[MEMINFO_CACHED] = { MEMINFO_CACHED, "Cached", "page cache and shared memory" },
	[MEMINFO_SWAP_CACHED] = { MEMINFO_SWAP_CACHED, "SwapCached", "in memory and in swap" },
	[MEMINFO_SWAP_TOTAL] = { MEMINFO_SWAP_TOTAL, "SwapTotal", "swap space" },
	[MEMINFO_SWAP_FREE] = { MEMINFO_SWAP_FREE, "SwapFree", "unused swap space" },
	[MEMINFO_ZSWAP] = { MEMINFO_ZSWAP, "Zswap", "pool of compressed pages" },
	[MEMINFO_ANON_PAGES] = { MEMINFO_ANON_PAGES, "AnonPages", "mapped anonymous memory" },
	[MEMINFO_MAPPED] = { MEMINFO_MAPPED, "Mapped", "mapped page cache and shared memory" },
	[MEMINFO_SHMEM] = { MEMINFO_SHMEM, "Shmem", "shared memory and tmpfs" },
	[MEMINFO_S_RECLAIMABLE] = { MEMINFO_S_RECLAIMABLE, "SReclaimable", "slab caches" },
	[MEMINFO_S_UNRECLAIM] = { MEMINFO_S_UNRECLAIM, "SUnreclaim", "slab objects in use" },
	[MEMINFO_KERNEL_STACK] = { MEMINFO_KERNEL_STACK, "KernelStack", "kernel stacks" },
	[MEMINFO_PAGE_TABLES] = { MEMINFO_PAGE_TABLES, "PageTables", "page tables" },
	[MEMINFO_SEC_PAGE_TABLES] = { MEMINFO_SEC_PAGE_TABLES, "SecPageTables",
				      "page tables of guests and devices" },
	[MEMINFO_VMALLOC_USED] = { MEMINFO_VMALLOC_USED, "VmallocUsed", "vmalloc" },
	[MEMINFO_PERCPU] = { MEMINFO_PERCPU, "Percpu", "per-CPU data" },
	[MEMINFO_HUGETLB] = { MEMINFO_HUGETLB, "Hugetlb", "pools of huge pages" },
	[MEMINFO_KEY_MAX] = { 0, NULL, NULL }
};

void meminfo_parse(struct span text, struct meminfo *meminfo)
{
	struct span line, key;
	size_t guess = 0;

	*meminfo = (struct meminfo) { 0 };
	while (text_take_line(&text, &line)) {
		int index = text_take_key(&line, &key) ?
			text_key_index(meminfo_key_names, guess, MEMINFO_KEY_MAX, key) : -1;

		if (index < 0)
			continue;
		guess = (size_t)index + 1;
		if (text_size(line, &meminfo->value[index]) && meminfo->value[index] < MEMORY_MAX)
			meminfo->present |= 1ULL << index;
	}
}
