/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_CAUSE_CELLS_H
#define RENDER_CAUSE_CELLS_H

#include "vmatlas/analyse/cause.h"
#include "vmatlas/render/scratch.h"

/* cause_cells.c: the contract's list of causes. */
struct cell causes_cell(const struct cause_sums *sums, uint64_t page_size,
			struct scratch *scratch);
/* "3 by relocation (relative 120), 1 by data writes"; target bytes are not escaped yet. */
void cause_sentence(struct buf *text, const struct cause_sums *sums);
/* Who holds the changed bytes: names of data first, then of relocations. */
struct cell cause_holders_cell(const struct cause_sums *sums, struct scratch *scratch);
/* The name for people: demangled, or "[section]" where no symbol covers it. */
struct span cause_symbol_text(const struct cause_symbol *symbol, struct scratch *scratch);

#endif
