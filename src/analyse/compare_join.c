// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

struct keyed {
	uint64_t key;
	size_t at;		/* in the list of fragments */
};

struct keys {
	struct keyed *items;
	size_t count;
};

static int by_key(const void *left, const void *right)
{
	const struct keyed *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

static int keys_make(const struct matcher *matcher, enum compare_side side, compare_key_fn *key,
		     struct keys *keys)
{
	const struct compare_fragments *left = &matcher->left[side];

	keys->items = calloc(left->count + 1, sizeof(*keys->items));
	if (!keys->items)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < left->count; i++) {
		uint64_t value = key(matcher, side, &left->items[i]);

		if (value)
			keys->items[keys->count++] = (struct keyed) { value, i };
	}
	qsort(keys->items, keys->count, sizeof(*keys->items), by_key);
	return 0;
}

/* A stack grows down: its ends correspond. All else begins alike. */
static int pair(struct matcher *matcher, size_t before, size_t after, enum certainty certainty)
{
	struct compare_range *b = &matcher->left[BEFORE].items[before];
	struct compare_range *a = &matcher->left[AFTER].items[after];
	bool down = matcher_vma(matcher, AFTER, a)->vma_class == VMA_CLASS_STACK;
	int rc = compare_pair(matcher, b, a, down ? a->end - b->end : a->start - b->start,
			      certainty);

	b->vma = a->vma = VMA_NONE;
	return rc;
}

static int join(struct matcher *matcher, const struct keys keys[SIDE_MAX],
		enum certainty certainty)
{
	size_t b = 0, a = 0;

	while (b < keys[BEFORE].count && a < keys[AFTER].count) {
		uint64_t left = keys[BEFORE].items[b].key, right = keys[AFTER].items[a].key;

		if (left == right && pair(matcher, keys[BEFORE].items[b].at,
					  keys[AFTER].items[a].at, certainty) < 0)
			return -ERROR_NOMEM;
		b += left <= right;
		a += right <= left;
	}
	return 0;
}

int compare_join(struct matcher *matcher, const struct compare_pass *pass, struct error *error)
{
	struct keys keys[SIDE_MAX] = { { NULL, 0 }, { NULL, 0 } };
	int rc = 0;

	for (int side = 0; side < SIDE_MAX && rc >= 0; side++)
		rc = keys_make(matcher, side, pass->key, &keys[side]);
	if (rc >= 0)
		rc = join(matcher, keys, pass->certainty);
	for (int side = 0; side < SIDE_MAX; side++) {
		free(keys[side].items);
		compare_fragments_drop(&matcher->left[side]);
	}
	return rc < 0 ? error_nomem(error) : 0;
}
