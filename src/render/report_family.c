// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "vmatlas/render/report_family.h"

#include <stdlib.h>

/* People see so many rows of each table unless they ask for all. */
#define ROWS_SHOWN 20

struct family_row {
	const struct process *process;
	const struct vma *vma;			/* rows of VMAs */
	const struct family_member *member;
	const struct family_pages *pages;
};

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct family_row *row, expression)

static struct cell size_of(const struct family_row *row, uint64_t pages)
{
	if (row->member->gap != GAP_NONE)
		return cell_missing(row->member->gap);
	if (row->member->same_mm)
		return cell_null();
	return cell_size(pages * row->process->page_size);
}

static struct cell share_of(const struct family_row *row)
{
	uint64_t changed = family_diverged(row->pages);
	uint64_t all = row->pages->shared + changed;

	if (row->member->gap != GAP_NONE || row->member->same_mm || !all)
		return row->member->gap != GAP_NONE ? cell_missing(row->member->gap) : cell_null();
	return (struct cell) { .type = CELL_PERCENT, .ratio = (double)changed / (double)all };
}

static struct cell path_of(const struct family_row *row)
{
	struct span name = vma_name(row->process, row->vma);

	return name.len ? cell_bytes(name) : cell_null();
}

GETTER(pid, cell_count((uint64_t)row->member->pid))
GETTER(relation, cell_text(row->member->relation == FAMILY_PARENT ? "parent" : "child"))
GETTER(comm, row->member->comm.len ? cell_path(buf_span(&row->member->comm)) : cell_null())
GETTER(same_mm, row->member->gap != GAP_NONE ? cell_missing(row->member->gap) :
	cell_bool(row->member->same_mm))
GETTER(shared, size_of(row, row->pages->shared))
GETTER(here, size_of(row, row->pages->here))
GETTER(there, size_of(row, row->pages->there))
GETTER(both, size_of(row, row->pages->both))
GETTER(unknown, size_of(row, row->pages->unknown))
GETTER(only_here, size_of(row, row->pages->only_here))
GETTER(only_there, size_of(row, row->pages->only_there))
GETTER(erosion, share_of(row))
GETTER(start, cell_hex(row->vma->start))
GETTER(end, cell_hex(row->vma->end))
GETTER(role, cell_text(name_of(vma_role_names, row->vma->role)))
GETTER(path, path_of(row))

#define PAGE_COLUMNS                                                                         \
	{ "shared", "SHARED", "anonymous bytes that are still the same", NUMBER, 0, 6,       \
	  get_shared },                                                                      \
	{ "written_here", "HERE", "diverged: this process wrote", NUMBER, 0, 6, get_here },  \
	{ "written_there", "THERE", "diverged: the relative wrote", NUMBER, 0, 6, get_there }, \
	{ "written_both", "BOTH", "diverged: both wrote", NUMBER | COLUMN_SPARE, 0, 6,       \
	  get_both },                                                                        \
	{ "diverged_unknown", "EITHER", "diverged: nothing tells who wrote",                 \
	  NUMBER | COLUMN_SPARE, 0, 6,                                                       \
	  get_unknown },                                                                     \
	{ "only_here", "ONLY-HERE", "anonymous only in this process",                             \
	  NUMBER | COLUMN_SPARE, 0, 6,                                                       \
	  get_only_here },                                                                   \
	{ "only_there", "ONLY-THERE", "anonymous only in the relative", NUMBER, 0, 6,        \
	  get_only_there },                                                                  \
	{ "erosion", "EROSION", "diverged part of what both have", NUMBER, 0, 6, get_erosion }

static const struct column member_columns[] = {
	{ "pid", "PID", "process", NUMBER, 0, 6, get_pid },
	{ "relation", "IS", "parent or child", BOTH, 0, 6, get_relation },
	{ "comm", "COMM", "its name", BOTH, 0, 15, get_comm },
	{ "same_mm", "SAME-MM", "the same address space: vfork or CLONE_VM", BOTH, 0, 5,
	  get_same_mm },
	PAGE_COLUMNS,
	{ NULL },
};

static const struct column vma_columns[] = {
	{ "pid", "PID", "the relative", NUMBER, 0, 6, get_pid },
	{ "start", "START", "first address of the VMA", NUMBER, 0, 14, get_start },
	{ "end", "END", "address behind it", COLUMN_JSON, 0, 14, get_end },
	{ "role", "ROLE", "what the VMA is for", BOTH | COLUMN_SPARE, 0, 11, get_role },
	PAGE_COLUMNS,
	{ "path", "PATH", "name of the VMA", BOTH | COLUMN_HEX_BYTES | COLUMN_TRUNC, 0, 20,
	  get_path },
	{ NULL },
};

struct family_rows {
	struct family_row *items;
	size_t count;
	size_t cap;
};

static int rows_add(struct family_rows *rows, const struct family_row *row, struct error *error)
{
	if (array_grow((void **)&rows->items, &rows->cap, rows->count, sizeof(*rows->items)) < 0)
		return error_nomem(error);
	rows->items[rows->count++] = *row;
	return 0;
}

