// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "report_share.h"
#include "vmatlas/base/cleanup.h"

static const struct tally_process *process_of(const struct share_row *row)
{
	return &row->list[row->index];
}

static const struct share_process *facts_of(const struct share_row *row)
{
	return &row->share->processes[row->index];
}

/* A kernel thread has nothing; what was not read has a reason. */
static struct cell known(const struct share_row *row, struct cell cell)
{
	const struct tally_process *process = process_of(row);

	return process->state == TALLY_COUNTED ? cell : cell_missing(process->gap);
}

static struct cell size_of(const struct share_row *row, uint64_t bytes)
{
	return known(row, cell_size(bytes));
}

/* What only the frames tell. */
static struct cell frames_of(const struct share_row *row, uint64_t bytes)
{
	return known(row, share_size(row->share, bytes));
}

static struct cell freed_of(const struct share_row *row)
{
	return frames_of(row, share_freed_memory(&facts_of(row)->freed));
}

static struct cell same_mm_of(const struct share_row *row)
{
	uint32_t same = process_of(row)->same_as;

	return same == TALLY_NONE ? known(row, cell_null()) :
		cell_count((uint64_t)row->list[same].pid);
}

static struct cell swap_pss_of(const struct share_row *row)
{
	const struct tally_process *process = process_of(row);

	return process->state == TALLY_COUNTED && !process->swap_pss_known ?
		cell_missing(GAP_NOT_IN_KERNEL) : size_of(row, facts_of(row)->swap.pss);
}

static struct cell certain(const struct share *share, const struct share_swap *swap)
{
	struct cell known = share_size(share, 0);

	return known.type == CELL_MISSING ? known : cell_text(certainty_name(swap->certainty));
}

SHARE_GETTER(process, pid, cell_count((uint64_t)process_of(row)->pid))
SHARE_GETTER(process, ppid, facts_of(row)->ppid ? cell_count((uint64_t)facts_of(row)->ppid) :
	     cell_null())
SHARE_GETTER(process, comm, share_comm(row->share, row->index))
SHARE_GETTER(process, state, cell_text(tally_state_name(process_of(row)->state)))
SHARE_GETTER(process, vss, size_of(row, process_of(row)->vss))
SHARE_GETTER(process, rss, size_of(row, process_of(row)->sum.rss))
SHARE_GETTER(process, pss, size_of(row, process_of(row)->sum.pss))
SHARE_GETTER(process, uss, size_of(row, process_of(row)->sum.uss))
SHARE_GETTER(process, anon, size_of(row, process_of(row)->sum.anon))
SHARE_GETTER(process, hugetlb, size_of(row, process_of(row)->sum.hugetlb))
SHARE_GETTER(process, swap, size_of(row, process_of(row)->sum.swap))
SHARE_GETTER(process, swap_pss, swap_pss_of(row))
SHARE_GETTER(process, shared, frames_of(row, facts_of(row)->shared))
SHARE_GETTER(process, outside, frames_of(row, facts_of(row)->outside))
SHARE_GETTER(process, freed, freed_of(row))
SHARE_GETTER(process, reclaimable, frames_of(row, facts_of(row)->freed.cache))
SHARE_GETTER(process, swap_freed, frames_of(row, facts_of(row)->freed.swap))
SHARE_GETTER(process, swap_least, frames_of(row, facts_of(row)->swap.freed_least))
SHARE_GETTER(process, swap_certainty, known(row, certain(row->share, &facts_of(row)->swap)))
SHARE_GETTER(process, zero, frames_of(row, process_of(row)->zero))
SHARE_GETTER(process, same_mm, same_mm_of(row))
SHARE_GETTER(process, keeper, facts_of(row)->keeper ?
	     cell_count((uint64_t)facts_of(row)->keeper) : known(row, cell_null()))

COLUMN_GETTER(process_shared_with)
{
	const struct share_row *row = data;
	const struct share *share = row->share;
	struct cell *items;
	size_t count = 0;

	*cell = known(row, share->pairs_gap != GAP_NONE ? cell_missing(share->pairs_gap) :
		      share_size(share, 0));
	if (cell->type == CELL_MISSING)
		return;
	items = scratch_cells(scratch, share->count);
	for (size_t i = 0; items && i < share->count; i++) {
		uint64_t bytes = i == row->index ? 0 : share_pair(share, row->index, i);

		if (bytes)
			items[count++] = cell_named(
				scratch_dec(scratch, (uint64_t)row->list[i].pid).ptr,
				cell_size(bytes));
	}
	*cell = items ? cell_object(items, count) : cell_null();
}

