// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <stdlib.h>

#include "load.h"

/*
 * The load bias of each ELF object, and the segment of each of its VMAs. The bias is the one
 * under which most VMAs of the object are what its program headers ask for: address and offset
 * both have to agree, since the offset alone is ambiguous (some linkers map every segment from
 * offset 0), and a mapping of the whole file for reading is no loaded segment.
 */

#define PLACE_VMAS_MAX 256u	/* VMAs of one object that are looked at */
#define PLACE_LOADS_MAX 64u	/* segments of a hostile file that are */
#define PLACE_TRIES_MAX 256u	/* biases that are tried */

struct place {
	const struct process *process;
	const struct elf_image *image;
	uint32_t vmas[PLACE_VMAS_MAX];
	size_t count;
	uint16_t loads[PLACE_LOADS_MAX];	/* PT_LOADs that have bytes in the file */
	size_t load_count;
};

static const struct elf_segment *place_load(const struct place *place, size_t i)
{
	return &place->image->segments[place->loads[i]];
}

static uint64_t segment_page(const struct place *place, const struct elf_segment *segment,
			     uint64_t bias)
{
	return (bias + segment->vaddr) & -(uint64_t)place->process->page_size;
}

/* Index of the segment that the VMA begins in under this bias, -1 if none. */
static int segment_of(const struct place *place, const struct vma *vma, uint64_t bias)
{
	uint64_t page = place->process->page_size, end = vma->start;
	int found = -1;

	for (size_t i = 0; i < place->load_count; i++) {
		const struct elf_segment *segment = place_load(place, i);
		uint64_t start = segment_page(place, segment, bias);
		uint64_t stop = (bias + segment->vaddr + segment->filesz + page - 1) & -page;

		if (start > end || stop <= end ||
		    vma->start - start != vma->offset - (segment->offset & -page))
			continue;
		if (found < 0)
			found = place->loads[i];
		end = stop;
	}
	return end >= vma->end ? found : -1;
}

/* Also where READ_IMPLIES_EXEC (a program for i386 without PT_GNU_STACK) made all that is readable
 * executable, and the kernel merged the code with the segment below it. */
static bool holds_code(const struct place *place, const struct vma *vma, uint64_t bias)
{
	if (!(vma->perms & VMA_EXEC))
		return false;
	for (size_t i = 0; i < place->load_count; i++) {
		const struct elf_segment *segment = place_load(place, i);

		if (segment->flags & PF_X && segment_page(place, segment, bias) < vma->end &&
		    bias + segment->vaddr + segment->filesz > vma->start)
			return true;
	}
	return false;
}

/* How well the VMAs fit: 0 not at all. Code that is not executable does not count as loaded. */
static unsigned place_score(const struct place *place, uint64_t bias)
{
	bool needs_code = false, has_code = false;
	unsigned score = 0;

	for (size_t i = 0; i < place->load_count; i++)
		needs_code |= place_load(place, i)->flags & PF_X;
	for (size_t i = 0; i < place->count; i++) {
		const struct vma *vma = &place->process->vmas[place->vmas[i]];

		if (segment_of(place, vma, bias) < 0)
			continue;
		score++;
		has_code |= holds_code(place, vma, bias);
	}
	return needs_code && !has_code ? 0 : score;
}

static bool place_find(const struct place *place, uint64_t *bias)
{
	uint64_t page = place->process->page_size;
	unsigned best = 0, tries = 0;

	for (size_t i = 0; i < place->count; i++) {
		const struct vma *vma = &place->process->vmas[place->vmas[i]];

		for (size_t j = 0; j < place->load_count; j++) {
			const struct elf_segment *segment = place_load(place, j);
			uint64_t candidate = vma->start - (segment->vaddr & -page);
			unsigned score;

			if (vma->offset != (segment->offset & -page) ||
			    (place->image->type == ET_EXEC && candidate) ||
			    tries++ > PLACE_TRIES_MAX)
				continue;
			score = place_score(place, candidate);
			if (score <= best)
				continue;
			best = score;
			*bias = candidate;
			if (score == place->count)
				return true;
		}
	}
	return best > 0;
}

