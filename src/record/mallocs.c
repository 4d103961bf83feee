// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pieces.h"
#include "vmatlas/model/malloc_header.h"

/*
 * What headers of malloc tell, wherever src/analyse/classify_malloc.c may ask: at the start of
 * anonymous memory, behind a block that begins there, and where a heap of an arena begins.
 */
#define BLOCKS_MAX 64u		/* one behind the other in a VMA */
#define READS_MAX 65536u	/* of one process */

struct header {
	uint64_t address;
	uint64_t size;
	enum source_malloc what;
};

struct headers {
	struct process *process;
	struct header *items;
	size_t count;
	size_t cap;
	unsigned reads;
};

static bool may_hold(const struct vma *vma)
{
	return vma->object == OBJECT_NONE &&
	       (vma->perms & (VMA_READ | VMA_WRITE | VMA_SHARED)) == (VMA_READ | VMA_WRITE);
}

/* *size 0: there is none. */
static int add_header(struct headers *headers, enum source_malloc what, uint64_t address,
		      uint64_t *size)
{
	*size = 0;
	if (headers->reads >= READS_MAX)
		return 0;
	headers->reads++;
	if (malloc_header_read(headers->process, what, address, size) < 0)
		headers->reads = READS_MAX;
	if (!*size)
		return 0;
	if (array_grow((void **)&headers->items, &headers->cap, headers->count,
		       sizeof(*headers->items)) < 0)
		return -ERROR_NOMEM;
	headers->items[headers->count++] = (struct header) { address, *size, what };
	return 0;
}

static int of_vma(struct headers *headers, const struct vma *vma)
{
	uint64_t base = (vma->end - 1) & -malloc_heap_max(headers->process), at = vma->start;
	uint64_t size = 1;
	int rc = 0;

	for (unsigned i = 0; i < BLOCKS_MAX && at < vma->end && size && rc >= 0; i++) {
		rc = add_header(headers, SOURCE_MALLOC_BLOCK, at, &size);
		if (size > vma->end - at)
			break;
		at += size;
	}
	if (rc >= 0 && base >= vma->start)
		rc = add_header(headers, SOURCE_MALLOC_HEAP, base, &size);
	return rc;
}

static int compare_headers(const void *a, const void *b)
{
	const struct header *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->what > y->what) - (x->what < y->what);
}

static int write_headers(const struct headers *headers, struct buf *text)
{
	int rc = 0;

	if (headers->count)
		qsort(headers->items, headers->count, sizeof(*headers->items), compare_headers);
	for (size_t i = 0; i < headers->count && rc >= 0; i++)
		rc = buf_addf(text, "%" PRIx64 " %s %" PRIx64 "\n", headers->items[i].address,
			      name_of(source_malloc_names, headers->items[i].what),
			      headers->items[i].size);
	return rc < 0 ? rc : buf_add_str(text, "end\n");
}

int mallocs_record(struct pieces *pieces, struct error *error)
{
	struct headers headers = { .process = pieces->process };
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < pieces->process->vma_count && rc >= 0; i++)
		if (may_hold(&pieces->process->vmas[i]))
			rc = of_vma(&headers, &pieces->process->vmas[i]);
	if (rc >= 0)
		rc = write_headers(&headers, &text);
	free(headers.items);
	if (rc < 0)
		return error_nomem(error);
	return out_text(pieces->recording, pieces->dir, "malloc", buf_span(&text), error);
}