const struct column share_columns[] = {
	{ "pid", "PID", "process", NUMBER, 0, 7, process_pid },
	{ "ppid", "PPID", "its parent", SHARE_MORE, 0, 7, process_ppid },
	{ "comm", "COMM", "its name", BOTH, 0, 15, process_comm },
	{ "state", "STATE", "counted, or why not: no-space, gone, refused, failed", COLUMN_JSON, 0,
	  7, process_state },
	{ "vss", "VSS", "size of all its VMAs", SHARE_MORE, 0, 6, process_vss },
	{ "rss", "RSS", "resident", NUMBER, 0, 6, process_rss },
	{ "pss", "PSS", "its part of what is resident, by the number of mappings", NUMBER,
	  0, 6, process_pss },
	{ "uss", "USS", "mapped by one entry only, system-wide", NUMBER, 0, 6,
	  process_uss },
	{ "shared", "SHARED", "resident, and mapped by others of the set too", NUMBER, 0, 6,
	  process_shared },
	{ "outside", "OUTSIDE", "resident, and mapped by somebody outside of the set too",
	  NUMBER, 0, 7, process_outside },
	{ "freed", "FREED", "memory that would be free if it ended alone", NUMBER, 0, 6,
	  process_freed },
	{ "reclaimable", "CACHE", "page cache that nobody else maps: only reclaimable then",
	  NUMBER, 0, 6, process_reclaimable },
	{ "anonymous", "ANON", "anonymous part of the RSS", SHARE_MORE, 0, 6, process_anon },
	{ "hugetlb", "HUGETLB", "hugetlb pages; beside the RSS", SHARE_MORE, 0, 7,
	  process_hugetlb },
	{ "swap", "SWAP", "entries that refer to swap", NUMBER, 0, 6, process_swap },
	{ "swap_pss", "SWAPPSS", "its part of that", SHARE_MORE, 0, 7, process_swap_pss },
	{ "swap_freed", "SWAPFREED", "slots that would be free if it ended alone", SHARE_MORE, 0,
	  9, process_swap_freed },
	{ "swap_freed_least", "SWAPLEAST", "so much of that at least: the others may have users "
	  "outside of the set", SHARE_MORE, 0, 9, process_swap_least },
	{ "swap_certainty", "SWAPCERT", "observed: nobody outside of the set uses its slots; "
	  "inferred: swap_freed is an upper bound; unknown: swap_pss, too", COLUMN_JSON, 0, 8,
	  process_swap_certainty },
	{ "zero", "ZERO", "mapped to the zero page or the huge zero page: no memory", SHARE_MORE,
	  0, 6, process_zero },
	{ "same_mm", "SAME-MM", "the task with whose address space it runs, which counts once",
	  NUMBER | COLUMN_SPARE, 0, 7, process_same_mm },
	{ "keeper", "KEEPER", "a task outside of the set with its address space, which it does not "
	  "free then", COLUMN_JSON, 0, 7, process_keeper },
	{ "shared_with", "SHARED-WITH", "bytes that both map, by PID", COLUMN_JSON, 0, 20,
	  process_shared_with },
	{ NULL },
};

static int add_processes(struct report *report, const struct share *share,
			 const struct share_show *show)
{
	struct share_row row = { share, share_list(share), 0 };
	int rc = report_table_begin(report, "processes", "Processes",
				    &show->columns[SHARE_ROWS_PROCESSES], NULL, share->count);

	/* Of what has ended a number is left, which the set has. */
	for (; row.index < share->count && rc >= 0; row.index++)
		if (report_is_json(report) || process_of(&row)->state != TALLY_GONE)
			rc = report_row(report, &row);
	return rc < 0 ? rc : report_table_end(report);
}

/* Exact: all counts were made here or read for each frame, and none contradicted another. */
static enum certainty certainty_of(const struct tally_totals *totals)
{
	if (!totals->frames_visible)
		return CERTAINTY_OBSERVED;
	return totals->over || (totals->counts_gap != GAP_NONE &&
				totals->counts_gap != GAP_NOT_READ) ?
		CERTAINTY_INFERRED : CERTAINTY_OBSERVED;
}

static void add_freed_swap(struct report *report, const struct share *share)
{
	bool exact = share->swap.certainty == CERTAINTY_OBSERVED;
	unsigned all = share->freed.swap ? 0 : REPORT_JSON_ONLY;

	report_fact(report, "swap", exact ? "free: swap" : "free: swap, at most",
		    share_size(share, share->freed.swap), all);
	report_fact(report, "swap_least", "free: swap, at least",
		    share_size(share, share->swap.freed_least), exact ? REPORT_JSON_ONLY : all);
	report_fact(report, "swap_certainty", NULL, certain(share, &share->swap),
		    REPORT_JSON_ONLY);
}

