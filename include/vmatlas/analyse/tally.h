/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_TALLY_H
#define VMATLAS_ANALYSE_TALLY_H

#include "vmatlas/parse/maps.h"
#include "vmatlas/source/source.h"

/*
 * Memory of a set of processes with each frame counted once. One pass over maps and pagemaps
 * (joined reads, two threads where there are two cores), without the model: no VMA is kept.
 *
 * A frame has one number, that of the set of its mappers; a mapper is a process and a group of
 * its VMAs (an object, a class: the caller's choice), and what maps it twice is in the set twice.
 * Few different sets exist, so the list of sets with their frames tells everything: bytes once,
 * RSS, PSS and USS, who shares with whom, what would be freed. Swap slots are counted likewise.
 *
 * As the kernel counts (fs/proc/task_mmu.c smaps_account): the zero page and the huge zero page
 * are not RSS, hugetlb is beside RSS and PSS, a PFN map has no pages. Processes with one address
 * space (CLONE_VM, vfork) count once.
 */
enum tally_need {
	/* kpagecount of all frames that are not mapped exactly once, so that mappers outside of
	 * the processes given count for PSS. Without it only frames are asked that were found
	 * once and are mapped more often: enough where all processes are given. */
	TALLY_NEED_COUNTS = 1 << 0,
	/* kpageflags of anonymous frames that several map: which KSM merged. */
	TALLY_NEED_KSM = 1 << 1,
	TALLY_NEED_SETS = 1 << 2,	/* tally_sets() is used; else only sums are kept */
	/* The PIDs are as they were listed: kernel threads and zombies are among them, and are not
	 * visited. */
	TALLY_LISTED = 1 << 3
};

