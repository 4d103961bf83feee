// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

const struct name compare_change_names[] = {
	{ CHANGE_ADDED, "added", "not there before" },
	{ CHANGE_REMOVED, "removed", "not there any more" },
	{ CHANGE_GROWN, "grown", "larger than before" },
	{ CHANGE_SHRUNK, "shrunk", "smaller than before" },
	{ CHANGE_MOVED, "moved", "at another address" },
	{ CHANGE_PROTECTION, "protection", "other permissions" },
	{ CHANGE_SPLIT, "split", "part of what was one VMA" },
	{ CHANGE_MERGED, "merged", "part of what is one VMA now" },
	{ CHANGE_FILE, "file", "another file of that name, or deleted since" },
	{ CHANGE_FLAGS, "flags", "other VmFlags: advice, locking" },
	{ CHANGE_SAME, "same", "as before" },
	{ 0, NULL, NULL }
};

static int by_before(const void *left, const void *right)
{
	const struct compare_match *const *a = left, *const *b = right;
	uint64_t x = (*a)->side[BEFORE].start, y = (*b)->side[BEFORE].start;

	return x < y ? -1 : x > y;
}

static int by_after(const void *left, const void *right)
{
	const struct compare_match *const *a = left, *const *b = right;
	uint64_t x = (*a)->side[AFTER].start, y = (*b)->side[AFTER].start;

	return x < y ? -1 : x > y;
}

static struct compare_match **sorted_by(struct compare_map *map, enum compare_side side)
{
	struct compare_match **sorted = calloc(map->count + 1, sizeof(struct compare_match *));

	for (size_t i = 0; sorted && i < map->count; i++)
		sorted[i] = &map->matches[i];
	if (sorted)
		qsort(sorted, map->count, sizeof(struct compare_match *),
		      side == BEFORE ? by_before : by_after);
	return sorted;
}

static struct compare_match alone(enum compare_side side, const struct compare_range *range)
{
	struct compare_match match = { .certainty = CERTAINTY_OBSERVED };

	match.side[side] = *range;
	match.side[side == BEFORE ? AFTER : BEFORE].vma = VMA_NONE;
	return match;
}

/* A leftover beside a match of the same VMA is what that one lost or gained; the others are VMAs
 * that came or went. The one in front is preferred: most VMAs grow upwards. */
static bool attach(struct compare_match *const *sorted, size_t count, size_t *at,
		   enum compare_side side, const struct compare_range *range)
{
	struct compare_range *front, *behind;

	while (*at < count && sorted[*at]->side[side].start < range->start)
		++*at;
	front = *at ? &sorted[*at - 1]->side[side] : NULL;
	behind = *at < count ? &sorted[*at]->side[side] : NULL;
	if (front && front->vma == range->vma && front->end == range->start)
		front->end = range->end;
	else if (behind && behind->vma == range->vma && behind->start == range->end)
		behind->start = range->start;
	else
		return false;
	return true;
}

static int attach_all(struct matcher *matcher, enum compare_side side)
{
	CLEANUP_FREE struct compare_match **sorted = sorted_by(matcher->map, side);
	size_t count = matcher->map->count, at = 0, kept = 0;
	struct compare_fragments *left = &matcher->left[side];

	if (!sorted)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < left->count; i++)
		if (!attach(sorted, count, &at, side, &left->items[i]))
			left->items[kept++] = left->items[i];
	left->count = kept;
	return 0;
}

static int add_alone(struct matcher *matcher, enum compare_side side)
{
	const struct compare_fragments *left = &matcher->left[side];

	for (size_t i = 0; i < left->count; i++) {
		struct compare_match match = alone(side, &left->items[i]);

		if (compare_match_add(matcher->map, &match) < 0)
			return -ERROR_NOMEM;
	}
	return 0;
}

/* How many matches each VMA of a side is in. */
static uint32_t *count_uses(const struct matcher *matcher, enum compare_side side)
{
	uint32_t *uses = calloc(matcher->process[side]->vma_count + 1, sizeof(*uses));

	for (size_t i = 0; uses && i < matcher->map->count; i++)
		if (matcher->map->matches[i].side[side].vma != VMA_NONE)
			uses[matcher->map->matches[i].side[side].vma]++;
	return uses;
}

static bool other_file(const struct matcher *matcher, const struct vma *before,
		       const struct vma *after)
{
	const struct object *a = vma_object(matcher->process[BEFORE], before);
	const struct object *b = vma_object(matcher->process[AFTER], after);

	if (!a || !b || a->name[0] != '/')
		return false;
	return a->deleted != b->deleted || a->inode != b->inode || a->major != b->major ||
	       a->minor != b->minor;
}

/* Bits that come and go by themselves, or are told as permissions. */
static uint64_t flags_that_count(const struct vma *vma)
{
	return vma->vm_flags & ~(vm_flag("sd") | vm_flag("rd") | vm_flag("wr") | vm_flag("ex") |
				 vm_flag("sh"));
}

