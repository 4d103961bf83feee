// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/model/geometry.h"

/* Index bits and page offset must add up to the width of an address, without holes. */
static void test_splits(void)
{
	unsigned count = 0;

	for (const struct geometry *g = geometries; g->name; g++, count++) {
		unsigned at = g->page_shift;

		for (enum table_level level = LEVEL_PTE; level < LEVEL_MAX; level++) {
			if (!geometry_has(g, level))
				continue;
			CHECK_U64(g->level[level].shift, at);
			at += g->level[level].bits;
		}
		/* x86-64 and riscv give user space the lower half of what the tables can hold. */
		CHECK(at == g->user_bits || at == g->user_bits + 1);
		CHECK(g->user_end && g->user_end <= 1ULL << g->user_bits);
		CHECK(geometry_has(g, LEVEL_PTE) && geometry_has(g, LEVEL_PGD));
		CHECK(g->leaf_levels & 1);
		CHECK(geometry_named(g->name) == g);
	}
	CHECK_U64(count, 17);
	CHECK(!geometry_named("vax"));
}

static void test_indices(void)
{
	const struct geometry *g = geometry_named("x86-64");
	uint64_t a = 0x7f1c0a012345;

	CHECK_U64(geometry_index(g, LEVEL_PGD, a), 0xfe);
	CHECK_U64(geometry_index(g, LEVEL_PUD, a), 0x070);
	CHECK_U64(geometry_index(g, LEVEL_PMD, a), 0x050);
	CHECK_U64(geometry_index(g, LEVEL_PTE, a), 0x012);
	CHECK_U64(geometry_span(g, LEVEL_PMD), 2 << 20);
	CHECK_U64(geometry_table_bytes(g, LEVEL_PTE), 4096);
	CHECK_U64(geometry_depth(g), 4);
	CHECK(geometry_unfold(g, LEVEL_P4D) == LEVEL_PGD);

	g = geometry_named("x86-pae");
	CHECK_U64(geometry_index(g, LEVEL_PGD, 0xbffff123), 2);
	CHECK_U64(geometry_index(g, LEVEL_PMD, 0xbffff123), 0x1ff);
	CHECK_U64(geometry_table_bytes(g, LEVEL_PGD), 32);
	CHECK(geometry_unfold(g, LEVEL_PUD) == LEVEL_PGD);

	g = geometry_named("x86");
	CHECK_U64(geometry_index(g, LEVEL_PGD, 0x08049abc), 0x20);
	CHECK_U64(geometry_index(g, LEVEL_PTE, 0x08049abc), 0x49);
	CHECK_U64(geometry_table_bytes(g, LEVEL_PTE), 4096);

	g = geometry_named("arm64-64k-48");
	CHECK_U64(geometry_span(g, LEVEL_PMD), 512 << 20);
	CHECK_U64(geometry_table_bytes(g, LEVEL_PTE), 65536);
}

static const char *detect(const char *machine, uint32_t page_size, const char *cpuinfo,
			  uint64_t highest)
{
	const struct geometry *g = geometry_detect(machine, page_size, span_of(cpuinfo), highest);

	return g ? g->name : "none";
}

static void test_detect(void)
{
	CHECK_STR(detect("x86_64", 4096, "flags\t\t: fpu lm\n", 0x7ffffffff000), "x86-64");
	CHECK_STR(detect("x86_64", 4096, "x: 1\nflags\t\t: fpu la57 lm\nflags : fpu\n", 1),
		  "x86-64-la57");
	CHECK_STR(detect("x86_64", 4096, "model name : la57\nflags\t: lm\n", 1), "x86-64");
	CHECK_STR(detect("x86_64", 4096, "", 1ULL << 48), "x86-64-la57");
	CHECK_STR(detect("i686", 4096, "flags : fpu pae\n", 0xbffff000), "x86-pae");
	CHECK_STR(detect("i386", 4096, "flags : fpu\n", 0xbffff000), "x86");
	CHECK_STR(detect("i686", 4096, "flags : fpu pae\n", 0xffffe000), "x86-64");
	CHECK_STR(detect("aarch64", 4096, "", 0x7ffffff000), "arm64-4k-39");
	CHECK_STR(detect("aarch64", 4096, "", 0xfffffffff000), "arm64-4k-48");
	CHECK_STR(detect("aarch64", 16384, "", 0x7ffffffff000), "arm64-16k-47");
	CHECK_STR(detect("aarch64", 65536, "", 0xffffffff0000), "arm64-64k-48");
	CHECK_STR(detect("aarch64", 8192, "", 1), "none");
	CHECK_STR(detect("riscv64", 4096, "hart : 0\nmmu\t\t: sv57\n", 1), "riscv-sv57");
	CHECK_STR(detect("riscv64", 4096, "", 0x3ffffff000), "riscv-sv39");
	CHECK_STR(detect("s390x", 4096, "", 1), "none");
}

int main(void)
{
	test_splits();
	test_indices();
	test_detect();
	TEST_END;
}
