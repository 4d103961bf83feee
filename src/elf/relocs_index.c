// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "bytes.h"
#include "vmatlas/base/search.h"
#include "vmatlas/elf/relocs.h"

#define SMALL_MAX 32		/* bytes of a place in the main array */
#define LARGE_MAX 4096		/* places in the other one */
#define SORTED_RUNS_MAX 8u	/* runs merged one by one; with more all is sorted */
#define SIZE_FIELD_MAX ((1u << 24) - 1)

struct place_array {
	struct elf_reloc_place *items;
	size_t count;
	size_t cap;
	bool unsorted;
};

static int add_place(struct place_array *array, const struct elf_reloc *reloc)
{
	if (array_grow((void **)&array->items, &array->cap, array->count,
		       sizeof(*array->items)) < 0)
		return -ERROR_NOMEM;
	if (array->count && array->items[array->count - 1].place > reloc->place)
		array->unsorted = true;
	array->items[array->count++] = (struct elf_reloc_place) {
		.place = reloc->place,
		.symbol = reloc->symbol,
		.size = reloc->size < SIZE_FIELD_MAX ? (uint32_t)reloc->size : SIZE_FIELD_MAX,
		.kind = reloc->kind,
		.table = reloc->table,
	};
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct elf_reloc_place *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return (x->symbol > y->symbol) - (x->symbol < y->symbol);
}

/* First element that is smaller than the one before it, from `at` on. */
static size_t run_end(const struct place_array *array, size_t at)
{
	while (++at < array->count)
		if (compare_places(&array->items[at - 1], &array->items[at]) > 0)
			break;
	return at;
}

/* Two ascending runs into one, through a copy of the second, from the end. */
static int merge_runs(struct place_array *array, size_t middle, size_t end)
{
	size_t left = middle, right = end - middle, at = end;
	CLEANUP_FREE struct elf_reloc_place *copy = malloc(right * sizeof(*copy));

	if (!copy)
		return -ERROR_NOMEM;
	memcpy(copy, array->items + middle, right * sizeof(*copy));
	while (right) {
		bool take_left = left &&
				 compare_places(&array->items[left - 1], &copy[right - 1]) > 0;

		array->items[--at] = take_left ? array->items[--left] : copy[--right];
	}
	return 0;
}

/* Linkers write few ascending runs one after the other: by kind, and by table. */
static int sort_places(struct place_array *array)
{
	size_t middle, end = 0;
	unsigned merges = 0;

	if (!array->unsorted)
		return 0;
	for (middle = run_end(array, 0); middle < array->count; middle = end) {
		if (merges++ == SORTED_RUNS_MAX) {
			qsort(array->items, array->count, sizeof(*array->items), compare_places);
			return 0;
		}
		end = run_end(array, middle);
		if (merge_runs(array, middle, end) < 0)
			return -ERROR_NOMEM;
	}
	return 0;
}

/* Segments are looked up once per run of places in the same one. */
static bool is_text(const struct elf_image *image, uint64_t place,
		    const struct elf_segment **last)
{
	if (!*last || place < (*last)->vaddr || place - (*last)->vaddr >= (*last)->memsz)
		*last = elf_image_load(image, place);
	return *last && !((*last)->flags & PF_W);
}

/* Keeps the places of one kind, with ELF_RELOC_KIND_MAX of all. */
static int fill(const struct elf_image *image, struct elf_relocs *relocs,
		enum elf_reloc_kind kind, struct elf_reloc_index *index,
		struct place_array *small, struct place_array *large)
{
	const struct elf_segment *segment = NULL;
	struct elf_reloc reloc;

