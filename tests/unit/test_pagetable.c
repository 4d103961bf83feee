// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/model/pagetable.h"

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define TIB(n) ((uint64_t)(n) << 40)

static struct table_builder builder;

static void begin(const char *geometry)
{
	table_builder_init(&builder, geometry_named(geometry), NULL, NULL);
}

static void add(struct table_run run)
{
	CHECK(table_builder_add(&builder, &run) == 0);
}

/* Base pages of file content, by number of bytes. */
static void add_bytes(uint64_t start, uint64_t bytes)
{
	add((struct table_run) {
		.start = start, .pages = bytes >> builder.geometry->page_shift,
		.leaf = LEAF_BASE, .present = true });
}

static void check_tables(uint64_t pte, uint64_t pmd, uint64_t pud, uint64_t p4d, uint64_t bytes)
{
	const struct table_counts *counts = &builder.walk.counts;

	CHECK_U64(counts->tables[LEVEL_PTE], pte);
	CHECK_U64(counts->tables[LEVEL_PMD], pmd);
	CHECK_U64(counts->tables[LEVEL_PUD], pud);
	CHECK_U64(counts->tables[LEVEL_P4D], p4d);
	CHECK_U64(counts->tables[LEVEL_PGD], 1);
	CHECK_U64(table_counts_bytes(builder.geometry, counts), bytes);
}

/*
 * For every geometry, counted by hand:
 *	far	one page at 0 and one at the end of user space: they share the PGD only (but the
 *		PUD table too where one PGD entry covers it all)
 *	dense	1 GiB of base pages from 1 GiB on
 *	huge	four PMD leaves from 0 on, anonymous: one table, four deposits
 */
static const struct {
	const char *name;
	struct { uint64_t pte, pmd, pud, p4d, kib; } far, dense, huge;
	uint64_t pmd_leaf;
} cases[] = {
	{ "x86-64", { 2, 2, 2, 0, 24 }, { 512, 1, 1, 0, 2056 }, { 0, 1, 1, 0, 24 }, MIB(2) },
	{ "x86-64-la57", { 2, 2, 2, 2, 24 }, { 512, 1, 1, 1, 2056 }, { 0, 1, 1, 1, 24 }, MIB(2) },
	{ "x86", { 2, 0, 0, 0, 8 }, { 256, 0, 0, 0, 1024 }, { 0, 0, 0, 0, 16 }, MIB(4) },
	{ "x86-pae", { 2, 4, 0, 0, 24 }, { 512, 4, 0, 0, 2064 }, { 0, 4, 0, 0, 32 }, MIB(2) },
	{ "arm64-4k-39", { 2, 2, 0, 0, 16 }, { 512, 1, 0, 0, 2052 }, { 0, 1, 0, 0, 20 }, MIB(2) },
	{ "arm64-4k-48", { 2, 2, 2, 0, 24 }, { 512, 1, 1, 0, 2056 }, { 0, 1, 1, 0, 24 }, MIB(2) },
	{ "arm64-4k-52", { 2, 2, 2, 2, 24 }, { 512, 1, 1, 1, 2056 }, { 0, 1, 1, 1, 24 }, MIB(2) },
	{ "arm64-16k-36", { 2, 0, 0, 0, 32 }, { 32, 0, 0, 0, 512 }, { 0, 0, 0, 0, 64 }, MIB(32) },
	{ "arm64-16k-47", { 2, 2, 0, 0, 64 }, { 32, 1, 0, 0, 528 }, { 0, 1, 0, 0, 80 }, MIB(32) },
	{ "arm64-16k-48", { 2, 2, 2, 0, 96 }, { 32, 1, 1, 0, 544 }, { 0, 1, 1, 0, 96 }, MIB(32) },
	{ "arm64-16k-52", { 2, 2, 2, 0, 96 }, { 32, 1, 1, 0, 544 }, { 0, 1, 1, 0, 96 }, MIB(32) },
	{ "arm64-64k-42", { 2, 0, 0, 0, 128 }, { 2, 0, 0, 0, 128 }, { 0, 0, 0, 0, 256 }, MIB(512) },
	{ "arm64-64k-48", { 2, 2, 0, 0, 256 }, { 2, 1, 0, 0, 192 }, { 0, 1, 0, 0, 320 }, MIB(512) },
	{ "arm64-64k-52", { 2, 2, 0, 0, 256 }, { 2, 1, 0, 0, 192 }, { 0, 1, 0, 0, 320 }, MIB(512) },
	{ "riscv-sv39", { 2, 2, 0, 0, 16 }, { 512, 1, 0, 0, 2052 }, { 0, 1, 0, 0, 20 }, MIB(2) },
	{ "riscv-sv48", { 2, 2, 2, 0, 24 }, { 512, 1, 1, 0, 2056 }, { 0, 1, 1, 0, 24 }, MIB(2) },
	{ "riscv-sv57", { 2, 2, 2, 2, 24 }, { 512, 1, 1, 1, 2056 }, { 0, 1, 1, 1, 24 }, MIB(2) },
};

