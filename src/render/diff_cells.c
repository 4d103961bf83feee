// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "diff_row.h"

static uint64_t sum_value(const struct compare_sum *sum, enum diff_sum which)
{
	switch (which) {
	case DIFF_SIZE:
		return sum->size;
	case DIFF_RSS:
		return sum->rss;
	case DIFF_PSS:
		return sum->pss_fixed >> COW_PSS_SHIFT;
	case DIFF_USS:
		return sum->uss;
	case DIFF_SWAP:
		return sum->swap;
	case DIFF_COPIED:
		return sum->copied;
	case DIFF_SHARED:
		return sum->shared;
	}
	return 0;
}

/* Why a sum is missing: pages that could not be read make every sum too small. */
static enum gap sum_gap(const struct diff_gaps *gaps, const struct compare_sum *sum,
			enum diff_sum which)
{
	if (which == DIFF_SIZE)
		return GAP_NONE;
	if (gaps->pages != GAP_NONE)
		return gaps->smaps != GAP_NONE ? gaps->smaps :
		       which == DIFF_SHARED ? gaps->pages : GAP_NONE;
	if (sum->unknown)
		return GAP_CHANGED;
	return sum->uncounted && which == DIFF_PSS ? gaps->count : GAP_NONE;
}

static struct cell side_cell(const struct diff_gaps *gaps, const struct compare_sum *sum,
			     enum diff_sum which)
{
	enum gap gap = sum_gap(gaps, sum, which);

	return gap != GAP_NONE ? cell_missing(gap) : cell_size(sum_value(sum, which));
}

struct cell diff_sum_cell(const struct diff_ctx *ctx, const struct compare_sum sum[SIDE_MAX],
			  enum diff_sum which, struct scratch *scratch)
{
	struct cell before = side_cell(&ctx->gaps, &sum[BEFORE], which);
	struct cell after = side_cell(&ctx->gaps, &sum[AFTER], which);
	struct cell *items;

	if (!ctx->json) {
		if (before.type == CELL_MISSING || after.type == CELL_MISSING)
			return before.type == CELL_MISSING ? before : after;
		return cell_delta(before.count, after.count);
	}
	items = scratch_cells(scratch, 2);
	if (!items)
		return cell_null();
	items[0] = cell_named("before", before);
	items[1] = cell_named("after", after);
	return cell_object(items, 2);
}

struct cell diff_pages_cell(const struct compare_transition *items, size_t count,
			    struct scratch *scratch)
{
	struct cell *cells = scratch_cells(scratch, count + 1);
	size_t n = 0;

	/* The same states may be there with different frames: added up. */
	for (size_t i = 0; cells && i < count; i++) {
		struct span name = scratch_printf(scratch, "%s>%s",
						  compare_state_name(items[i].from),
						  compare_state_name(items[i].to));
		size_t k = 0;

		while (k < n && strcmp(cells[k].name, name.ptr))
			k++;
		if (k == n)
			cells[n++] = cell_named(name.ptr, cell_count(0));
		cells[k].count += items[i].pages;
	}
	return cells ? cell_object(cells, n) : cell_null();
}

struct cell diff_frames_cell(const struct comparison *comparison,
			     const struct compare_transition *items, size_t count,
			     struct scratch *scratch)
{
	struct cell *cells = scratch_cells(scratch, 2);
	uint64_t same = 0, other = 0;

	if (!cells || !comparison->frames)
		return cell_null();
	for (size_t i = 0; i < count; i++) {
		same += items[i].frame == FRAME_SAME ? items[i].pages : 0;
		other += items[i].frame == FRAME_OTHER ? items[i].pages : 0;
	}
	cells[0] = cell_named("same", cell_count(same));
	cells[1] = cell_named("other", cell_count(other));
	return cell_object(cells, 2);
}

struct cell diff_vma_cell(const struct comparison *comparison, const struct compare_match *match,
			  enum compare_side side, struct scratch *scratch)
{
	const struct compare_range *range = &match->side[side];
	const struct process *process = comparison->process[side];
	struct cell *items = scratch_cells(scratch, 8);
	const struct vma *vma;
	struct span name;
	char *perms;

	if (range->vma == VMA_NONE || !items)
		return cell_null();
	vma = &process->vmas[range->vma];
	name = vma_name(process, vma);
	perms = scratch_alloc(scratch, 5);
	if (perms)
		maps_perms_text(vma->perms, perms);
	items[0] = cell_named("start", cell_hex(range->start));
	items[1] = cell_named("end", cell_hex(range->end));
	items[2] = cell_named("perms", cell_text(perms));
	items[3] = cell_named("class", cell_text(name_of(vma_class_names, vma->vma_class)));
	items[4] = cell_named("role", cell_text(name_of(vma_role_names, vma->role)));
	items[5] = cell_named("offset", cell_hex(vma->offset + (range->start - vma->start)));
	items[6] = cell_named("path", name.len ? cell_path(name) : cell_null());
	items[7] = cell_named("vma", cell_hex(vma->start));
	return cell_object(items, 8);
}
