/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_STAT_H
#define VMATLAS_PARSE_STAT_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/error.h"
#include "vmatlas/base/span.h"

/*
 * /proc/PID/stat (fs/proc/array.c do_task_stat), numbers as in proc(5). comm may hold spaces,
 * parentheses and newlines: the last ')' ends it.
 * 4242 (ba) sh) S 1 4242 ...
 */
struct stat_record {
	struct span comm;	/* raw bytes, into the text */
	char state;
	int64_t ppid;
	uint64_t flags;		/* field 9; PF_KTHREAD 0x200000 */
	uint64_t minflt;	/* 10 */
	uint64_t majflt;	/* 12 */
	uint64_t threads;	/* 20 */
	uint64_t start_time;	/* 22, clock ticks after boot */
	uint64_t vsize;		/* 23, bytes */
	uint64_t rss;		/* 24, pages */
	/* Masked (1 or 0) without ptrace-read right: addresses_known tells. */
	bool addresses_known;
	uint64_t start_code;	/* 26 */
	uint64_t end_code;	/* 27 */
	uint64_t start_stack;	/* 28 */
	uint64_t start_data;	/* 45 */
	uint64_t end_data;	/* 46 */
	uint64_t start_brk;	/* 47 */
	uint64_t arg_start;	/* 48 */
	uint64_t arg_end;	/* 49 */
	uint64_t env_start;	/* 50 */
	uint64_t env_end;	/* 51 */
	unsigned fields;	/* how many the text had: older kernels have fewer */
};

#define STAT_PF_KTHREAD 0x200000u

int stat_parse(struct span text, struct stat_record *stat, struct error *error);

/*
 * /proc/PID/statm, in pages: size resident shared text lib data dirty. lib and dirty are 0 since
 * 2.6 (fs/proc/array.c proc_pid_statm).
 * 2239 1250 988 199 0 1068 0
 */
struct statm_record {
	uint64_t size;
	uint64_t resident;
	uint64_t shared;
	uint64_t text;
	uint64_t data;		/* with stacks */
	bool has_data;		/* text and data were there */
};

int statm_parse(struct span text, struct statm_record *statm, struct error *error);

#endif
