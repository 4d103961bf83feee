// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>
#include <string.h>

/* A range with its place on the line it is compared on: addresses, or offsets in one object. */
struct placed {
	uint64_t group;		/* only ranges of one group are compared */
	uint64_t at;
	struct compare_range range;
};

struct line {
	struct placed *items;
	size_t count;
	size_t next;
};

static int by_place(const void *left, const void *right)
{
	const struct placed *a = left, *b = right;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->range.start < b->range.start ? -1 : a->range.start > b->range.start;
}

static int by_start(const void *left, const void *right)
{
	const struct compare_range *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Takes the ranges out of the list of what has no partner. */
static int line_make(struct matcher *matcher, enum compare_side side, bool by_offset,
		     struct line *line)
{
	struct compare_fragments *left = &matcher->left[side];
	size_t kept = 0;

	line->items = calloc(left->count + 1, sizeof(*line->items));
	if (!line->items)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < left->count; i++) {
		const struct compare_range *range = &left->items[i];
		const struct vma *vma = matcher_vma(matcher, side, range);
		uint64_t group = by_offset ? compare_key_object(matcher, side, range) : 1;

		if (group)
			line->items[line->count++] = (struct placed) {
				.group = group, .range = *range, .at = by_offset ?
				vma->offset + (range->start - vma->start) : range->start,
			};
		else
			left->items[kept++] = *range;
	}
	left->count = kept;
	if (by_offset)
		qsort(line->items, line->count, sizeof(*line->items), by_place);
	return 0;
}

static bool same_name(const struct object *a, const struct object *b)
{
	return a->name_len == b->name_len && !memcmp(a->name, b->name, a->name_len);
}

/* May the same addresses hold the same thing? An object has its own place in them. */
static bool compatible(const struct matcher *matcher, const struct placed *b,
		       const struct placed *a)
{
	const struct vma *before = matcher_vma(matcher, BEFORE, &b->range);
	const struct vma *after = matcher_vma(matcher, AFTER, &a->range);
	const struct object *x = vma_object(matcher->process[BEFORE], before);
	const struct object *y = vma_object(matcher->process[AFTER], after);

	if (vma_is_private_anon(before) || vma_is_private_anon(after))
		return vma_is_private_anon(before) && vma_is_private_anon(after);
	if ((before->perms ^ after->perms) & VMA_SHARED || !x || !y)
		return !x && !y && before->backing == after->backing;
	return same_name(x, y) && before->offset - before->start == after->offset - after->start;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The first `bytes` of the next range of a line are dealt with. */
static struct compare_range line_take(struct line *line, uint64_t bytes)
{
	struct placed *next = &line->items[line->next];
	struct compare_range taken = next->range;

	taken.end = taken.start + bytes;
	next->range.start += bytes;
	next->at += bytes;
	line->next += next->range.start == next->range.end;
	return taken;
}

static int take_alone(struct matcher *matcher, enum compare_side side, struct line *line,
		      uint64_t bytes)
{
	struct compare_range range = line_take(line, bytes);

	return compare_fragments_add(&matcher->left[side], &range);
}

static int take_both(struct matcher *matcher, struct line lines[SIDE_MAX], uint64_t bytes,
		     enum certainty certainty, bool fits)
{
	struct compare_range before = line_take(&lines[BEFORE], bytes);
	struct compare_range after = line_take(&lines[AFTER], bytes);

	if (fits)
		return compare_pair(matcher, &before, &after, after.start - before.start,
				    certainty);
	if (compare_fragments_add(&matcher->left[BEFORE], &before) < 0)
		return -ERROR_NOMEM;
	return compare_fragments_add(&matcher->left[AFTER], &after);
}

/* How much of `first` lies in front of `second`; all of it if they are of different groups. */
static uint64_t in_front(const struct placed *first, const struct placed *second)
{
	uint64_t all = first->range.end - first->range.start;

	if (!second || first->group < second->group)
		return all;
	if (first->group > second->group || first->at >= second->at)
		return 0;
	return lower(all, second->at - first->at);
}

static struct placed *line_next(const struct line *line)
{
	return line->next < line->count ? &line->items[line->next] : NULL;
}

static int step(struct matcher *matcher, struct line lines[SIDE_MAX], bool by_offset,
		enum certainty certainty)
{
	struct placed *b = line_next(&lines[BEFORE]), *a = line_next(&lines[AFTER]);
	uint64_t bytes;

	if (b && (bytes = in_front(b, a)))
		return take_alone(matcher, BEFORE, &lines[BEFORE], bytes);
	if (a && (bytes = in_front(a, b)))
		return take_alone(matcher, AFTER, &lines[AFTER], bytes);
	bytes = lower(b->range.end - b->range.start, a->range.end - a->range.start);
	return take_both(matcher, lines, bytes, certainty,
			 by_offset || compatible(matcher, b, a));
}

/* Neighbouring leftovers of one VMA become one again. */
static void fragments_tidy(struct compare_fragments *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_start);
	for (size_t i = 0; i < list->count; i++) {
		struct compare_range *last = kept ? &list->items[kept - 1] : NULL;

		if (last && last->vma == list->items[i].vma && last->end == list->items[i].start)
			last->end = list->items[i].end;
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

int compare_overlap(struct matcher *matcher, bool by_offset, struct error *error)
{
	struct line lines[SIDE_MAX] = { { NULL, 0, 0 }, { NULL, 0, 0 } };
	enum certainty certainty = !by_offset && matcher->map->kin == KIN_SAME ?
		CERTAINTY_OBSERVED : CERTAINTY_INFERRED;
	int rc = 0;

	for (int side = 0; side < SIDE_MAX && rc >= 0; side++)
		rc = line_make(matcher, side, by_offset, &lines[side]);
	while (rc >= 0 && (line_next(&lines[BEFORE]) || line_next(&lines[AFTER])))
		rc = step(matcher, lines, by_offset, certainty);
	for (int side = 0; side < SIDE_MAX; side++) {
		free(lines[side].items);
		fragments_tidy(&matcher->left[side]);
	}
	return rc < 0 ? error_nomem(error) : 0;
}
