// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

/* Without pages: what the kernel counted itself, VMA by VMA. In private mappings of files all
 * anonymous pages are copies; which private pages others map too is not to be had. */
static void sum_smaps(const struct process *process, const struct vma *vma,
		      struct compare_sum *sum)
{
	uint64_t present, value[SMAPS_KEY_MAX];
	struct state_facts facts;

	if (!vma_smaps(process, vma, &present, value))
		return;
	state_facts_of(process, vma, &facts);
	sum->rss = value[SMAPS_RSS];
	sum->pss_fixed = value[SMAPS_PSS] << COW_PSS_SHIFT;
	sum->uss = value[SMAPS_PRIVATE_CLEAN] + value[SMAPS_PRIVATE_DIRTY];
	sum->swap = value[SMAPS_SWAP];
	if (facts.has_file && !(vma->perms & VMA_SHARED))
		sum->copied = value[SMAPS_ANONYMOUS];
}

/* Counters are of whole VMAs: where a part was matched they belong to no row. */
static bool is_whole(const struct process *process, const struct compare_range *range)
{
	return range->vma == VMA_NONE || (process->vmas[range->vma].start == range->start &&
					  process->vmas[range->vma].end == range->end);
}

/* A file has whole VMAs: each counts with its first part. */
static void sum_file(struct comparison *comparison, const struct compare_row *row,
		     enum compare_side side, const struct compare_range *range)
{
	const struct process *process = comparison->process[side];
	struct compare_sum sum = { .rss = 0 };

	if (range->vma == VMA_NONE || row->object == OBJECT_NONE ||
	    process->vmas[range->vma].start != range->start)
		return;
	sum_smaps(process, &process->vmas[range->vma], &sum);
	compare_sum_add(&comparison->files[row->object].sum[side], &sum);
}

static void sum_row(struct comparison *comparison, size_t index)
{
	const struct compare_match *match = &comparison->map.matches[index];
	struct compare_row *row = &comparison->rows[index];

	row->summed = true;
	for (int side = 0; side < SIDE_MAX; side++) {
		const struct process *process = comparison->process[side];
		const struct compare_range *range = &match->side[side];

		row->summed &= is_whole(process, range);
		if (range->vma != VMA_NONE && is_whole(process, range))
			sum_smaps(process, &process->vmas[range->vma], &row->sum[side]);
		sum_file(comparison, row, side, range);
	}
}

static void sum_total(struct comparison *comparison, const struct compare_request *request,
		      enum compare_side side)
{
	const struct process *process = comparison->process[side];

	for (size_t i = 0; i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];
		struct compare_sum sum = { .rss = 0 };

		if (request->selects && !request->selects(request->ctx, process, vma))
			continue;
		sum_smaps(process, vma, &sum);
		compare_sum_add(&comparison->total.sum[side], &sum);
		compare_sum_add(&comparison->classes[vma->vma_class].sum[side], &sum);
	}
}

void compare_smaps(struct comparison *comparison, const struct compare_request *request)
{
	for (int side = 0; side < SIDE_MAX; side++) {
		enum gap gap = comparison->process[side]->smaps_gap;

		if (gap != GAP_NONE)
			comparison->smaps_gap = gap;
	}
	if (comparison->smaps_gap != GAP_NONE)
		return;
	for (size_t i = 0; i < comparison->map.count; i++)
		sum_row(comparison, i);
	for (int side = 0; side < SIDE_MAX; side++)
		sum_total(comparison, request, side);
}
