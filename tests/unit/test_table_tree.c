// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/base/buf.h"
#include "vmatlas/model/table_tree.h"

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static struct buf text;
static struct table_tree tree;

/* "pmd 3-4 table 5; pte 0-4 anon 5; pte +7" */
static int note(void *ctx, const struct tree_node *node)
{
	const char *level = name_of(table_level_names, node->level);

	(void)ctx;
	if (text.len)
		buf_add_str(&text, "; ");
	if (node->kind == TREE_OMITTED)
		return buf_addf(&text, "%s +%" PRIu64, level, node->entries);
	return buf_addf(&text, "%s %x-%x %s %" PRIu64, level, node->first, node->last,
			node->kind == TREE_TABLE ? "table" :
			name_of(entry_kind_names, node->what), node->entries);
}

static void begin(const char *geometry, size_t limit)
{
	buf_clear(&text);
	table_tree_init(&tree, geometry_named(geometry), limit, note, NULL);
}

static void add(uint64_t start, uint64_t pages, enum page_leaf leaf, enum entry_kind what)
{
	struct table_run run = { .start = start, .pages = pages, .leaf = leaf, .vma = 1 };

	CHECK(table_tree_add(&tree, &run, what) == 0);
}

static const char *finish(void)
{
	CHECK(table_tree_finish(&tree) == 0);
	table_tree_done(&tree);
	return buf_str(&text);
}

/* 4 GiB full of pages, and one page more. */
static void test_dense(void)
{
	begin("x86-64", 8);
	for (uint64_t i = 0; i < 4096; i++)	/* runs that do not care for tables */
		add(GIB(1) + i * MIB(1), 256, LEAF_BASE, ENTRY_KIND_ANON);
	add(GIB(5), 1, LEAF_BASE, ENTRY_KIND_ANON);
	CHECK_STR(finish(), "pgd 0-0 table 1048577; pud 1-4 table 262144; pmd 0-1ff table 512; "
		  "pte 0-1ff anon 512; pud 5-5 table 1; pmd 0-0 table 1; pte 0-0 anon 1");
}

/* One page in each table of two GiB: all tables look the same. */
static void test_sparse(void)
{
	begin("x86-64", 8);
	for (uint64_t i = 0; i < 1024; i++)
		add(GIB(2) + i * MIB(2) + 0x5000, 1, LEAF_BASE, ENTRY_KIND_FILE);
	CHECK_STR(finish(), "pgd 0-0 table 1024; pud 2-3 table 512; pmd 0-1ff table 1; "
		  "pte 5-5 file 1");
}

static void test_leaves(void)
{
	begin("x86-64", 8);
	add(GIB(1), 1024, LEAF_PMD, ENTRY_KIND_ANON);
	add(GIB(1) + MIB(4), 2, LEAF_BASE, ENTRY_KIND_SWAP);
	add(GIB(1) + MIB(4) + 0x2000, 2, LEAF_BASE, ENTRY_KIND_ANON);
	add(GIB(1) + MIB(6), 512, LEAF_PMD, ENTRY_KIND_ANON);
	add(GIB(512), 2 << 18, LEAF_PUD, ENTRY_KIND_FILE);
	CHECK_STR(finish(), "pgd 0-0 table 7; pud 1-1 table 7; pmd 0-1 anon 2; "
		  "pmd 2-2 table 4; pte 0-1 swap 2; pte 2-3 anon 2; pmd 3-3 anon 1; "
		  "pgd 1-1 table 2; pud 0-1 file 2");
	begin("x86", 8);
	add(MIB(4), 1024, LEAF_PMD, ENTRY_KIND_ANON);
	add(MIB(8), 1, LEAF_BASE, ENTRY_KIND_ANON);
	CHECK_STR(finish(), "pgd 1-1 anon 1; pgd 2-2 table 1; pte 0-0 anon 1");
}

/* Every second page: the first items of the table are kept, the others counted. */
static void test_limit(void)
{
	begin("x86-64", 2);
	for (uint64_t i = 0; i < 10; i++)
		add(i * 0x2000, 1, LEAF_BASE, ENTRY_KIND_ANON);
	CHECK_STR(finish(), "pgd 0-0 table 10; pud 0-0 table 10; pmd 0-0 table 10; "
		  "pte 0-0 anon 1; pte 2-2 anon 1; pte +8");
}

static void test_vmas(void)
{
	struct table_run run = { .start = 0, .pages = 2, .vma = 1 };

	begin("x86-64", 8);
	CHECK(table_tree_add(&tree, &run, ENTRY_KIND_ANON) == 0);
	run.start = 0x2000;
	run.vma = 2;
	CHECK(table_tree_add(&tree, &run, ENTRY_KIND_ANON) == 0);
	CHECK_STR(finish(), "pgd 0-0 table 4; pud 0-0 table 4; pmd 0-0 table 4; "
		  "pte 0-1 anon 2; pte 2-3 anon 2");
}

int main(void)
{
	test_dense();
	test_sparse();
	test_leaves();
	test_limit();
	test_vmas();
	buf_done(&text);
	TEST_END;
}
