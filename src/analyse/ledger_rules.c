// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"

const struct name ledger_rule_names[] = {
	{ DIFFERS_GATE, "gate-vma", "the kernel's own page is listed and not counted" },
	{ DIFFERS_TEXT, "text-cut",
	  "of the program's text status leaves out what is writable or gone" },
	{ DIFFERS_OBJECT_SWAP, "object-swap",
	  "smaps counts swapped pages of shared memory, which have no entry here" },
	{ DIFFERS_ROUNDING, "rounding", "each line of smaps is cut to whole KiB" },
	{ DIFFERS_ZERO_PAGE, "zero-page",
	  "nothing tells the zero page, which is no memory, from pages that others map too" },
	{ DIFFERS_MIGRATION, "migration", "smaps counts pages that are being moved" },
	{ DIFFERS_SHARED_TABLES, "shared-tables",
	  "pages behind a shared PMD table count for the process that faulted them in" },
	{ DIFFERS_LAG, "counter-lag",
	  "counters are kept per CPU or thread, and added up only now and then" },
	{ DIFFERS_EMPTIED, "emptied-tables",
	  "tables that lost all their entries stay until their mapping goes" },
	{ DIFFERS_LEAF, "unknown-leaf",
	  "nothing tells huge pages, which need no table, from small ones" },
	{ DIFFERS_PFN_MAPS, "pfn-maps", "pagemap does not show what PFN maps hold in tables" },
	{ DIFFERS_UNSEEN, "unseen-tables",
	  "tables without entries cannot be seen, and there is room for so many" },
	{ DIFFERS_UNSURE, "pages-changed", "pages changed while they were read" },
	{ DIFFERS_CHANGED, "changed", "the counters moved between the readings" },
	{ DIFFERS_FLAGS, "file-flags",
	  "a file's pages are dirty or referenced for all who map them, also by others" },
	{ DIFFERS_OTHERS, "others", "other processes began or ceased to map the same pages" },
	{ 0, NULL, NULL },
};

#define BIT(n) (1ULL << (n))
#define RESIDENT_ROWS (BIT(LEDGER_RSS) | BIT(LEDGER_RSS_ANON) | BIT(LEDGER_RSS_FILE) | \
		       BIT(LEDGER_RSS_SHMEM) | BIT(LEDGER_RSS_OBJECTS))
#define SHARE_ROWS (BIT(LEDGER_PSS) | BIT(LEDGER_PSS_DIRTY) | BIT(LEDGER_PSS_ANON) | \
		    BIT(LEDGER_PSS_FILE) | BIT(LEDGER_PSS_SHMEM))
#define MAPPED_ROWS (BIT(LEDGER_SHARED) | BIT(LEDGER_PRIVATE))
#define FLAGS_ROWS (BIT(LEDGER_PSS_DIRTY) | BIT(LEDGER_SHARED_CLEAN) | \
		    BIT(LEDGER_SHARED_DIRTY) | BIT(LEDGER_PRIVATE_CLEAN) | \
		    BIT(LEDGER_PRIVATE_DIRTY) | BIT(LEDGER_REFERENCED))
#define TURNING_ROWS (MAPPED_ROWS | BIT(LEDGER_SHARED_CLEAN) | BIT(LEDGER_SHARED_DIRTY) | \
		      BIT(LEDGER_PRIVATE_CLEAN) | BIT(LEDGER_PRIVATE_DIRTY))
#define IN(rows) ((rows) >> q->row & 1)

/* Numbers of a snapshot may be any: so much is more than there is, and sums of it still fit. */
static int64_t bound(uint64_t bytes)
{
	const uint64_t most = 1ULL << 57;

	return (int64_t)(bytes < most ? bytes : most);
}

static struct ledger_range exactly(uint64_t bytes)
{
	return (struct ledger_range) { bound(bytes), bound(bytes) };
}

static struct ledger_range exactly_less(uint64_t bytes)
{
	return (struct ledger_range) { -bound(bytes), -bound(bytes) };
}

static struct ledger_range around(uint64_t bytes)
{
	return (struct ledger_range) { -bound(bytes), bound(bytes) };
}

static struct ledger_range at_most_less(uint64_t bytes)
{
	return (struct ledger_range) { -bound(bytes), 0 };
}

