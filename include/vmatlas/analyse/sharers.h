/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_SHARERS_H
#define VMATLAS_ANALYSE_SHARERS_H

#include "vmatlas/analyse/address.h"

/*
 * Who else maps a frame. The kernel tells how many page-table entries map it (kpagecount), not
 * whose they are: the pagemaps of processes that may have it are searched. For a page of an
 * object these are the processes that map that part of it; for anonymous memory those that may
 * be of the same fork family: fork keeps the executable and the address. Beyond that (mremap,
 * KSM, a program that set its exe link) only a search of everything finds it.
 */
struct sharer {
	pid_t pid;		/* may be the process itself: another address of it */
	uint64_t address;	/* of the same byte */
	struct buf comm;	/* raw bytes */
};

enum sharers_scope {
	SHARERS_NONE,		/* nothing to search for: see gap */
	SHARERS_OBJECT,		/* processes that map the same part of the object */
	SHARERS_FAMILY,		/* same executable, same address */
	SHARERS_ALL		/* every mapping of every process */
};

extern const struct name sharers_scope_names[];

/* Why entries the kernel counts were not found; bits. */
enum sharers_why {
	SHARERS_WHY_REFUSED = 1 << 0,	/* processes that may not be read */
	SHARERS_WHY_SCOPE = 1 << 1,	/* it may be mapped elsewhere: search everything */
	SHARERS_WHY_KSM = 1 << 2,	/* merged pages lie at any address */
	SHARERS_WHY_CHANGED = 1 << 3,	/* processes came or went meanwhile, or in another
					 * PID namespace */
	SHARERS_WHY_SPACE = 1 << 4	/* more than counted: some share one address space */
};

extern const struct name sharers_why_names[];

struct sharers {
	struct sharer *items;	/* ascending by PID; without the address asked about */
	size_t count;
	size_t cap;
	enum sharers_scope scope;
	enum gap gap;		/* SHARERS_NONE: why */
	bool counted_known;
	uint32_t counted;	/* entries that map the frame, as the kernel counts */
	size_t looked;		/* processes whose pagemap was read */
	size_t refused;
	uint32_t why;		/* enum sharers_why, where found and counted differ */
};

void sharers_done(struct sharers *sharers);
/* Fails only for want of memory, or if the list of processes cannot be read. */
int sharers_find(const struct address_context *ctx, const struct address *address, bool all,
		 struct sharers *sharers, struct error *error);

/* The entries found, the one asked about included. */
static inline size_t sharers_found(const struct sharers *sharers)
{
	return sharers->scope == SHARERS_NONE ? 0 : sharers->count + 1;
}

#endif
