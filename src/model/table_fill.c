// SPDX-License-Identifier: LGPL-2.1-or-later
#include "table_fill.h"

static uint64_t table_entries(const struct geometry *g)
{
	return 1ULL << g->level[LEVEL_PTE].bits;
}

static uint64_t waste_entries(const struct geometry *g, const struct table_waste *waste)
{
	return waste->tables * table_entries(g) - waste->entries;
}

/* Keeps the worst ranges, most unused entries first; an insertion into a short list. */
static void range_flush(struct table_builder *builder)
{
	struct table_fill *fill = &builder->fill;
	const struct geometry *g = builder->geometry;
	uint64_t unused = waste_entries(g, &builder->range);
	size_t at = fill->worst_count;

	if (!builder->range.tables)
		return;
	if (at == TABLE_WASTE_MAX && waste_entries(g, &fill->worst[at - 1]) >= unused) {
		builder->range.tables = 0;
		return;
	}
	if (at == TABLE_WASTE_MAX)
		at--;
	else
		fill->worst_count++;
	for (; at && waste_entries(g, &fill->worst[at - 1]) < unused; at--)
		fill->worst[at] = fill->worst[at - 1];
	fill->worst[at] = builder->range;
	builder->range.tables = 0;
}

static void range_extend(struct table_builder *builder)
{
	const struct geometry *g = builder->geometry;
	uint64_t span = table_entries(g) << g->page_shift;
	uint64_t start = builder->fill_table * span;
	struct table_waste *range = &builder->range;

	if (range->tables && (range->end != start || range->vma != builder->fill_vma))
		range_flush(builder);
	if (!range->tables)
		*range = (struct table_waste) { .start = start, .vma = builder->fill_vma };
	range->end = start + span;
	range->tables++;
	range->entries += builder->fill_entries;
}

/* The table that was being filled will get no more entries. */
static void table_end(struct table_builder *builder)
{
	uint64_t used = builder->fill_entries;

	if (!builder->fill_any)
		return;
	builder->fill_any = false;
	if (used == table_entries(builder->geometry)) {
		builder->fill.full++;
	} else if (used <= table_entries(builder->geometry) / TABLE_SPARSE_PART) {
		builder->fill.sparse++;
		builder->fill.single += used == 1;
		range_extend(builder);
	}
}

static void entries_add(struct table_builder *builder, uint64_t table, uint64_t entries,
			uint32_t vma)
{
	if (builder->fill_any && builder->fill_table != table)
		table_end(builder);
	if (!builder->fill_any) {
		builder->fill_any = true;
		builder->fill_table = table;
		builder->fill_entries = 0;
		builder->fill_vma = vma;
	}
	builder->fill_entries += entries;
}

void table_fill_add(struct table_builder *builder, const struct table_run *run)
{
	const struct geometry *g = builder->geometry;
	unsigned bits = g->level[LEVEL_PTE].bits;
	uint64_t first = run->start >> g->page_shift, end = first + run->pages;

	while (first < end) {
		uint64_t stop = ((first >> bits) + 1) << bits;

		if (stop > end)
			stop = end;
		entries_add(builder, first >> bits, stop - first, run->vma);
		first = stop;
	}
}

void table_fill_finish(struct table_builder *builder)
{
	table_end(builder);
	range_flush(builder);
}
