// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

const char *compare_state_name(unsigned state)
{
	if (state == STATE_UNMAPPED)
		return "unmapped";
	return state == STATE_UNKNOWN ? "unknown" : name_of(page_state_names, state);
}

enum gap compare_pages_access(struct source_process *process)
{
	struct error error = ERROR_INIT;
	uint64_t word;
	size_t got;

	if (source_pagemap(process, 0, &word, 1, &got, &error) >= 0)
		return GAP_NONE;
	return gap_from_error(&error);
}

/* What moved anonymous memory is told by: pages of a fork hold no other frames either. */
struct first_page {
	uint64_t start, end;
	bool found;
	uint64_t address, frame;
};

static int one_range(void *ctx, struct page_range *range)
{
	struct first_page *first = ctx;

	if (first->start == first->end)
		return 0;
	*range = (struct page_range) { .start = first->start, .end = first->end };
	first->start = first->end;
	return 1;
}

static int look(void *ctx, uint32_t index, const struct page_run *run)
{
	struct first_page *first = ctx;

	(void)index;
	if (run->kind != PAGE_PRESENT || !run->frame_known || !run->flags_known || run->zero ||
	    !(run->flags & KPF_ANON) || run->flags & KPF_KSM)
		return 0;
	first->address = run->start;
	first->frame = run->frame;
	first->found = true;
	return -1;		/* that is enough */
}

static int first_frame(void *ctx, enum compare_side side, const struct compare_range *range,
		       uint64_t *address, uint64_t *frame)
{
	struct pages *const *pages = ctx;
	struct first_page first = { .start = range->start, .end = range->end };
	struct page_ranges ranges = { one_range, &first, true };
	int rc = pages_walk(pages[side], &ranges, look, &first, NULL);

	if (!first.found)
		return rc < 0 ? rc : 0;
	*address = first.address;
	*frame = first.frame;
	return 1;
}

/* Frame numbers mean the same on both sides only on one machine, up since then. Where a snapshot
 * does not name the boot that is told by the kernel and how much memory it has. */
static bool same_boot(struct source *before, struct source *after)
{
	const char *one = source_boot_id(before), *other = source_boot_id(after);

	if (one[0] && other[0])
		return !strcmp(one, other);
	return !strcmp(source_host(before)->kernel, source_host(after)->kernel) &&
	       source_frames_end(before) == source_frames_end(after);
}

static bool frames_comparable(const struct comparison *comparison)
{
	struct source *before = source_process_source(comparison->process[BEFORE]->source);
	struct source *after = source_process_source(comparison->process[AFTER]->source);

	if (comparison->pages_gap != GAP_NONE || !source_host(before)->frames_visible ||
	    !source_host(after)->frames_visible)
		return false;
	return before == after || same_boot(before, after);
}

static int build_map(struct comparison *comparison, struct error *error)
{
	struct pages *pages[SIDE_MAX] = { NULL, NULL };
	struct compare_probe probe = { first_frame, pages };
	bool frames = frames_comparable(comparison);
	int rc = 0;

	for (int side = 0; side < SIDE_MAX && frames && rc >= 0; side++)
		rc = pages_new(comparison->process[side]->source, PAGE_NEED_FLAGS, &pages[side],
			       error);
	if (rc >= 0)
		rc = compare_map_build(comparison->process[BEFORE], comparison->process[AFTER],
				       frames ? &probe : NULL, &comparison->map, error);
	for (int side = 0; side < SIDE_MAX; side++)
		pages_free(pages[side]);
	comparison->frames = frames && comparison->map.kin != KIN_OTHER;
	return rc;
}

/* What was not asked for is not compared. */
static void choose(struct comparison *comparison, const struct compare_request *request)
{
	struct compare_map *map = &comparison->map;
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++) {
		bool wanted = false;

		for (int side = 0; side < SIDE_MAX; side++) {
			uint32_t vma = map->matches[i].side[side].vma;

			wanted |= vma != VMA_NONE &&
				  request->selects(request->ctx, comparison->process[side],
						   &comparison->process[side]->vmas[vma]);
		}
		if (wanted)
			map->matches[kept++] = map->matches[i];
	}
	map->count = kept;
}

