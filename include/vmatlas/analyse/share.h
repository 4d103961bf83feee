/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_SHARE_H
#define VMATLAS_ANALYSE_SHARE_H

#include "vmatlas/analyse/family.h"
#include "vmatlas/analyse/tally.h"

/*
 * Who of a set of processes shares what with whom. All sizes are bytes; each frame counts once
 * but in sums of RSS. hugetlb pages and swap slots are beside all sums that do not name them.
 */
enum share_cause {
	SHARE_FORK,		/* anonymous, and not merged: nobody else can have the same page */
	SHARE_PAGE_CACHE,	/* of a file on disk */
	SHARE_OBJECT,		/* shared memory: tmpfs, memfd, SysV, shared anonymous, rings */
	SHARE_KSM,
	SHARE_KERNEL,		/* the vDSO and the like */
	SHARE_CAUSE_MAX
};

extern const struct name share_cause_names[];

struct share_bytes {
	uint64_t once;		/* that more than one entry of the set maps */
	uint64_t saved;		/* that copies of their own would take beside */
};

/* What becomes of memory that nobody else maps when its last mapper ends. */
struct share_freed {
	uint64_t anon;		/* free */
	uint64_t objects;	/* unlinked files, shared memory, SysV segments behind
				 * IPC_RMID: free if no descriptor holds it */
	uint64_t hugetlb;	/* back to the pool */
	uint64_t swap;		/* slots; see struct share_swap */
	uint64_t cache;		/* stays in the page cache, and can be reclaimed */
	uint64_t kept;		/* stays: tmpfs files with a name, other SysV segments, what is
				 * mapped outside, too */
};

/*
 * Swap with the slots that others use as well. OBSERVED: nobody else does. INFERRED: freed.swap is
 * an upper bound, freed_least a lower one. UNKNOWN: upper bounds, because the kernel's SwapPss
 * could not be read; pss, too.
 */
struct share_swap {
	uint64_t pss;			/* each slot divided by its users, whoever they are */
	uint64_t freed_least;
	enum certainty certainty;
};

struct share_process {
	struct buf comm;		/* raw; may be empty */
	bool has_comm;			/* it could be read */
	pid_t ppid;			/* 0: none, or not known */
	pid_t keeper;			/* outside of the set with the same address space, which
					 * frees nothing then; 0: none was found */
	uint64_t shared;		/* of RSS: others of the set map it too */
	uint64_t outside;		/* of RSS: somebody outside of the set maps it too */
	struct share_swap swap;
	struct share_freed freed;	/* if it ended alone; without what others of the set keep:
					 * a same-mm task, or one that maps the object */
};

struct share_object {
	struct buf name;		/* raw, without the kernel's remark " (deleted)" */
	const char *kind;		/* "file", "tmpfs", "memfd", ... */
	uint64_t start;			/* a VMA of it, and whose: as in the list of the tally */
	uint64_t end;
	uint32_t process;
	uint64_t inode;
	uint32_t major;
	uint32_t minor;
	uint8_t object_kind;		/* of analyse/classify */
	bool newline_escape;		/* of the name in maps */
	bool deleted;			/* a SysV segment: IPC_RMID was called */
	enum gap deleted_gap;		/* of a SysV segment: why that is not known */
	uint64_t attached;		/* of one: VMAs of it in all processes */
	bool maps_shared;		/* some VMA of it is MAP_SHARED */
	/* Of what goes with its last mapping; of others 0. */
	uint32_t vmas;			/* of it, in the set */
	bool searched;			/* of others that map it */
	bool mapped_outside;		/* they do */
	uint32_t user;			/* index of the only one that maps
					 * it; TALLY_NONE: several */
	uint64_t once;			/* its own pages */
	uint64_t copied;		/* private copies in mappings of it, once */
	uint64_t rss;			/* sums over the processes, copies included */
	uint64_t pss;
	uint64_t saved;
	uint64_t outside;		/* of once: also mapped by somebody outside of the set */
	uint64_t hugetlb;
	size_t processes;		/* that have pages of it */
};

struct share_class {
	uint8_t vma_class;		/* enum vma_class; VMA_CLASS_MAX: came after it was told */
	uint8_t role;			/* enum vma_role; ROLE_MAX likewise */
	uint64_t once;			/* frames in more than one class count in the first */
	uint64_t rss;
	uint64_t pss;
	uint64_t saved;
	size_t processes;
};

/* A parent and its child, both in the set. */
struct share_fork {
	uint32_t parent;		/* indexes */
	uint32_t child;
	enum gap gap;			/* why it was not compared; GAP_LIMIT: too many pages */
	bool same_mm;
	bool executed;			/* another program since: nothing is common any more */
	struct family_pages pages;	/* "here" is the parent */
};

struct share {
	struct tally *tally;
	size_t count;			/* processes, in the order of the request */
	struct share_process *processes;
	struct share_bytes causes[SHARE_CAUSE_MAX];
	struct share_freed freed;	/* if all ended */
	struct share_swap swap;		/* of all; pss is the sum */
	uint64_t swap_shared;		/* slots that more than one entry of
					 * the set refers to, once */
	uint64_t huge_zero;		/* mapped to the huge zero page: no memory at all */
	uint64_t zero;			/* to the zero page, likewise */
	struct share_object *objects;
	size_t object_count;
	struct share_class *classes;	/* NULL: not asked for */
	size_t class_count;
	struct share_fork *forks;
	size_t fork_count;
	enum gap pairs_gap;		/* GAP_LIMIT: too many processes */
	uint32_t *pairs;		/* frames; use share_pair() */
};

struct share_request {
	const pid_t *pids;
	size_t count;
	unsigned threads;
	bool classes;			/* reads the ELF files of each process */
	bool outside;			/* there are processes that are not in the set */
	bool all_forks;			/* compares parents and children whatever it costs */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

/* Memory that the end of a process gives back at once. */
uint64_t share_freed_memory(const struct share_freed *freed);

int share_load(struct source *source, const struct share_request *request,
	       struct share **share, struct error *error);
void share_free(struct share *share);
DEFINE_CLEANUP(share_free, struct share)

/* Bytes that both map (by index; two tasks with one space share all of it). */
uint64_t share_pair(const struct share *share, size_t a, size_t b);

#endif