static int compare_pages(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

/* What diverged most first, then what has most pages; the parent before all. */
static int compare_rows(const void *a, const void *b)
{
	const struct family_row *x = a, *y = b;
	int order = (x->member->relation > y->member->relation) -
		    (x->member->relation < y->member->relation);

	if (!order)
		order = compare_pages(family_diverged(x->pages), family_diverged(y->pages));
	if (!order)
		order = compare_pages(x->pages->shared + x->pages->only_here + x->pages->only_there,
				      y->pages->shared + y->pages->only_here +
				      y->pages->only_there);
	if (!order)
		order = (x->member > y->member) - (x->member < y->member);
	return order ? order : (x->vma > y->vma) - (x->vma < y->vma);
}

/* All rows in their order for scripts, the heaviest for people. */
static int rows_report(struct report *report, struct family_rows *rows, bool all)
{
	size_t shown = rows->count;
	int rc = 0;

	if (report_is_text(report) && !all && shown) {
		qsort(rows->items, shown, sizeof(*rows->items), compare_rows);
		shown = shown < ROWS_SHOWN ? shown : ROWS_SHOWN;
	}
	for (size_t i = 0; i < shown && rc >= 0; i++)
		rc = report_row(report, &rows->items[i]);
	if (rc >= 0)
		rc = report_table_end(report);
	if (rc >= 0 && shown < rows->count)
		rc = report_prose(report, "%zu more row%s with less; -v lists all.",
				  rows->count - shown, rows->count - shown == 1 ? "" : "s");
	return rc;
}

static int add_members(struct report *report, const struct process *process,
		       const struct family *family, bool all, struct error *error)
{
	struct family_rows rows = { NULL, 0, 0 };
	struct column_set set;
	int rc = column_set_choose(&set, member_columns, NULL, false, error);

	for (size_t i = 0; i < family->count && rc >= 0; i++)
		rc = rows_add(&rows, &(struct family_row) {
			process, NULL, &family->members[i], &family->members[i].total }, error);
	if (rc >= 0)
		rc = report_table_begin(report, "members", "Still shared with relatives", &set,
					NULL, rows.count + 1);
	if (rc >= 0)
		rc = rows_report(report, &rows, all);
	free(rows.items);
	return rc;
}

/* A relative that has nothing in common (it did exec since) would only repeat this process. */
static bool has_common(const struct family_pages *pages)
{
	return pages->shared || family_diverged(pages);
}

static bool says_something(const struct family_pages *pages)
{
	return has_common(pages) || pages->only_here || pages->only_there;
}

static int collect_vmas(const struct process *process, const struct family_member *member,
			struct family_rows *rows, struct error *error)
{
	int rc = 0;

	if (!member->vmas || member->same_mm || !has_common(&member->total))
		return 0;
	for (size_t v = 0; rc >= 0 && v < process->vma_count; v++)
		if (says_something(&member->vmas[v]))
			rc = rows_add(rows, &(struct family_row) {
				process, &process->vmas[v], member, &member->vmas[v] }, error);
	return rc;
}

static int add_vmas(struct report *report, const struct process *process,
		    const struct family *family, bool all, struct error *error)
{
	struct family_rows rows = { NULL, 0, 0 };
	struct column_set set;
	int rc = column_set_choose(&set, vma_columns, NULL, false, error);

	for (size_t i = 0; i < family->count && rc >= 0; i++)
		rc = collect_vmas(process, &family->members[i], &rows, error);
	if (rc >= 0)
		rc = report_table_begin(report, "vmas", "Erosion per VMA", &set, NULL, 0);
	if (rc >= 0)
		rc = rows_report(report, &rows, all);
	free(rows.items);
	return rc;
}

static int add_fork(struct report *report, const struct process *process,
		    const struct pagetable *table)
{
	const struct table_fork *fork = &table->fork;
	uint64_t bytes = fork->protected_pages * process->page_size;

	report_object_begin(report, "fork", "A fork now");
	report_fact(report, "table_bytes", "page-table memory copied",
		    cell_size(table_counts_bytes(table->geometry, &fork->counts)), 0);
	report_fact(report, "protected_entries", "entries write-protected",
		    cell_count(fork->protected_entries), 0);
	report_fact(report, "protected_bytes", "memory behind them", cell_size(bytes), 0);
	report_fact(report, "worst_case_copies", "copies at most, if all of it is written",
		    cell_size(bytes), 0);
	report_fact(report, "certainty", NULL, cell_text(certainty_name(CERTAINTY_INFERRED)),
		    REPORT_JSON_ONLY);
	return report_object_end(report);
}

int report_family(struct report *report, const struct process *process,
		  const struct family *family, const struct pagetable *table, bool all,
		  struct error *error)
{
	int rc = report_object_begin(report, "family", NULL);

	if (rc >= 0 && family->gap != GAP_NONE)
		rc = report_fact(report, "children", "children", cell_missing(family->gap), 0);
	if (rc >= 0)
		rc = add_members(report, process, family, all, error);
	if (rc >= 0)
		rc = add_vmas(report, process, family, all, error);
	if (rc >= 0 && table)
		rc = add_fork(report, process, table);
	return rc < 0 ? rc : report_object_end(report);
}
