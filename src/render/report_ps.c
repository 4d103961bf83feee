// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "ps_row.h"
#include "totals.h"
#include "vmatlas/render/report_ps.h"

bool ps_has_row(const struct roster *roster, size_t index)
{
	const struct tally_process *counted;
	size_t count;

	counted = &tally_processes(roster->tally, &count)[index];
	return roster->processes[index].seen && counted->state != TALLY_GONE &&
		counted->state != TALLY_NO_SPACE;
}

static int add_processes(struct report *report, const struct roster *roster,
			 const struct column_set *columns)
{
	size_t count;
	const struct tally_process *counted = tally_processes(roster->tally, &count);
	int rc = report_table_begin(report, "processes", NULL, columns, NULL, count + 1);

	for (size_t i = 0; i < count && rc >= 0; i++)
		if (ps_has_row(roster, i))
			rc = report_row(report, &(struct ps_row) {
				roster, &roster->processes[i], &counted[i] });
	return rc < 0 ? rc : report_table_end(report);
}

/* Of those that were counted, each address space once, as the other sums. */
static uint64_t sum_pagetables(const struct roster *roster)
{
	size_t count;
	const struct tally_process *counted = tally_processes(roster->tally, &count);
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		if (counted[i].state == TALLY_COUNTED && counted[i].same_as == TALLY_NONE)
			sum += roster->processes[i].pagetables.value;
	return sum;
}

static int add_sums(struct report *report, const struct roster *roster)
{
	const struct tally_totals *t = tally_totals(roster->tally);
	struct cell unknown = cell_missing(t->frames_gap);
	bool once = t->frames_visible;
	const struct total sums[] = {
		{ "counted", "processes", cell_count(t->counted) },
		{ "rss", "RSS, summed", cell_size(t->sum_rss) },
		{ "pss", "PSS, summed", cell_size(t->sum_pss) },
		{ "uss", "USS, summed", cell_size(t->sum_uss) },
		{ "once", "resident, each frame once", once ? cell_size(t->bytes_once) : unknown },
		{ "anon_once", "  anonymous", once ? cell_size(t->anon_once) : unknown },
		{ "file_once", "  files and shared memory",
		  once ? cell_size(t->file_once) : unknown },
		{ "pagetables", "page tables", cell_size(sum_pagetables(roster)) },
	};

	return totals_add(report, sums, ARRAY_SIZE(sums));
}

static int add_rare(struct report *report, const struct tally_totals *t,
		    const struct ps_left *left)
{
	struct cell unknown = cell_missing(t->frames_gap);
	bool once = t->frames_visible;
	const struct total rare[] = {
		{ "swap", "swap, summed", cell_size(t->sum_swap) },
		{ "swap_once", "swap, each slot once", once ? cell_size(t->swap_once) : unknown },
		{ "hugetlb_once", "huge pages from pools, once",
		  once ? cell_size(t->hugetlb_once) : unknown },
		{ "outside", "mapped by others as well", once ? cell_size(t->outside) : unknown },
		{ "same_mm", "with the memory of another, counted once",
		  cell_count(t->same_space) },
		{ "refused", "may not be read, not in the sums",
		  cell_count(t->refused + left->refused) },
		{ "gone", "ended meanwhile", cell_count(t->gone + left->gone) },
		{ "failed", "could not be read", cell_count(t->failed) },
	};

	return totals_add_rare(report, rare, ARRAY_SIZE(rare));
}

static int add_totals(struct report *report, const struct roster *roster,
		      const struct ps_left *left)
{
	const struct tally_totals *t = tally_totals(roster->tally);
	size_t none = left->kernel + t->no_space;
	int rc = report_object_begin(report, "totals", "In all");

	if (rc >= 0)
		rc = add_sums(report, roster);
	if (rc >= 0)
		rc = add_rare(report, t, left);
	if (rc >= 0)
		rc = report_fact(report, "kernel", "without an address space",
				 cell_count(none), none && !left->all ? 0 : REPORT_JSON_ONLY);
	if (rc >= 0)
		rc = totals_add_duration(report, t->duration_us);
	return rc < 0 ? rc : report_object_end(report);
}

struct ledger_row {
	enum machine_item item;
	const struct machine *machine;
};

