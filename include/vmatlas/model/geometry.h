/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_GEOMETRY_H
#define VMATLAS_MODEL_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/error.h"
#include "vmatlas/base/names.h"
#include "vmatlas/parse/maps.h"

/*
 * Geometry of a page table is data. Levels are named as the kernel does, whatever the depth: the
 * top table is always the PGD, the bottom always PTE, and a level with 0 index bits is folded
 * (include/asm-generic/pgtable-nop4d.h, -nopud.h, -nopmd.h): a leaf of a folded level lies in
 * the next level above that exists.
 */
enum table_level { LEVEL_PTE, LEVEL_PMD, LEVEL_PUD, LEVEL_P4D, LEVEL_PGD, LEVEL_MAX };

struct geometry {
	const char *name;		/* "x86-64", "x86-64-la57", "x86-pae", "arm64-16k-48" ... */
	const char *meaning;		/* "4 levels, 4 KiB pages, 47-bit user addresses" */
	unsigned page_shift;
	unsigned user_bits;		/* user addresses are below 1 <<
					 * user_bits (x86-32: 3 GiB) */
	uint64_t user_end;		/* exclusive: TASK_SIZE */
	uint8_t entry_size;		/* bytes of one entry: 4 or 8 */
	struct {
		uint8_t shift;		/* lowest address bit of the index */
		uint8_t bits;		/* index bits; 0: the level is folded */
	} level[LEVEL_MAX];
	uint8_t leaf_levels;		/* bit per enum table_level that can hold a leaf */
	uint8_t preallocated_pmds;	/* PMD tables every process has from its start */
	bool executes_all;		/* entries have no bit that forbids execution */
};

extern const struct geometry geometries[];	/* last entry has name NULL */

const struct geometry *geometry_named(const char *name);
/*
 * From uname machine, page size, cpuinfo text (la57, "mmu : sv48") and the end of the highest
 * mapping. Where nothing tells the width the smallest one that holds that address is taken: the
 * stack lies near the top of user space. NULL for a machine that is not in the table.
 */
const struct geometry *geometry_detect(const char *machine, uint32_t page_size,
				       struct span cpuinfo, uint64_t highest_address);

static inline uint64_t geometry_index(const struct geometry *g, enum table_level level,
				      uint64_t address)
{
	return address >> g->level[level].shift & ((1ULL << g->level[level].bits) - 1);
}

/* Is there a table of this level at all? */
static inline bool geometry_has(const struct geometry *g, enum table_level level)
{
	return g->level[level].bits != 0;
}

/* The level whose tables hold what the kernel calls an entry of `level`. */
static inline enum table_level geometry_unfold(const struct geometry *g, enum table_level level)
{
	while (level < LEVEL_PGD && !geometry_has(g, level))
		level++;
	return level;
}

/* What of the rights of a VMA (enum vma_perm) entries can enforce: without a bit against it,
 * what may be read may be executed (a fetch is a read to arch/x86/mm/fault.c access_error()). */
static inline uint8_t geometry_rights(const struct geometry *g, uint8_t perms)
{
	bool any = perms & (VMA_READ | VMA_WRITE | VMA_EXEC);

	return g->executes_all && any ? perms | VMA_EXEC : perms;
}

/* Number of levels that exist. */
unsigned geometry_depth(const struct geometry *g);

/* Bytes that one entry of this level covers. */
static inline uint64_t geometry_span(const struct geometry *g, enum table_level level)
{
	return 1ULL << g->level[level].shift;
}

static inline uint64_t geometry_table_bytes(const struct geometry *g, enum table_level level)
{
	return (uint64_t)g->entry_size << g->level[level].bits;
}

extern const struct name table_level_names[];	/* "pte" "pmd" "pud" "p4d" "pgd" */

#endif
