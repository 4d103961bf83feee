/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_SHARERS_H
#define ANALYSE_SHARERS_H

#include "address.h"
#include "vmatlas/analyse/sharers.h"

/* One search. */
struct sharer_search {
	const struct address_context *ctx;
	const struct address *address;
	struct sharers *out;
	uint64_t frame;			/* what is looked for; of a swap entry the whole word */
	bool swap;
	uint64_t page;			/* address of the page asked about */
	/* SHARERS_OBJECT: where in which object. */
	uint64_t offset;
	struct maps_line object;
	struct buf exe;			/* SHARERS_FAMILY */
	/* The process being searched. */
	struct source_process *process;
	pid_t pid;
	struct error *error;
};

/* Adds the place if it maps the frame. 0, or negative for want of memory. */
int sharer_try(struct sharer_search *search, uint64_t address);
int sharer_add(struct sharer_search *search, uint64_t address);

/* Ways to search one process; a process that went away is no failure. */
int sharer_search_object(struct sharer_search *search);
int sharer_search_all(struct sharer_search *search);

#endif
