// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/geometry.h"

#include <stddef.h>
#include <string.h>

#include "vmatlas/base/cleanup.h"

#define LEAF(level) (1u << LEVEL_##level)
#define GIB(n) ((uint64_t)(n) << 30)

/* The splits that several architectures share, bottom to top. */
#define SPLIT_9_9_9 \
	[LEVEL_PTE] = { 12, 9 }, [LEVEL_PMD] = { 21, 9 }, [LEVEL_PGD] = { 30, 9 }
#define SPLIT_9_9_9_9 \
	[LEVEL_PTE] = { 12, 9 }, [LEVEL_PMD] = { 21, 9 }, [LEVEL_PUD] = { 30, 9 }, \
	[LEVEL_PGD] = { 39, 9 }
#define SPLIT_FIVE(top) \
	[LEVEL_PTE] = { 12, 9 }, [LEVEL_PMD] = { 21, 9 }, [LEVEL_PUD] = { 30, 9 }, \
	[LEVEL_P4D] = { 39, 9 }, [LEVEL_PGD] = { 48, top }
#define SPLIT_11_11(top) \
	[LEVEL_PTE] = { 14, 11 }, [LEVEL_PMD] = { 25, 11 }, [LEVEL_PUD] = { 36, 11 }, \
	[LEVEL_PGD] = { 47, top }
#define SPLIT_13_13(top) \
	[LEVEL_PTE] = { 16, 13 }, [LEVEL_PMD] = { 29, 13 }, [LEVEL_PGD] = { 42, top }

/*
 * Index splits: arch/{x86,arm64,riscv}/include/asm/pgtable*, page shift + table bits. User ranges:
 * Documentation/arch/x86/x86_64/{mm,5level-paging}.rst, Documentation/arch/riscv/vm-layout.rst;
 * x86-64 keeps the last page free (TASK_SIZE_MAX). Contiguous-entry leaves (arm64 contpte,
 * riscv svnapot) are several entries of one level and no leaves of their own here.
 *
 * PAE: arch/x86/mm/pgtable.c preallocate_pmds() fills all four PGD entries and counts them;
 * kernels that share the kernel's PMD (SHARED_KERNEL_PMD) fill only the three of user space.
 * _PAGE_NX is bit 63: entries of 32 bits have none.
 */
