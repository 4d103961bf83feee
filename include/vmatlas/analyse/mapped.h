/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_MAPPED_H
#define VMATLAS_ANALYSE_MAPPED_H

#include "vmatlas/analyse/tally.h"

/*
 * The objects that a set of processes maps: files, shared memory, memfd, SysV segments, devices;
 * what of each is resident there, what of it the page cache holds, and whether its name still
 * leads to it. What the kernel maps by itself (vDSO) and anonymous memory are none.
 */
enum mapped_state {
	MAPPED_UNKNOWN,		/* see state_gap; GAP_NOT_APPLICABLE: it never had a name */
	MAPPED_NAMED,		/* maps shows a name that was not removed */
	MAPPED_DELETED,		/* nothing has its name any more */
	MAPPED_REPLACED		/* another file has its name */
};

extern const struct name mapped_state_names[];

/* One process and one object. */
struct mapped_user {
	uint32_t object;
	uint32_t process;	/* index; of those with one address space the first */
	bool known;		/* sum is; else frames are not visible, or it may not be read */
	struct tally_sum sum;
	struct buf name;	/* as this process sees it; empty: as the object is called */
	uint64_t start;		/* of its first VMA */
	uint64_t end;
};

/* A number that may be missing. */
struct mapped_number {
	uint64_t value;
	enum gap gap;
};

struct mapped_object {
	struct buf name;	/* raw bytes, without the kernel's remark " (deleted)" */
	const char *kind;	/* "file", "memfd", ... */
	uint32_t major;
	uint32_t minor;
	uint64_t inode;
	bool newline_escape;	/* of the name in maps */
	bool deleted;		/* as maps says; memfd and SysV always are */
	enum mapped_state state;
	enum gap state_gap;
	struct mapped_number size;	/* bytes of the file */
	struct mapped_number cached;	/* of these in the page cache */
	struct mapped_number evicted;	/* were cached; of shared memory: are in swap */
	enum gap sums_gap;		/* why the next ones are not known */
	uint64_t once;		/* its own pages that are mapped, each once */
	uint64_t copied;	/* private copies in mappings of it, each once */
	uint64_t hugetlb;	/* its huge pages, each once; in none of the others */
	struct tally_sum sum;	/* over its users, copies included */
	size_t first_user;	/* users[] of an object stand together, largest PSS first */
	size_t user_count;
	bool named;		/* it is of a kind that has a name in a file system */
};

struct mapped {
	struct tally *tally;
	size_t count;			/* processes, in the order of the request */
	struct buf *comms;		/* of each, raw */
	struct mapped_object *objects;
	size_t object_count;
	struct mapped_user *users;
	size_t user_count;
};

struct mapped_request {
	const pid_t *pids;
	size_t count;
	unsigned threads;
	bool outside;			/* the set is not all processes: others count for PSS */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

int mapped_load(struct source *source, const struct mapped_request *request,
		struct mapped **mapped, struct error *error);
void mapped_free(struct mapped *mapped);
DEFINE_CLEANUP(mapped_free, struct mapped)

/* Opens each object: size, page cache and name. A second step, because file systems may need a
 * process of the set to answer. An object that cannot be opened has a gap. */
void mapped_look(struct source *source, struct mapped *mapped);

#endif
