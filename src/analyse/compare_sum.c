// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

void compare_sum_run(struct compare_sum *sum, const struct side_run *run, uint64_t pages,
		     uint32_t page_size)
{
	uint64_t bytes = pages * page_size, share = (uint64_t)page_size << COW_PSS_SHIFT;

	sum->swap += run->slot ? bytes : 0;
	sum->copied += run->state == STATE_COPY || run->state == STATE_COPY_SHARED ? bytes : 0;
	sum->shared += run->state == STATE_ANON_SHARED || run->state == STATE_COPY_SHARED ||
		       run->state == STATE_KSM ? bytes : 0;
	sum->unknown += run->state == STATE_UNKNOWN ? pages : 0;
	if (!run->resident)
		return;
	sum->rss += bytes;
	sum->uss += run->mappings == 1 ? bytes : 0;
	if (run->mappings)
		sum->pss_fixed += share / run->mappings * pages;
	else
		sum->uncounted += pages;
}

void compare_sum_add(struct compare_sum *sum, const struct compare_sum *more)
{
	sum->rss += more->rss;
	sum->pss_fixed += more->pss_fixed;
	sum->uss += more->uss;
	sum->swap += more->swap;
	sum->copied += more->copied;
	sum->shared += more->shared;
	sum->uncounted += more->uncounted;
	sum->unknown += more->unknown;
}

/* Few kinds of transition occur together, most often the one of the pages before. */
int compare_transition_add(struct compare_transition **items, size_t *cap, size_t *count,
			   size_t first, const struct compare_transition *transition)
{
	for (size_t i = *count; i-- > first;) {
		struct compare_transition *item = &(*items)[i];

		if (item->from == transition->from && item->to == transition->to &&
		    item->frame == transition->frame) {
			item->pages += transition->pages;
			return 0;
		}
	}
	if (array_grow((void **)items, cap, *count, sizeof(**items)) < 0)
		return -ERROR_NOMEM;
	(*items)[(*count)++] = *transition;
	return 0;
}

/* Objects of both sides under one number per name. */
struct named {
	const struct object *object;
	enum compare_side side;
	uint32_t index;
};

static int by_name(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int order = span_compare((struct span) { a->object->name, a->object->name_len },
				 (struct span) { b->object->name, b->object->name_len });

	return order ? order : (int)a->side - (int)b->side;
}

static size_t collect(const struct comparison *comparison, struct named *list)
{
	size_t count = 0;

	for (int side = 0; side < SIDE_MAX; side++)
		for (uint32_t i = 0; i < comparison->process[side]->object_count; i++) {
			const struct object *object = &comparison->process[side]->objects[i];

			if (object->name[0] != '[')
				list[count++] = (struct named) { object, side, i };
		}
	return count;
}

static bool same_name(const struct object *a, const struct object *b)
{
	return a->name_len == b->name_len && !memcmp(a->name, b->name, a->name_len);
}

/* Fills numbers[side][object]. */
static void number(struct comparison *comparison, const struct named *list, size_t count,
		   uint32_t *const numbers[SIDE_MAX])
{
	for (size_t i = 0; i < count; i++) {
		const struct named *item = &list[i];

		if (!i || !same_name(list[i - 1].object, item->object))
			comparison->file_count++;
		comparison->files[comparison->file_count - 1].object[item->side] = item->object;
		numbers[item->side][item->index] = (uint32_t)comparison->file_count - 1;
	}
}

static uint32_t row_object(const struct comparison *comparison, size_t row,
			   uint32_t *const numbers[SIDE_MAX])
{
	const struct compare_range *side = comparison->map.matches[row].side;
	enum compare_side which = side[AFTER].vma == VMA_NONE ? BEFORE : AFTER;
	const struct process *process = comparison->process[which];
	uint32_t object = process->vmas[side[which].vma].object;

	return object == OBJECT_NONE || process->objects[object].name[0] == '[' ? OBJECT_NONE :
		numbers[which][object];
}

int compare_files_make(struct comparison *comparison)
{
	size_t before = comparison->process[BEFORE]->object_count;
	size_t after = comparison->process[AFTER]->object_count;
	CLEANUP_FREE struct named *list = calloc(before + after + 1, sizeof(*list));
	CLEANUP_FREE uint32_t *first = calloc(before + 1, sizeof(*first));
	CLEANUP_FREE uint32_t *second = calloc(after + 1, sizeof(*second));
	uint32_t *const numbers[SIDE_MAX] = { first, second };
	size_t count;

	comparison->files = calloc(before + after + 1, sizeof(*comparison->files));
	if (!list || !first || !second || !comparison->files)
		return -ERROR_NOMEM;
	count = collect(comparison, list);
	qsort(list, count, sizeof(*list), by_name);
	number(comparison, list, count, numbers);
	for (size_t i = 0; i < comparison->map.count; i++)
		comparison->rows[i].object = row_object(comparison, i, numbers);
	return 0;
}
