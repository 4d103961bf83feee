// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/pagetable.h"

#include <string.h>

#include "table_fill.h"

uint64_t table_counts_bytes(const struct geometry *g, const struct table_counts *counts)
{
	uint64_t bytes = counts->deposited * geometry_table_bytes(g, LEVEL_PTE);

	for (enum table_level level = LEVEL_PTE; level <= LEVEL_PUD; level++)
		bytes += counts->tables[level] * geometry_table_bytes(g, level);
	return bytes;
}

enum table_level table_leaf_level(const struct geometry *g, enum page_leaf leaf)
{
	switch (leaf) {
	case LEAF_PMD:
		return geometry_unfold(g, LEVEL_PMD);
	case LEAF_PUD:
		return geometry_unfold(g, LEVEL_PUD);
	case LEAF_BASE:
	case LEAF_UNKNOWN:
		break;
	}
	return LEVEL_PTE;
}

void table_builder_init(struct table_builder *builder, const struct geometry *geometry,
			int (*on_vma)(void *ctx, uint32_t vma, const struct table_counts *counts),
			void *ctx)
{
	memset(builder, 0, sizeof(*builder));
	builder->geometry = geometry;
	builder->on_vma = on_vma;
	builder->ctx = ctx;
}

/* How many numbers of [first, last] were not seen before; *next moves behind them. */
static uint64_t count_new(uint64_t *next, uint64_t first, uint64_t last)
{
	uint64_t from = first > *next ? first : *next;

	if (from > last)
		return 0;
	*next = last + 1;
	return last - from + 1;
}

/*
 * Counts the entries of a run on its leaf level and what must exist above them. The table that
 * holds an entry is the entry of the next level up, so both shift together. Returns the number
 * of leaf entries that were new.
 */
static uint64_t walk_add(struct table_walk *walk, const struct geometry *g,
			 const struct table_run *run, enum table_level leaf)
{
	uint64_t first = run->start >> g->level[leaf].shift;
	uint64_t last = (run->start + (run->pages << g->page_shift) - 1) >> g->level[leaf].shift;
	uint64_t leaves = count_new(&walk->next_entry[leaf], first, last);

	walk->counts.entries[leaf] += leaves;
	if (run->present)
		walk->counts.leaves[leaf] += leaves;
	else
		walk->counts.absent += leaves;
	if (run->deposit && leaf != LEVEL_PTE)
		walk->counts.deposited += leaves;
	for (enum table_level level = leaf; leaves && level < LEVEL_MAX; level++) {
		if (!geometry_has(g, level))
			continue;
		if (level != leaf)
			walk->counts.entries[level] +=
				count_new(&walk->next_entry[level], first, last);
		first >>= g->level[level].bits;
		last >>= g->level[level].bits;
		walk->counts.tables[level] += count_new(&walk->next_table[level], first, last);
	}
	return leaves;
}

static void counts_subtract(struct table_counts *counts, const struct table_counts *before)
{
	for (enum table_level level = LEVEL_PTE; level < LEVEL_MAX; level++) {
		counts->tables[level] -= before->tables[level];
		counts->entries[level] -= before->entries[level];
		counts->leaves[level] -= before->leaves[level];
	}
	counts->absent -= before->absent;
	counts->deposited -= before->deposited;
}

/* A VMA without an anonymous page is left out of the child: forget what it added. */
static void fork_end_vma(struct table_builder *builder)
{
	struct table_fork *fork = &builder->fork;

	if (builder->fork_anonymous) {
		fork->vmas++;
		fork->protected_entries += builder->fork_entries;
		fork->protected_pages += builder->fork_pages;
	} else {
		fork->vmas_skipped++;
		builder->fork_walk = builder->fork_before;
	}
	builder->fork_before = builder->fork_walk;
	builder->fork_anonymous = false;
	builder->fork_entries = 0;
	builder->fork_pages = 0;
}

static void fork_add(struct table_builder *builder, const struct table_run *run,
		     enum table_level leaf)
{
	uint64_t leaves;

	if (run->fork_skips)
		return;
	leaves = walk_add(&builder->fork_walk, builder->geometry, run, leaf);
	if (!run->anonymous)
		return;
	builder->fork_anonymous = true;
	if (run->present) {
		builder->fork_entries += leaves;
		builder->fork_pages += run->pages;
	}
}

static int end_vma(struct table_builder *builder)
{
	struct table_counts counts = builder->walk.counts;

	if (!builder->any)
		return 0;
	fork_end_vma(builder);
	counts_subtract(&counts, &builder->before);
	builder->before = builder->walk.counts;
	return builder->on_vma ? builder->on_vma(builder->ctx, builder->vma, &counts) : 0;
}

int table_builder_add(struct table_builder *builder, const struct table_run *run)
{
	enum table_level leaf = table_leaf_level(builder->geometry, run->leaf);
	int err;

	if (!builder->any || run->vma != builder->vma) {
		err = end_vma(builder);
		if (err < 0)
			return err;
		builder->any = true;
		builder->vma = run->vma;
	}
	if (leaf == LEVEL_PTE)
		table_fill_add(builder, run);
	walk_add(&builder->walk, builder->geometry, run, leaf);
	fork_add(builder, run, leaf);
	return 0;
}

/* Every process has a PGD, and under PAE its PMD tables, whatever is mapped. */
static uint64_t add_fixed(const struct geometry *g, struct table_counts *counts)
{
	uint64_t missing = 0;

	counts->tables[LEVEL_PGD] = 1;
	if (counts->tables[LEVEL_PMD] < g->preallocated_pmds)
		missing = g->preallocated_pmds - counts->tables[LEVEL_PMD];
	counts->tables[LEVEL_PMD] += missing;
	return missing;
}

int table_builder_finish(struct table_builder *builder)
{
	int err = end_vma(builder);

	table_fill_finish(builder);
	builder->preallocated = add_fixed(builder->geometry, &builder->walk.counts);
	builder->fork.counts = builder->fork_walk.counts;
	add_fixed(builder->geometry, &builder->fork.counts);
	return err;
}
