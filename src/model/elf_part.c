// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/elf_part.h"

#include <elf.h>

static uint64_t overlap(uint64_t a, uint64_t a_end, uint64_t b, uint64_t b_end)
{
	uint64_t low = a > b ? a : b, high = a_end < b_end ? a_end : b_end;

	return low < high ? high - low : 0;
}

uint32_t elf_part_object(const struct process *process, const struct vma *vma)
{
	bool borrows = vma->role == ROLE_BSS || vma->role_second == ROLE_BSS;
	uint32_t object = vma->segment ? vma->object : OBJECT_NONE;

	if (object == OBJECT_NONE && borrows && vma->owner != VMA_NONE)
		object = process->vmas[vma->owner].object;
	if (object == OBJECT_NONE || !process->objects[object].elf ||
	    !process->objects[object].bias_known)
		return OBJECT_NONE;
	return object;
}

/* Bytes of a range of file addresses that lie in the VMA. */
static uint64_t bytes_in(const struct object *object, const struct vma *vma, uint64_t vaddr,
			 uint64_t size)
{
	uint64_t start = object->load_bias + vaddr;

	return overlap(start, start + size, vma->start, vma->end);
}

static bool section_is_loaded(const struct elf_section *section)
{
	return section->flags & SHF_ALLOC && section->size &&
	       !(section->type == SHT_NOBITS && section->flags & SHF_TLS);
}

static bool section_is_link_table(const struct elf_section *section)
{
	switch (section->type) {
	case SHT_DYNSYM:
	case SHT_STRTAB:
	case SHT_HASH:
	case SHT_GNU_HASH:
	case SHT_REL:
	case SHT_RELA:
	case 19: /* SHT_RELR */
	case SHT_NOTE:
	case SHT_DYNAMIC:
	case SHT_GNU_verdef:
	case SHT_GNU_verneed:
	case SHT_GNU_versym:
		return true;
	}
	return strcmp(section->name, ".interp") == 0;
}

static enum elf_content section_content(const struct elf_image *image,
					const struct elf_section *section)
{
	if (section->flags & SHF_EXECINSTR)
		return ELF_CONTENT_TEXT;
	if (section->flags & SHF_WRITE && section->addr >= image->relro_start &&
	    section->addr < image->relro_end)
		return ELF_CONTENT_RELRO;
	if (section->type == SHT_NOBITS)
		return ELF_CONTENT_BSS;
	if (section->flags & SHF_WRITE)
		return ELF_CONTENT_DATA;
	return section_is_link_table(section) ? ELF_CONTENT_LINK_TABLES : ELF_CONTENT_RODATA;
}

/* The file's headers are in no section. */
static uint64_t header_bytes(const struct elf_image *image, const struct vma *vma)
{
	uint64_t size = image->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	uint64_t entry = image->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	return vma->segment && !vma->offset ? size + entry * image->segment_count : 0;
}

static void contents_of_sections(const struct object *object, const struct vma *vma,
				 uint64_t bytes[ELF_CONTENT_MAX])
{
	const struct elf_image *image = object->elf;

	bytes[ELF_CONTENT_LINK_TABLES] = header_bytes(image, vma);
	for (size_t i = 0; i < image->section_count; i++) {
		const struct elf_section *section = &image->sections[i];

		if (section_is_loaded(section))
			bytes[section_content(image, section)] +=
				bytes_in(object, vma, section->addr, section->size);
	}
}

static void contents_of_segment(const struct object *object, const struct vma *vma,
				const struct elf_segment *segment, uint64_t bytes[ELF_CONTENT_MAX])
{
	const struct elf_image *image = object->elf;
	uint64_t file = bytes_in(object, vma, segment->vaddr, segment->filesz), relro;

	bytes[ELF_CONTENT_BSS] += bytes_in(object, vma, segment->vaddr, segment->memsz) - file;
	if (segment->flags & PF_X) {
		bytes[ELF_CONTENT_TEXT] += file;
	} else if (!(segment->flags & PF_W)) {
		bytes[segment->offset ? ELF_CONTENT_RODATA : ELF_CONTENT_LINK_TABLES] += file;
	} else {
		relro = bytes_in(object, vma, image->relro_start,
				 image->relro_end - image->relro_start);
		relro = relro < file ? relro : file;
		bytes[ELF_CONTENT_RELRO] += relro;
		bytes[ELF_CONTENT_DATA] += file - relro;
	}
}