static uint32_t bit(enum compare_change change, bool is)
{
	return is ? 1u << change : 0;
}

static uint64_t range_bytes(const struct compare_range *range)
{
	return range->end - range->start;
}

static uint32_t pair_changes(const struct matcher *matcher, const struct compare_match *match)
{
	const struct vma *before = matcher_vma(matcher, BEFORE, &match->side[BEFORE]);
	const struct vma *after = matcher_vma(matcher, AFTER, &match->side[AFTER]);
	bool flags = before->has_vm_flags && after->has_vm_flags;
	bool here = matcher->map->kin != KIN_OTHER;

	return bit(CHANGE_GROWN, range_bytes(&match->side[AFTER]) > match->bytes) |
	       bit(CHANGE_SHRUNK, range_bytes(&match->side[BEFORE]) > match->bytes) |
	       bit(CHANGE_MOVED, here && match->common[BEFORE] != match->common[AFTER]) |
	       bit(CHANGE_PROTECTION, before->perms != after->perms) |
	       bit(CHANGE_FILE, here && other_file(matcher, before, after)) |
	       bit(CHANGE_FLAGS, flags && flags_that_count(before) != flags_that_count(after));
}

static void judge(const struct matcher *matcher, struct compare_match *match,
		  const uint32_t *before, const uint32_t *after)
{
	if (match->side[BEFORE].vma == VMA_NONE) {
		match->changes = bit(CHANGE_ADDED, true);
		return;
	}
	if (match->side[AFTER].vma == VMA_NONE) {
		match->changes = bit(CHANGE_REMOVED, true);
		return;
	}
	match->changes = pair_changes(matcher, match) |
			 bit(CHANGE_SPLIT, before[match->side[BEFORE].vma] > 1) |
			 bit(CHANGE_MERGED, after[match->side[AFTER].vma] > 1);
	if (!match->changes)
		match->changes = bit(CHANGE_SAME, true);
}

static int judge_all(struct matcher *matcher)
{
	CLEANUP_FREE uint32_t *before = count_uses(matcher, BEFORE);
	CLEANUP_FREE uint32_t *after = count_uses(matcher, AFTER);

	if (!before || !after)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < matcher->map->count; i++)
		judge(matcher, &matcher->map->matches[i], before, after);
	return 0;
}

/*
 * Where a match stands: its address after, or, of what went, behind the match that was below it.
 * `common` of a one-sided match is not used otherwise and holds that place meanwhile.
 */
static int place_removed(struct compare_map *map)
{
	CLEANUP_FREE struct compare_match **sorted = sorted_by(map, BEFORE);
	uint64_t last = 0;

	if (!sorted)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < map->count; i++) {
		struct compare_match *match = sorted[i];

		if (match->side[AFTER].vma != VMA_NONE) {
			if (match->side[BEFORE].vma != VMA_NONE)
				last = match->side[AFTER].start;
			continue;
		}
		match->common[AFTER] = map->kin == KIN_OTHER ? last : match->side[BEFORE].start;
	}
	return 0;
}

static uint64_t place_of(const struct compare_match *match)
{
	return match->side[AFTER].vma == VMA_NONE ? match->common[AFTER] : match->side[AFTER].start;
}

static int by_place(const void *left, const void *right)
{
	const struct compare_match *a = left, *b = right;
	uint64_t x = place_of(a), y = place_of(b);
	bool gone = a->side[AFTER].vma == VMA_NONE;

	if (x != y)
		return x < y ? -1 : 1;
	if (gone != (b->side[AFTER].vma == VMA_NONE))
		return gone ? 1 : -1;
	return a->side[BEFORE].start < b->side[BEFORE].start ? -1 :
	       a->side[BEFORE].start > b->side[BEFORE].start;
}

int compare_settle(struct matcher *matcher)
{
	struct compare_map *map = matcher->map;

	for (int side = 0; side < SIDE_MAX; side++)
		if (attach_all(matcher, side) < 0)
			return -ERROR_NOMEM;
	for (int side = 0; side < SIDE_MAX; side++)
		if (add_alone(matcher, side) < 0)
			return -ERROR_NOMEM;
	if (judge_all(matcher) < 0 || place_removed(map) < 0)
		return -ERROR_NOMEM;
	if (map->count)
		qsort(map->matches, map->count, sizeof(*map->matches), by_place);
	return 0;
}

/* Of several, what weighs most; of growing and shrinking at once, what is more. */
enum compare_change compare_change_of(const struct compare_match *match)
{
	uint32_t both = 1u << CHANGE_GROWN | 1u << CHANGE_SHRUNK;

	if ((match->changes & both) == both)
		return range_bytes(&match->side[AFTER]) < range_bytes(&match->side[BEFORE]) ?
			CHANGE_SHRUNK : CHANGE_GROWN;
	return (enum compare_change)__builtin_ctz(match->changes | 1u << CHANGE_SAME);
}
