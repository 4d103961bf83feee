/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_TABLE_TREE_H
#define VMATLAS_MODEL_TABLE_TREE_H

#include "vmatlas/model/pagetable.h"

/*
 * The table as a tree that a person can read: neighbouring equal entries are one node, and so
 * are neighbouring tables whose whole content is equal. Of a table with many different entries
 * the first ones are kept. Only the open table of each level is in memory.
 */
enum tree_kind {
	TREE_TABLE,		/* entries that point to tables; their content follows */
	TREE_LEAF,		/* pages, swap entries, markers: what */
	TREE_OMITTED		/* more entries of this table, not shown */
};

struct tree_node {
	uint64_t address;	/* of the first entry */
	uint64_t entries;	/* LEAF: merged ones; OMITTED: leaf entries; TABLE: leaf entries
				 * below each of the merged tables */
	uint32_t first;		/* index in the table of this level */
	uint32_t last;
	uint32_t vma;		/* LEAF; else VMA_NONE */
	uint8_t level;		/* enum table_level: of the table that holds the entry */
	uint8_t kind;		/* enum tree_kind */
	uint8_t what;		/* LEAF: enum entry_kind */
};

struct tree_level {
	struct tree_node *nodes;	/* items, each with its content behind it */
	size_t count;
	size_t cap;
	size_t item;			/* where the last item begins */
	size_t items;
	uint64_t table;			/* number of the open table */
	uint64_t entries;
	uint64_t omitted;
	bool open;
};

struct table_tree {
	const struct geometry *geometry;
	size_t limit;			/* items kept per table */
	/* Nodes in order: a table's content follows it, one level lower. Negative ends the walk. */
	int (*on_node)(void *ctx, const struct tree_node *node);
	void *ctx;
	struct tree_level level[LEVEL_MAX];
};

void table_tree_init(struct table_tree *tree, const struct geometry *geometry, size_t limit,
		     int (*on_node)(void *ctx, const struct tree_node *node), void *ctx);
void table_tree_done(struct table_tree *tree);
/* Ascending runs. */
int table_tree_add(struct table_tree *tree, const struct table_run *run, enum entry_kind what);
int table_tree_finish(struct table_tree *tree);

#endif
