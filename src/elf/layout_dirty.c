// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>

#include "vmatlas/elf/layout.h"

/* .dynamic never is longer than what is read of it. */
#define DYNAMIC_BYTES_MAX (ELF_DYNAMIC_MAX * sizeof(Elf64_Dyn))

static bool has_relocation(const struct elf_reloc_index *index, uint64_t start, uint64_t end)
{
	struct elf_reloc_cursor cursor = elf_reloc_index_seek(index, start, end);
	struct elf_reloc_place place;

	return elf_reloc_index_next(index, &cursor, &place);
}

/* Relocated pages inside the RELRO range: a walk over the places, page by page. */
static uint64_t relro_pages(const struct elf_image *image, const struct elf_reloc_index *index,
			    uint64_t page_size)
{
	uint64_t start, end, next, pages = 0;
	struct elf_reloc_cursor cursor;
	struct elf_reloc_place place;

	elf_image_relro_pages(image, page_size, &start, &end);
	cursor = elf_reloc_index_seek(index, start, end);
	next = start / page_size;
	while (elf_reloc_index_next(index, &cursor, &place)) {
		uint64_t first = place.place / page_size;
		uint64_t last = (place.place + place.size - 1) / page_size;

		first = first > next ? first : next;
		if (last >= end / page_size)
			last = end / page_size - 1;
		if (last < first)
			continue;
		pages += last - first + 1;
		next = last + 1;
	}
	return pages;
}

/* The loader relocates the addresses in a writable .dynamic in place (dl_relocate_ld) and puts
 * its own into DT_DEBUG of a program. */
static bool writes_dynamic(const struct elf_image *image, const struct elf_dynamic *dynamic)
{
	return dynamic->present && dynamic->writable &&
	       (image->type == ET_DYN || dynamic->debug);
}

static bool is_zeroed(const struct elf_layout *layout, uint64_t page)
{
	size_t i;

	for (i = 0; i < layout->count; i++)
		if (layout->vmas[i].zero_end > layout->vmas[i].zero_start &&
		    layout->vmas[i].zero_start / layout->page_size == page)
			return true;
	return false;
}

static void add_dynamic(const struct elf_dynamic *dynamic, const struct elf_reloc_index *index,
			const struct elf_layout *layout, uint64_t page_size,
			struct elf_dirty *dirty)
{
	uint64_t size = dynamic->size < DYNAMIC_BYTES_MAX ? dynamic->size : DYNAMIC_BYTES_MAX;
	uint64_t page = dynamic->vaddr / page_size;
	uint64_t last = size ? (dynamic->vaddr + size - 1) / page_size : page;

	for (; page <= last; page++) {
		dirty->dynamic++;
		dirty->pages += !has_relocation(index, page * page_size, (page + 1) * page_size) &&
				!is_zeroed(layout, page);
	}
}

int elf_dirty_forecast(const struct elf_image *image, const struct elf_dynamic *dynamic,
		       const struct elf_reloc_index *index, enum elf_loader loader,
		       uint64_t page_size, struct elf_dirty *dirty, struct error *error)
{
	CLEANUP(elf_layout_freep) struct elf_layout *layout = NULL;
	struct elf_dirty made = { 0 };
	size_t i;
	int ret = elf_layout_predict(image, loader, page_size, &layout, error);

	if (ret < 0)
		return ret;
	made.relocation = elf_reloc_index_pages(index, page_size);
	made.relro = relro_pages(image, index, page_size);
	made.zeroed = layout->zeroed_pages;
	made.pages = made.relocation;
	for (i = 0; i < layout->count; i++) {
		const struct elf_vma *v = &layout->vmas[i];
		uint64_t page = v->zero_start & ~(page_size - 1);

		if (v->zero_end > v->zero_start)
			made.pages += !has_relocation(index, page, page + page_size);
	}
	if (writes_dynamic(image, dynamic))
		add_dynamic(dynamic, index, layout, page_size, &made);
	*dirty = made;
	return 0;
}
