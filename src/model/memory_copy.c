// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "vmatlas/parse/pagemap.h"

/*
 * Pages of the target copied through /proc/PID/mem: only those that pagemap calls present,
 * because a read of an absent page would populate it.
 */

#define COPY_PAGES_MAX 64u

struct memory_copy {
	uint64_t size;		/* bytes */
	uint32_t page_size;
	uint64_t present;	/* bit per page */
	unsigned char data[];
};

void memory_copy_free(struct memory_copy *copy)
{
	free(copy);
}

/* Like a file that ends before the first absent page behind the offset. */
static ssize_t memory_copy_read(void *ctx, uint64_t offset, void *data, size_t len,
				struct error *error)
{
	const struct memory_copy *copy = ctx;
	size_t done = 0;

	(void)error;
	while (done < len && offset < copy->size) {
		uint64_t left = copy->page_size - offset % copy->page_size;
		size_t part = len - done < left ? len - done : (size_t)left;

		if (!(copy->present >> (offset / copy->page_size) & 1))
			break;
		memcpy((char *)data + done, copy->data + offset, part);
		done += part;
		offset += part;
	}
	return (ssize_t)done;
}

static int memory_copy_fill(struct process *process, uint64_t start, struct memory_copy *copy,
			    struct error *error)
{
	uint64_t words[COPY_PAGES_MAX];
	size_t pages = copy->size / copy->page_size, got = 0, read;
	int ret = source_pagemap(process->source, start / copy->page_size, words, pages, &got,
				 error);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < got; i++) {
		if (!(words[i] & PAGEMAP_PRESENT))
			continue;
		ret = source_mem(process->source, start + i * copy->page_size,
				 copy->data + i * copy->page_size, copy->page_size, &read, error);
		if (ret == -ERROR_NOT_RECORDED)
			return ret;
		if (ret == 0 && read == copy->page_size)
			copy->present |= 1ull << i;
	}
	if (!copy->present)
		return error_set(error, ERROR_NOT_FOUND, NULL, "no page of it is present");
	return 0;
}

static int memory_copy_new(struct process *process, uint64_t start, uint64_t end,
			   struct memory_copy **out, struct error *error)
{
	uint64_t size = end - start, most = (uint64_t)COPY_PAGES_MAX * process->page_size;
	struct memory_copy *copy;
	int ret;

	if (size > most)
		size = most;
	copy = calloc(1, sizeof(*copy) + size);
	if (!copy)
		return error_nomem(error);
	copy->size = size;
	copy->page_size = process->page_size;
	ret = memory_copy_fill(process, start, copy, error);
	if (ret < 0) {
		memory_copy_free(copy);
		return ret;
	}
	*out = copy;
	return 0;
}

int memory_copy_elf(struct process *process, uint64_t start, uint64_t end,
		    struct memory_copy **copy, struct elf_image **image, struct error *error)
{
	struct memory_copy *made;
	struct elf_reader reader = { .read = memory_copy_read };
	int ret = memory_copy_new(process, start, end, &made, error);

	if (ret < 0)
		return ret;
	reader.ctx = made;
	reader.size = made->size;
	ret = elf_image_open(&reader, image, error);
	if (ret < 0) {
		memory_copy_free(made);
		return ret;
	}
	*copy = made;
	return 0;
}

/* The mapped bytes of one PT_NOTE, if the first VMA of the object holds them. */
static int note_compare(struct process *process, const struct vma *vma,
			const struct elf_segment *note, const struct elf_image *image)
{
	struct memory_copy *copy;
	uint64_t page = process->page_size, start, end;
	int result = -ERROR_NOT_FOUND;

	if (note->offset < vma->offset || note->filesz > COPY_PAGES_MAX * page ||
	    note->offset + note->filesz - vma->offset > vma->end - vma->start)
		return result;
	start = vma->start + (note->offset - vma->offset);
	end = (start + note->filesz + page - 1) & -page;
	if (memory_copy_new(process, start & -page, end, &copy, NULL) < 0)
		return result;
	if (copy->present == (1ull << (copy->size / page)) - 1)
		result = memmem(copy->data + start % page, note->filesz, image->build_id,
				image->build_id_size) != NULL;
	memory_copy_free(copy);
	return result;
}

int build_id_compare(struct process *process, const struct object *object,
		     const struct elf_image *image)
{
	const struct vma *vma = &process->vmas[object->first_vma];
	int best = -ERROR_NOT_FOUND;

	for (size_t i = 0; image->build_id_size && i < image->segment_count; i++) {
		int result;

		if (image->segments[i].type != 4 /* PT_NOTE */)
			continue;
		result = note_compare(process, vma, &image->segments[i], image);
		if (result > best)
			best = result;
	}
	return best;
}