const struct geometry geometries[] = {
	{
		.name = "x86-64",
		.meaning = "4 levels (9+9+9+9+12), 4 KiB pages, 47-bit user addresses",
		.page_shift = 12, .user_bits = 47, .user_end = (1ULL << 47) - 4096,
		.entry_size = 8, .level = { SPLIT_9_9_9_9 },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PUD),
	}, {
		.name = "x86-64-la57",
		.meaning = "5 levels (9+9+9+9+9+12), 4 KiB pages, 56-bit user addresses",
		.page_shift = 12, .user_bits = 56, .user_end = (1ULL << 56) - 4096,
		.entry_size = 8, .level = { SPLIT_FIVE(9) },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PUD),
	}, {
		.name = "x86",
		.meaning = "2 levels (10+10+12), 4 KiB pages, 3 GiB of user addresses",
		.page_shift = 12, .user_bits = 32, .user_end = GIB(3), .entry_size = 4,
		.level = { [LEVEL_PTE] = { 12, 10 }, [LEVEL_PGD] = { 22, 10 } },
		.leaf_levels = LEAF(PTE) | LEAF(PGD), .executes_all = true,
	}, {
		.name = "x86-pae",
		.meaning = "3 levels (2+9+9+12), 4 KiB pages, 3 GiB of user addresses",
		.page_shift = 12, .user_bits = 32, .user_end = GIB(3), .entry_size = 8,
		.level = {
			[LEVEL_PTE] = { 12, 9 }, [LEVEL_PMD] = { 21, 9 },
			[LEVEL_PGD] = { 30, 2 },
		},
		.leaf_levels = LEAF(PTE) | LEAF(PMD), .preallocated_pmds = 4,
	}, {
		.name = "arm64-4k-39",
		.meaning = "3 levels (9+9+9+12), 4 KiB pages, 39-bit user addresses",
		.page_shift = 12, .user_bits = 39, .user_end = 1ULL << 39,
		.entry_size = 8, .level = { SPLIT_9_9_9 },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PGD),
	}, {
		.name = "arm64-4k-48",
		.meaning = "4 levels (9+9+9+9+12), 4 KiB pages, 48-bit user addresses",
		.page_shift = 12, .user_bits = 48, .user_end = 1ULL << 48,
		.entry_size = 8, .level = { SPLIT_9_9_9_9 },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PUD),
	}, {
		.name = "arm64-4k-52",
		.meaning = "5 levels (4+9+9+9+9+12), 4 KiB pages, 52-bit user addresses (LPA2)",
		.page_shift = 12, .user_bits = 52, .user_end = 1ULL << 52,
		.entry_size = 8, .level = { SPLIT_FIVE(4) },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PUD),
	}, {
		.name = "arm64-16k-36",
		.meaning = "2 levels (11+11+14), 16 KiB pages, 36-bit user addresses",
		.page_shift = 14, .user_bits = 36, .user_end = 1ULL << 36, .entry_size = 8,
		.level = { [LEVEL_PTE] = { 14, 11 }, [LEVEL_PGD] = { 25, 11 } },
		.leaf_levels = LEAF(PTE) | LEAF(PGD),
	}, {
		.name = "arm64-16k-47",
		.meaning = "3 levels (11+11+11+14), 16 KiB pages, 47-bit user addresses",
		.page_shift = 14, .user_bits = 47, .user_end = 1ULL << 47, .entry_size = 8,
		.level = {
			[LEVEL_PTE] = { 14, 11 }, [LEVEL_PMD] = { 25, 11 },
			[LEVEL_PGD] = { 36, 11 },
		},
		.leaf_levels = LEAF(PTE) | LEAF(PMD),
	}, {
		.name = "arm64-16k-48",
		.meaning = "4 levels (1+11+11+11+14), 16 KiB pages, 48-bit user addresses",
		.page_shift = 14, .user_bits = 48, .user_end = 1ULL << 48,
		.entry_size = 8, .level = { SPLIT_11_11(1) },
		.leaf_levels = LEAF(PTE) | LEAF(PMD),
	}, {
		.name = "arm64-16k-52",
		.meaning = "4 levels (5+11+11+11+14), 16 KiB pages, 52-bit user addresses (LPA2)",
		.page_shift = 14, .user_bits = 52, .user_end = 1ULL << 52,
		.entry_size = 8, .level = { SPLIT_11_11(5) },
		.leaf_levels = LEAF(PTE) | LEAF(PMD),
	}, {
		.name = "arm64-64k-42",
		.meaning = "2 levels (13+13+16), 64 KiB pages, 42-bit user addresses",
		.page_shift = 16, .user_bits = 42, .user_end = 1ULL << 42, .entry_size = 8,
		.level = { [LEVEL_PTE] = { 16, 13 }, [LEVEL_PGD] = { 29, 13 } },
		.leaf_levels = LEAF(PTE) | LEAF(PGD),
	}, {
		.name = "arm64-64k-48",
		.meaning = "3 levels (6+13+13+16), 64 KiB pages, 48-bit user addresses",
		.page_shift = 16, .user_bits = 48, .user_end = 1ULL << 48,
		.entry_size = 8, .level = { SPLIT_13_13(6) },
		.leaf_levels = LEAF(PTE) | LEAF(PMD),
	}, {
		.name = "arm64-64k-52",
		.meaning = "3 levels (10+13+13+16), 64 KiB pages, 52-bit user addresses (LVA)",
		.page_shift = 16, .user_bits = 52, .user_end = 1ULL << 52,
		.entry_size = 8, .level = { SPLIT_13_13(10) },
		.leaf_levels = LEAF(PTE) | LEAF(PMD),
	}, {
		.name = "riscv-sv39",
		.meaning = "3 levels (9+9+9+12), 4 KiB pages, 38-bit user addresses",
		.page_shift = 12, .user_bits = 38, .user_end = 1ULL << 38,
		.entry_size = 8, .level = { SPLIT_9_9_9 },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PGD),
	}, {
		.name = "riscv-sv48",
		.meaning = "4 levels (9+9+9+9+12), 4 KiB pages, 47-bit user addresses",
		.page_shift = 12, .user_bits = 47, .user_end = 1ULL << 47,
		.entry_size = 8, .level = { SPLIT_9_9_9_9 },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PUD) | LEAF(PGD),
	}, {
		.name = "riscv-sv57",
		.meaning = "5 levels (9+9+9+9+9+12), 4 KiB pages, 56-bit user addresses",
		.page_shift = 12, .user_bits = 56, .user_end = 1ULL << 56,
		.entry_size = 8, .level = { SPLIT_FIVE(9) },
		.leaf_levels = LEAF(PTE) | LEAF(PMD) | LEAF(PUD) | LEAF(P4D) | LEAF(PGD),
	},
	{ .name = NULL },
};

