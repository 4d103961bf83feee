// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE 1

#include <stdlib.h>

#include "bytes.h"
#include "parts.h"
#include "vmatlas/base/search.h"

static void section_decode(const struct elf_image *image, const uint8_t *raw,
			   struct elf_section *s)
{
	s->name = "";
	s->type = (uint32_t)ELF_FIELD(image, raw, Shdr, sh_type);
	s->flags = ELF_FIELD(image, raw, Shdr, sh_flags);
	s->addr = ELF_FIELD(image, raw, Shdr, sh_addr);
	s->offset = ELF_FIELD(image, raw, Shdr, sh_offset);
	s->size = ELF_FIELD(image, raw, Shdr, sh_size);
	s->link = (uint32_t)ELF_FIELD(image, raw, Shdr, sh_link);
	s->info = (uint32_t)ELF_FIELD(image, raw, Shdr, sh_info);
	s->align = ELF_FIELD(image, raw, Shdr, sh_addralign);
	s->entsize = ELF_FIELD(image, raw, Shdr, sh_entsize);
}

static void section_check(struct elf_image *image, struct elf_section *s, uint64_t count)
{
	uint64_t max = elf_address_max(image), size = image->reader.size;
	bool bad = s->link >= count;

	if (s->type == SHT_NULL)
		return;
	if (s->addr > max || s->size > max - s->addr) {
		s->size = s->addr <= max ? max - s->addr : 0;
		bad = true;
	}
	if (s->type != SHT_NOBITS && (s->offset > size || s->size > size - s->offset)) {
		s->size = s->offset < size ? size - s->offset : 0;
		bad = true;
	}
	if (bad)
		image->damage |= ELF_DAMAGE_SECTIONS;
}

/* The table of names, kept with one NUL more so that every name in it ends. */
static int strings_read(struct elf_image *image, uint64_t index, struct error *error)
{
	const struct elf_section *s;
	size_t size;

	if (!index)
		return 0;
	if (index >= image->section_count || image->sections[index].type != SHT_STRTAB ||
	    image->sections[index].flags & SHF_COMPRESSED) {
		image->damage |= ELF_DAMAGE_STRINGS;
		return 0;
	}
	s = &image->sections[index];
	size = s->size < ELF_SECTION_STRINGS_MAX ? s->size : ELF_SECTION_STRINGS_MAX;
	if (size < s->size)
		image->damage |= ELF_DAMAGE_LIMIT;
	image->strings = calloc(1, size + 1);
	if (!image->strings)
		return error_nomem(error);
	if (elf_image_read(image, s->offset, image->strings, size, NULL) < 0)
		image->damage |= ELF_DAMAGE_STRINGS;
	else
		image->strings_size = size;
	if (size && image->strings[size - 1])
		image->damage |= ELF_DAMAGE_STRINGS;
	return 0;
}

static void section_name(struct elf_image *image, struct elf_section *s, uint32_t offset)
{
	if (offset < image->strings_size)
		s->name = image->strings + offset;
	else if (offset && image->strings)
		image->damage |= ELF_DAMAGE_STRINGS;
}

static int compare_addresses(const void *a, const void *b, void *ctx)
{
	const struct elf_section *sections = ctx;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	if (sections[i].addr != sections[j].addr)
		return sections[i].addr < sections[j].addr ? -1 : 1;
	return (i > j) - (i < j);
}

/* .tbss has an address but takes no memory there: it is a template of thread memory. */
static bool has_memory(const struct elf_section *s)
{
	return s->flags & SHF_ALLOC && s->size && s->type != SHT_NULL &&
	       !(s->flags & SHF_TLS && s->type == SHT_NOBITS);
}

static int addresses_index(struct elf_image *image, struct error *error)
{
	size_t i;

	image->in_memory = calloc(image->section_count + 1, sizeof(*image->in_memory));
	if (!image->in_memory)
		return error_nomem(error);
	for (i = 1; i < image->section_count && image->type != ET_REL; i++)
		if (has_memory(&image->sections[i]))
			image->in_memory[image->in_memory_count++] = (uint32_t)i;
	qsort_r(image->in_memory, image->in_memory_count, sizeof(*image->in_memory),
		compare_addresses, image->sections);
	for (i = 1; i < image->in_memory_count; i++) {
		const struct elf_section *a = &image->sections[image->in_memory[i - 1]];

		if (a->addr + a->size > image->sections[image->in_memory[i]].addr)
			image->damage |= ELF_DAMAGE_SECTIONS;
	}
	return 0;
}

int elf_image_load_sections(struct elf_image *image, const struct elf_counts *counts,
			    struct error *error)
{
	size_t size = ELF_RECORD_SIZE(image, Shdr), i;
	uint64_t count = counts->shnum;
	CLEANUP_FREE uint8_t *raw = NULL;
	int ret = elf_image_table(image, counts->shoff, &count, size, ELF_SECTIONS_MAX,
				  ELF_DAMAGE_SECTIONS, &raw, error);

	if (ret < 0)
		return ret;
	image->sections = calloc(count + 1, sizeof(*image->sections));
	if (!image->sections)
		return error_nomem(error);
	for (i = 0; i < count; i++) {
		section_decode(image, raw + i * size, &image->sections[i]);
		section_check(image, &image->sections[i], counts->shnum);
	}
	image->section_count = count;
	ret = strings_read(image, counts->shstrndx, error);
	if (ret < 0)
		return ret;
	for (i = 0; i < count; i++)
		section_name(image, &image->sections[i],
			     (uint32_t)ELF_FIELD(image, raw + i * size, Shdr, sh_name));
	return addresses_index(image, error);
}

/* Sections that overlap (only damaged files have them) are tried this many steps back. */
#define OVERLAP_STEPS 16

const struct elf_section *elf_image_section(const struct elf_image *image, uint64_t vaddr)
{
	size_t steps, low = SEARCH_FIRST(i, image->in_memory_count, image->sections[
					 image->in_memory[i]].addr <= vaddr);

	for (steps = 0; low-- && steps < OVERLAP_STEPS; steps++) {
		const struct elf_section *s = &image->sections[image->in_memory[low]];

		if (vaddr - s->addr < s->size)
			return s;
	}
	return NULL;
}

const struct elf_section *elf_image_section_named(const struct elf_image *image, const char *name)
{
	size_t i;

	for (i = 1; i < image->section_count; i++)
		if (!strcmp(image->sections[i].name, name))
			return &image->sections[i];
	return NULL;
}