#define GETTER(name, expression)                                            \
	COLUMN_GETTER(get_##name)                                           \
	{                                                                   \
		const struct ledger_row *entry = data;                      \
		UNUSED const struct machine_row *row =                      \
			&entry->machine->rows[entry->item];                 \
                                                                            \
		*cell = (expression);                                       \
	}

static struct cell ledger_bytes(const struct machine_row *row)
{
	if (row->gap != GAP_NONE)
		return cell_missing(row->gap);
	return row->bytes < 0 ? cell_signed(row->bytes) : cell_size((uint64_t)row->bytes);
}

static struct cell ledger_part(const struct machine_row *row, uint64_t total)
{
	if (row->gap != GAP_NONE || row->bytes < 0 || !total)
		return cell_null();
	return (struct cell) { .type = CELL_PERCENT, .ratio = (double)row->bytes / (double)total };
}

static struct cell ledger_from(const struct machine_row *row, struct scratch *scratch)
{
	return row->counted ? cell_words(scratch_printf(scratch, "frames (%s)",
							row->from)) : cell_text(row->from);
}

GETTER(item, cell_text(name_of(machine_item_names, entry->item)))
GETTER(what, cell_text(name_meaning(machine_item_names, entry->item)))
GETTER(bytes, ledger_bytes(row))
GETTER(part, ledger_part(row, entry->machine->total))
GETTER(counter, row->has_counter ? cell_size(row->counter) : cell_null())
GETTER(certainty, cell_text(certainty_name(row->certainty)))
GETTER(from, ledger_from(row, scratch))

static const struct column ledger_columns[] = {
	{ "item", "ITEM", "stable name", COLUMN_JSON, 0, 12, get_item },
	{ "what", "USE", "what the memory is used for", BOTH, 0, 22, get_what },
	{ "bytes", "BYTES", "each byte once", NUMBER, 0, 6, get_bytes },
	{ "part", "PART", "of MemTotal", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 5, get_part },
	{ "counter", "COUNTER", "the same by the kernel's counter", NUMBER, 0, 7, get_counter },
	{ "certainty", "CERTAINTY", "how it is known", BOTH, 0, 9, get_certainty },
	{ "from", "FROM", "where it is from", BOTH | COLUMN_TRUNC, 0, 26, get_from },
	{ NULL },
};

/* More than the counters of each CPU can trail behind (mm/vmstat.c), so that nobody is alarmed
 * without a reason. */
#define UNSEEN_BYTES (16ULL << 20)

static int add_ledger(struct report *report, const struct machine *machine, struct error *error)
{
	struct column_set set;
	int rc = column_set_choose(&set, ledger_columns, NULL, false, error);

	if (rc >= 0)
		rc = report_object_begin(report, "ledger", "The machine");
	report_fact(report, "total", "MemTotal", cell_size(machine->total), 0);
	if (machine->has_swap) {
		report_fact(report, "swap_total", "swap space", cell_size(machine->swap_total),
			    machine->swap_total ? 0 : REPORT_JSON_ONLY);
		report_fact(report, "swap_free", "swap space free", cell_size(machine->swap_free),
			    machine->swap_total ? 0 : REPORT_JSON_ONLY);
	}
	report_fact(report, "unseen", "anonymous memory of processes that were not read",
		    cell_size(machine->unseen),
		    machine->unseen < UNSEEN_BYTES ? REPORT_JSON_ONLY : 0);
	if (rc >= 0)
		rc = report_table_begin(report, "rows", NULL, &set, NULL, MACHINE_ITEM_MAX);
	for (int i = 0; i < MACHINE_ITEM_MAX && rc >= 0; i++)
		rc = report_row(report, &(struct ledger_row) { i, machine });
	if (rc >= 0)
		rc = report_table_end(report);
	return rc < 0 ? rc : report_object_end(report);
}

int report_ps(struct report *report, const struct roster *roster, const struct ps_show *show,
	      struct error *error)
{
	int rc = report_fact(report, "process", NULL, cell_null(), REPORT_JSON_ONLY);

	if (rc >= 0)
		rc = add_processes(report, roster, show->columns);
	if (rc >= 0)
		rc = add_totals(report, roster, &show->left);
	if (rc >= 0 && show->machine)
		rc = add_ledger(report, show->machine, error);
	return rc;
}