const struct name table_level_names[] = {
	{ LEVEL_PTE, "pte", "last level: one entry per base page" },
	{ LEVEL_PMD, "pmd", "page middle directory: entries are PTE tables or huge pages" },
	{ LEVEL_PUD, "pud", "page upper directory: entries are PMD tables or gigantic pages" },
	{ LEVEL_P4D, "p4d", "page fourth directory: only with five levels" },
	{ LEVEL_PGD, "pgd", "page global directory: the one top table of an address space" },
	{ 0, NULL, NULL },
};

/* uname machine to the names of its geometries. */
static const struct {
	const char *machine;
	const char *prefix;
} families[] = {
	{ "x86_64", "x86-64" }, { "amd64", "x86-64" },
	{ "i386", "x86" }, { "i486", "x86" }, { "i586", "x86" }, { "i686", "x86" },
	{ "aarch64", "arm64-" },
	{ "riscv64", "riscv-" },
};

const struct geometry *geometry_named(const char *name)
{
	for (const struct geometry *g = geometries; g->name; g++)
		if (!strcmp(g->name, name))
			return g;
	return NULL;
}

unsigned geometry_depth(const struct geometry *g)
{
	unsigned depth = 0;

	for (enum table_level level = LEVEL_PTE; level < LEVEL_MAX; level++)
		depth += geometry_has(g, level);
	return depth;
}

/* Is `word` one of the words behind the first line whose key is `key`? All processors agree on
 * what decides the geometry.
 * flags		: fpu vme de pse ... la57
 * mmu		: sv48 */
static bool cpuinfo_says(struct span cpuinfo, const char *key, const char *word)
{
	while (cpuinfo.len) {
		struct span line = span_take_until(&cpuinfo, '\n');
		struct span left = span_take_until(&line, ':'), found;

		span_take_char(&cpuinfo, '\n');
		if (!span_is(span_trim(left), key))
			continue;
		span_take_char(&line, ':');
		while (span_take_word(&line, &found))
			if (span_is(found, word))
				return true;
		return false;
	}
	return false;
}

/*
 * x86: cpuinfo shows la57 only where the kernel uses five levels (cpu/common.c
 * early_identify_cpu()). A 32-bit uname may be a personality of a 64-bit kernel: then the stack
 * ends above the 3 GiB that a 32-bit kernel gives.
 */
static const struct geometry *detect_x86(bool wide, struct span cpuinfo, uint64_t highest)
{
	if (wide || highest > GIB(3))
		return geometry_named(cpuinfo_says(cpuinfo, "flags", "la57") || highest >> 47 ?
				      "x86-64-la57" : "x86-64");
	return geometry_named(cpuinfo_says(cpuinfo, "flags", "pae") ? "x86-pae" : "x86");
}

/* riscv: arch/riscv/kernel/cpu.c print_mmu() tells the width in use. */
static const struct geometry *detect_riscv(struct span cpuinfo)
{
	static const char *const modes[] = { "sv39", "sv48", "sv57" };
	static const char *const names[] = { "riscv-sv39", "riscv-sv48", "riscv-sv57" };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (cpuinfo_says(cpuinfo, "mmu", modes[i]))
			return geometry_named(names[i]);
	return NULL;
}

static const struct geometry *detect_smallest(const char *prefix, uint32_t page_size,
					      uint64_t highest)
{
	for (const struct geometry *g = geometries; g->name; g++)
		if (!strncmp(g->name, prefix, strlen(prefix)) &&
		    1u << g->page_shift == page_size && highest <= g->user_end)
			return g;
	return NULL;
}

const struct geometry *geometry_detect(const char *machine, uint32_t page_size,
				       struct span cpuinfo, uint64_t highest_address)
{
	const struct geometry *found = NULL;
	const char *prefix = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (!strcmp(families[i].machine, machine))
			prefix = families[i].prefix;
	if (!prefix)
		return NULL;
	if (!strncmp(prefix, "x86", 3))
		return detect_x86(!strcmp(prefix, "x86-64"), cpuinfo, highest_address);
	if (!strcmp(prefix, "riscv-"))
		found = detect_riscv(cpuinfo);
	return found ? found : detect_smallest(prefix, page_size, highest_address);
}
