/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_LEDGER_H
#define VMATLAS_ANALYSE_LEDGER_H

#include "vmatlas/model/process.h"

/*
 * The ledger: the same quantities as the kernel tells them in several places, held against each
 * other and against what the pages and the model of the page table add up to. A difference is
 * explained if rules of the kernel allow for it, each with a bound that is computed from what was
 * read; else it is unexplained, whatever might be said about it.
 */

/* Where a number comes from; names are promises (ledger_source_names). */
enum ledger_source {
	LEDGER_SMAPS,		/* sum over the VMAs */
	LEDGER_ROLLUP,
	LEDGER_STATUS,
	LEDGER_STATM,
	LEDGER_STAT,
	LEDGER_PAGES,		/* pagemap, kpageflags, kpagecount */
	LEDGER_MODEL,		/* address space from VMAs and VmFlags, the modelled page table */
	LEDGER_SOURCE_MAX
};

extern const struct name ledger_source_names[];

/* Names are promises (ledger_row_names). All are bytes. */
enum ledger_row {
	LEDGER_VSS,
	LEDGER_RSS, LEDGER_RSS_ANON, LEDGER_RSS_FILE, LEDGER_RSS_SHMEM, LEDGER_RSS_OBJECTS,
	LEDGER_PSS, LEDGER_PSS_DIRTY, LEDGER_PSS_ANON, LEDGER_PSS_FILE, LEDGER_PSS_SHMEM,
	LEDGER_SHARED, LEDGER_SHARED_CLEAN, LEDGER_SHARED_DIRTY,
	LEDGER_PRIVATE, LEDGER_PRIVATE_CLEAN, LEDGER_PRIVATE_DIRTY,
	LEDGER_REFERENCED, LEDGER_KSM, LEDGER_LAZY_FREE,
	LEDGER_ANON_HUGE, LEDGER_SHMEM_HUGE, LEDGER_FILE_HUGE,
	LEDGER_HUGETLB,
	LEDGER_SWAP, LEDGER_SWAP_PSS,
	LEDGER_LOCKED_PSS, LEDGER_LOCKED, LEDGER_PINNED,
	LEDGER_DATA, LEDGER_STACK, LEDGER_DATA_STACK, LEDGER_EXE, LEDGER_LIB,
	LEDGER_TABLES,
	LEDGER_ROW_MAX
};

extern const struct name ledger_row_names[];

/* Numbers of one source, by an enum of its own: smaps_key, status_key, or one of these. */
#define LEDGER_NUMBERS 40

enum ledger_statm { STATM_SIZE, STATM_RESIDENT, STATM_SHARED, STATM_TEXT, STATM_DATA };
enum ledger_stat { STAT_VSIZE, STAT_RSS };

enum ledger_pages {
	PAGES_RSS, PAGES_ANON, PAGES_FILE, PAGES_SHMEM, PAGES_OBJECTS,
	PAGES_PSS, PAGES_PSS_ANON, PAGES_PSS_FILE, PAGES_PSS_SHMEM,
	PAGES_SHARED, PAGES_PRIVATE, PAGES_KSM,
	PAGES_ANON_HUGE, PAGES_SHMEM_HUGE, PAGES_FILE_HUGE,
	PAGES_HUGETLB, PAGES_SWAP
};

enum ledger_model {
	MODEL_VSS, MODEL_DATA, MODEL_STACK, MODEL_EXE, MODEL_LIB, MODEL_LOCKED, MODEL_TABLES
};

struct ledger_numbers {
	uint64_t present;		/* bit per number */
	uint64_t value[LEDGER_NUMBERS];	/* bytes */
	enum gap gap;			/* why the others are missing;
					 * GAP_NONE: not in this kernel */
};

/* One look at all sources. What is cheap is read before and after the rest: it tells what moved. */
struct ledger_reading {
	struct ledger_numbers before[LEDGER_SOURCE_MAX];	/* rollup, status, statm, stat */
	struct ledger_numbers after[LEDGER_SOURCE_MAX];
};

/* What a page is to the counters of the kernel (include/linux/mm.h mm_counter()). */
enum ledger_kind { LEDGER_KIND_ANON, LEDGER_KIND_FILE, LEDGER_KIND_SHMEM, LEDGER_KIND_MAX };

