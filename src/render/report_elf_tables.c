// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <elf.h>

#include "columns.h"
#include "report_elf_parts.h"

struct span elf_perms_text(uint32_t flags, struct scratch *scratch)
{
	return scratch_printf(scratch, "%c%c%c", flags & PF_R ? 'r' : '-', flags & PF_W ? 'w' : '-',
			      flags & PF_X ? 'x' : '-');
}

static struct cell perms_cell(uint32_t flags, struct scratch *scratch)
{
	return cell_words(elf_perms_text(flags, scratch));
}

/* Program headers. */

COLUMN_GETTER(segment_type)
{
	const struct elf_segment *segment = data;
	const char *name = name_of(elf_segment_type_names, segment->type);

	*cell = name ? cell_text(name) :
		cell_words(scratch_printf(scratch, "0x%x", segment->type));
}

#define SEGMENT_GETTER(name, expression) \
	COLUMN_VALUE(segment_##name, const struct elf_segment *segment, expression)

SEGMENT_GETTER(offset, cell_hex(segment->offset))
SEGMENT_GETTER(vaddr, cell_hex(segment->vaddr))
SEGMENT_GETTER(paddr, cell_hex(segment->paddr))
SEGMENT_GETTER(filesz, cell_size(segment->filesz))
SEGMENT_GETTER(memsz, cell_size(segment->memsz))
SEGMENT_GETTER(align, cell_hex(segment->align))
SEGMENT_GETTER(perms, perms_cell(segment->flags, scratch))

static const struct column segment_columns[] = {
	{ "type", "TYPE", "PT_ type of the program header", BOTH, 0, 12, segment_type },
	{ "offset", "OFFSET", "in the file", NUMBER, 0, 10, segment_offset },
	{ "vaddr", "VADDR", "address, before the load bias is added", NUMBER, 0, 12,
	  segment_vaddr },
	{ "paddr", "PADDR", "physical address, without meaning here", COLUMN_JSON | COLUMN_RIGHT,
	  0, 12, segment_paddr },
	{ "filesz", "FILESZ", "bytes in the file", NUMBER, 0, 8, segment_filesz },
	{ "memsz", "MEMSZ", "bytes in memory", NUMBER, 0, 8, segment_memsz },
	{ "perms", "PERM", "access", BOTH, 0, 4, segment_perms },
	{ "align", "ALIGN", "alignment", NUMBER, 0, 8, segment_align },
	{ NULL }
};

int report_elf_segments(struct report *report, const struct elf_image *image)
{
	struct column_set set;

	column_set_choose(&set, segment_columns, NULL, false, NULL);
	report_table_begin(report, "segments", "Program headers", &set, NULL,
			   image->segment_count + 1);
	for (size_t i = 0; i < image->segment_count; i++)
		report_row(report, &image->segments[i]);
	return report_table_end(report);
}

/* VMAs. */

#define VMA_GETTER(name, expression) \
	COLUMN_VALUE(vma_##name, const struct forecast_vma *vma, expression)

VMA_GETTER(start, cell_hex(vma->layout->start))
VMA_GETTER(end, cell_hex(vma->layout->end))
VMA_GETTER(size, cell_size(vma->layout->end - vma->layout->start))
VMA_GETTER(perms_get, perms_cell(vma->layout->perms, scratch))
VMA_GETTER(offset, vma->layout->kind == ELF_VMA_BSS ? cell_null() :
	   cell_hex(vma->layout->offset))
VMA_GETTER(class, cell_text(name_of(vma_class_names, vma->vma_class)))
VMA_GETTER(role, cell_text(name_of(vma_role_names, vma->role)))
VMA_GETTER(kind, cell_text(name_of(elf_vma_kind_names, vma->layout->kind)))
VMA_GETTER(segment, cell_count(vma->layout->segment))
VMA_GETTER(zeroed, cell_size(vma->layout->zero_end - vma->layout->zero_start))
VMA_GETTER(relro, cell_bool(vma->layout->relro))
VMA_GETTER(shares_page, cell_bool(vma->layout->shares_page))

COLUMN_GETTER(vma_range)
{
	const struct forecast_vma *vma = data;

	*cell = cell_words(scratch_printf(scratch, "%llx-%llx",
					  (unsigned long long)vma->layout->start,
					  (unsigned long long)vma->layout->end));
}

static bool section_in(const struct elf_section *section, const struct elf_vma *vma)
{
	return section->addr < vma->end && section->addr + section->size > vma->start &&
	       section->size && !(section->type == SHT_NOBITS && section->flags & SHF_TLS);
}

COLUMN_GETTER(vma_sections)
{
	const struct elf_image *image = about;
	struct cell *items = scratch_cells(scratch, image->in_memory_count + 1);
	size_t n = 0;
	const struct forecast_vma *vma = data;

	*cell = cell_null();
	if (!items || vma->layout->kind == ELF_VMA_HOLE)
		return;
	for (size_t i = 0; i < image->in_memory_count; i++) {
		const struct elf_section *section = &image->sections[image->in_memory[i]];

		if (section_in(section, vma->layout))
			items[n++] = cell_bytes(span_of(section->name));
	}
	*cell = cell_list(items, n);
}

static const struct column vma_columns[] = {
	{ "range", "RANGE", "addresses, before the load bias is added", COLUMN_DEFAULT, 0, 20,
	  vma_range },
	{ "start", "START", "first address", COLUMN_JSON, 0, 12, vma_start },
	{ "end", "END", "first address behind it", COLUMN_JSON, 0, 12, vma_end },
	{ "size", "SIZE", "size", NUMBER, 0, 7, vma_size },
	{ "perms", "PERM", "access once the program runs", BOTH, 0, 4, vma_perms_get },
	{ "offset", "OFFSET", "in the file", NUMBER, 0, 10, vma_offset },
	{ "class", "C", "class", BOTH, 0, 1, vma_class },
	{ "role", "ROLE", "role", BOTH, 0, 11, vma_role },
	{ "kind", "KIND", "file, bss or hole", COLUMN_JSON, 0, 4, vma_kind },
	{ "segment", "SEG", "program header", COLUMN_JSON | COLUMN_RIGHT, 0, 3, vma_segment },
	{ "zeroed", "ZEROED", "bytes of the last file page that the loader clears", NUMBER, 0, 6,
	  vma_zeroed },
	{ "relro", "RELRO", "closed after relocation", COLUMN_JSON, 0, 5, vma_relro },
	{ "shares_page", "TWICE", "its first file page is mapped by the VMA before, too",
	  COLUMN_JSON, 0, 5, vma_shares_page },
	{ "sections", "SECTIONS", "sections in it", BOTH | COLUMN_TRUNC, 0, 40, vma_sections },
	{ NULL }
};

int report_elf_vmas(struct report *report, const struct forecast *forecast)
{
	struct column_set set;

	if (!forecast->layout->loadable)
		report_prose(report, "No loader takes this file with pages of %llu bytes.",
			     (unsigned long long)forecast->page_size);
	column_set_choose(&set, vma_columns, NULL, false, NULL);
	report_table_begin(report, "predicted_vmas", "What the loader makes of it", &set,
			   forecast->image, forecast->layout->count + 1);
	for (size_t i = 0; i < forecast->layout->count; i++)
		report_row(report, &forecast->vmas[i]);
	return report_table_end(report);
}

/* Private pages for each page size. */

#define SIZE_GETTER(name, expression) \
	COLUMN_VALUE(size_##name, const struct forecast_size *size, expression)
#define IF_LOADABLE(value) (size->loadable ? (value) : cell_null())

SIZE_GETTER(page_size, cell_size(size->page_size))
SIZE_GETTER(loadable, cell_bool(size->loadable))
SIZE_GETTER(relocation, IF_LOADABLE(cell_count(size->dirty.relocation)))
SIZE_GETTER(relro, IF_LOADABLE(cell_count(size->dirty.relro)))
SIZE_GETTER(zeroed, IF_LOADABLE(cell_count(size->dirty.zeroed)))
SIZE_GETTER(dynamic, IF_LOADABLE(cell_count(size->dirty.dynamic)))
SIZE_GETTER(pages, IF_LOADABLE(cell_count(size->dirty.pages)))
SIZE_GETTER(bytes, IF_LOADABLE(cell_size(size->dirty.pages * size->page_size)))

static const struct column size_columns[] = {
	{ "page_size", "PAGE SIZE", "page size", NUMBER, 0, 9, size_page_size },
	{ "loadable", "LOADABLE", "can the file be loaded with it", COLUMN_JSON, 0, 8,
	  size_loadable },
	{ "relocation", "RELOCATED", "pages that relocations land in", NUMBER, 0, 9,
	  size_relocation },
	{ "relro", "CLOSED", "of those: read-only afterwards", NUMBER, 0, 6, size_relro },
	{ "zeroed", "ZEROED", "pages whose end the loader clears", NUMBER, 0, 6, size_zeroed },
	{ "dynamic", "DYNAMIC", "pages of .dynamic, where the loader writes", NUMBER, 0, 7,
	  size_dynamic },
	{ "pages", "PAGES", "all of them, each once", NUMBER, 0, 6, size_pages },
	{ "bytes", "BYTES", "memory of these", NUMBER, 0, 7, size_bytes },
	{ NULL }
};

int report_elf_sizes(struct report *report, const struct forecast *forecast)
{
	struct column_set set;

	column_set_choose(&set, size_columns, NULL, false, NULL);
	report_table_begin(report, "dirty", "Private before it runs", &set, NULL, FORECAST_SIZES);
	for (int i = 0; i < FORECAST_SIZES; i++)
		report_row(report, &forecast->sizes[i]);
	return report_table_end(report);
}