	while (elf_relocs_next(relocs, &reloc)) {
		bool is_large = reloc.size > SMALL_MAX;
		struct place_array *array = is_large ? large : small;

		index->total++;
		index->by_kind[reloc.kind]++;
		index->by_table[reloc.table]++;
		if (is_text(image, reloc.place, &segment) && reloc.size)
			index->text++;
		if (!segment && reloc.size)
			index->damage |= ELF_DAMAGE_RELOCATIONS;	/* outside of all memory */
		if (kind != ELF_RELOC_KIND_MAX && kind != reloc.kind)
			continue;
		if (array->count >= (is_large ? LARGE_MAX : ELF_RELOC_PLACES_MAX))
			index->damage |= ELF_DAMAGE_LIMIT;
		else if (reloc.size && add_place(array, &reloc) < 0)
			return -ERROR_NOMEM;
	}
	index->damage |= elf_relocs_damage(relocs);
	return 0;
}

int elf_reloc_index_of_kind(const struct elf_image *image, const struct elf_dynamic *dynamic,
			    enum elf_reloc_kind kind, struct elf_reloc_index **index,
			    struct error *error)
{
	CLEANUP(elf_relocs_freep) struct elf_relocs *relocs = NULL;
	struct place_array small = { 0 }, large = { 0 };
	struct elf_reloc_index *made;
	int ret = elf_relocs_open(image, dynamic, &relocs, error);

	if (ret < 0)
		return ret;
	made = calloc(1, sizeof(*made));
	if (!made)
		return error_nomem(error);
	ret = fill(image, relocs, kind, made, &small, &large);
	if (!ret)
		ret = sort_places(&small);
	if (!ret)
		ret = sort_places(&large);
	made->places = small.items;
	made->count = small.count;
	made->large = large.items;
	made->large_count = large.count;
	if (ret < 0) {
		elf_reloc_index_free(made);
		return error_nomem(error);
	}
	*index = made;
	return 0;
}

int elf_reloc_index_build(const struct elf_image *image, const struct elf_dynamic *dynamic,
			  struct elf_reloc_index **index, struct error *error)
{
	return elf_reloc_index_of_kind(image, dynamic, ELF_RELOC_KIND_MAX, index, error);
}

void elf_reloc_index_free(struct elf_reloc_index *index)
{
	if (!index)
		return;
	free(index->places);
	free(index->large);
	free(index);
}

struct elf_reloc_cursor elf_reloc_index_seek(const struct elf_reloc_index *index, uint64_t start,
					     uint64_t end)
{
	uint64_t from = start > SMALL_MAX ? start - SMALL_MAX : 0;
	size_t first = SEARCH_FIRST(i, index->count, index->places[i].place < from);

	return (struct elf_reloc_cursor) { start, end, first, 0 };
}

static bool touches(const struct elf_reloc_place *place, const struct elf_reloc_cursor *cursor)
{
	return place->place < cursor->end &&
	       (place->place >= cursor->start || place->size > cursor->start - place->place);
}

bool elf_reloc_index_next(const struct elf_reloc_index *index, struct elf_reloc_cursor *cursor,
			  struct elf_reloc_place *place)
{
	while (cursor->place < index->count &&
	       index->places[cursor->place].place < cursor->end) {
		*place = index->places[cursor->place++];
		if (touches(place, cursor))
			return true;
	}
	while (cursor->large < index->large_count &&
	       index->large[cursor->large].place < cursor->end) {
		*place = index->large[cursor->large++];
		if (touches(place, cursor))
			return true;
	}
	return false;
}

/* Counts the pages of [place, place + size) from page *next on; both arrays ascend. */
static uint64_t count_pages(const struct elf_reloc_place *place, uint64_t page_size,
			    uint64_t *next)
{
	uint64_t first = place->place / page_size;
	uint64_t last = (place->place + place->size - 1) / page_size;

	if (first < *next)
		first = *next;
	if (last < first)
		return 0;
	*next = last + 1;
	return last - first + 1;
}

uint64_t elf_reloc_index_pages(const struct elf_reloc_index *index, uint64_t page_size)
{
	uint64_t pages = 0, next = 0;
	size_t i = 0, k = 0;

	while (i < index->count || k < index->large_count) {
		bool small = k == index->large_count ||
			     (i < index->count && index->places[i].place < index->large[k].place);

		pages += count_pages(small ? &index->places[i++] : &index->large[k++], page_size,
				     &next);
	}
	return pages;
}