/* What the bounds of the rules are computed from; sizes in bytes, all about the one look. */
struct ledger_facts {
	uint32_t page_size;
	uint64_t gate;			/* VMAs that maps lists and no counter counts: [vsyscall] */
	uint64_t text_cut;		/* text of the program that is not
					 * executable-only any more */
	uint64_t processors;		/* 0: not known */
	uint64_t threads;
	bool batched;			/* counters are kept per CPU (6.2), not per thread */
	bool summed;			/* status and statm add up all CPUs, stat does not (6.16) */
	uint64_t shared_vmas;		/* with pages that are mapped more than once */
	uint64_t swap_vmas;		/* with swapped pages */
	uint64_t locked_vmas;
	uint64_t object_swap_least;	/* of Swap in smaps: pages of shared objects */
	uint64_t object_swap_most;
	uint64_t special;		/* migration and device entries,
					 * which smaps calls resident */
	uint64_t maybe_zero;		/* counted as resident, but perhaps the zero page */
	uint64_t unsure;		/* pages that contradicted
					 * themselves while they were read */
	uint64_t shareable_hugetlb;	/* in mappings whose PMD tables others may share */
	uint64_t pte_room;		/* PTE tables that VMAs have room for and the model not */
	uint64_t upper_room;		/* the same of PMD and PUD tables */
	uint64_t hidden_room;		/* tables that PFN maps have room for */
	uint64_t leaf_tables;		/* of the model: not there if what they map is huge */
	bool emptied_seen;		/* the scan shows PTE tables without an entry in use */
	uint64_t emptied;		/* these */
	bool ran;			/* it may have run between the first and the last reading */
	/* How far others can have changed what is shared, and 0 where that is not considered; not
	 * of rows whose difference was the same at every look. */
	uint64_t share_drift[LEDGER_KIND_MAX];	/* of Pss */
	uint64_t mapped_drift;		/* from shared to private or back */
	uint64_t flags_drift;		/* pages whose flags are those of a
					 * file, not of a mapping */
	uint64_t repeated;		/* bit per row */
};

/* Rules of the kernel by which two sources differ; names are promises (ledger_rule_names). */
enum ledger_rule {
	DIFFERS_GATE,		/* the gate VMA is in maps and smaps, not in total_vm */
	DIFFERS_TEXT,		/* VmExe is no more than all executable memory */
	DIFFERS_OBJECT_SWAP,	/* smaps counts swapped pages of shared objects as Swap */
	DIFFERS_ROUNDING,		/* Pss and its like are cut to KiB per line */
	DIFFERS_ZERO_PAGE,	/* without rights and PAGEMAP_SCAN it looks like anonymous memory */
	DIFFERS_MIGRATION,		/* smaps counts pages that are being migrated */
	DIFFERS_SHARED_TABLES,	/* pages behind a shared PMD table are
				 * counted by who faulted them */
	DIFFERS_LAG,		/* counters are gathered per CPU or thread */
	DIFFERS_EMPTIED,	/* PTE tables that lost all entries and were seen */
	DIFFERS_LEAF,		/* tables below entries that may be huge */
	DIFFERS_PFN_MAPS,	/* tables of PFN maps, whose entries pagemap does not show */
	DIFFERS_UNSEEN,		/* tables that may have lost all entries and cannot be seen */
	DIFFERS_UNSURE,		/* pages changed while they were read */
	DIFFERS_CHANGED,	/* the counter moved between the readings */
	DIFFERS_FLAGS,		/* flags of file pages, which others change */
	DIFFERS_OTHERS,		/* others began or ceased to map the same pages */
	DIFFERS_MAX
};

extern const struct name ledger_rule_names[];	/* the meaning is a clause for people */

/* Two sources that differ. */
struct ledger_finding {
	enum ledger_source source, reference;
	int64_t difference;		/* source - reference */
	int64_t low, high;		/* what the rules allow for */
	uint32_t rules;			/* bit per rule that was needed */
	bool explained;
	enum certainty certainty;	/* of the explanation */
};

enum ledger_verdict {
	LEDGER_EQUAL,
	LEDGER_EXPLAINED,
	LEDGER_UNEXPLAINED,
	LEDGER_SINGLE,		/* one source, nothing to hold it against */
	LEDGER_MISSING,		/* no source */
	LEDGER_VERDICT_MAX
};

extern const struct name ledger_verdict_names[];

struct ledger_value {
	uint64_t value;
	enum gap gap;		/* GAP_NOT_APPLICABLE: the source does not tell this */
};

struct ledger_line {
	enum ledger_row row;
	enum ledger_verdict verdict;
	struct ledger_value values[LEDGER_SOURCE_MAX];
	struct ledger_finding findings[LEDGER_SOURCE_MAX];
	size_t finding_count;
};

struct ledger {
	struct ledger_line lines[LEDGER_ROW_MAX];
	size_t verdicts[LEDGER_VERDICT_MAX];	/* rows of each */
	struct ledger_facts facts;
	unsigned looks;			/* how often all was read */
	bool live;			/* else what moved is not known */
	bool moved;			/* some counter was another one after the rest was read */
	bool others_moved;		/* the same of one that others change */
	struct process *process;
};

/* Pure: from numbers to verdicts. */
void ledger_judge(const struct ledger_reading *reading, const struct ledger_facts *facts,
		  struct ledger *ledger);

/*
 * Looks at the process, again (a few times) where a difference is not explained and counters
 * moved. What cannot be read is a gap; fails if there is no address space or no memory.
 */
int ledger_read(struct source_process *source, struct ledger *ledger, struct error *error);
void ledger_done(struct ledger *ledger);

#endif
