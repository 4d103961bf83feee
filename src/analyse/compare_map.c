// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

int compare_fragments_add(struct compare_fragments *list, const struct compare_range *range)
{
	if (array_grow((void **)&list->items, &list->cap, list->count, sizeof(*list->items)) < 0)
		return -ERROR_NOMEM;
	list->items[list->count++] = *range;
	return 0;
}

void compare_fragments_drop(struct compare_fragments *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].vma != VMA_NONE)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

int compare_match_add(struct compare_map *map, const struct compare_match *match)
{
	if (array_grow((void **)&map->matches, &map->cap, map->count, sizeof(*match)) < 0)
		return -ERROR_NOMEM;
	map->matches[map->count++] = *match;
	return 0;
}

int compare_pair(struct matcher *matcher, const struct compare_range *before,
		 const struct compare_range *after, uint64_t shift, enum certainty certainty)
{
	uint64_t start = before->start + shift, end = before->end + shift;
	struct compare_match match = {
		.side = { *before, *after }, .certainty = certainty,
	};

	start = start > after->start ? start : after->start;
	end = end < after->end ? end : after->end;
	match.common[BEFORE] = start - shift;
	match.common[AFTER] = start;
	match.bytes = end - start;
	return compare_match_add(matcher->map, &match);
}

static void matcher_done(struct matcher *matcher)
{
	for (int side = 0; side < SIDE_MAX; side++) {
		free(matcher->left[side].items);
		free(matcher->anchor[side]);
	}
}

static int matcher_init(struct matcher *matcher)
{
	for (int side = 0; side < SIDE_MAX; side++) {
		const struct process *process = matcher->process[side];

		matcher->anchor[side] = compare_anchors(process);
		if (!matcher->anchor[side])
			return -ERROR_NOMEM;
		for (uint32_t i = 0; i < process->vma_count; i++)
			if (compare_fragments_add(&matcher->left[side], &(struct compare_range) {
					  process->vmas[i].start, process->vmas[i].end, i }) < 0)
				return -ERROR_NOMEM;
	}
	return 0;
}

/* One layout: what is at the same address is the same; the rest may have been moved. */
static int match_layout(struct matcher *matcher, struct error *error)
{
	static const struct compare_pass shape = { compare_key_shape, CERTAINTY_GUESS };
	int rc = compare_overlap(matcher, false, error);

	if (rc >= 0)
		rc = compare_overlap(matcher, true, error);
	if (rc >= 0 && matcher->probe)
		return compare_moved(matcher, error);
	return rc < 0 ? rc : compare_join(matcher, &shape, error);
}

/* Another layout: first the files, part by part, then what lies around them. */
static int match_identity(struct matcher *matcher, struct error *error)
{
	static const struct compare_pass exact = { compare_key_exact, CERTAINTY_INFERRED };
	int rc = compare_join(matcher, &exact, error);

	if (rc >= 0)
		rc = compare_overlap(matcher, true, error);
	for (int i = 0; compare_passes[i].key && rc >= 0; i++)
		rc = compare_join(matcher, &compare_passes[i], error);
	return rc;
}

void compare_map_done(struct compare_map *map)
{
	free(map->matches);
	*map = (struct compare_map) { .matches = NULL };
}

int compare_map_build(const struct process *before, const struct process *after,
		      const struct compare_probe *probe, struct compare_map *map,
		      struct error *error)
{
	struct matcher matcher = { .process = { before, after }, .probe = probe, .map = map };
	int rc;

	*map = (struct compare_map) { .kin = compare_kin_of(before, after) };
	rc = matcher_init(&matcher) < 0 ? error_nomem(error) : 0;
	if (rc >= 0)
		rc = map->kin == KIN_OTHER ? match_identity(&matcher, error) :
					     match_layout(&matcher, error);
	if (rc >= 0 && compare_settle(&matcher) < 0)
		rc = error_nomem(error);
	matcher_done(&matcher);
	if (rc < 0)
		compare_map_done(map);
	return rc;
}
