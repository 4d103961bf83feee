/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_PS_ROW_H
#define RENDER_PS_ROW_H

#include "vmatlas/analyse/roster.h"
#include "vmatlas/render/cell.h"

/* One process: what it is called, and its memory. */
struct ps_row {
	const struct roster *roster;
	const struct roster_process *process;
	const struct tally_process *counted;
};

struct cell ps_number(const struct roster_number *number);
struct cell ps_size(const struct roster_number *number);
/* A sum of the tally, or why there is none. */
struct cell ps_counted(const struct ps_row *row, uint64_t bytes);
struct cell ps_rss(const struct ps_row *row);
struct cell ps_vss(const struct ps_row *row);
struct cell ps_swap_pss(const struct ps_row *row);

#endif