#define CHECK_CASE(c)                                                                       \
	do {                                                                                \
		CHECK(table_builder_finish(&builder) == 0);                                 \
		check_tables((c).pte, (c).pmd, (c).pud, (c).p4d, (c).kib << 10);            \
	} while (0)

static void test_geometry(size_t i)
{
	const struct geometry *g = geometry_named(cases[i].name);
	uint64_t page = 1ULL << g->page_shift;
	int failures = test_failures;

	begin(cases[i].name);
	add_bytes(0, page);
	add_bytes(g->user_end - page, page);
	CHECK_CASE(cases[i].far);

	begin(cases[i].name);
	add_bytes(GIB(1), GIB(1));
	CHECK_CASE(cases[i].dense);
	CHECK_U64(builder.walk.counts.leaves[LEVEL_PTE], GIB(1) >> g->page_shift);
	CHECK_U64(builder.fill.full, cases[i].dense.pte);

	begin(cases[i].name);
	add((struct table_run) {
		.pages = 4 * cases[i].pmd_leaf >> g->page_shift, .leaf = LEAF_PMD,
		.present = true, .deposit = true, .anonymous = true });
	CHECK_CASE(cases[i].huge);
	CHECK_U64(builder.walk.counts.deposited, 4);
	CHECK_U64(builder.walk.counts.leaves[geometry_unfold(g, LEVEL_PMD)], 4);
	if (failures != test_failures)
		printf("... in geometry %s\n", cases[i].name);
}

static void test_all_geometries(void)
{
	size_t known = 0, tested = sizeof(cases) / sizeof(cases[0]);

	while (geometries[known].name)
		known++;
	CHECK_U64(tested, known);
	for (size_t i = 0; i < tested; i++)
		test_geometry(i);
}

/* One page in every second 2 MiB slot of 1 TiB: 262,144 PTE tables of one entry each. */
static void test_sparse(void)
{
	begin("x86-64");
	for (uint64_t i = 0; i < 262144; i++)
		add_bytes(TIB(1) + i * MIB(4) + 4096, 4096);
	CHECK(table_builder_finish(&builder) == 0);
	check_tables(262144, 1024, 2, 0, (262144 + 1024 + 2) * 4096ULL);
	CHECK_U64(builder.fill.single, 262144);
	CHECK_U64(builder.walk.counts.entries[LEVEL_PMD], 262144);
	CHECK_U64(builder.walk.counts.entries[LEVEL_PGD], 2);
	CHECK_U64(builder.fill.worst_count, TABLE_WASTE_MAX);
	CHECK_U64(builder.fill.worst[0].tables, 1);	/* every second slot: none are neighbours */
}

/* Many runs in one slot are one table; a table shared by two VMAs is the first one's. */
static uint64_t vma_tables[4], vma_entries[4], vma_calls;

static int note_vma(void *ctx, uint32_t vma, const struct table_counts *counts)
{
	(void)ctx;
	vma_calls++;
	if (vma < 4) {
		vma_tables[vma] = counts->tables[LEVEL_PTE];
		vma_entries[vma] = counts->entries[LEVEL_PTE];
	}
	return vma == 9 ? -7 : 0;
}

static void test_shared_table(void)
{
	table_builder_init(&builder, geometry_named("x86-64"), note_vma, NULL);
	add((struct table_run) { .start = MIB(2), .pages = 3, .vma = 0, .present = true });
	add((struct table_run) { .start = MIB(2) + 12288, .pages = 1, .vma = 0 });
	add((struct table_run) { .start = MIB(3), .pages = 256 + 512, .vma = 2, .present = true });
	CHECK(table_builder_finish(&builder) == 0);
	check_tables(2, 1, 1, 0, 4 * 4096);
	CHECK_U64(vma_calls, 2);
	CHECK_U64(vma_tables[0], 1);
	CHECK_U64(vma_entries[0], 4);
	CHECK_U64(vma_tables[2], 1);
	CHECK_U64(vma_entries[2], 768);
	CHECK_U64(builder.walk.counts.absent, 1);
	CHECK_U64(builder.fill.full, 1);	/* the second slot; the first holds 260 of 512 */
	CHECK_U64(builder.fill.sparse, 0);
	add((struct table_run) { .start = GIB(8), .pages = 1, .vma = 9 });
	CHECK(table_builder_finish(&builder) == -7);
}