static void add_freed(struct report *report, const struct share *share)
{
	const struct share_freed *freed = &share->freed;

	report_object_begin(report, "freed", tally_totals(share->tally)->counted == 1 ?
			    "If it ended" : "If all of them ended");
	report_fact(report, "anonymous", "free: anonymous memory", share_size(share, freed->anon),
		    0);
	report_fact(report, "objects", "free: unlinked files and shared memory",
		    share_size(share, freed->objects), 0);
	report_fact(report, "hugetlb", "free: hugetlb pages", share_size(share, freed->hugetlb),
		    freed->hugetlb ? 0 : REPORT_JSON_ONLY);
	add_freed_swap(report, share);
	report_fact(report, "reclaimable", "only reclaimable: page cache",
		    share_size(share, freed->cache), 0);
	report_fact(report, "kept", "stays: tmpfs, SysV, mapped by others",
		    share_size(share, freed->kept), 0);
	report_fact(report, "certainty", NULL, cell_text(certainty_name(CERTAINTY_INFERRED)),
		    REPORT_JSON_ONLY);
	report_object_end(report);
}

static unsigned if_any(uint64_t value)
{
	return value ? 0 : REPORT_JSON_ONLY;
}

static void add_counts(struct report *report, const struct tally_totals *totals,
		       const struct share_left *left)
{
	size_t gone = totals->gone + left->gone, refused = totals->refused + left->refused;
	size_t none = totals->no_space + left->kernel;

	report_fact(report, "processes", "processes", cell_count(totals->counted), 0);
	report_fact(report, "same_mm", "of them with the address space of another",
		    cell_count(totals->same_space), if_any(totals->same_space));
	report_fact(report, "gone", "ended meanwhile", cell_count(gone), if_any(gone));
	report_fact(report, "refused", "not allowed to read", cell_count(refused),
		    if_any(refused));
	report_fact(report, "no_space", "without an address space", cell_count(none),
		    if_any(none));
	report_fact(report, "failed", "could not be read", cell_count(totals->failed),
		    if_any(totals->failed));
}

enum set_flag {
	SET_KERNELS = 1 << 0,	/* the kernel's own sum: known without frames */
	SET_IF_ANY = 1 << 1,	/* in text only if it is not 0 */
	SET_JSON = 1 << 2,
	SET_SETS = 1 << 3	/* only sets of mappers tell it */
};

struct set_size {
	const char *name;
	const char *title;
	uint64_t bytes;
	unsigned flags;
};

static void add_size(struct report *report, const struct share *share,
		     const struct set_size *size)
{
	bool hidden = size->flags & SET_JSON || (size->flags & SET_IF_ANY && !size->bytes);
	struct cell cell = size->flags & SET_KERNELS ? cell_size(size->bytes) :
		size->flags & SET_SETS ? share_size(share, size->bytes) :
		share_once(share, size->bytes);

	report_fact(report, size->name, size->title, cell, hidden ? REPORT_JSON_ONLY : 0);
}

