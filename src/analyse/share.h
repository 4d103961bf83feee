/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_SHARE_H
#define ANALYSE_SHARE_H

#include "classify.h"
#include "vmatlas/analyse/share.h"

/*
 *   share.c          the reading
 *   share_groups.c   objects and classes of VMAs: the groups of the tally
 *   share_classes.c  class and role of VMAs
 *   share_users.c    which address spaces map an object
 *   share_sysv.c     SysV segments: which of them stay
 *   share_outside.c  objects and address spaces that others have, too
 *   share_swap.c     swap slots that others may use as well
 *   share_names.c    names of objects, and whether they still have one
 *   share_sum.c      sets of the tally -> sums
 *   share_forks.c    parents and children
 */

/* Numbers found again by hash; what is equal the caller knows. */
struct share_table {
	uint32_t *buckets;	/* number + 1, 0: free */
	size_t cap;		/* power of two */
	size_t count;
};

/* VMAs that are of one object and one class. */
struct share_group {
	uint32_t object;	/* OBJECT_NONE: anonymous */
	uint8_t vma_class;	/* VMA_CLASS_MAX: not asked for */
	uint8_t role;
};

struct share_groups {
	struct share *share;
	struct share_table object_table;
	struct share_table group_table;
	struct share_group *items;
	size_t count;
	size_t cap;
	size_t object_cap;
	struct kind_mounts mounts;
};

/* Class of each VMA of one process, ascending. */
struct share_vma {
	uint64_t start;
	uint8_t vma_class;
	uint8_t role;
};

struct share_vmas {
	struct share_vma *items;
	size_t count;
};

/* A process that maps an object which goes with its last mapping. */
struct share_user {
	uint32_t object;
	uint32_t process;
	uint32_t vmas;
};

struct share_users {
	struct share_user *items;	/* an object comes again where
					 * others lie between its VMAs */
	size_t count;
	size_t cap;
	uint32_t *last;			/* per process: its last item + 1, 0: none */
};

struct share_load {
	const struct share_request *request;
	struct share *share;
	struct share_users users;
	struct share_groups groups;
	struct share_vmas *vmas;	/* per process; NULL: classes are not asked for */
	bool failed;			/* out of memory in a callback */
};

/* share_groups.c */
void share_groups_done(struct share_groups *groups);
uint32_t share_group_of(struct share_groups *groups, const struct maps_line *line,
			const struct share_vma *vma);	/* UINT32_MAX for want of memory */

/* OBJECT_NONE: no process of the set maps it. */
uint32_t share_object_find(const struct share_groups *groups, const struct maps_line *line);

/* share_classes.c */
int share_classes_read(struct source *source, struct share_load *load, struct error *error);
const struct share_vma *share_vma_at(const struct share_vmas *vmas, uint64_t start);

/* share_names.c */
int share_names_settle(struct source *source, struct share *share, struct error *error);

/* share_users.c */
void share_users_done(struct share_users *users);
int share_users_note(struct share_load *load, size_t process, uint32_t number,
		     const struct maps_line *line);
void share_users_settle(struct share_load *load);
bool share_user_counts(const struct share *share, const struct share_user *user);

/* share_outside.c: after share_users_settle(). */
void share_outside_find(struct source *source, struct share_load *load);

/* share_sysv.c: after share_users_settle(). */
void share_sysv_settle(struct source *source, struct share_load *load);

/* share_sum.c */
int share_sum(struct share_load *load, struct error *error);

/* share_swap.c: after share_sum(). */
int share_swap_check(struct source *source, const struct share_request *request,
		     struct share *share, struct error *error);

/* share_forks.c */
int share_forks(struct source *source, const struct share_request *request, struct share *share,
		struct error *error);

#endif
