/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SELECT_CHOICE_H
#define CLI_SELECT_CHOICE_H

#include "select.h"

/*
 *   select.c       operands and options -> candidates -> the set
 *   select_read.c  what is read of candidates: stat, and status and cgroup where they are asked for
 */
enum tree { TREE_UNKNOWN, TREE_WALKED, TREE_OUT, TREE_IN };

/* One process that may be chosen. */
struct candidate {
	struct selected selected;
	enum tree tree;
	bool chosen;		/* by an operand, by --tree, or because all are */
	bool alive;		/* it has an address space */
	bool spaceless;		/* it has none: a kernel thread, or a zombie */
	bool named;		/* as --name wants it */
};

/* What an operand or --tree named. */
struct root {
	pid_t pid;
	bool tree;
};

struct choice {
	struct cli *cli;
	struct selection *selection;
	struct candidate *candidates;
	size_t count;
	size_t cap;
	struct root *roots;
	size_t root_count;
	size_t root_cap;
	uint64_t *uids;			/* of --user */
	size_t uid_count;
	struct buf text;		/* used again and again */
};

/* select_read.c */
/* Of each candidate, who it is and whether it has an address space. */
void choice_read_candidates(struct choice *choice);
int choice_read_users(struct choice *choice, struct error *error);	/* of --user */
/* Of one that is chosen; true where that is not asked for. */
bool choice_has_user(struct choice *choice, pid_t pid);
bool choice_has_cgroup(struct choice *choice, pid_t pid);

#endif