static struct ledger_range gate(const struct ledger_question *q, enum ledger_source source)
{
	return exactly(q->row == LEDGER_VSS && source == LEDGER_SMAPS ? q->facts->gate : 0);
}

/* task_mem() takes the smaller of what exec noted and all that is executable and not writable. */
static struct ledger_range text_cut(const struct ledger_question *q, enum ledger_source source)
{
	return exactly(q->row == LEDGER_EXE && source == LEDGER_STATM ? q->facts->text_cut : 0);
}

static struct ledger_range object_swap(const struct ledger_question *q, enum ledger_source source)
{
	if (q->row != LEDGER_SWAP || (source != LEDGER_SMAPS && source != LEDGER_ROLLUP))
		return exactly(0);
	return (struct ledger_range) { bound(q->facts->object_swap_least),
				bound(q->facts->object_swap_most) };
}

/* Lines of smaps that may have lost a part of a KiB. */
static uint64_t cut_lines(const struct ledger_question *q)
{
	if (IN(SHARE_ROWS))
		return q->facts->shared_vmas;
	if (q->row == LEDGER_SWAP_PSS)
		return q->facts->swap_vmas;
	return q->row == LEDGER_LOCKED_PSS ? q->facts->locked_vmas : 0;
}

static struct ledger_range rounding(const struct ledger_question *q, enum ledger_source source)
{
	uint64_t lines = cut_lines(q);

	if (source == LEDGER_ROLLUP)
		return at_most_less(lines ? 1023 : 0);
	return at_most_less(source == LEDGER_SMAPS ? lines * 1023 : 0);
}

static struct ledger_range at_most(uint64_t bytes)
{
	return (struct ledger_range) { 0, bound(bytes) };
}

static struct ledger_range zero_page(const struct ledger_question *q, enum ledger_source source)
{
	return at_most(source == LEDGER_PAGES &&
		       IN(BIT(LEDGER_RSS) | BIT(LEDGER_RSS_ANON)) ? q->facts->maybe_zero : 0);
}

static struct ledger_range migration(const struct ledger_question *q, enum ledger_source source)
{
	return at_most_less(source == LEDGER_PAGES &&
			    IN(RESIDENT_ROWS | SHARE_ROWS | MAPPED_ROWS) ? q->facts->special : 0);
}

static struct ledger_range shared_tables(const struct ledger_question *q, enum ledger_source source)
{
	return at_most_less(q->row == LEDGER_HUGETLB && source == LEDGER_STATUS ?
			    q->facts->shareable_hugetlb : 0);
}

/* How many of the counters of mm_struct add up to the row. */
static uint64_t counters_in(const struct ledger_question *q)
{
	switch (q->row) {
	case LEDGER_RSS:
		return 3;
	case LEDGER_RSS_OBJECTS:
		return 2;
	case LEDGER_RSS_ANON:
	case LEDGER_RSS_FILE:
	case LEDGER_RSS_SHMEM:
	case LEDGER_SWAP:
		return 1;
	default:
		return 0;
	}
}

/*
 * Pages that one counter may be off. lib/percpu_counter.c: each CPU keeps less than a batch of
 * max(32, 2 CPUs) to itself. Before 6.2 each thread kept what up to 65 faults did
 * (mm/memory.c TASK_RSS_EVENTS_THRESH), 16 pages each with fault-around.
 */
static uint64_t counter_lag(const struct ledger_facts *facts)
{
	uint64_t batch = 2 * facts->processors > 32 ? 2 * facts->processors : 32;
	uint64_t per_cpu = (batch - 1) * facts->processors;
	uint64_t per_thread = facts->batched ? 0 : 65 * 16 * facts->threads;

	return per_cpu > per_thread ? per_cpu : per_thread;
}

static struct ledger_range lag(const struct ledger_question *q, enum ledger_source source)
{
	bool lags = source == LEDGER_STAT ||
		(!q->facts->summed && (source == LEDGER_STATUS || source == LEDGER_STATM));

	return around(lags ? counters_in(q) * counter_lag(q->facts) * q->facts->page_size : 0);
}

static struct ledger_range emptied(const struct ledger_question *q, enum ledger_source source)
{
	bool is_model = q->row == LEDGER_TABLES && source == LEDGER_MODEL;

	return exactly_less(is_model ? q->facts->emptied : 0);
}

