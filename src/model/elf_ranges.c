// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <stdlib.h>

#include "vmatlas/base/search.h"
#include "vmatlas/model/elf_part.h"

void elf_ranges_done(struct elf_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct elf_ranges) { 0 };
}

static int range_add(struct elf_ranges *ranges, const struct elf_range *range)
{
	int ret;

	if (range->start >= range->end)
		return 0;
	ret = array_grow((void **)&ranges->items, &ranges->cap, ranges->count,
			 sizeof(*ranges->items));
	if (ret == 0)
		ranges->items[ranges->count++] = *range;
	return ret;
}

static int range_compare(const void *a, const void *b)
{
	const struct elf_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* A hostile file may claim overlapping segments: the first one counts. */
static void ranges_sort(struct elf_ranges *ranges)
{
	size_t kept = 0;

	if (ranges->count)
		qsort(ranges->items, ranges->count, sizeof(*ranges->items), range_compare);
	for (size_t i = 0; i < ranges->count; i++)
		if (!kept || ranges->items[i].start >= ranges->items[kept - 1].end)
			ranges->items[kept++] = ranges->items[i];
	ranges->count = kept;
}

static int object_bss(const struct process *process, uint32_t index, struct elf_ranges *ranges)
{
	const struct object *object = &process->objects[index];
	uint64_t page = process->page_size;

	for (size_t i = 0; i < object->elf->segment_count; i++) {
		const struct elf_segment *segment = &object->elf->segments[i];
		uint64_t start = object->load_bias + segment->vaddr;
		struct elf_range range = {
			.start = (start + segment->filesz + page - 1) & -page,
			.end = (start + segment->memsz + page - 1) & -page,
			.object = index, .segment = (uint16_t)i,
		};

		if (segment->type == PT_LOAD && segment->memsz > segment->filesz &&
		    range_add(ranges, &range) < 0)
			return -ERROR_NOMEM;
	}
	return 0;
}

int elf_ranges_bss(const struct process *process, struct elf_ranges *ranges)
{
	for (uint32_t i = 0; i < process->object_count; i++)
		if (process->objects[i].elf && process->objects[i].bias_known &&
		    object_bss(process, i, ranges) < 0)
			return -ERROR_NOMEM;
	ranges_sort(ranges);
	return 0;
}

static struct elf_range object_whole(const struct process *process, uint32_t index)
{
	const struct object *object = &process->objects[index];
	struct elf_range range = { UINT64_MAX, 0, index, UINT16_MAX };
	uint64_t page = process->page_size;

	for (size_t i = 0; i < object->elf->segment_count; i++) {
		const struct elf_segment *segment = &object->elf->segments[i];
		uint64_t start = (object->load_bias + segment->vaddr) & -page;
		uint64_t end = object->load_bias + segment->vaddr + segment->memsz;

		if (segment->type != PT_LOAD)
			continue;
		end = (end + page - 1) & -page;
		range.start = start < range.start ? start : range.start;
		range.end = end > range.end ? end : range.end;
	}
	return range;
}

int elf_ranges_whole(const struct process *process, struct elf_ranges *ranges)
{
	for (uint32_t i = 0; i < process->object_count; i++) {
		struct elf_range range;

		if (!process->objects[i].elf || !process->objects[i].bias_known)
			continue;
		range = object_whole(process, i);
		if (range_add(ranges, &range) < 0)
			return -ERROR_NOMEM;
	}
	ranges_sort(ranges);
	return 0;
}

const struct elf_range *elf_ranges_above(const struct elf_ranges *ranges, uint64_t address)
{
	size_t above = SEARCH_FIRST(i, ranges->count, ranges->items[i].end <= address);

	return above < ranges->count ? &ranges->items[above] : NULL;
}
