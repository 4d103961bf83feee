// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "watch.h"

static struct watch_vma sums_of(const struct watch_state *state, const struct compare_range *range)
{
	return range->vma == VMA_NONE ? (struct watch_vma) { .rss = 0 } :
					state->vmas[range->vma];
}

static uint64_t weight(const struct watch_change *change)
{
	return (uint64_t)llabs(change->rss) + (uint64_t)llabs(change->swap) +
	       (uint64_t)llabs(change->copied) + (uint64_t)llabs(change->shared);
}

/* The heaviest are kept, heaviest first. */
static void keep(struct watched *watched, const struct watch_change *change)
{
	size_t at = watched->change_count;

	watched->change_total++;
	while (at && weight(&watched->changes[at - 1]) < weight(change))
		at--;
	if (at == WATCH_CHANGES_MAX)
		return;
	if (watched->change_count < WATCH_CHANGES_MAX)
		watched->change_count++;
	memmove(&watched->changes[at + 1], &watched->changes[at],
		(watched->change_count - at - 1) * sizeof(*change));
	watched->changes[at] = *change;
}

/* Sums are of whole VMAs: of parts only the first row has them. */
static bool is_first(const struct watch_state *state, const struct compare_range *range)
{
	return range->vma == VMA_NONE ||
	       state->process->vmas[range->vma].start == range->start;
}

static struct watch_change change_of(const struct compare_match *match,
				     const struct watch_state *const state[SIDE_MAX])
{
	enum compare_side side = match->side[AFTER].vma == VMA_NONE ? BEFORE : AFTER;
	const struct process *process = state[side]->process;
	const struct vma *vma = &process->vmas[match->side[side].vma];
	struct watch_change change = {
		.start = match->side[side].start, .object = vma_object(process, vma),
		.role = vma->role, .change = compare_change_of(match),
	};

	for (int s = 0; s < SIDE_MAX; s++) {
		struct watch_vma sums = sums_of(state[s], &match->side[s]);
		int64_t sign = s == AFTER ? 1 : -1;

		change.size += sign * (int64_t)(match->side[s].end - match->side[s].start);
		if (!is_first(state[s], &match->side[s]))
			continue;
		change.rss += sign * (int64_t)sums.rss;
		change.swap += sign * (int64_t)sums.swap;
		change.copied += sign * (int64_t)sums.copied;
		change.shared += sign * (int64_t)sums.shared;
	}
	return change;
}

/* Parts of one VMA, before or after: their sums can only be told together. */
static bool are_parts(const struct compare_match *a, const struct compare_match *b)
{
	for (int side = 0; side < SIDE_MAX; side++)
		if (a->side[side].vma != VMA_NONE && a->side[side].vma == b->side[side].vma)
			return true;
	return false;
}

static void join(struct watch_change *first, struct watch_change *part)
{
	first->rss += part->rss;
	first->swap += part->swap;
	first->copied += part->copied;
	first->shared += part->shared;
	part->rss = part->swap = part->copied = part->shared = 0;
}

static void keep_changed(struct watched *watched, const struct watch_change *change)
{
	if (change->change != CHANGE_SAME || weight(change))
		keep(watched, change);
}

static void judge_all(struct watched *watched, const struct compare_map *map,
		      const struct watch_state *const state[SIDE_MAX])
{
	struct watch_change first = { .change = CHANGE_SAME };

	for (size_t i = 0; i < map->count; i++) {
		struct watch_change change = change_of(&map->matches[i], state);

		if (i && are_parts(&map->matches[i - 1], &map->matches[i])) {
			join(&first, &change);
			if (change.change != CHANGE_SPLIT && change.change != CHANGE_MERGED)
				keep_changed(watched, &change);
			continue;
		}
		keep_changed(watched, &first);
		first = change;
	}
	keep_changed(watched, &first);
}

int watch_compare(struct watched *watched, const struct watch_state *before,
		  const struct watch_state *now, struct error *error)
{
	const struct watch_state *const state[SIDE_MAX] = { before, now };
	struct compare_map map;
	int rc = compare_map_build(before->process, now->process, NULL, &map, error);

	if (rc < 0)
		return rc;
	judge_all(watched, &map, state);
	watched->changes_known = true;
	compare_map_done(&map);
	return 0;
}