static void add_sizes(struct report *report, const struct share *share)
{
	const struct tally_totals *t = tally_totals(share->tally);
	const unsigned kernels = SET_KERNELS, any = SET_IF_ANY;
	const struct set_size sizes[] = {
		{ "bytes_once", "memory, each frame once", t->bytes_once, 0 },
		{ "anonymous_once", "anonymous part", t->anon_once, 0 },
		{ "file_once", "files and shared memory", t->file_once, 0 },
		{ "outside", "mapped outside of the set too", t->outside, SET_SETS },
		{ "sum_rss", "sum of RSS", t->sum_rss, kernels },
		{ "saved", "saved by sharing", t->sum_rss - t->bytes_once, 0 },
		{ "sum_pss", "sum of PSS", t->sum_pss, kernels },
		{ "sum_uss", "sum of USS", t->sum_uss, kernels },
		{ "hugetlb_once", "hugetlb, each page once", t->hugetlb_once, any },
		{ "swap_once", "swap, each slot once", t->swap_once, any },
		{ "swap_shared", "slots of more than one process", share->swap_shared,
		  any | SET_SETS },
		{ "sum_swap", "sum of swap", t->sum_swap, kernels | any },
		{ "sum_swap_pss", "sum of swap, divided by users", share->swap.pss, kernels | any },
		{ "zero", "zero page (no memory)", share->zero, SET_JSON },
		{ "huge_zero", "huge zero page (no memory)", share->huge_zero, any },
		{ "over", "more often found than the kernel counts", t->over, any },
		{ "crowd", "in sets that are not told apart", t->crowd, any },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		add_size(report, share, &sizes[i]);
}

static void add_set(struct report *report, const struct share *share,
		    const struct share_left *left)
{
	const struct tally_totals *totals = tally_totals(share->tally);
	enum certainty certainty = certainty_of(totals);
	char took[32];

	report_object_begin(report, "set", "Set");
	add_counts(report, totals, left);
	report_fact(report, "frames", "frames", totals->frames_gap == GAP_NONE ?
		    cell_count(totals->frames) : cell_missing(totals->frames_gap), 0);
	add_sizes(report, share);
	report_fact(report, "certainty", NULL, cell_text(certainty_name(certainty)),
		    REPORT_JSON_ONLY);
	report_fact(report, NULL, "counts are", cell_text(
		!totals->frames_visible ? "the kernel's" :
		certainty == CERTAINTY_OBSERVED ? "exact" : "estimates"), REPORT_TEXT_ONLY);
	report_fact(report, "duration_us", NULL, cell_count(totals->duration_us), REPORT_JSON_ONLY);
	snprintf(took, sizeof(took), "%.1f ms", (double)totals->duration_us / 1000);
	report_fact(report, NULL, "from first to last process", cell_text(took), REPORT_TEXT_ONLY);
	if (totals->frames_visible || report_is_json(report))
		add_freed(report, share);
	report_object_end(report);
}

/* Every frame counts at least with its parts, and at most in each RSS. */
static int add_bounds(struct report *report, const struct share *share)
{
	const struct tally_totals *totals = tally_totals(share->tally);
	const struct tally_process *list = share_list(share);
	uint64_t least = totals->sum_pss;

	for (size_t i = 0; i < share->count; i++)
		if (list[i].sum.rss > least)
			least = list[i].sum.rss;
	report_object_begin(report, "bounds", "Between");
	report_fact(report, "least", "at least", cell_size(least), 0);
	report_fact(report, "most", "at most", cell_size(totals->sum_rss), 0);
	report_object_end(report);
	return report_prose(report, "Without frame numbers, which the kernel shows only with "
			    "CAP_SYS_ADMIN, the sums are those of smaps_rollup. Who shares what "
			    "cannot be told; the memory of the set lies between the two.");
}

static int warn(struct report *report, const char *code, size_t count, const char *one,
		const char *more)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!count)
		return 0;
	buf_addf(&text, "%zu %s", count, count == 1 ? one : more);
	return report_warning(report, code, buf_span(&text));
}

static size_t count_kept(const struct share *share)
{
	size_t kept = 0;

	for (size_t i = 0; i < share->count; i++)
		kept += share->processes[i].keeper != 0;
	return kept;
}

static int add_notes(struct report *report, const struct share *share,
		     const struct share_left *left)
{
	const struct tally_totals *totals = tally_totals(share->tally);

	if (warn(report, "same-mm", count_kept(share),
		 "process has the address space of a task outside of the set, and frees nothing",
		 "processes have the address space of a task outside of the set, and free nothing")
	    < 0)
		return -1;
	if (warn(report, gap_name(GAP_NEEDS_PRIVILEGE), totals->refused + left->refused,
		 "process may not be read: what it maps shows as outside",
		 "processes may not be read: what they map shows as outside") < 0)
		return -1;
	if (warn(report, gap_name(GAP_GONE), totals->gone + left->gone,
		 "process ended before or while it was read",
		 "processes ended before or while they were read") < 0)
		return -1;
	return totals->crowd ? report_warning(report, gap_name(GAP_LIMIT),
					      span_of("pages are shared in more different ways "
						      "than are told apart: ask for fewer "
						      "processes")) : 0;
}

int report_share(struct report *report, const struct share *share,
		 const struct share_show *show)
{
	static int (*const tables[SHARE_ROWS_MAX])(struct report *report,
						   const struct share *share,
						   const struct share_show *show) = {
		[SHARE_ROWS_PROCESSES] = add_processes,
		[SHARE_ROWS_OBJECTS] = share_add_objects,
		[SHARE_ROWS_CLASSES] = share_add_classes,
		[SHARE_ROWS_FORKS] = share_add_forks,
		[SHARE_ROWS_PAIRS] = share_add_pairs,
	};
	bool all = report_is_json(report) || show->rows == SHARE_ROWS_PROCESSES;

	if (all)
		add_set(report, share, &show->left);
	if (all && !tally_totals(share->tally)->frames_visible)
		add_bounds(report, share);
	for (int rows = 0; rows < SHARE_ROWS_MAX; rows++) {
		if ((all || rows == (int)show->rows) && tables[rows](report, share, show) < 0)
			return -1;
		if (all && rows == SHARE_ROWS_PROCESSES && share_add_causes(report, share) < 0)
			return -1;
	}
	return add_notes(report, share, &show->left);
}
