/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_ENTRY_H
#define VMATLAS_ANALYSE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/names.h"
#include "vmatlas/base/quality.h"
#include "vmatlas/model/geometry.h"
#include "vmatlas/model/pages.h"

/*
 * The flags of one page-table entry as far as they can be known from outside the kernel. Only
 * `present` is told by pagemap; the rest follows from rules of mm/memory.c, or is unknown.
 */
enum entry_flag {
	ENTRY_PRESENT,
	ENTRY_WRITABLE,
	ENTRY_USER,
	ENTRY_ACCESSED,
	ENTRY_DIRTY,
	ENTRY_NO_EXECUTE,
	ENTRY_FLAG_MAX
};

extern const struct name entry_flag_names[];	/* "present" ...; meaning: how it is known */

struct entry_claim {
	bool yes;			/* only where certainty is not UNKNOWN */
	enum certainty certainty;
};

struct entry_flags {
	struct entry_claim claim[ENTRY_FLAG_MAX];
};

/* perms: of the VMA (enum vma_perm). The run is PAGE_PRESENT or PAGE_SWAP; all its pages get the
 * same answer. Flags and map count make more of it known, but are not required. */
void entry_judge(const struct geometry *g, uint8_t perms, const struct page_run *run,
		 struct entry_flags *flags);

#endif
