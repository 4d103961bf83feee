// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/render/scratch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmatlas/base/digits.h"

/* Blocks of growing size; a reset keeps the newest one, which then fits a whole row. */
struct block {
	struct block *before;
	size_t size;
	size_t used;
	max_align_t data[];
};

struct scratch {
	struct block *block;
	bool failed;
};

#define SCRATCH_FIRST 4096

struct scratch *scratch_new(void)
{
	return calloc(1, sizeof(struct scratch));
}

static void blocks_free(struct block *block)
{
	while (block) {
		struct block *before = block->before;

		free(block);
		block = before;
	}
}

void scratch_free(struct scratch *scratch)
{
	if (!scratch)
		return;
	blocks_free(scratch->block);
	free(scratch);
}

void scratch_reset(struct scratch *scratch)
{
	if (!scratch->block)
		return;
	blocks_free(scratch->block->before);
	scratch->block->before = NULL;
	scratch->block->used = 0;
}

bool scratch_failed(const struct scratch *scratch)
{
	return scratch->failed;
}

static struct block *block_add(struct scratch *scratch, size_t need)
{
	size_t size = scratch->block ? scratch->block->size * 2 : SCRATCH_FIRST;
	struct block *block;

	if (size < need)
		size = need;
	block = size < SIZE_MAX / 4 ? malloc(sizeof(*block) + size) : NULL;
	if (!block)
		return NULL;
	*block = (struct block) { .before = scratch->block, .size = size };
	return scratch->block = block;
}

void *scratch_alloc(struct scratch *scratch, size_t size)
{
	const size_t align = sizeof(max_align_t) - 1;
	struct block *block = scratch->block;
	void *p;

	if (size > SIZE_MAX / 4) {
		scratch->failed = true;
		return NULL;
	}
	size = (size + align) & ~align;
	if (!block || block->size - block->used < size)
		block = block_add(scratch, size);
	if (!block) {
		scratch->failed = true;
		return NULL;
	}
	p = (char *)block->data + block->used;
	block->used += size;
	return memset(p, 0, size);
}

struct span scratch_printf(struct scratch *scratch, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = len < 0 ? NULL : scratch_alloc(scratch, (size_t)len + 1);
	if (!text)
		return (struct span) { "", 0 };
	va_start(args, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	return (struct span) { text, (size_t)len };
}

struct span scratch_dec(struct scratch *scratch, uint64_t value)
{
	char *text = scratch_alloc(scratch, DIGITS_MAX + 1), *begin;

	if (!text)
		return (struct span) { "", 0 };
	begin = digits_put_dec(text + DIGITS_MAX, value);
	return (struct span) { begin, (size_t)(text + DIGITS_MAX - begin) };
}

struct cell *scratch_cells(struct scratch *scratch, size_t count)
{
	size_t size;

	if (__builtin_mul_overflow(count, sizeof(struct cell), &size)) {
		scratch->failed = true;
		return NULL;
	}
	return scratch_alloc(scratch, size);
}
