/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_ROSTER_H
#define VMATLAS_ANALYSE_ROSTER_H

#include "vmatlas/analyse/tally.h"

/*
 * A set of processes with their memory and what they are called: the tally, and of each process
 * its status and what else was asked for. One pass; maps, pagemap and status are all that is read.
 */
enum roster_need {
	ROSTER_NEED_CGROUP = 1 << 0,
	ROSTER_NEED_CMDLINE = 1 << 1,		/* reads memory of the target */
	ROSTER_NEED_NAMESPACES = 1 << 2,
	/* The set is not all processes: mappers outside count for PSS. */
	ROSTER_NEED_OUTSIDE = 1 << 3,
	ROSTER_LISTED = 1 << 4			/* see TALLY_LISTED */
};

/* A number of status that may be missing. */
struct roster_number {
	uint64_t value;
	enum gap gap;
};

struct roster_process {
	bool seen;			/* it was there; else everything is missing */
	struct buf comm;		/* raw bytes */
	struct roster_number ppid;
	struct roster_number inner_pid;	/* in its own PID namespace */
	struct roster_number uid;	/* effective */
	struct roster_number threads;
	/* Bytes; the kernel's own counters, which trail behind by what each CPU keeps for
	 * itself. */
	struct roster_number vm_size;
	struct roster_number vm_rss;
	struct roster_number pagetables;	/* bytes */
	struct roster_number swap_pss;		/* bytes; the kernel's where others may use slots */
	enum gap cgroup_gap;		/* GAP_NOT_READ if it was not asked for; so the next ones */
	struct buf cgroup;		/* the one that memory is charged to */
	enum gap cmdline_gap;
	struct buf cmdline;		/* words end with NUL, as the kernel gives them */
	struct roster_number pid_namespace;	/* inode */
	struct roster_number mount_namespace;
};

struct roster_user {
	uint64_t uid;
	struct buf name;		/* empty: it has none */
};

struct roster {
	struct roster_process *processes;	/* in the order of the PIDs given */
	size_t count;
	struct tally *tally;
	struct roster_user *users;		/* of the processes, ascending */
	size_t user_count;
};

struct roster_request {
	const pid_t *pids;		/* of processes */
	size_t count;
	unsigned needs;			/* enum roster_need */
	unsigned threads;		/* 0: as many as useful */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

int roster_read(struct source *source, const struct roster_request *request,
		struct roster *roster, struct error *error);
void roster_done(struct roster *roster);
/* Each user is asked for once: a name service may be far away, or be one of the processes. */
int roster_name_users(struct roster *roster, struct source *source, struct error *error);

/* Empty when it has no name, and in a snapshot. */
struct span roster_user_name(const struct roster *roster, uint64_t uid);

#endif
