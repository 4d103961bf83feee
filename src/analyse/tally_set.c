// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <sys/random.h>

#include "tally.h"

#define FIRST_BUCKETS 1024u

/* splitmix64: sums of these differ for different sets but with a chance of 2^-64 a pair. Who maps
 * what is the choice of processes that may be hostile: the seed is not known to them. */
static uint64_t member_hash(const struct tally_nodes *nodes, uint32_t member)
{
	uint64_t x = nodes->seed + (member + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static int node_append(struct tally_nodes *nodes, uint32_t parent, uint32_t member,
		       uint64_t hash)
{
	if (nodes->count >= TALLY_SET_MASK ||
	    array_grow((void **)&nodes->items, &nodes->cap, nodes->count,
		       sizeof(*nodes->items)) < 0)
		return -ERROR_NOMEM;
	nodes->items[nodes->count++] = (struct tally_node) {
		.parent = parent, .member = member, .hash = hash,
		.memo_member = { TALLY_NONE, TALLY_NONE },
	};
	return 0;
}

static void bucket_put(struct tally_nodes *nodes, uint32_t number)
{
	size_t at = nodes->items[number].hash & (nodes->bucket_count - 1);

	while (nodes->buckets[at])
		at = (at + 1) & (nodes->bucket_count - 1);
	nodes->buckets[at] = number;
}

static int buckets_grow(struct tally_nodes *nodes)
{
	size_t count = nodes->bucket_count ? nodes->bucket_count * 2 : FIRST_BUCKETS;
	uint32_t *buckets = calloc(count, sizeof(*buckets));

	if (!buckets)
		return -ERROR_NOMEM;
	free(nodes->buckets);
	nodes->buckets = buckets;
	nodes->bucket_count = count;
	for (size_t i = TALLY_KIND_MAX; i < nodes->count; i++)
		bucket_put(nodes, (uint32_t)i);
	return 0;
}

int tally_nodes_init(struct tally_nodes *nodes, size_t limit)
{
	*nodes = (struct tally_nodes) { .limit = limit };
	if (getrandom(&nodes->seed, sizeof(nodes->seed), GRND_NONBLOCK) < 0)
		nodes->seed = (uintptr_t)nodes;
	for (uint32_t kind = 0; kind < TALLY_KIND_MAX; kind++)
		if (node_append(nodes, kind, TALLY_NONE,
				member_hash(nodes, TALLY_NONE - 1 - kind)) < 0)
			return -ERROR_NOMEM;
	return buckets_grow(nodes);
}

void tally_nodes_done(struct tally_nodes *nodes)
{
	free(nodes->items);
	free(nodes->buckets);
}

static uint32_t node_find(const struct tally_nodes *nodes, uint64_t hash)
{
	size_t at = hash & (nodes->bucket_count - 1);
	uint32_t number;

	while ((number = nodes->buckets[at])) {
		if (nodes->items[number].hash == hash)
			return number;
		at = (at + 1) & (nodes->bucket_count - 1);
	}
	return 0;
}

static uint32_t node_make(struct tally_nodes *nodes, uint32_t set, uint32_t member,
			  uint64_t hash)
{
	uint32_t child;

	if (nodes->count * 2 >= nodes->bucket_count && buckets_grow(nodes) < 0)
		return TALLY_NONE;
	child = (uint32_t)nodes->count;
	if (node_append(nodes, set, member, hash) < 0)
		return TALLY_NONE;
	bucket_put(nodes, child);
	return child;
}

static uint32_t node_get(struct tally_nodes *nodes, uint32_t set, uint32_t member)
{
	uint64_t hash = nodes->items[set].hash + member_hash(nodes, member);
	uint32_t child = node_find(nodes, hash);

	return child ? child : node_make(nodes, set, member, hash);
}

/* The crowd of its kind. A child of the crowd stands for each member that is in it. */
static uint32_t crowd_join(struct tally_nodes *nodes, uint32_t set, uint32_t member)
{
	uint32_t crowd = set;

	if (!tally_is_crowd(&nodes->items[set])) {
		nodes->items[set].left = true;
		while (crowd >= TALLY_KIND_MAX)
			crowd = nodes->items[crowd].parent;
		crowd = node_get(nodes, crowd, TALLY_MARK_CROWD);
	}
	if (crowd != TALLY_NONE && !(member & TALLY_OUTSIDE) &&
	    node_get(nodes, crowd, member) == TALLY_NONE)
		return TALLY_NONE;
	return crowd;
}

uint32_t tally_nodes_add(struct tally_nodes *nodes, uint32_t set, uint32_t member,
			 unsigned number)
{
	uint64_t hash = nodes->items[set].hash + member_hash(nodes, member);
	uint32_t child = tally_is_crowd(&nodes->items[set]) ? 0 : node_find(nodes, hash);
	struct tally_node *node;

	if (!child)
		child = nodes->count < nodes->limit && !tally_is_crowd(&nodes->items[set]) ?
			node_make(nodes, set, member, hash) : crowd_join(nodes, set, member);
	if (child == TALLY_NONE)
		return child;
	node = &nodes->items[set];
	node->memo_member[number & 1] = member;
	node->memo_child[number & 1] = child;
	return child;
}
