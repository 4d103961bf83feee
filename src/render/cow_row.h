/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_COW_ROW_H
#define RENDER_COW_ROW_H

#include "vmatlas/analyse/cause.h"
#include "vmatlas/analyse/cow.h"
#include "vmatlas/render/report.h"

/* A row of either table; `run` only in that of runs, `counts` only in that of VMAs. */
struct cow_row {
	const struct process *process;
	const struct vma *vma;
	const struct cow_counts *counts;
	const struct cow_run *run;
	const struct cause_sums *causes;	/* NULL: not asked, or no ELF file */
	bool asked;				/* were causes asked for? */
};

/* cow_cells.c: also for the totals. */
struct cell cow_states_cell(const struct cow_counts *counts, struct scratch *scratch);
struct cell cow_writes_cell(const struct cow_counts *counts, struct scratch *scratch);
struct cell cow_sharers_cell(const struct cow_counts *counts, struct scratch *scratch);
struct cell cow_size_cell(const struct cow_counts *counts, uint64_t bytes);
struct cell cow_pss_cell(const struct cow_counts *counts);
const char *cow_leaf_name(enum page_leaf leaf, uint32_t page_size);

/* cow_phrase.c: one plain sentence that says why the VMA's bytes are private or shared; target
 * bytes in it are not escaped yet. */
struct span cow_sentence(const struct cow_row *row, struct scratch *scratch);

/* picture.c */
struct picture;
int picture_begin(struct report *report, struct picture **picture);
int picture_vma(struct picture *picture, const struct cow_row *row);
int picture_run(struct picture *picture, const struct cow_run *run);
int picture_vma_end(struct picture *picture);
int picture_end(struct picture *picture);	/* the legend */
void picture_free(struct picture *picture);

#endif
