/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_MACHINE_H
#define VMATLAS_ANALYSE_MACHINE_H

#include "vmatlas/analyse/tally.h"
#include "vmatlas/parse/meminfo.h"

/*
 * The ledger of the machine: what MemTotal is used for, each byte once. What processes map comes
 * from the frames that were counted, the rest from meminfo; what no counter holds is the row
 * MACHINE_REST, so that the rows always add up to MemTotal.
 */
enum machine_item {
	MACHINE_ANON,		/* anonymous memory of processes */
	MACHINE_MAPPED,		/* page cache and shared memory that processes map */
	MACHINE_CACHE,		/* page cache and shared memory that nothing maps */
	MACHINE_HUGETLB,	/* pools of huge pages, used or not */
	MACHINE_SLAB_CACHES,	/* reclaimable */
	MACHINE_SLAB,
	MACHINE_PAGE_TABLES,
	MACHINE_STACKS,		/* of threads in the kernel */
	MACHINE_VMALLOC,	/* without the stacks, which are among it */
	MACHINE_PERCPU,
	MACHINE_ZSWAP,
	MACHINE_FREE,
	MACHINE_REST,
	MACHINE_ITEM_MAX
};

extern const struct name machine_item_names[];	/* "anon", and words for people */

struct machine_row {
	enum gap gap;			/* bytes is missing: not in the sum */
	int64_t bytes;			/* of MACHINE_REST negative where others overlap */
	enum certainty certainty;
	bool counted;			/* from frames; else from meminfo */
	bool has_counter;
	uint64_t counter;		/* what meminfo says of the same, where bytes was counted */
	const char *from;		/* "AnonPages": the counters, as they are added */
};

struct machine {
	uint64_t total;
	struct machine_row rows[MACHINE_ITEM_MAX];
	uint64_t swap_total;
	uint64_t swap_free;
	bool has_swap;
	/* Anonymous memory that meminfo knows of and no process that was read maps. */
	uint64_t unseen;
};

/* tally: of all processes; NULL or without frames: meminfo alone. ERROR_NOT_RECORDED and the
 * like when there is no meminfo or no MemTotal in it. */
int machine_read(struct source *source, const struct tally *tally, struct machine *machine,
		 struct error *error);

#endif