static void place_collect(struct place *place, const struct process *process, uint32_t object)
{
	const struct object *o = &process->objects[object];
	uint32_t seen = 0;

	place->process = process;
	place->image = o->elf;
	place->count = 0;
	for (size_t i = o->first_vma; i < process->vma_count && seen < o->vma_count; i++) {
		if (process->vmas[i].object != object)
			continue;
		seen++;
		if (!(process->vmas[i].perms & VMA_SHARED) && place->count < PLACE_VMAS_MAX)
			place->vmas[place->count++] = (uint32_t)i;
	}
	place->load_count = 0;
	for (size_t i = 0; i < o->elf->segment_count; i++)
		if (o->elf->segments[i].type == PT_LOAD && o->elf->segments[i].filesz &&
		    i < UINT16_MAX && place->load_count < PLACE_LOADS_MAX)
			place->loads[place->load_count++] = (uint16_t)i;
}

static int vdso_place(const struct place *place, struct object *object)
{
	const struct elf_image *image = place->image;

	for (size_t i = 0; place->count && i < image->segment_count; i++) {
		if (image->segments[i].type != PT_LOAD)
			continue;
		object->load_bias = place->process->vmas[place->vmas[0]].start -
				    image->segments[i].vaddr;
		object->bias_known = true;
		place->process->vmas[place->vmas[0]].segment = (uint16_t)(i + 1);
		return 0;
	}
	return 0;
}

/* From the first to the last page of the object under its bias. */
static void place_extent(const struct place *place, uint64_t bias, uint64_t *start, uint64_t *end)
{
	*start = UINT64_MAX;
	*end = 0;
	for (size_t i = 0; i < place->load_count; i++) {
		const struct elf_segment *segment = place_load(place, i);
		uint64_t page = segment_page(place, segment, bias);

		*start = page < *start ? page : *start;
		page = bias + segment->vaddr + segment->memsz;
		*end = page > *end ? page : *end;
	}
}

static int object_copy(struct process *process, uint32_t index)
{
	struct object copy = process->objects[index];
	int ret = array_grow((void **)&process->objects, &process->object_cap,
			     process->object_count, sizeof(copy));

	if (ret < 0)
		return ret;
	copy.name = strdup(copy.name);
	if (!copy.name)
		return -ERROR_NOMEM;
	copy.elf = NULL;
	copy.elf_tried = copy.bias_known = false;
	copy.file = NULL;
	copy.vma_count = 0;
	process->objects[process->object_count++] = copy;
	return 0;
}

static void vma_move(struct process *process, uint32_t vma, uint32_t from, uint32_t to)
{
	if (!process->objects[to].vma_count++)
		process->objects[to].first_vma = vma;
	process->objects[from].vma_count--;
	process->vmas[vma].object = to;
}

/* VMAs outside the extent that hold code are a second copy of the library (dlmopen): it becomes
 * an object of its own. */
static int object_split(struct process *process, uint32_t index, const struct place *place)
{
	uint32_t added = (uint32_t)process->object_count;
	bool code = false;
	uint64_t start, end;

	place_extent(place, process->objects[index].load_bias, &start, &end);
	for (size_t i = 0; i < place->count; i++) {
		const struct vma *vma = &process->vmas[place->vmas[i]];

		code |= vma->perms & VMA_EXEC && (vma->start >= end || vma->end <= start);
	}
	if (!code)
		return 0;
	if (object_copy(process, index) < 0)
		return -ERROR_NOMEM;
	process->objects[index].first_vma = VMA_NONE;
	for (size_t i = 0; i < place->count; i++) {
		uint32_t vma = place->vmas[i];

		if (process->vmas[vma].start >= end || process->vmas[vma].end <= start)
			vma_move(process, vma, index, added);
		else if (process->objects[index].first_vma == VMA_NONE)
			process->objects[index].first_vma = vma;
	}
	object_elf(process, added);
	return 0;
}

static int object_place(struct process *process, uint32_t index, struct place *place)
{
	struct object *object = &process->objects[index];

	place_collect(place, process, index);
	if (object_is_vdso(object))
		return vdso_place(place, object);
	object->bias_known = place_find(place, &object->load_bias);
	if (!object->bias_known)
		return 0;
	for (size_t i = object->first_vma; i < process->vma_count; i++) {
		struct vma *vma = &process->vmas[i];

		if (vma->object == index && !(vma->perms & VMA_SHARED))
			vma->segment = (uint16_t)(segment_of(place, vma, object->load_bias) + 1);
	}
	return object_split(process, index, place);
}

int objects_place(struct process *process)
{
	struct place *place CLEANUP_FREE = malloc(sizeof(*place));

	if (!place)
		return -ERROR_NOMEM;
	for (uint32_t i = 0; i < process->object_count; i++)
		if (process->objects[i].elf && object_place(process, i, place) < 0)
			return -ERROR_NOMEM;
	program_find(process);
	return 0;
}