struct compare_tally *compare_class(struct comparison *comparison,
				    const struct compare_match *match)
{
	enum compare_side side = match->side[AFTER].vma == VMA_NONE ? BEFORE : AFTER;
	const struct vma *vma = &comparison->process[side]->vmas[match->side[side].vma];

	return &comparison->classes[vma->vma_class];
}

/* Known whatever else can be read. */
static void make_sizes(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->map.count; i++)
		for (int side = 0; side < SIDE_MAX; side++) {
			const struct compare_match *match = &comparison->map.matches[i];
			uint64_t size = match->side[side].end - match->side[side].start;
			struct compare_row *row = &comparison->rows[i];

			row->sum[side].size = size;
			comparison->total.sum[side].size += size;
			compare_class(comparison, match)->sum[side].size += size;
			if (row->object != OBJECT_NONE)
				comparison->files[row->object].sum[side].size += size;
		}
}

static int compare(struct comparison *comparison, const struct compare_request *request,
		   struct error *error)
{
	int rc = build_map(comparison, error);

	if (rc < 0)
		return rc;
	if (request->selects)
		choose(comparison, request);
	comparison->rows = calloc(comparison->map.count + 1, sizeof(*comparison->rows));
	if (!comparison->rows || compare_files_make(comparison) < 0)
		return error_nomem(error);
	make_sizes(comparison);
	if (comparison->pages_gap != GAP_NONE) {
		compare_smaps(comparison, request);
		return 0;
	}
	if (request->causes)
		rc = causes_new(comparison->process[AFTER], &comparison->causes, error);
	return rc < 0 ? rc : compare_pages(comparison, error);
}

int comparison_new(struct process *before, struct process *after,
		   const struct compare_request *request, struct comparison **made,
		   struct error *error)
{
	CLEANUP(comparison_freep) struct comparison *comparison = calloc(1, sizeof(*comparison));
	int rc;

	if (!comparison)
		return error_nomem(error);
	comparison->process[BEFORE] = before;
	comparison->process[AFTER] = after;
	for (int side = 0; side < SIDE_MAX; side++) {
		enum gap gap = compare_pages_access(comparison->process[side]->source);

		if (gap != GAP_NONE)
			comparison->pages_gap = gap;
	}
	rc = compare(comparison, request, error);
	if (rc < 0)
		return rc;
	*made = comparison;
	comparison = NULL;
	return 0;
}

void comparison_free(struct comparison *comparison)
{
	if (!comparison)
		return;
	compare_map_done(&comparison->map);
	causes_free(comparison->causes);
	free(comparison->total.items);
	for (int i = 0; i < VMA_CLASS_MAX; i++)
		free(comparison->classes[i].items);
	free(comparison->rows);
	free(comparison->pool);
	free(comparison->files);
	free(comparison);
}

/* Without pages only counters tell: of a program at work these never stand still for long, so
 * what is weighed is what it did itself. */
static bool sums_differ(const struct compare_row *row)
{
	const struct compare_sum *before = &row->sum[BEFORE], *after = &row->sum[AFTER];

	return row->summed && (before->rss != after->rss || before->swap != after->swap ||
			       before->copied != after->copied);
}

bool compare_row_differs(const struct comparison *comparison, size_t row)
{
	const struct compare_row *r = &comparison->rows[row];

	if (!(comparison->map.matches[row].changes & 1u << CHANGE_SAME))
		return true;
	if (comparison->pages_gap != GAP_NONE)
		return comparison->smaps_gap == GAP_NONE && sums_differ(r);
	for (uint32_t i = 0; i < r->count; i++)
		if (transition_changes(&comparison->pool[r->first + i]))
			return true;
	return false;
}

bool comparison_differs(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->map.count; i++)
		if (compare_row_differs(comparison, i))
			return true;
	return false;
}