static struct ledger_range unknown_leaf(const struct ledger_question *q,
					enum ledger_source source)
{
	bool is_model = q->row == LEDGER_TABLES && source == LEDGER_MODEL;

	return at_most(is_model ? q->facts->leaf_tables : 0);
}

static struct ledger_range pfn_maps(const struct ledger_question *q, enum ledger_source source)
{
	bool is_model = q->row == LEDGER_TABLES && source == LEDGER_MODEL;

	return at_most_less(is_model ? q->facts->hidden_room : 0);
}

static struct ledger_range unseen(const struct ledger_question *q, enum ledger_source source)
{
	uint64_t room = q->facts->upper_room + (q->facts->emptied_seen ? 0 : q->facts->pte_room);
	bool is_model = q->row == LEDGER_TABLES && source == LEDGER_MODEL;

	return at_most_less(is_model ? room : 0);
}

static struct ledger_range unsure(const struct ledger_question *q, enum ledger_source source)
{
	return around(source == LEDGER_PAGES ? q->facts->unsure : 0);
}

/* Of one reading against another: taken once, for the source that is compared. */
static struct ledger_range changed(const struct ledger_question *q, enum ledger_source source)
{
	return around(source != q->line->findings[0].reference ? q->moved : 0);
}

static bool is_repeated(const struct ledger_question *q)
{
	return q->facts->repeated >> q->row & 1;
}

/* Of one reading against another, as above. */
static struct ledger_range flags(const struct ledger_question *q, enum ledger_source source)
{
	if (source == q->line->findings[0].reference || is_repeated(q) || !IN(FLAGS_ROWS))
		return exactly(0);
	return around(q->facts->flags_drift);
}

static uint64_t drift_of(const struct ledger_question *q)
{
	const uint64_t *drift = q->facts->share_drift;

	switch (q->row) {
	case LEDGER_PSS:
	case LEDGER_PSS_DIRTY:
	case LEDGER_LOCKED_PSS:
		return drift[LEDGER_KIND_ANON] + drift[LEDGER_KIND_FILE] +
			drift[LEDGER_KIND_SHMEM];
	case LEDGER_PSS_ANON:
		return drift[LEDGER_KIND_ANON];
	case LEDGER_PSS_FILE:
		return drift[LEDGER_KIND_FILE];
	case LEDGER_PSS_SHMEM:
		return drift[LEDGER_KIND_SHMEM];
	default:
		return IN(TURNING_ROWS) ? q->facts->mapped_drift : 0;
	}
}

static struct ledger_range others(const struct ledger_question *q, enum ledger_source source)
{
	if (source == q->line->findings[0].reference || is_repeated(q))
		return exactly(0);
	return around(drift_of(q));
}

static struct ledger_range (*const rules[DIFFERS_MAX])(const struct ledger_question *q,
					     enum ledger_source source) = {
	[DIFFERS_GATE] = gate,
	[DIFFERS_TEXT] = text_cut,
	[DIFFERS_OBJECT_SWAP] = object_swap,
	[DIFFERS_ROUNDING] = rounding,
	[DIFFERS_ZERO_PAGE] = zero_page,
	[DIFFERS_MIGRATION] = migration,
	[DIFFERS_SHARED_TABLES] = shared_tables,
	[DIFFERS_LAG] = lag,
	[DIFFERS_EMPTIED] = emptied,
	[DIFFERS_LEAF] = unknown_leaf,
	[DIFFERS_PFN_MAPS] = pfn_maps,
	[DIFFERS_UNSEEN] = unseen,
	[DIFFERS_UNSURE] = unsure,
	[DIFFERS_CHANGED] = changed,
	[DIFFERS_FLAGS] = flags,
	[DIFFERS_OTHERS] = others,
};

struct ledger_range ledger_rule_allows(const struct ledger_question *q,
				       enum ledger_rule rule,
				       const struct ledger_finding *finding)
{
	struct ledger_range a = rules[rule](q, finding->source);
	struct ledger_range b = rules[rule](q, finding->reference);

	return (struct ledger_range) { a.low - b.high, a.high - b.low };
}

bool ledger_row_by_others(enum ledger_row row)
{
	return (SHARE_ROWS | TURNING_ROWS | FLAGS_ROWS | BIT(LEDGER_SWAP_PSS) |
		BIT(LEDGER_LOCKED_PSS)) >> row & 1;
}