void elf_part_contents(const struct process *process, const struct vma *vma,
		       uint64_t bytes[ELF_CONTENT_MAX])
{
	uint32_t index = elf_part_object(process, vma);
	const struct object *object;

	memset(bytes, 0, ELF_CONTENT_MAX * sizeof(*bytes));
	if (index == OBJECT_NONE)
		return;
	object = &process->objects[index];
	if (object->elf->section_count) {
		contents_of_sections(object, vma, bytes);
		return;
	}
	for (size_t i = 0; i < object->elf->segment_count; i++)
		if (object->elf->segments[i].type == PT_LOAD)
			contents_of_segment(object, vma, &object->elf->segments[i], bytes);
}

const struct elf_section *elf_part_section(const struct process *process, const struct vma *vma,
					   size_t *cursor)
{
	uint32_t index = elf_part_object(process, vma);
	const struct object *object;

	if (index == OBJECT_NONE)
		return NULL;
	object = &process->objects[index];
	while (*cursor < object->elf->section_count) {
		const struct elf_section *section = &object->elf->sections[(*cursor)++];

		if (section_is_loaded(section) &&
		    bytes_in(object, vma, section->addr, section->size))
			return section;
	}
	return NULL;
}

uint64_t elf_part_section_bytes(const struct process *process, const struct vma *vma,
				const struct elf_section *section)
{
	uint32_t index = elf_part_object(process, vma);

	return index == OBJECT_NONE ? 0 : bytes_in(&process->objects[index], vma, section->addr,
						   section->size);
}

int elf_part_segment(const struct process *process, const struct vma *vma, size_t *cursor)
{
	uint32_t index = elf_part_object(process, vma);
	const struct object *object;

	if (index == OBJECT_NONE)
		return -1;
	object = &process->objects[index];
	while (*cursor < object->elf->segment_count) {
		const struct elf_segment *segment = &object->elf->segments[(*cursor)++];

		if (segment->type == PT_LOAD &&
		    bytes_in(object, vma, segment->vaddr, segment->memsz))
			return (int)*cursor - 1;
	}
	return -1;
}

/* Does the page at `address` of the VMA hold file bytes of the segment? */
static bool page_has_segment(const struct process *process, const struct vma *vma,
			     uint64_t address, const struct elf_segment *segment)
{
	uint64_t offset = vma->offset + (address - vma->start);

	return overlap(offset, offset + process->page_size, segment->offset,
		       segment->offset + segment->filesz) > 0;
}

static bool shared_page_at(const struct process *process, const struct vma *vma,
			   const struct object *object, uint64_t address,
			   struct elf_shared_page *page)
{
	for (size_t i = 0; i < object->elf->segment_count; i++) {
		const struct elf_segment *segment = &object->elf->segments[i];
		uint64_t mapped = (object->load_bias + segment->vaddr) &
				  -(uint64_t)process->page_size;

		if (segment->type != PT_LOAD || i + 1 == vma->segment ||
		    !page_has_segment(process, vma, address, segment))
			continue;
		*page = (struct elf_shared_page) { .address = address, .segment = (uint16_t)i };
		page->twice = mapped != address &&
			      !bytes_in(object, vma, segment->vaddr, segment->filesz);
		return true;
	}
	return false;
}

bool elf_part_shared_page(const struct process *process, const struct vma *vma,
			  struct elf_shared_page *page)
{
	const struct object *object;

	if (!vma->segment || elf_part_object(process, vma) == OBJECT_NONE)
		return false;
	object = &process->objects[vma->object];
	/* Segments follow each other in the file: only the outer pages can be common. */
	return shared_page_at(process, vma, object, vma->end - process->page_size, page) ||
	       shared_page_at(process, vma, object, vma->start, page);
}
