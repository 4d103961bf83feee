/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_OBSERVE_H
#define VMATLAS_ANALYSE_OBSERVE_H

#include "vmatlas/analyse/cause.h"
#include "vmatlas/analyse/forecast.h"

/*
 * The forecast of each ELF file of a process beside what its pages are: which copies the file
 * foretold, which came later and why, and which did not come.
 */

enum observe_verdict {
	OBSERVE_AGREES,		/* foretold and copied */
	OBSERVE_LATER,		/* copied, not foretold: the causes tell why */
	OBSERVE_NOT_COPIED	/* foretold, and the page is the file's or not mapped */
};

extern const struct name observe_verdict_names[];

struct observed_page {
	uint64_t address;	/* in the process */
	uint64_t vaddr;
	bool foretold;
	struct forecast_page forecast;	/* if foretold */
	enum page_state state;
	unsigned causes;	/* bit per enum cause, if copied */
	enum observe_verdict verdict;
};

struct observation {
	uint32_t object;
	uint64_t load_bias;
	uint64_t foretold;		/* pages */
	uint64_t copied;		/* also those in swap */
	uint64_t agrees, later, not_copied;
	uint64_t later_by[CAUSE_MAX];	/* pages of `later` under each of their causes */
	uint64_t not_mapped;		/* of not_copied: without a page-table entry */
	size_t vmas_foretold;
	size_t vmas_found;		/* with the same bounds and permissions */
	size_t vmas_merged;		/* part of a larger one with the same permissions */
};

struct observe_sink {
	void *ctx;
	/* Pages of one object in ascending order; NULL: not wanted. */
	int (*page)(void *ctx, const struct observation *object,
		    const struct observed_page *page);
	int (*begin)(void *ctx, uint32_t object);	/* may be NULL */
	int (*end)(void *ctx, const struct observation *object);
};

/* The process has its ELF files and was classified. */
int observe_process(struct process *process, const struct observe_sink *sink,
		    struct error *error);

#endif
