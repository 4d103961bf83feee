// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "ledger.h"
#include "vmatlas/analyse/state.h"
#include "vmatlas/model/pagetable.h"

/* Address range of one table. */
static uint64_t table_span(const struct geometry *g, enum table_level level)
{
	return geometry_span(g, level) << g->level[level].bits;
}

/* Tables of one level that the VMAs have room for, all or those of PFN maps; a table that serves
 * two counts once. */
static uint64_t count_room(const struct process *process, const struct geometry *g,
			   enum table_level level, bool hidden_only)
{
	uint64_t span = table_span(g, level), next = 0, count = 0;

	for (size_t i = 0; i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];
		uint64_t first = vma->start / span, last = (vma->end - 1) / span;
		struct state_facts facts;

		state_facts_of(process, vma, &facts);
		if (facts.vsyscall || (hidden_only && !facts.hidden))
			continue;
		first = first > next ? first : next;
		count += last >= first ? last - first + 1 : 0;
		next = last + 1 > next ? last + 1 : next;
	}
	return count;
}

static void add_room(const struct process *process, const struct pagetable *table,
		     enum table_level level, struct ledger_facts *facts)
{
	const struct geometry *g = table->geometry;
	uint64_t bytes = geometry_table_bytes(g, level), used = table->counts.tables[level];
	uint64_t room = count_room(process, g, level, false);

	room = room > used ? (room - used) * bytes : 0;
	if (level == LEVEL_PTE)
		facts->pte_room = room;
	else
		facts->upper_room += room;
	facts->hidden_room += count_room(process, g, level, true) * bytes;
}

int ledger_sum_tables(struct process *process, struct ledger_numbers *numbers,
		      struct ledger_facts *facts, struct error *error)
{
	struct pagetable *CLEANUP(pagetable_freep) table = NULL;
	enum certainty certainty;
	const struct geometry *g = pagetable_geometry(process, &certainty);
	int rc = pagetable_build(process, g, NULL, &table, error);

	if (rc < 0)
		return rc;
	for (enum table_level level = LEVEL_PTE; level <= LEVEL_PUD; level++)
		if (geometry_has(g, level))
			add_room(process, table, level, facts);
	facts->leaf_tables = table->unknown_leaf_pages * process->page_size /
		table_span(g, LEVEL_PTE) * geometry_table_bytes(g, LEVEL_PTE);
	if (table->gap == GAP_NONE)
		numbers_set(numbers, MODEL_TABLES, pagetable_bytes(table));
	else
		numbers->gap = table->gap;
	return 0;
}

#define REGIONS 512

/* Regions of a scan, as ranges of PTE tables. */
struct cursor {
	struct source_process *source;
	struct source_scan scan;
	struct source_region regions[REGIONS];
	size_t count, at;
	uint64_t span;
	uint64_t first, last;	/* tables of the current region */
	uint64_t bytes;		/* of all regions so far */
	bool ended;
};

static int cursor_fill(struct cursor *cursor, struct error *error)
{
	uint64_t walked;
	int rc;

	cursor->at = cursor->count = 0;
	while (!cursor->count && cursor->scan.start < cursor->scan.end) {
		rc = source_pagemap_scan(cursor->source, &cursor->scan, cursor->regions, REGIONS,
					 &cursor->count, &walked, error);
		if (rc < 0)
			return rc;
		cursor->scan.start = walked;
	}
	return 0;
}

static int cursor_next(struct cursor *cursor, struct error *error)
{
	const struct source_region *region;
	int rc = 0;

	if (cursor->at == cursor->count)
		rc = cursor_fill(cursor, error);
	if (rc < 0)
		return rc;
	cursor->ended = cursor->at == cursor->count;
	if (cursor->ended)
		return 0;
	region = &cursor->regions[cursor->at++];
	cursor->first = region->start / cursor->span;
	cursor->last = (region->end - 1) / cursor->span;
	cursor->bytes += region->end - region->start;
	return 0;
}

struct search {
	struct cursor all, used;
	uint64_t next;		/* first table not looked at yet */
	uint64_t emptied;
};

/* Tables from `first` to `last` that have no entry in use. */
static int count_unused(struct search *search, uint64_t first, uint64_t last,
			struct error *error)
{
	struct cursor *used = &search->used;
	int rc = 0;

	while (first <= last) {
		while (rc >= 0 && !used->ended && used->last < first)
			rc = cursor_next(used, error);
		if (rc < 0)
			return rc;
		if (used->ended || used->first > last) {
			search->emptied += last - first + 1;
			break;
		}
		if (used->first > first)
			search->emptied += used->first - first;
		first = used->last + 1;
	}
	return 0;
}

/* A scan of one stretch without hugetlb, whose empty entries look like those of tables. */
static int search_stretch(struct search *search, uint64_t start, uint64_t end,
			  struct error *error)
{
	struct cursor *all = &search->all, *used = &search->used;
	int rc;

	all->scan = (struct source_scan) { .start = start, .end = end, .mask = SCAN_WRITTEN,
					   .report = SCAN_WRITTEN };
	used->scan = (struct source_scan) { .start = start, .end = end,
					    .anyof = SCAN_PRESENT | SCAN_SWAPPED,
					    .report = SCAN_PRESENT };
	all->count = all->at = used->count = used->at = 0;
	rc = cursor_next(used, error);
	while (rc >= 0 && (rc = cursor_next(all, error)) >= 0 && !all->ended) {
		uint64_t first = all->first > search->next ? all->first : search->next;

		rc = count_unused(search, first, all->last, error);
		search->next = all->last + 1 > search->next ? all->last + 1 : search->next;
	}
	while (rc >= 0 && !used->ended)
		rc = cursor_next(used, error);
	return rc;
}

static bool is_searched(const struct process *process, size_t index)
{
	struct state_facts facts;

	state_facts_of(process, &process->vmas[index], &facts);
	return !facts.vsyscall && !facts.hugetlb;
}

static int search_all(const struct process *process, struct search *search, struct error *error)
{
	size_t i = 0;
	int rc = 0;

	while (rc >= 0 && i < process->vma_count) {
		uint64_t start = process->vmas[i].start, end = start;

		for (; i < process->vma_count && is_searched(process, i); i++)
			end = process->vmas[i].end;
		if (end > start)
			rc = search_stretch(search, start, end, error);
		else
			i++;
	}
	return rc;
}

/*
 * Asked for WRITTEN alone the scan reports every entry of a table that is not write-protected, also
 * empty ones (fs/proc/task_mmu.c pagemap_scan_pmd_entry(), 6.7 to 7.2), and nothing where there is
 * no table. That it does so shows where it reports more than what is in use.
 */
void ledger_find_emptied(const struct process *process, struct ledger_facts *facts)
{
	CLEANUP_FREE struct search *search = calloc(1, sizeof(*search));
	enum certainty certainty;
	const struct geometry *g = pagetable_geometry(process, &certainty);

	if (!search)
		return;
	search->all.source = search->used.source = process->source;
	search->all.span = search->used.span = table_span(g, LEVEL_PTE);
	if (search_all(process, search, NULL) < 0 || search->all.bytes <= search->used.bytes)
		return;
	facts->emptied_seen = true;
	facts->emptied = search->emptied * geometry_table_bytes(g, LEVEL_PTE);
}
