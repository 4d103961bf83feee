// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

void compare_group_done(struct compare_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		buf_done(&group->members[i].comm);
	free(group->members);
	free(group->total.items);
	*group = (struct compare_group) { .members = NULL };
}

static struct compare_member *member_add(struct compare_group *group,
					 const struct process *process)
{
	struct compare_member *member;

	if (array_grow((void **)&group->members, &group->cap, group->count,
		       sizeof(*group->members)) < 0)
		return NULL;
	member = &group->members[group->count];
	*member = (struct compare_member) { .pid = process->pid, .change = CHANGE_SAME };
	if (buf_add_span(&member->comm, buf_span(&process->comm)) < 0)
		return NULL;
	group->count++;
	group->page_size = process->page_size;
	return member;
}

static void note_gap(enum gap *sum, enum gap gap)
{
	if (gap != GAP_NONE)
		*sum = gap;
}

/* It had its page in common with others of the family, and has another one now. */
static bool is_erosion(const struct compare_transition *transition)
{
	return transition->frame == FRAME_OTHER &&
	       ((transition->from == STATE_ANON_SHARED && transition->to == STATE_ANON) ||
		(transition->from == STATE_COPY_SHARED && transition->to == STATE_COPY));
}

static int add_transitions(struct compare_group *group, struct compare_member *member,
			   const struct compare_tally *tally)
{
	struct compare_tally *total = &group->total;

	for (size_t i = 0; i < tally->count; i++) {
		const struct compare_transition *item = &tally->items[i];

		member->changed += transition_changes(item) ? item->pages : 0;
		member->eroded += is_erosion(item) ? item->pages : 0;
		if (compare_transition_add(&total->items, &total->cap, &total->count, 0, item) < 0)
			return -ERROR_NOMEM;
	}
	return 0;
}

int compare_group_add(struct compare_group *group, const struct comparison *comparison,
		      struct error *error)
{
	struct compare_member *member = member_add(group, comparison->process[AFTER]);

	if (!member || add_transitions(group, member, &comparison->total) < 0)
		return error_nomem(error);
	member->differs = comparison_differs(comparison);
	group->differs |= member->differs;
	note_gap(&group->pages_gap, comparison->pages_gap);
	note_gap(&group->smaps_gap, comparison->smaps_gap);
	note_gap(&group->count_gap, comparison->count_gap);
	for (int side = 0; side < SIDE_MAX; side++) {
		member->sum[side] = comparison->total.sum[side];
		compare_sum_add(&group->total.sum[side], &member->sum[side]);
		group->total.sum[side].size += member->sum[side].size;
	}
	return 0;
}

static int ignore_vma(void *ctx, uint32_t vma, const struct cow_counts *counts)
{
	(void)ctx;
	(void)vma;
	(void)counts;
	return 0;
}

static struct compare_sum sum_of(const struct cow_counts *counts, uint32_t page_size)
{
	return (struct compare_sum) {
		.size = counts->pages * page_size, .rss = counts->rss,
		.pss_fixed = counts->pss_fixed, .uss = counts->uss, .swap = counts->swap,
		.copied = counts->copied, .shared = counts->shared,
		.uncounted = counts->uncounted, .unknown = counts->states[STATE_UNKNOWN],
	};
}

int compare_group_alone(struct compare_group *group, enum compare_side side,
			struct process *process, struct error *error)
{
	struct compare_member *member = member_add(group, process);
	struct cow_sink sink = { .end = ignore_vma };
	struct cow_request request = { .start = 0 };
	struct cow_counts totals;
	int rc;

	if (!member)
		return error_nomem(error);
	cow_counts_init(&totals);
	rc = cow_walk(process, &request, &sink, &totals, error);
	if (rc >= 0) {
		member->change = side == AFTER ? CHANGE_ADDED : CHANGE_REMOVED;
		member->differs = group->differs = true;
		member->sum[side] = sum_of(&totals, process->page_size);
		compare_sum_add(&group->total.sum[side], &member->sum[side]);
		group->total.sum[side].size += member->sum[side].size;
	}
	cow_counts_done(&totals);
	return rc;
}