struct tally_request {
	const pid_t *pids;	/* a TID names its process */
	size_t count;
	unsigned needs;
	unsigned threads;	/* 0: as many as useful */
	/* So many sets are told apart, 0: what a hundred megabytes hold. Frames of others are
	 * counted once, as `crowd`; sums of the processes that map them are the kernel's. */
	size_t sets_max;
	/* Both may be NULL. `process` is the index in pids. A negative value ends the tally.
	 * visit: the process is open: what else is wanted of it is read here. Called by several
	 * threads at a time, each with another process. */
	int (*visit)(void *ctx, size_t process, struct source_process *source);
	/* group: which group of VMAs does this one belong to? Small numbers from 0. One call at
	 * a time. NULL: all of a process are group 0. */
	uint32_t (*group)(void *ctx, size_t process, const struct maps_line *line);
	/* One call at a time, but by any thread. */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

#define TALLY_NONE UINT32_MAX

enum tally_state {
	TALLY_COUNTED,
	TALLY_NO_SPACE,		/* kernel thread; with TALLY_LISTED also what was a zombie */
	TALLY_GONE,		/* ended, is a zombie, or executed another program meanwhile */
	TALLY_REFUSED,		/* may not be read */
	TALLY_FAILED		/* something else; see gap and why */
};

/* Bytes, in the units the kernel shows them in. PSS: as the kernel's, each page's part is cut at
 * 2^-12 bytes, so that the sum of a process is that of smaps_rollup to the KiB. */
struct tally_sum {
	uint64_t rss;
	uint64_t anon;		/* of RSS: anonymous, KSM too */
	uint64_t pss;
	uint64_t uss;		/* mapped by one entry only, system-wide: smaps' Private_* */
	uint64_t swap;
	uint64_t swap_pss;
	uint64_t swap_once;	/* of swap: slots that no other entry found refers to */
	uint64_t hugetlb;
};

struct tally_process {
	pid_t pid;		/* of the process, not of the TID that was given */
	enum tally_state state;
	enum gap gap;		/* why it was not counted */
	uint32_t same_as;	/* index of the first process with the same space, or TALLY_NONE */
	uint32_t space;		/* index of the process that stands for its address space:
				 * its own or same_as; TALLY_NONE if not counted */
	uint64_t image;		/* differs between two: one executed a program since they forked.
				 * 0: not known */
	bool from_rollup;	/* frames are not visible, or some are in the crowd: the
				 * kernel's own sums of smaps_rollup */
	bool swap_pss_known;
	uint64_t vss;
	uint64_t vmas;
	struct tally_sum sum;
	uint64_t zero;		/* zero page and huge zero page: not in RSS */
	uint64_t huge_zero;	/* of that, the huge zero page */
	uint64_t special;	/* migration, device and poisoned entries: counted nowhere */
};

/* A mapper: the VMAs of one group in one address space. */
struct tally_member {
	uint32_t space;
	uint32_t group;
	struct tally_sum sum;
};

enum tally_kind {
	TALLY_ANON,
	TALLY_FILE,		/* page cache and shared memory */
	TALLY_HUGETLB,
	TALLY_SWAP,		/* "frames" are slots */
	TALLY_KIND_MAX
};

/* A set of mappers: that of its parent and one more. A parent stands in front of its children,
 * so one loop from the end adds children to parents. Set 0 to TALLY_KIND_MAX - 1 are the empty
 * ones, by kind. */
struct tally_set {
	uint32_t parent;	/* of the empty ones: themselves */
	uint32_t member;	/* TALLY_NONE: mappers outside (or a mark), not a member */
	uint32_t mappings;	/* entries in all, those outside included */
	uint32_t outside;	/* entries the kernel counts that were not found */
	uint64_t frames;	/* mapped by exactly this set */
	uint64_t below;		/* by this set or one that was made from it */
	uint8_t kind;
	bool ksm;
	bool crowd;		/* frames of all sets that are not told apart; without a member */
	bool first_of_space;	/* no set above has a member of that space */
	bool first_of_group;	/* nor of that group */
	uint32_t next;		/* in preorder, from set 0: first what was made from this one.
				 * 0: the last */
};

struct tally_totals {
	uint64_t frames;	/* without hugetlb */
	uint64_t bytes_once;	/* RSS with each frame once */
	uint64_t anon_once;
	uint64_t file_once;
	uint64_t hugetlb_once;
	uint64_t swap_once;	/* slots, once */
	uint64_t sum_rss;
	uint64_t sum_pss;
	uint64_t sum_uss;
	uint64_t sum_swap;
	uint64_t outside;	/* bytes mapped also by processes that were not counted */
	uint64_t crowd;		/* bytes whose sets are not told apart: in no set and member */
	uint64_t over;		/* bytes of which more entries were found than the kernel counts:
				 * its counts are estimates, or mappings changed meanwhile */
	size_t counted, no_space, gone, refused, failed, same_space;
	bool frames_visible;	/* else: sums of smaps_rollup, and nothing is known once */
	enum gap frames_gap;	/* why they are not */
	enum gap counts_gap;	/* kpagecount: GAP_NOT_READ if nothing had to be asked */
	enum gap flags_gap;
	uint64_t duration_us;	/* from the first process to the last */
};

struct tally;

/* Fails for want of memory, if visit fails, or if there is no process to read at all; a process
 * that cannot be read is a state of it. */
int tally_run(struct source *source, const struct tally_request *request, struct tally **tally,
	      struct error *error);
void tally_free(struct tally *tally);
DEFINE_CLEANUP(tally_free, struct tally)

const struct tally_totals *tally_totals(const struct tally *tally);
/* In the order of request.pids. */
const struct tally_process *tally_processes(const struct tally *tally, size_t *count);
/* Those of one space stand together, in no order of theirs. */
const struct tally_member *tally_members(const struct tally *tally, size_t *count);
/* Only with TALLY_NEED_SETS, and where frames are visible. */
const struct tally_set *tally_sets(const struct tally *tally, size_t *count);
uint32_t tally_page_size(const struct tally *tally);
/* Which of the processes has the address space of this one (that may be another)? Its index, or
 * TALLY_NONE if none has, or nobody knows. */
uint32_t tally_with_space(struct tally *tally, const struct source_process *process);
const char *tally_state_name(enum tally_state state);

#endif
