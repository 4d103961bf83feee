// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "bytes.h"
#include "parts.h"

/* Where notes lie in the file. */
struct note_range {
	uint64_t offset;
	uint64_t size;
	uint64_t align;
};

static uint64_t round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static bool is_build_id(const uint8_t *name, uint32_t name_size, uint32_t type)
{
	return type == NT_GNU_BUILD_ID && name_size == sizeof("GNU") && !memcmp(name, "GNU", 4);
}

static void take_build_id(struct elf_image *image, const uint8_t *desc, uint32_t size)
{
	if (!size || size > sizeof(image->build_id)) {
		image->damage |= ELF_DAMAGE_NOTES;
		return;
	}
	memcpy(image->build_id, desc, size);
	image->build_id_size = size;
}

/* Notes are 4-aligned; those of 8-aligned segments (.note.gnu.property) are 8-aligned. */
static void notes_walk(struct elf_image *image, const uint8_t *data, size_t size, uint64_t align)
{
	size_t at = 0;

	while (size - at >= sizeof(Elf32_Nhdr) && !image->build_id_size) {
		const uint8_t *p = data + at;
		uint32_t name_size = elf_u32(image, p), desc_size = elf_u32(image, p + 4);
		uint64_t desc = round_up((uint64_t)sizeof(Elf32_Nhdr) + name_size, align);
		uint64_t end = desc + desc_size;

		if (end > size - at) {
			image->damage |= ELF_DAMAGE_NOTES;
			return;
		}
		if (is_build_id(p + sizeof(Elf32_Nhdr), name_size, elf_u32(image, p + 8)))
			take_build_id(image, p + desc, desc_size);
		end = round_up(end, align);
		at += end < size - at ? end : size - at;
	}
}

static int notes_read(struct elf_image *image, const struct note_range *range,
		      struct error *error)
{
	size_t size = range->size < ELF_NOTE_BYTES_MAX ? range->size : ELF_NOTE_BYTES_MAX;
	CLEANUP_FREE uint8_t *data = NULL;

	if (!size)
		return 0;
	if (size < range->size)
		image->damage |= ELF_DAMAGE_LIMIT;
	data = malloc(size);
	if (!data)
		return error_nomem(error);
	if (elf_image_read(image, range->offset, data, size, NULL) < 0)
		image->damage |= ELF_DAMAGE_NOTES;
	else
		notes_walk(image, data, size, range->align == 8 ? 8 : 4);
	return 0;
}

static int notes_of_segments(struct elf_image *image, struct error *error)
{
	size_t i, seen = 0;
	int ret = 0;

	for (i = 0; i < image->segment_count && !image->build_id_size && !ret; i++) {
		const struct elf_segment *s = &image->segments[i];
		struct note_range range = { s->offset, s->filesz, s->align };

		if (s->type == PT_NOTE && seen++ < ELF_NOTES_MAX)
			ret = notes_read(image, &range, error);
	}
	if (seen > ELF_NOTES_MAX)
		image->damage |= ELF_DAMAGE_LIMIT;
	return ret;
}

static int notes_of_sections(struct elf_image *image, struct error *error)
{
	size_t i, seen = 0;
	int ret = 0;

	for (i = 0; i < image->section_count && !image->build_id_size && !ret; i++) {
		const struct elf_section *s = &image->sections[i];
		struct note_range range = { s->offset, s->size, s->align };

		if (s->type == SHT_NOTE && seen++ < ELF_NOTES_MAX)
			ret = notes_read(image, &range, error);
	}
	if (seen > ELF_NOTES_MAX)
		image->damage |= ELF_DAMAGE_LIMIT;
	return ret;
}

int elf_image_load_notes(struct elf_image *image, struct error *error)
{
	int ret;

	/* Notes of a core file are megabytes of registers and have no build-id of their own. */
	if (image->type == ET_CORE)
		return 0;
	ret = notes_of_segments(image, error);
	if (ret < 0 || image->build_id_size)
		return ret;
	return notes_of_sections(image, error);
}
