// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#include "vmatlas/model/pagetable.h"

const struct name level_entry_names[] = {
	{ LEVEL_ENTRY_UNKNOWN, "unknown", "nothing tells" },
	{ LEVEL_ENTRY_NO_TABLE, "no-table", "the entry above is empty, so there is no table" },
	{ LEVEL_ENTRY_EMPTY, "empty", "an empty entry" },
	{ LEVEL_ENTRY_TABLE, "table", "points to a table of the next level" },
	{ LEVEL_ENTRY_LEAF, "leaf", "maps the page" },
	{ 0, NULL, NULL },
};

#define SCAN_ANY (SCAN_PRESENT | SCAN_SWAPPED)

/* Is any entry set in a range? 1, 0, or -1 if nothing tells. The scan stops at the first. */
static int any_entry(struct address_context *ctx, uint64_t start, uint64_t end)
{
	struct source_region region;
	struct source_scan scan = { .start = start, .end = end, .anyof = SCAN_ANY,
				    .report = SCAN_ANY };
	uint64_t walked = 0;
	size_t count = 0;

	if (end > ctx->geometry->user_end)
		scan.end = ctx->geometry->user_end;
	if (scan.start >= scan.end ||
	    source_pagemap_scan(ctx->process->source, &scan, &region, 1, &count, &walked,
				NULL) < 0)
		return -1;
	return count != 0;
}

static enum table_level level_above(const struct geometry *g, enum table_level level)
{
	do
		level++;
	while (level < LEVEL_PGD && !geometry_has(g, level));
	return level;
}

static void mark_tables(struct address *address, enum table_level leaf,
			enum level_entry what)
{
	address->levels[leaf] = what;
	for (enum table_level level = leaf + 1; level < LEVEL_MAX; level++)
		address->levels[level] = LEVEL_ENTRY_TABLE;
	for (enum table_level level = LEVEL_PTE; level < leaf; level++)
		address->levels[level] = LEVEL_ENTRY_NO_TABLE;
}

/* From the bottom: the first table in whose range anything is set must exist. */
static void find_empty(struct address_context *ctx, struct address *address)
{
	const struct geometry *g = ctx->geometry;
	enum table_level level = LEVEL_PTE;

	while (level < LEVEL_PGD) {
		enum table_level above = level_above(g, level);
		uint64_t span = geometry_span(g, above);
		uint64_t start = address->address & ~(span - 1);
		int any = any_entry(ctx, start, start + span);

		if (any < 0)
			return;
		if (any)
			break;
		level = above;
	}
	mark_tables(address, level, LEVEL_ENTRY_EMPTY);
}

void address_levels_find(struct address_context *ctx, struct address *address)
{
	const struct page_run *run = &address->page.run;

	if (run->kind == PAGE_NONE)
		find_empty(ctx, address);
	else if (run->kind != PAGE_UNREADABLE)
		mark_tables(address, table_leaf_level(ctx->geometry, run->leaf),
			    LEVEL_ENTRY_LEAF);
}
