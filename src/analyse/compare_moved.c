// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <stdlib.h>

/* Each asks for a look at pages: what is behind is not looked at, and stays added or removed. */
#define PROBES_MAX 4096

struct found {
	uint64_t frame;
	uint64_t address;	/* of the page that has it */
	size_t at;		/* in the list of fragments */
};

struct finds {
	struct found *items;
	size_t count;
};

static int by_frame(const void *left, const void *right)
{
	const struct found *a = left, *b = right;

	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static int finds_make(struct matcher *matcher, enum compare_side side, struct finds *finds)
{
	const struct compare_probe *probe = matcher->probe;
	struct compare_fragments *left = &matcher->left[side];

	finds->items = calloc(left->count + 1, sizeof(*finds->items));
	if (!finds->items)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < left->count && finds->count < PROBES_MAX; i++) {
		struct found *next = &finds->items[finds->count];

		if (vma_is_private_anon(matcher_vma(matcher, side, &left->items[i])) &&
		    probe->first(probe->ctx, side, &left->items[i], &next->address,
				 &next->frame) > 0) {
			next->at = i;
			finds->count++;
		}
	}
	qsort(finds->items, finds->count, sizeof(*finds->items), by_frame);
	return 0;
}

static int join(struct matcher *matcher, const struct finds finds[SIDE_MAX])
{
	size_t b = 0, a = 0;
	int rc = 0;

	while (b < finds[BEFORE].count && a < finds[AFTER].count && rc >= 0) {
		const struct found *x = &finds[BEFORE].items[b], *y = &finds[AFTER].items[a];
		struct compare_range *before = &matcher->left[BEFORE].items[x->at];
		struct compare_range *after = &matcher->left[AFTER].items[y->at];

		if (x->frame == y->frame) {
			rc = compare_pair(matcher, before, after, y->address - x->address,
					  CERTAINTY_OBSERVED);
			before->vma = after->vma = VMA_NONE;
		}
		b += x->frame <= y->frame;
		a += y->frame <= x->frame;
	}
	return rc;
}

int compare_moved(struct matcher *matcher, struct error *error)
{
	struct finds finds[SIDE_MAX] = { { NULL, 0 }, { NULL, 0 } };
	int rc = 0;

	if (!matcher->probe || !matcher->left[BEFORE].count || !matcher->left[AFTER].count)
		return 0;
	for (int side = 0; side < SIDE_MAX && rc >= 0; side++)
		rc = finds_make(matcher, side, &finds[side]);
	if (rc >= 0)
		rc = join(matcher, finds);
	for (int side = 0; side < SIDE_MAX; side++) {
		free(finds[side].items);
		compare_fragments_drop(&matcher->left[side]);
	}
	return rc < 0 ? error_nomem(error) : 0;
}
