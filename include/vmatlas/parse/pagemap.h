/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_PAGEMAP_H
#define VMATLAS_PARSE_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/names.h"

/* One word of /proc/PID/pagemap; Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_SWAP	(1ULL << 62)	/* any entry that is not present: swap, migration, marker */
#define PAGEMAP_FILE	(1ULL << 61)	/* folio is not anonymous; lies for
					 * the huge zero page before 7.3 */
#define PAGEMAP_GUARD	(1ULL << 58)	/* 6.15 */
#define PAGEMAP_UFFD_WP	(1ULL << 57)
#define PAGEMAP_EXCLUSIVE (1ULL << 56)	/* mapped once; says nothing about copy-on-write */
#define PAGEMAP_SOFT_DIRTY (1ULL << 55)
#define PAGEMAP_FRAME_MASK ((1ULL << 55) - 1)
#define PAGEMAP_FLAG_MASK (~PAGEMAP_FRAME_MASK)

extern const struct name pagemap_flag_names[];

static inline uint64_t pagemap_frame(uint64_t word)
{
	return word & PAGEMAP_FRAME_MASK;
}

/* A word with PAGEMAP_SWAP; type and offset are zero without CAP_SYS_ADMIN. */
enum swap_kind {
	SWAP_SLOT,		/* type below the number of swap areas */
	SWAP_MARKER_UFFD_WP,
	SWAP_MARKER_POISON,
	SWAP_MARKER_GUARD,
	SWAP_MARKER_OTHER,
	SWAP_SPECIAL,		/* migration, device, hwpoison */
	SWAP_UNKNOWN		/* cannot be told without privilege */
};

struct swap_entry {
	enum swap_kind kind;
	unsigned type;
	uint64_t offset;	/* slot, or the frame of a special entry */
};

/* include/linux/swap.h: types from MAX_SWAPFILES up are special, 31 is the marker (after 6.1).
 * `frames_visible`: type and offset are shown to this reader. */
struct swap_entry pagemap_swap(uint64_t word, bool frames_visible);

/* Categories of PAGEMAP_SCAN (include/uapi/linux/fs.h). */
enum scan_category {
	SCAN_WPALLOWED = 1 << 0,
	SCAN_WRITTEN = 1 << 1,
	SCAN_FILE = 1 << 2,		/* asking for it triples the cost */
	SCAN_PRESENT = 1 << 3,
	SCAN_SWAPPED = 1 << 4,
	SCAN_ZERO = 1 << 5,
	SCAN_HUGE = 1 << 6,		/* mapped by a PMD leaf, or hugetlb */
	SCAN_SOFT_DIRTY = 1 << 7,
	SCAN_GUARD = 1 << 8
};

#endif
