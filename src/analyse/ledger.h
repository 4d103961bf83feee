/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_LEDGER_H
#define ANALYSE_LEDGER_H

#include "vmatlas/analyse/ledger.h"

/* Parts of one look. */

static inline void numbers_set(struct ledger_numbers *numbers, unsigned number, uint64_t value)
{
	numbers->present |= 1ULL << number;
	numbers->value[number] = value;
}

/* What row and source make of the numbers of that source. */
struct ledger_value ledger_value_of(const struct ledger_numbers *numbers, enum ledger_row row,
				    enum ledger_source source);

/* smaps_rollup, status, statm and stat, by source. */
void ledger_read_counters(struct source_process *source, uint32_t page_size,
			  struct ledger_numbers numbers[LEDGER_SOURCE_MAX]);
/* Processors, how the kernel keeps its counters: the same at every look. */
void ledger_read_kernel(const struct process *process, struct ledger_facts *facts);

/* The sums over the VMAs and what of the facts comes from them. The process has smaps. */
void ledger_sum_smaps(const struct process *process, struct ledger_numbers *numbers,
		      struct ledger_facts *facts);
void ledger_sum_vmas(const struct process *process, struct ledger_numbers *numbers);
int ledger_sum_pages(struct process *process, struct ledger_numbers *numbers,
		     struct ledger_facts *facts, struct error *error);
int ledger_sum_tables(struct process *process, struct ledger_numbers *numbers,
		      struct ledger_facts *facts, struct error *error);

#endif
