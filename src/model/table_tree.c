// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/table_tree.h"

#include <stdlib.h>
#include <string.h>

#include "vmatlas/base/buf.h"

void table_tree_init(struct table_tree *tree, const struct geometry *geometry, size_t limit,
		     int (*on_node)(void *ctx, const struct tree_node *node), void *ctx)
{
	memset(tree, 0, sizeof(*tree));
	tree->geometry = geometry;
	tree->limit = limit;
	tree->on_node = on_node;
	tree->ctx = ctx;
}

void table_tree_done(struct table_tree *tree)
{
	for (enum table_level level = LEVEL_PTE; level < LEVEL_MAX; level++)
		free(tree->level[level].nodes);
	memset(tree->level, 0, sizeof(tree->level));
}

/* Number of the table of this level that maps the address. */
static uint64_t table_number(const struct geometry *g, enum table_level level, uint64_t address)
{
	return address >> g->level[level].shift >> g->level[level].bits;
}

static int node_push(struct tree_level *level, const struct tree_node *node)
{
	if (array_grow((void **)&level->nodes, &level->cap, level->count,
		       sizeof(*level->nodes)) < 0)
		return -ERROR_NOMEM;
	level->nodes[level->count++] = *node;
	return 0;
}

static bool same_kind(const struct tree_node *a, const struct tree_node *b)
{
	return a->kind == b->kind && a->what == b->what && a->vma == b->vma &&
		a->level == b->level;
}

static bool same_content(const struct tree_node *a, const struct tree_node *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!same_kind(&a[i], &b[i]) || a[i].first != b[i].first ||
		    a[i].last != b[i].last || a[i].entries != b[i].entries)
			return false;
	return true;
}

/* Does the node with its content continue the last item? Then that one grows. */
static bool item_merge(struct tree_level *level, const struct tree_node *node,
		       const struct tree_node *content, size_t count)
{
	struct tree_node *last = &level->nodes[level->item];

	if (!level->items || last->last + 1 != node->first || !same_kind(last, node) ||
	    level->count - level->item - 1 != count || !same_content(last + 1, content, count))
		return false;
	if (node->kind == TREE_TABLE && last->entries != node->entries)
		return false;
	last->last = node->last;
	if (node->kind == TREE_LEAF)
		last->entries += node->entries;
	return true;
}

static int level_emit(struct table_tree *tree, struct tree_level *level)
{
	int err = 0;

	for (size_t i = 0; i < level->count && err >= 0; i++)
		err = tree->on_node(tree->ctx, &level->nodes[i]);
	level->count = 0;
	return err < 0 ? err : 0;
}

static int item_add(struct table_tree *tree, enum table_level at, const struct tree_node *node,
		    const struct tree_node *content, size_t count)
{
	struct tree_level *level = &tree->level[at];
	int err = 0;

	level->entries += node->entries;
	if (item_merge(level, node, content, count))
		return 0;
	if (at == LEVEL_PGD) {
		err = level_emit(tree, level);
	} else if (level->items >= tree->limit) {
		level->omitted += node->entries;
		return 0;
	}
	level->item = level->count;
	level->items++;
	if (err >= 0)
		err = node_push(level, node);
	for (size_t i = 0; i < count && err >= 0; i++)
		err = node_push(level, &content[i]);
	return err;
}

/* The table is complete: it becomes an item of the table above. */
static int level_close(struct table_tree *tree, enum table_level at)
{
	const struct geometry *g = tree->geometry;
	struct tree_level *level = &tree->level[at];
	enum table_level up = geometry_unfold(g, at + 1);
	struct tree_node node = { .kind = TREE_OMITTED, .level = at, .vma = VMA_NONE };
	int err = 0;

	if (level->omitted) {
		node.entries = level->omitted;
		err = node_push(level, &node);
	}
	if (at == LEVEL_PGD)
		return err < 0 ? err : level_emit(tree, level);
	node = (struct tree_node) {
		.kind = TREE_TABLE, .level = up, .vma = VMA_NONE, .entries = level->entries,
		.address = level->table << g->level[at].shift << g->level[at].bits,
	};
	node.first = node.last = (uint32_t)geometry_index(g, up, node.address);
	if (err >= 0)
		err = item_add(tree, up, &node, level->nodes, level->count);
	level->count = 0;
	level->items = 0;
	level->entries = 0;
	level->omitted = 0;
	level->open = false;
	return err;
}

/* Closes what does not hold the address, opens what does, from `leaf` up. A table that ends
 * takes those below it along, as their numbers differ as well. */
static int levels_move(struct table_tree *tree, enum table_level leaf, uint64_t address)
{
	const struct geometry *g = tree->geometry;
	int err = 0;

	for (enum table_level at = LEVEL_PTE; at < LEVEL_MAX && err >= 0; at++) {
		struct tree_level *level = &tree->level[at];

		if (level->open && (at < leaf || level->table != table_number(g, at, address)))
			err = level_close(tree, at);
	}
	for (enum table_level at = leaf; at < LEVEL_MAX; at++) {
		if (!geometry_has(g, at))
			continue;
		tree->level[at].open = true;
		tree->level[at].table = table_number(g, at, address);
	}
	return err;
}

int table_tree_add(struct table_tree *tree, const struct table_run *run, enum entry_kind what)
{
	const struct geometry *g = tree->geometry;
	enum table_level leaf = table_leaf_level(g, run->leaf);
	uint64_t mask = (1ULL << g->level[leaf].bits) - 1;
	uint64_t first = run->start >> g->level[leaf].shift;
	uint64_t last = (run->start + (run->pages << g->page_shift) - 1) >> g->level[leaf].shift;
	int err = 0;

	while (first <= last && err >= 0) {
		uint64_t stop = first | mask;
		struct tree_node node = {
			.address = first << g->level[leaf].shift, .kind = TREE_LEAF,
			.level = leaf, .vma = run->vma, .what = what,
		};

		if (stop > last)
			stop = last;
		node.first = (uint32_t)(first & mask);
		node.last = (uint32_t)(stop & mask);
		node.entries = stop - first + 1;
		err = levels_move(tree, leaf, node.address);
		if (err >= 0)
			err = item_add(tree, leaf, &node, NULL, 0);
		first = stop + 1;
	}
	return err;
}

int table_tree_finish(struct table_tree *tree)
{
	int err = 0;

	for (enum table_level at = LEVEL_PTE; at < LEVEL_MAX && err >= 0; at++)
		if (tree->level[at].open)
			err = level_close(tree, at);
	return err;
}
