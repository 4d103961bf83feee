// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cow_row.h"

/* If a page could not be read every sum is too small, and a zero would be a lie. */
static bool not_known(const struct cow_counts *counts)
{
	return counts->states[STATE_UNKNOWN];
}

/* Names with the numbers that are not zero, as an object. */
static struct cell count_object(const struct name *names, const uint64_t *values, size_t most,
				struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, most);
	size_t n = 0;

	if (!items)
		return cell_null();
	for (; names->name; names++)
		if (values[names->value])
			items[n++] = cell_named(names->name, cell_count(values[names->value]));
	return cell_object(items, n);
}

struct cell cow_states_cell(const struct cow_counts *counts, struct scratch *scratch)
{
	if (not_known(counts))
		return cell_missing(counts->gap);
	return count_object(page_state_names, counts->states, STATE_MAX, scratch);
}

struct cell cow_writes_cell(const struct cow_counts *counts, struct scratch *scratch)
{
	if (not_known(counts))
		return cell_missing(counts->gap);
	return count_object(effect_names, counts->writes, EFFECT_MAX, scratch);
}

struct cell cow_sharers_cell(const struct cow_counts *counts, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, counts->sharer_count + 1);

	if (counts->uncounted || not_known(counts))
		return cell_missing(counts->uncounted ? counts->count_gap : counts->gap);
	if (!items)
		return cell_null();
	for (size_t i = 0; i < counts->sharer_count; i++) {
		const struct cow_sharer *sharer = &counts->sharers[i];
		struct span name = scratch_dec(scratch, sharer->mappings);

		items[i] = cell_named(name.ptr, cell_count(sharer->pages));
	}
	return cell_object(items, counts->sharer_count);
}

struct cell cow_size_cell(const struct cow_counts *counts, uint64_t bytes)
{
	return not_known(counts) ? cell_missing(counts->gap) : cell_size(bytes);
}

struct cell cow_pss_cell(const struct cow_counts *counts)
{
	if (counts->uncounted)
		return cell_missing(counts->count_gap);
	return cow_size_cell(counts, counts->pss_fixed >> COW_PSS_SHIFT);
}

const char *cow_leaf_name(enum page_leaf leaf, uint32_t page_size)
{
	static const struct {
		uint32_t page_size;
		const char *names[LEAF_PUD + 1];
	} sizes[] = {
		{ 4096, { [LEAF_BASE] = "4K", [LEAF_PMD] = "2M", [LEAF_PUD] = "1G" } },
		{ 16384, { [LEAF_BASE] = "16K", [LEAF_PMD] = "32M", [LEAF_PUD] = "64G" } },
		{ 65536, { [LEAF_BASE] = "64K", [LEAF_PMD] = "512M", [LEAF_PUD] = "4T" } },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i].page_size == page_size)
			return sizes[i].names[leaf];
	return NULL;
}
