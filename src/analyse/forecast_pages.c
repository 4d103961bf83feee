// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "forecast.h"

#include <elf.h>

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t page_floor(const struct forecast *forecast, uint64_t address)
{
	return address & ~(forecast->page_size - 1);
}

/* The loader relocates the addresses in a writable .dynamic in place (glibc dl_relocate_ld) and
 * puts its own into DT_DEBUG of a program. */
static bool dynamic_range(const struct forecast *forecast, uint64_t *start, uint64_t *end)
{
	const struct elf_dynamic *dynamic = &forecast->dynamic;
	const uint64_t most = ELF_DYNAMIC_MAX * sizeof(Elf64_Dyn);

	if (!dynamic->present || !dynamic->writable ||
	    (forecast->image->type != ET_DYN && !dynamic->debug))
		return false;
	*start = dynamic->vaddr;
	*end = dynamic->vaddr + lower(dynamic->size, most);
	return *end > *start;
}

static uint64_t next_relocated(const struct forecast *forecast, uint64_t at)
{
	struct elf_reloc_cursor cursor = elf_reloc_index_seek(forecast->index, at, UINT64_MAX);
	struct elf_reloc_place place;

	if (!elf_reloc_index_next(forecast->index, &cursor, &place))
		return UINT64_MAX;
	return place.place > at ? page_floor(forecast, place.place) : at;
}

static uint64_t next_zeroed(const struct forecast *forecast, uint64_t at)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < forecast->layout->count; i++) {
		const struct elf_vma *vma = &forecast->layout->vmas[i];

		if (vma->zero_end > vma->zero_start && vma->zero_start >= at)
			best = lower(best, page_floor(forecast, vma->zero_start));
	}
	return best;
}

static uint64_t next_dynamic(const struct forecast *forecast, uint64_t at)
{
	uint64_t start, end;

	if (!dynamic_range(forecast, &start, &end) || at >= end)
		return UINT64_MAX;
	return at > start ? at : page_floor(forecast, start);
}

static void count_relocations(const struct forecast *forecast, struct forecast_page *page)
{
	struct elf_reloc_cursor cursor = elf_reloc_index_seek(
		forecast->index, page->address, page->address + forecast->page_size);
	struct elf_reloc_place place;

	while (elf_reloc_index_next(forecast->index, &cursor, &place)) {
		page->kinds[place.kind]++;
		page->relocations++;
	}
}

bool forecast_page_at(const struct forecast *forecast, uint64_t address,
		      struct forecast_page *page)
{
	uint64_t at = page_floor(forecast, address);

	*page = (struct forecast_page) {
		.address = at,
		.zeroed = next_zeroed(forecast, at) == at,
		.dynamic = next_dynamic(forecast, at) == at,
		.relro = at >= forecast->relro_start && at < forecast->relro_end,
	};
	count_relocations(forecast, page);
	return page->zeroed || page->dynamic || page->relocations;
}

bool forecast_page_next(const struct forecast *forecast, uint64_t *at,
			struct forecast_page *page)
{
	uint64_t next = lower(lower(next_relocated(forecast, *at), next_zeroed(forecast, *at)),
			      next_dynamic(forecast, *at));

	if (next == UINT64_MAX || next > UINT64_MAX - 2 * forecast->page_size)
		return false;
	forecast_page_at(forecast, next, page);
	*at = next + forecast->page_size;
	return true;
}
