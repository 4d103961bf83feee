// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE 1

#include <stdlib.h>

#include "bytes.h"
#include "parts.h"
#include "vmatlas/base/search.h"

/* Cuts `size` so that start + size stays within max; true if it had to. */
static bool cut(uint64_t start, uint64_t *size, uint64_t max)
{
	if (start <= max && *size <= max - start)
		return false;
	*size = start <= max ? max - start : 0;
	return true;
}

static bool is_power_of_two(uint64_t v)
{
	return !(v & (v - 1));
}

static void segment_check(struct elf_image *image, struct elf_segment *s)
{
	bool bad = cut(s->offset, &s->filesz, UINT64_MAX);

	bad |= cut(s->vaddr, &s->memsz, elf_address_max(image));
	if (s->type == PT_LOAD) {
		bad |= s->filesz > s->memsz || !is_power_of_two(s->align);
		if (s->filesz > s->memsz)
			s->filesz = s->memsz;
	}
	if (s->type != PT_NULL && s->filesz)
		bad |= s->offset > image->reader.size ||
		       s->filesz > image->reader.size - s->offset;
	if (bad)
		image->damage |= ELF_DAMAGE_SEGMENTS;
}

static void segment_decode(struct elf_image *image, const uint8_t *raw, struct elf_segment *s)
{
	s->type = (uint32_t)ELF_FIELD(image, raw, Phdr, p_type);
	s->flags = (uint32_t)ELF_FIELD(image, raw, Phdr, p_flags);
	s->offset = ELF_FIELD(image, raw, Phdr, p_offset);
	s->vaddr = ELF_FIELD(image, raw, Phdr, p_vaddr);
	s->paddr = ELF_FIELD(image, raw, Phdr, p_paddr);
	s->filesz = ELF_FIELD(image, raw, Phdr, p_filesz);
	s->memsz = ELF_FIELD(image, raw, Phdr, p_memsz);
	s->align = ELF_FIELD(image, raw, Phdr, p_align);
	segment_check(image, s);
}

static int compare_loads(const void *a, const void *b, void *ctx)
{
	const struct elf_segment *segments = ctx;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	if (segments[i].vaddr != segments[j].vaddr)
		return segments[i].vaddr < segments[j].vaddr ? -1 : 1;
	return (i > j) - (i < j);
}

/* The kernel wants PT_LOADs in ascending order and glibc too; others are looked up all the
 * same, but noted, and so are segments that overlap in memory. */
static void loads_check(struct elf_image *image)
{
	size_t i;

	for (i = 1; i < image->load_count; i++) {
		const struct elf_segment *a = &image->segments[image->loads[i - 1]];
		const struct elf_segment *b = &image->segments[image->loads[i]];

		if (image->loads[i] < image->loads[i - 1] || a->vaddr + a->memsz > b->vaddr)
			image->damage |= ELF_DAMAGE_SEGMENTS;
	}
}

static int loads_index(struct elf_image *image, struct error *error)
{
	size_t i;

	image->loads = calloc(image->segment_count + 1, sizeof(*image->loads));
	if (!image->loads)
		return error_nomem(error);
	for (i = 0; i < image->segment_count; i++)
		if (image->segments[i].type == PT_LOAD && image->segments[i].memsz)
			image->loads[image->load_count++] = (uint32_t)i;
	qsort_r(image->loads, image->load_count, sizeof(*image->loads), compare_loads,
		image->segments);
	loads_check(image);
	return 0;
}

static int interpreter_read(struct elf_image *image, const struct elf_segment *s,
			    struct error *error)
{
	uint64_t len = s->filesz;
	char *text;

	if (image->interpreter || !len)
		return 0;
	if (len > ELF_INTERPRETER_MAX) {
		len = ELF_INTERPRETER_MAX;
		image->damage |= ELF_DAMAGE_LIMIT;
	}
	text = malloc(len + 1);
	if (!text)
		return error_nomem(error);
	if (elf_image_read(image, s->offset, text, len, NULL) < 0) {
		image->damage |= ELF_DAMAGE_SEGMENTS;
		free(text);
		return 0;
	}
	if (text[len - 1])
		image->damage |= ELF_DAMAGE_STRINGS;
	text[len] = '\0';
	image->interpreter = text;
	return 0;
}

/* What single segments say about the whole. The last PT_GNU_RELRO wins, as in glibc's
 * _dl_map_object_from_fd. */
static int segments_interpret(struct elf_image *image, struct error *error)
{
	size_t i;

	image->exec_stack = true;
	for (i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];
		int ret = s->type == PT_INTERP ? interpreter_read(image, s, error) : 0;

		if (ret < 0)
			return ret;
		if (s->type == PT_GNU_STACK)
			image->exec_stack = s->flags & PF_X;
		if (s->type == PT_GNU_RELRO) {
			image->relro_start = s->vaddr;
			image->relro_end = s->vaddr + s->memsz;
		}
	}
	return 0;
}

int elf_image_load_segments(struct elf_image *image, const struct elf_counts *counts,
			    struct error *error)
{
	size_t size = ELF_RECORD_SIZE(image, Phdr), i;
	uint64_t count = counts->phnum;
	CLEANUP_FREE uint8_t *raw = NULL;
	int ret;

	if (count && counts->phentsize != size) {
		image->damage |= ELF_DAMAGE_SEGMENTS;
		count = 0;
	}
	ret = elf_image_table(image, image->phoff, &count, size, ELF_SEGMENTS_MAX,
			      ELF_DAMAGE_SEGMENTS, &raw, error);
	if (ret < 0)
		return ret;
	image->segments = calloc(count + 1, sizeof(*image->segments));
	if (!image->segments)
		return error_nomem(error);
	for (i = 0; i < count; i++)
		segment_decode(image, raw + i * size, &image->segments[i]);
	image->segment_count = count;
	ret = loads_index(image, error);
	return ret < 0 ? ret : segments_interpret(image, error);
}

const struct elf_segment *elf_image_load(const struct elf_image *image, uint64_t vaddr)
{
	size_t above = SEARCH_FIRST(i, image->load_count,
				    image->segments[image->loads[i]].vaddr <= vaddr);
	const struct elf_segment *s;

	if (!above)
		return NULL;
	s = &image->segments[image->loads[above - 1]];
	return vaddr - s->vaddr < s->memsz ? s : NULL;
}

int elf_image_offset(const struct elf_image *image, uint64_t vaddr, uint64_t *offset,
		     uint64_t *available)
{
	const struct elf_segment *s = elf_image_load(image, vaddr);
	uint64_t at, left;

	if (!s || vaddr - s->vaddr >= s->filesz)
		return -ERROR_NOT_FOUND;
	at = s->offset + (vaddr - s->vaddr);
	left = s->filesz - (vaddr - s->vaddr);
	if (at >= image->reader.size)
		return -ERROR_NOT_FOUND;
	*offset = at;
	if (available)
		*available = left < image->reader.size - at ? left : image->reader.size - at;
	return 0;
}

void elf_image_relro_pages(const struct elf_image *image, uint64_t page_size, uint64_t *start,
			   uint64_t *end)
{
	uint64_t first = image->relro_start & ~(page_size - 1);
	uint64_t last = image->relro_end & ~(page_size - 1);

	*start = first;
	*end = last > first ? last : first;
}
