/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_MAP_ROW_H
#define RENDER_MAP_ROW_H

#include "vmatlas/model/process.h"
#include "vmatlas/render/report.h"
#include "vmatlas/render/scratch.h"

/* Two words joined, kept for the next row, which often has the same. */
struct map_joined {
	const char *a;
	const char *b;
	char text[40];
	size_t len;
};

/* What the getters of one map share: the counters of the row they are asked about. */
struct map_row_cache {
	struct map_joined kind;
	struct map_joined store;
	const struct vma *vma;
	uint64_t present;
	uint64_t value[SMAPS_KEY_MAX];
};

struct map_ctx {
	const struct process *process;
	struct map_row_cache *cache;
};

/* Counters of the VMA; 0 and zeros if it has none. */
uint64_t map_smaps(const struct map_ctx *ctx, const struct vma *vma, const uint64_t **value);
/* A map has many rows: these two are made without printf. "400000-401000" */
struct span map_join(struct map_joined *joined, const char *a, char between, const char *b);
struct span map_range(const struct vma *vma, struct scratch *scratch);

int report_map_head(struct report *report, const struct process *process);

void map_elf_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		  struct scratch *scratch);
void map_part_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		   struct scratch *scratch);
void map_smaps_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		    struct scratch *scratch);
void map_numa_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		   struct scratch *scratch);

#endif
