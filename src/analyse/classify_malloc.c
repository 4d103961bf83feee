// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

#include "vmatlas/model/malloc_header.h"

#define TAIL_MERGED_MAX (1ull << 20)	/* a guard that merged behind the closed tail */

#define MMAP_THRESHOLD (128ull << 10)	/* malloc/malloc.c: DEFAULT_MMAP_THRESHOLD */
#define CHUNKS_MAX 64u		/* blocks that merged into one VMA and are looked at */
#define MEMORY_READS_MAX 1024u

static bool is_anon_rw(const struct vma *vma)
{
	return vma_is_anon(vma) && (vma->perms & (VMA_READ | VMA_WRITE | VMA_SHARED)) ==
					   (VMA_READ | VMA_WRITE);
}

/* 0: no such header. So many are read of one process. */
static uint64_t header_size(struct classify *c, enum source_malloc what, uint64_t address)
{
	uint64_t size = 0;

	if (c->memory_reads >= MEMORY_READS_MAX)
		return 0;
	c->memory_reads++;
	if (malloc_header_read(c->process, what, address, &size) < 0)
		c->memory_reads = MEMORY_READS_MAX;
	return size;
}

bool classify_arena(struct classify *c, struct vma *vma)
{
	struct vma *tail = vma_behind(c, vma);
	uint64_t size = malloc_heap_max(c->process), base = (vma->end - 1) & -size;

	if (!is_anon_rw(vma) || vma->start > base)
		return false;
	if (vma->start == base && vma->end == base + size) {
		vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_ARENA, RULE_ARENA, CERTAINTY_GUESS);
		return true;
	}
	if (!tail || !vma_is_anon(tail) || vma_is_accessible(tail) || tail->end < base + size)
		return false;
	/* Further closed space may have merged behind the tail, other memory in front. */
	if (tail->end - (base + size) > TAIL_MERGED_MAX &&
	    header_size(c, SOURCE_MALLOC_HEAP, base) != vma->end - base)
		return false;
	if (vma->end - base < base - vma->start)
		return false;
	vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_ARENA, RULE_ARENA, CERTAINTY_INFERRED);
	if (vma->start < base)
		vma->role_second = ROLE_ANON;
	vma_set(tail, VMA_CLASS_GUARD, ROLE_RESERVED, RULE_ARENA_TAIL, CERTAINTY_INFERRED);
	tail->owner = vma_index(c, vma);
	return true;
}

/* Blocks above the threshold have a mapping of their own that begins with their header. */
bool classify_malloc_large(struct classify *c, struct vma *vma)
{
	uint64_t at = vma->start, size;

	if (!is_anon_rw(vma) || vma->end - vma->start <= MMAP_THRESHOLD)
		return false;
	for (unsigned i = 0; i < CHUNKS_MAX && at < vma->end; i++) {
		size = header_size(c, SOURCE_MALLOC_BLOCK, at);
		if (size <= MMAP_THRESHOLD || size > vma->end - at)
			break;
		at += size;
	}
	if (at - vma->start < (vma->end - vma->start) / 2 || at == vma->start)
		return false;
	vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_MALLOC_LARGE, RULE_MALLOC_HEADER,
		CERTAINTY_INFERRED);
	return true;
}
