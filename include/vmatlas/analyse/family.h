/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_FAMILY_H
#define VMATLAS_ANALYSE_FAMILY_H

#include "vmatlas/model/process.h"

/*
 * What a fork left in common: private anonymous pages of a process and of one relative, compared
 * address by address by frame number. Pages; the same for one VMA and for all.
 */
struct family_pages {
	uint64_t shared;	/* the same frame on both sides */
	uint64_t here;		/* different frames, and this process wrote */
	uint64_t there;		/* and the relative wrote */
	uint64_t both;		/* both wrote */
	uint64_t unknown;	/* nothing tells who wrote: no exclusive mark on either side */
	uint64_t only_here;	/* the relative has no such page: new since, given back, or exec */
	uint64_t only_there;
};

enum family_relation { FAMILY_PARENT, FAMILY_CHILD };

struct family_member {
	pid_t pid;
	enum family_relation relation;
	struct buf comm;
	enum gap gap;			/* why it could not be compared */
	/* A page that both see is mapped once, so there is but one page table: vfork, CLONE_VM.
	 * Then nothing else is counted. */
	bool same_mm;
	struct family_pages total;
	struct family_pages *vmas;	/* by index of the VMA in the
					 * process, NULL if not compared */
};

struct family {
	struct family_member *members;
	size_t count;
	size_t cap;
	enum gap gap;			/* why children are not listed */
};

/* Parent and children, each compared. Fails only for want of memory or if the process ended. */
int family_load(struct process *process, struct family *family, struct error *error);
void family_init(struct family *family);
void family_done(struct family *family);
/* One relative, whether or not it is one, not compared yet. */
int family_add(struct family *family, pid_t pid, enum family_relation relation,
	       struct error *error);
/* Compares all members with the process; fails only for want of memory. */
int family_compare(struct process *process, struct family *family, struct error *error);

uint64_t family_diverged(const struct family_pages *pages);

#endif
