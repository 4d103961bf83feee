// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/malloc_header.h"

#include "vmatlas/parse/pagemap.h"

#define HEAP_MAX_64 (64ull << 20)
#define HEAP_MAX_32 (1ull << 20)

/* malloc/malloc.c: IS_MMAPPED and all flags in the size of a block. */
#define CHUNK_MMAPPED 2u
#define CHUNK_FLAGS 7u

static bool is_small(const struct process *process)
{
	return process->has_auxv && process->auxv.word_size == 4;
}

uint64_t malloc_heap_max(const struct process *process)
{
	return is_small(process) ? HEAP_MAX_32 : HEAP_MAX_64;
}

/* Words of the target, only from a page that is present: 1 if they were read. */
static int words_read(struct process *process, uint64_t address, uint64_t *words, size_t count)
{
	uint64_t entry;
	size_t got = 0;
	int rc = source_pagemap(process->source, address / process->page_size, &entry, 1, &got,
				NULL);

	if (rc < 0)
		return rc;
	return got == 1 && entry & PAGEMAP_PRESENT &&
	       source_mem(process->source, address, words, count * sizeof(*words), &got,
			  NULL) == 0 &&
	       got == count * sizeof(*words);
}

/*
 * The header of a heap tells how much of it is open: struct heap_info { mstate ar_ptr;
 * heap_info *prev; size_t size; size_t mprotect_size; ... } of malloc/arena.c.
 */
static int heap_read(struct process *process, uint64_t address, uint64_t *size)
{
	uint64_t words[4];
	int rc = words_read(process, address, words, ARRAY_SIZE(words));

	if (rc > 0 && words[2] && words[2] <= words[3])
		*size = words[3];
	return rc < 0 ? rc : 0;
}

/*
 * struct malloc_chunk: size in front, size and flags. On i386 blocks are aligned to 16 bytes,
 * twice the header, so it begins 8 bytes further on, and says so (sysmalloc_mmap).
 */
static int block_read(struct process *process, uint64_t address, uint64_t *size)
{
	bool small = is_small(process);
	uint64_t header[2], front, bytes;
	int rc = words_read(process, address, header, ARRAY_SIZE(header));

	if (rc <= 0)
		return rc;
	front = small ? (uint32_t)header[1] : header[0];
	bytes = small ? header[1] >> 32 : header[1];
	if ((bytes & CHUNK_FLAGS) != CHUNK_MMAPPED || front != (small ? 8 : 0))
		return 0;
	bytes = (bytes & -(uint64_t)8) + front;
	*size = bytes % process->page_size ? 0 : bytes;
	return 0;
}

int malloc_header_read(struct process *process, enum source_malloc what, uint64_t address,
		       uint64_t *size)
{
	int rc = source_malloc_size(process->source, what, address, size, NULL);

	if (rc == 0)
		return 0;
	*size = 0;
	if (rc != -ERROR_NOT_RECORDED)
		return 0;
	return what == SOURCE_MALLOC_HEAP ? heap_read(process, address, size) :
					    block_read(process, address, size);
}
