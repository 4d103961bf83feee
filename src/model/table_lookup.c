// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/pagetable.h"

struct lookup {
	const struct process *process;
	struct table_lookup *out;	/* filled from the first entry found, or NULL */
	struct table_run run;
	bool found;
	enum gap gap;
};

/* Ends the walk at the first entry. */
static int first_entry(void *ctx, uint32_t vma, const struct page_run *pages)
{
	struct lookup *lookup = ctx;

	if (pages->kind == PAGE_UNREADABLE)
		lookup->gap = pages->gap;
	if (!table_run_from_pages(lookup->process, vma, pages, &lookup->run))
		return 0;
	lookup->found = true;
	if (lookup->out) {
		lookup->out->kind = entry_kind_of(pages);
		lookup->out->frame_known = pages->frame_known;
		lookup->out->frame = pages->frame;
	}
	return -ERROR_LIMIT;
}

/* Is there an entry in the `span` bytes around the address? */
static int look(struct lookup *lookup, const struct geometry *g, uint64_t address, uint64_t span,
		struct error *error)
{
	struct table_filter filter = {
		.start = address & ~(span - 1), .end = (address & ~(span - 1)) + span,
	};
	unsigned needs = lookup->out ? PAGE_NEED_FLAGS | PAGE_NEED_LEAF :
		PAGE_NEED_LEAF | PAGE_JOIN_FRAMES;
	struct pages *CLEANUP(pages_freep) pages = NULL;
	struct table_ranges state;
	struct page_ranges ranges;
	int rc = pages_new(lookup->process->source, needs, &pages, error);

	if (rc < 0)
		return rc;
	ranges = table_ranges_init(&state, lookup->process, g, &filter);
	ranges.sparse = true;
	lookup->found = false;
	rc = pages_walk(pages, &ranges, first_entry, lookup, error);
	return lookup->found ? 0 : rc;
}

/* The levels above the one whose entry was found hold tables. */
static void mark_tables(const struct geometry *g, unsigned above, struct table_lookup *out)
{
	for (unsigned level = above + 1; level < LEVEL_MAX; level++)
		if (geometry_has(g, level))
			out->entry[level] = LOOKUP_TABLE;
}

int pagetable_lookup(const struct process *process, const struct geometry *geometry,
		     uint64_t address, struct table_lookup *out, struct error *error)
{
	struct lookup lookup = { .process = process, .out = out };
	unsigned empty = LEVEL_PTE;
	int rc;

	*out = (struct table_lookup) { .frame_known = false };
	rc = look(&lookup, geometry, address, 1ULL << geometry->page_shift, error);
	if (rc < 0 || (lookup.gap != GAP_NONE && !lookup.found))
		return rc;
	if (lookup.found) {
		enum table_level leaf = table_leaf_level(geometry, lookup.run.leaf);

		out->entry[leaf] = LOOKUP_LEAF;
		mark_tables(geometry, leaf, out);
		return 0;
	}
	lookup.out = NULL;
	for (unsigned level = LEVEL_PMD; level < LEVEL_MAX; level++) {
		if (!geometry_has(geometry, level))
			continue;
		rc = look(&lookup, geometry, address, geometry_span(geometry, level), error);
		if (rc < 0 || (lookup.gap != GAP_NONE && !lookup.found))
			return rc;
		if (lookup.found)
			break;
		empty = level;
	}
	out->entry[empty] = LOOKUP_EMPTY;
	mark_tables(geometry, empty, out);
	return 0;
}
