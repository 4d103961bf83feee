/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_NUMA_MAPS_H
#define VMATLAS_PARSE_NUMA_MAPS_H

#include <stdint.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/span.h"

/* /proc/PID/numa_maps (fs/proc/task_mmu.c show_numa_map), no end address:
 * 7f0000000000 default anon=3 dirty=3 N0=2 N1=1 kernelpagesize_kB=4 */
#define NUMA_NODES_MAX 64	/* nodes shown by number; pages of higher ones go to `other` */

struct numa_line {
	uint64_t start;
	struct span policy;		/* into the line */
	uint64_t page_kb;		/* kernelpagesize_kB, 0 if absent */
	uint64_t nodes;			/* bit per node with pages */
	uint64_t pages[NUMA_NODES_MAX];	/* pages of kernelpagesize on node i */
	uint64_t other;
};

int numa_parse_line(struct span line, struct numa_line *out, struct error *error);

#endif
