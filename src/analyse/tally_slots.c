// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <sys/mman.h>

#include "tally.h"

#define FIRST_BLOCKS 1024u

/* Zero where it was never written, and then without memory. */
static void *map_grow(void *map, size_t old, size_t wanted)
{
	void *grown = old ? mremap(map, old, wanted, MREMAP_MAYMOVE) :
		mmap(NULL, wanted, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return grown == MAP_FAILED ? NULL : grown;
}

static size_t blocks_bytes(uint64_t count)
{
	return count / TALLY_BLOCK * sizeof(uint32_t);
}

static size_t words_bytes(uint32_t blocks)
{
	return (size_t)blocks * TALLY_BLOCK * sizeof(uint32_t);
}

static int words_grow(struct tally_slots *slots, uint32_t cap)
{
	uint32_t *words = map_grow(slots->words, words_bytes(slots->cap), words_bytes(cap));

	if (!words)
		return -ERROR_NOMEM;
	slots->words = words;
	slots->cap = cap;
	return 0;
}

int tally_slots_grow(struct tally_slots *slots, uint64_t count)
{
	uint64_t wanted = (count / TALLY_BLOCK + 1) * TALLY_BLOCK;
	uint32_t *blocks;

	if (count <= slots->count)
		return 0;
	if (wanted < slots->count * 2)
		wanted = slots->count * 2;
	if (!slots->cap && words_grow(slots, FIRST_BLOCKS) < 0)
		return -ERROR_NOMEM;
	blocks = map_grow(slots->blocks, blocks_bytes(slots->count), blocks_bytes(wanted));
	if (!blocks)
		return -ERROR_NOMEM;
	slots->blocks = blocks;
	slots->count = wanted;
	return 0;
}

int tally_slots_add(struct tally_slots *slots, uint64_t block)
{
	if (slots->used + 1 == slots->cap && words_grow(slots, slots->cap * 2) < 0)
		return -ERROR_NOMEM;
	slots->blocks[block] = ++slots->used;
	/* Memory that is written first costs one fault; what is read first, two. */
	*(volatile uint32_t *)&slots->words[(uint64_t)slots->used * TALLY_BLOCK] = 0;
	return 0;
}

void tally_slots_done(struct tally_slots *slots)
{
	if (slots->count)
		munmap(slots->blocks, blocks_bytes(slots->count));
	if (slots->cap)
		munmap(slots->words, words_bytes(slots->cap));
}
