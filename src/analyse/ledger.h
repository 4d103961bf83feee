/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_LEDGER_H
#define ANALYSE_LEDGER_H

#include "vmatlas/analyse/ledger.h"

/* Resident bytes by mappings of their pages, ascending. */
struct ledger_sharer {
	uint32_t mappings;
	uint64_t bytes[LEDGER_KIND_MAX];
};

struct ledger_sharers {
	struct ledger_sharer *items;
	size_t count, cap;
};

void ledger_sharers_done(struct ledger_sharers *sharers);
int ledger_sharers_add(struct ledger_sharers *sharers, uint32_t mappings, enum ledger_kind kind,
		       uint64_t bytes);
/* Fills share_drift and mapped_drift: at most `others` mappings of each page came or went. */
void ledger_drift(const struct ledger_sharers *sharers, uint64_t others,
		  struct ledger_facts *facts);

/* What a difference is asked about, and how far it may go. */
struct ledger_question {
	const struct ledger_facts *facts;
	const struct ledger_line *line;
	enum ledger_row row;
	uint64_t moved;		/* bytes by which the row moved between the readings */
};

struct ledger_range {
	int64_t low, high;
};

/* How far the rule lets the difference of both sources go. */
struct ledger_range ledger_rule_allows(const struct ledger_question *question,
				       enum ledger_rule rule,
				       const struct ledger_finding *finding);
/* Does the row move when other processes run? */
bool ledger_row_by_others(enum ledger_row row);

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
void ledger_read_counters(struct source_process *source,
			  struct ledger_numbers numbers[LEDGER_SOURCE_MAX]);
/* Processors and threads, how the kernel keeps its counters. */
void ledger_read_kernel(struct source_process *source, const struct ledger_reading *reading,
			struct ledger_facts *facts);
/* Context switches of the machine since it started; false if that is not to be had. */
bool ledger_read_switches(struct source *source, uint64_t *switches);

/* The sums over the VMAs and what of the facts comes from them. The process has smaps. */
void ledger_sum_smaps(const struct process *process, struct ledger_numbers *numbers,
		      struct ledger_facts *facts);
void ledger_sum_vmas(const struct process *process, struct ledger_numbers *numbers,
		     struct ledger_facts *facts);
int ledger_sum_pages(struct process *process, struct ledger_numbers *numbers,
		     struct ledger_sharers *sharers, struct ledger_facts *facts,
		     struct error *error);
int ledger_sum_tables(struct process *process, struct ledger_numbers *numbers,
		      struct ledger_facts *facts, struct error *error);

/* PTE tables without an entry in use, where the kernel shows them. */
void ledger_find_emptied(const struct process *process, struct ledger_facts *facts);

#endif
