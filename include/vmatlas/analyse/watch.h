/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_WATCH_H
#define VMATLAS_ANALYSE_WATCH_H

#include "vmatlas/analyse/compare.h"

/* What is looked at again and again. Names are promises (watch_counter_names). */
enum watch_counter {
	WATCH_RSS,
	WATCH_PSS,
	WATCH_USS,
	WATCH_SWAP,
	WATCH_COPIED,
	WATCH_SHARED,
	WATCH_ANON,		/* resident anonymous memory */
	WATCH_VSS,
	WATCH_TABLES,		/* page tables */
	WATCH_VMAS,
	WATCH_THREADS,
	WATCH_FAULTS,		/* minor and major, since the process began */
	WATCH_MAJOR,
	WATCH_COUNTER_MAX
};

extern const struct name watch_counter_names[];

static inline bool watch_is_size(enum watch_counter counter)
{
	return counter < WATCH_VMAS;
}

/*
 * "copied>100M", "delta.rss >= 1.5G", "rss/s>10M": a counter, its growth since the first sample,
 * or its growth per second since the sample before, against a number. Units are powers of 1024
 * and for sizes only.
 */
enum watch_measure { MEASURE_VALUE, MEASURE_DELTA, MEASURE_RATE };
enum watch_relation { RELATION_ABOVE, RELATION_BELOW, RELATION_EQUAL, RELATION_NOT_ABOVE,
		      RELATION_NOT_BELOW, RELATION_NOT_EQUAL };

struct watch_condition {
	struct span text;		/* the caller's, as it was given */
	enum watch_counter counter;
	enum watch_measure measure;
	enum watch_relation relation;
	int64_t number;
};

/* ERROR_USAGE says what is wrong, with the condition as item. */
int watch_condition_parse(struct span text, struct watch_condition *condition,
			  struct error *error);
/* "250ms" "2s" "5m" "1h"; the whole text. */
bool watch_time_parse(struct span text, uint64_t *milliseconds);

/* What a sample needs to be read. The larger the bit, the dearer. */
enum watch_need {
	WATCH_NEED_STAT = 1 << 0,	/* stat, statm, status: no page is looked at */
	WATCH_NEED_ROLLUP = 1 << 1,	/* smaps_rollup: the kernel walks the page table, locked */
	WATCH_NEED_PAGES = 1 << 2	/* maps and pagemap: the states of all pages */
};

unsigned watch_counter_needs(enum watch_counter counter);

struct watch_sample {
	uint64_t number;			/* from 1 */
	uint64_t value[WATCH_COUNTER_MAX];
	enum gap gap[WATCH_COUNTER_MAX];	/* GAP_NONE: known; GAP_NOT_READ: not needed */
	uint64_t at_us;				/* monotonic clock */
	int64_t time;				/* seconds since 1970 */
	uint64_t cost_us, cost_bytes, cost_calls;
};

enum watch_event {
	WATCH_NOTHING,
	WATCH_EXEC,		/* another program since: growth counts from here */
	WATCH_EXIT		/* gone: the sample holds nothing */
};

/* A VMA that changed since the sample before. */
struct watch_change {
	uint64_t start;
	const struct object *object;	/* NULL: anonymous */
	enum vma_role role;
	enum compare_change change;
	int64_t size, rss, swap, copied, shared;	/* bytes more or less */
};

#define WATCH_CHANGES_MAX 8	/* kept: those with most bytes */

struct watch_state;		/* the process at the last sample */

struct watched {
	struct source *source;
	struct source_process *process;
	pid_t pid;
	struct buf comm;
	unsigned needs;			/* enum watch_need */
	struct watch_state *state, *older;	/* older: changes may name what went */
	struct watch_sample first, before, now;	/* first: of the program that it runs */
	uint64_t began_us;		/* at_us of the first sample of all */
	enum watch_event event;		/* of the last sample */
	struct watch_change changes[WATCH_CHANGES_MAX];
	size_t change_count;
	size_t change_total;
	bool changes_known;		/* false: pages are not looked at, or no sample before */
};

/* Opens it; nothing is sampled. */
int watched_init(struct watched *watched, struct source *source, pid_t pid, unsigned needs,
		 struct error *error);
void watched_done(struct watched *watched);
/* The next sample. The end of the process is no failure but an event. Memory does not grow with
 * the number of samples: only the last state is held. */
int watched_sample(struct watched *watched, struct error *error);

/* 1 if met, 0 if not, negative if it cannot be told (yet); *number: what was measured. */
int watch_condition_met(const struct watch_condition *condition, const struct watched *watched,
			int64_t *number);

#endif
