// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/render/report_family.h"

struct family_row {
	const struct process *process;
	const struct vma *vma;			/* rows of VMAs */
	const struct family_member *member;
	const struct family_pages *pages;
};

#define GETTER(name, expression)                                                          \
	static void get_##name(const void *ctx, const void *data, struct cell *cell,      \
			       struct scratch *scratch)                                   \
	{                                                                                 \
		const struct family_row *row = data;                                      \
                                                                                          \
		(void)ctx;                                                                \
		(void)scratch;                                                            \
		*cell = (expression);                                                     \
	}

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
GETTER(comm, row->member->comm.len ? cell_bytes(buf_span(&row->member->comm)) : cell_null())
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

#define BOTH (COLUMN_DEFAULT | COLUMN_JSON)
#define NUMBER (BOTH | COLUMN_RIGHT)
#define PAGE_COLUMNS                                                                         \
	{ "shared", "SHARED", "anonymous bytes that are still the same", NUMBER, 0, 6,       \
	  get_shared },                                                                      \
	{ "written_here", "HERE", "diverged: this process wrote", NUMBER, 0, 6, get_here },  \
	{ "written_there", "THERE", "diverged: the relative wrote", NUMBER, 0, 6, get_there }, \
	{ "written_both", "BOTH", "diverged: both wrote", NUMBER, 0, 6, get_both },          \
	{ "diverged_unknown", "EITHER", "diverged: nothing tells who wrote", NUMBER, 0, 6,   \
	  get_unknown },                                                                     \
	{ "only_here", "ONLY-HERE", "anonymous only in this process", NUMBER, 0, 6,          \
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
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

static const struct column vma_columns[] = {
	{ "pid", "PID", "the relative", NUMBER, 0, 6, get_pid },
	{ "start", "START", "first address of the VMA", NUMBER, 0, 14, get_start },
	{ "end", "END", "address behind it", COLUMN_JSON, 0, 14, get_end },
	{ "role", "ROLE", "what the VMA is for", BOTH, 0, 11, get_role },
	PAGE_COLUMNS,
	{ "path", "PATH", "name of the VMA", BOTH | COLUMN_HEX_BYTES | COLUMN_TRUNC, 0, 20,
	  get_path },
	{ NULL, NULL, NULL, 0, 0, 0, NULL },
};

static int add_members(struct report *report, const struct process *process,
		       const struct family *family, struct error *error)
{
	struct column_set set;
	int rc = column_set_choose(&set, member_columns, NULL, false, error);

	if (rc >= 0)
		rc = report_table_begin(report, "members", "Still shared with relatives", &set,
					NULL, family->count + 1);
	for (size_t i = 0; i < family->count && rc >= 0; i++) {
		const struct family_member *member = &family->members[i];

		rc = report_row(report, &(struct family_row) { process, NULL, member,
							       &member->total });
	}
	return rc < 0 ? rc : report_table_end(report);
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

static int add_vmas(struct report *report, const struct process *process,
		    const struct family *family, struct error *error)
{
	struct column_set set;
	int rc = column_set_choose(&set, vma_columns, NULL, false, error);

	if (rc >= 0)
		rc = report_table_begin(report, "vmas", "Erosion per VMA", &set, NULL, 0);
	for (size_t i = 0; i < family->count && rc >= 0; i++) {
		const struct family_member *member = &family->members[i];

		if (!member->vmas || member->same_mm || !has_common(&member->total))
			continue;
		for (size_t v = 0; rc >= 0 && v < process->vma_count; v++)
			if (says_something(&member->vmas[v]))
				rc = report_row(report, &(struct family_row) {
					process, &process->vmas[v], member, &member->vmas[v] });
	}
	return rc < 0 ? rc : report_table_end(report);
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
		  const struct family *family, const struct pagetable *table,
		  struct error *error)
{
	int rc = report_object_begin(report, "family", NULL);

	if (rc >= 0 && family->gap != GAP_NONE)
		rc = report_fact(report, "children", "children", cell_missing(family->gap), 0);
	if (rc >= 0)
		rc = add_members(report, process, family, error);
	if (rc >= 0)
		rc = add_vmas(report, process, family, error);
	if (rc >= 0 && table)
		rc = add_fork(report, process, table);
	return rc < 0 ? rc : report_object_end(report);
}
