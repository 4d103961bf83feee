/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include "cli.h"

/*
 * Sets of processes. PIDs, --tree and --all say where to look; --cgroup, --user and --name narrow
 * that down, each to what has any of its values. Alone they narrow down all processes. A command
 * that works on sets puts SELECT_OPTIONS into its array of options.
 */
#define SELECT_OPTIONS                                                              \
	{ "all", NULL, "all processes" },                                           \
	{ "tree", "PID", "this process and all that descend from it" },             \
	{ "cgroup", "PATH", "only processes in this control group or below it" },   \
	{ "user", "NAME|UID", "only processes of this (effective) user" },          \
	{ "name", "PATTERN", "only processes whose name matches this" }

struct selected {
	pid_t pid;			/* 0: a snapshot that does not tell it */
	pid_t ppid;			/* 0: none, or not recorded */
	uint64_t start_time;		/* clock ticks after boot; with the
					 * PID it names a process */
};

struct selection {
	struct selected *processes;	/* ascending by PID, each once */
	size_t count;
	/* Left out of what PID, --tree and --all choose. */
	size_t kernel;			/* kernel threads and zombies: no address space */
	size_t gone;			/* ended while they were looked at */
	size_t refused;			/* could not be looked at: hidepid, or not recorded */
	size_t failed;			/* operands that name nothing; each was told on stderr */
	bool unread;			/* ppid and start_time are 0 */
};

enum select_how {
	SELECT_ALL = 1 << 0,		/* with no option and no operand: all processes */
	/* Where all processes are wanted and nothing has to be known of them: as they are listed,
	 * unread, and kernel threads and zombies among them. */
	SELECT_UNREAD = 1 << 1
};

/*
 * Opens the source and chooses. With no option and no operand these are all processes where
 * `how` says so or a snapshot is read, else ERROR_USAGE. A set without any process is
 * ERROR_NOT_FOUND. The caller calls selection_done().
 */
int cli_select(struct cli *cli, unsigned how, struct selection *selection, struct error *error);
void selection_done(struct selection *selection);
/* For the caller to free; NULL for want of memory. */
pid_t *selection_pids(const struct selection *selection, struct error *error);
/* --user, --name or --cgroup: of what could not be read nobody knows whether it would be meant. */
bool cli_narrows(const struct cli *cli);
/* Of a command that means all processes unless told otherwise: does nothing narrow them down? */
bool cli_selects_all(const struct cli *cli);
/*
 * May processes outside of the set map the same? A recording may be of a part of its machine, and
 * in a PID namespace all are only those in it. After cli_select().
 */
bool cli_has_outside(const struct cli *cli);
/* --top N, for the report. 0, or the status to exit with. */
int cli_top(struct cli *cli);

#endif