/* A leaf that comes in pieces is one entry; 1 GiB leaves need neither PMD nor PTE tables. */
static void test_leaves(void)
{
	struct table_run piece = { .start = GIB(1), .pages = 100, .leaf = LEAF_PMD,
				   .present = true, .deposit = true };

	begin("x86-64");
	add(piece);
	piece.start += 100 * 4096;
	piece.pages = 412;
	add(piece);
	add((struct table_run) { .start = GIB(3), .pages = 512, .leaf = LEAF_PMD,
				 .present = true });
	add((struct table_run) { .start = GIB(4), .pages = 2 << 18, .leaf = LEAF_PUD,
				 .present = true });
	CHECK(table_builder_finish(&builder) == 0);
	check_tables(0, 2, 1, 0, 4 * 4096);
	CHECK_U64(builder.walk.counts.deposited, 1);
	CHECK_U64(builder.walk.counts.leaves[LEVEL_PMD], 2);
	CHECK_U64(builder.walk.counts.leaves[LEVEL_PUD], 2);
	CHECK_U64(builder.walk.counts.entries[LEVEL_PUD], 4);

	begin("arm64-4k-39");	/* the PUD is folded: its leaf lies in the PGD */
	add((struct table_run) { .start = GIB(4), .pages = 1 << 18, .leaf = LEAF_PUD,
				 .present = true });
	CHECK(table_builder_finish(&builder) == 0);
	check_tables(0, 0, 0, 0, 0);
	CHECK_U64(builder.walk.counts.leaves[LEVEL_PGD], 1);
}

/* Two ranges of sparse tables; the larger waste comes first, a full table ends a range. */
static void test_waste(void)
{
	begin("x86-64");
	for (uint64_t i = 0; i < 3; i++)
		add_bytes(GIB(1) + i * MIB(2), 2 * 4096);
	add_bytes(GIB(1) + MIB(6), MIB(2));
	for (uint64_t i = 4; i < 20; i++)
		add_bytes(GIB(1) + i * MIB(2), 64 * 4096);
	add_bytes(GIB(1) + 20 * MIB(2), 65 * 4096);	/* more than an eighth */
	CHECK(table_builder_finish(&builder) == 0);
	CHECK_U64(builder.fill.worst_count, 2);
	CHECK_U64(builder.fill.worst[0].start, GIB(1) + MIB(8));
	CHECK_U64(builder.fill.worst[0].end, GIB(1) + MIB(40));
	CHECK_U64(builder.fill.worst[0].tables, 16);
	CHECK_U64(builder.fill.worst[0].entries, 1024);
	CHECK_U64(builder.fill.worst[1].tables, 3);
	CHECK_U64(builder.fill.worst[1].entries, 6);
	CHECK_U64(builder.fill.sparse, 19);
	CHECK_U64(builder.fill.full, 1);
}

/* VMA 0: file only, skipped by fork. VMA 1: file and one anonymous page, all of it is copied.
 * VMA 2: swapped only, copied. VMA 3: file again, in the table of VMA 2. VMA 4: huge. */
static void test_fork(void)
{
	begin("x86-64");
	add((struct table_run) { .start = MIB(2), .pages = 600, .vma = 0, .present = true });
	add((struct table_run) { .start = MIB(8), .pages = 9, .vma = 1, .present = true });
	add((struct table_run) { .start = MIB(8) + 36864, .pages = 1, .vma = 1, .present = true,
				 .anonymous = true });
	add((struct table_run) { .start = GIB(1), .pages = 5, .vma = 2, .anonymous = true });
	add((struct table_run) {
		.start = GIB(1) + MIB(1), .pages = 300, .vma = 3, .present = true });
	add((struct table_run) { .start = GIB(2), .pages = 1024, .vma = 4, .leaf = LEAF_PMD,
				 .present = true, .anonymous = true, .deposit = true });
	add((struct table_run) { .start = GIB(2) + MIB(4), .pages = 512, .vma = 4, .leaf = LEAF_PMD,
				 .present = true, .fork_skips = true });
	CHECK(table_builder_finish(&builder) == 0);
	CHECK_U64(builder.fork.vmas, 3);
	CHECK_U64(builder.fork.vmas_skipped, 2);
	CHECK_U64(builder.fork.counts.tables[LEVEL_PTE], 2);
	CHECK_U64(builder.fork.counts.tables[LEVEL_PMD], 3);
	CHECK_U64(builder.fork.counts.tables[LEVEL_PUD], 1);
	CHECK_U64(builder.fork.counts.deposited, 2);
	CHECK_U64(builder.fork.counts.entries[LEVEL_PTE], 15);
	CHECK_U64(builder.fork.counts.leaves[LEVEL_PMD], 2);
	CHECK_U64(builder.fork.protected_entries, 3);
	CHECK_U64(builder.fork.protected_pages, 1025);
	check_tables(5, 3, 1, 0, (5 + 3 + 1 + 2) * 4096);
}

/* Nothing mapped at all still has a PGD, and the PMD tables that PAE begins with. */
static void test_empty(void)
{
	begin("x86-64");
	CHECK(table_builder_finish(&builder) == 0);
	check_tables(0, 0, 0, 0, 0);
	CHECK_U64(builder.preallocated, 0);
	begin("x86-pae");
	CHECK(table_builder_finish(&builder) == 0);
	check_tables(0, 4, 0, 0, 4 * 4096);
	CHECK_U64(builder.preallocated, 4);
}

int main(void)
{
	test_all_geometries();
	test_sparse();
	test_shared_table();
	test_leaves();
	test_waste();
	test_fork();
	test_empty();
	TEST_END;
}
