// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

#include "vmatlas/parse/pagemap.h"

/* glibc malloc/arena.c: heaps of arenas are HEAP_MAX_SIZE large and aligned to it. */
#define HEAP_MAX_64 (64ull << 20)
#define HEAP_MAX_32 (1ull << 20)
#define TAIL_MERGED_MAX (1ull << 20)	/* a guard that merged behind the closed tail */

/* malloc/malloc.c: DEFAULT_MMAP_THRESHOLD, the header in front of a block, IS_MMAPPED. */
#define MMAP_THRESHOLD (128ull << 10)
#define CHUNK_MMAPPED 2u
#define CHUNK_FLAGS 7u
#define CHUNKS_MAX 64u		/* blocks that merged into one VMA and are looked at */
#define MEMORY_READS_MAX 1024u

static bool is_anon_rw(const struct vma *vma)
{
	return vma_is_anon(vma) && (vma->perms & (VMA_READ | VMA_WRITE | VMA_SHARED)) ==
					   (VMA_READ | VMA_WRITE);
}

static uint64_t heap_max(const struct process *process)
{
	return process->has_auxv && process->auxv.word_size == 4 ? HEAP_MAX_32 : HEAP_MAX_64;
}

/* Words of the target, only from a page that is present; false if they cannot be had. */
static bool words_read(struct classify *c, uint64_t address, uint64_t *words, size_t count)
{
	struct process *process = c->process;
	uint64_t entry;
	size_t got = 0;

	if (c->memory_reads >= MEMORY_READS_MAX)
		return false;
	c->memory_reads++;
	if (source_pagemap(process->source, address / process->page_size, &entry, 1, &got, NULL) < 0) {
		c->memory_reads = MEMORY_READS_MAX;
		return false;
	}
	return got == 1 && entry & PAGEMAP_PRESENT &&
	       source_mem(process->source, address, words, count * sizeof(*words), &got, NULL) == 0 &&
	       got == count * sizeof(*words);
}

/*
 * The header of a heap tells how much of it is open: struct heap_info { mstate ar_ptr;
 * heap_info *prev; size_t size; size_t mprotect_size; ... } of malloc/arena.c.
 */
static bool heap_header_fits(struct classify *c, const struct vma *vma, uint64_t base)
{
	uint64_t words[4];

	return words_read(c, base, words, ARRAY_SIZE(words)) && words[3] == vma->end - base &&
	       words[2] && words[2] <= words[3];
}

bool classify_arena(struct classify *c, struct vma *vma)
{
	struct vma *tail = vma_behind(c, vma);
	uint64_t size = heap_max(c->process), base = (vma->end - 1) & -size;

	if (!is_anon_rw(vma) || vma->start > base)
		return false;
	if (vma->start == base && vma->end == base + size) {
		vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_ARENA, RULE_ARENA, CERTAINTY_GUESS);
		return true;
	}
	if (!tail || !vma_is_anon(tail) || vma_is_accessible(tail) || tail->end < base + size)
		return false;
	/* Further closed space may have merged behind the tail, other memory in front. */
	if (tail->end - (base + size) > TAIL_MERGED_MAX && !heap_header_fits(c, vma, base))
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

/*
 * Size of the block whose header (struct malloc_chunk: size in front, size and flags) lies at the
 * address, 0 if there is none that can be read. On i386 blocks are aligned to 16 bytes, twice the
 * header, so it begins 8 bytes further on, and says so (sysmalloc_mmap).
 */
static uint64_t chunk_size(struct classify *c, uint64_t address)
{
	bool small = c->process->has_auxv && c->process->auxv.word_size == 4;
	uint64_t header[2], front, size;

	if (!words_read(c, address, header, ARRAY_SIZE(header)))
		return 0;
	front = small ? (uint32_t)header[1] : header[0];
	size = small ? header[1] >> 32 : header[1];
	if ((size & CHUNK_FLAGS) != CHUNK_MMAPPED || front != (small ? 8 : 0))
		return 0;
	size = (size & -(uint64_t)8) + front;
	return size % c->process->page_size ? 0 : size;
}

/* Blocks above the threshold have a mapping of their own that begins with their header. */
bool classify_malloc_large(struct classify *c, struct vma *vma)
{
	uint64_t at = vma->start, size;

	if (!is_anon_rw(vma) || vma->end - vma->start <= MMAP_THRESHOLD)
		return false;
	for (unsigned i = 0; i < CHUNKS_MAX && at < vma->end; i++) {
		size = chunk_size(c, at);
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
