// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/pagemap.h"

const struct name pagemap_flag_names[] = {
	{ PAGEMAP_PRESENT, "present", "mapped to a frame" },
	{ PAGEMAP_SWAP, "swap", "entry without a frame: swap, migration, marker" },
	{ PAGEMAP_FILE, "file", "frame is not anonymous" },
	{ PAGEMAP_GUARD, "guard", "guard region" },
	{ PAGEMAP_UFFD_WP, "uffd-wp", "write-protected by userfaultfd" },
	{ PAGEMAP_EXCLUSIVE, "exclusive", "mapped exactly once" },
	{ PAGEMAP_SOFT_DIRTY, "soft-dirty", "written since the last clear_refs" },
	{ 0, NULL, NULL }
};

/* MAX_SWAPFILES is 32 less the special types of the kernel's configuration, at least 22. */
#define SWAP_TYPE_BITS 5
#define SWAP_TYPE_SURE_MAX 21
#define SWAP_TYPE_MARKER_6_1 30		/* 31 was the swap-in error then */
#define SWAP_TYPE_MARKER 31

/* include/linux/swapops.h PTE_MARKER_* */
#define MARKER_UFFD_WP 1
#define MARKER_POISON 2
#define MARKER_GUARD 4
#define MARKER_ALL 7

static enum swap_kind marker_kind(uint64_t marker)
{
	if (!marker || marker & ~(uint64_t)MARKER_ALL)
		return SWAP_MARKER_OTHER;
	if (marker & MARKER_GUARD)
		return SWAP_MARKER_GUARD;
	return marker & MARKER_POISON ? SWAP_MARKER_POISON : SWAP_MARKER_UFFD_WP;
}

static enum swap_kind swap_kind_of(unsigned type, uint64_t offset, bool uffd_wp)
{
	if (type <= SWAP_TYPE_SURE_MAX)
		return SWAP_SLOT;
	if (type == SWAP_TYPE_MARKER)
		return marker_kind(offset);
	/* No frame 1 is ever migrated: this can only be the one marker that 6.1 knew. */
	if (type == SWAP_TYPE_MARKER_6_1 && offset == MARKER_UFFD_WP && uffd_wp)
		return SWAP_MARKER_UFFD_WP;
	return SWAP_SPECIAL;
}

struct swap_entry pagemap_swap(uint64_t word, bool frames_visible)
{
	uint64_t payload = pagemap_frame(word);
	struct swap_entry entry = {
		.kind = word & PAGEMAP_GUARD ? SWAP_MARKER_GUARD : SWAP_UNKNOWN,
	};

	if (!frames_visible)
		return entry;
	entry.type = payload & ((1u << SWAP_TYPE_BITS) - 1);
	entry.offset = payload >> SWAP_TYPE_BITS;
	if (entry.kind == SWAP_UNKNOWN)
		entry.kind = swap_kind_of(entry.type, entry.offset, word & PAGEMAP_UFFD_WP);
	return entry;
}
