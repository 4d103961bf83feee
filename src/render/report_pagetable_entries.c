// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "report_pagetable_parts.h"

/* One entry of a run; what does not depend on the page is made once per run. */
struct entry_row {
	const struct page_run *run;
	const struct vma *vma;
	uint64_t address;
	uint64_t page;			/* base pages from the run's start */
	enum table_level level;
	enum entry_kind kind;
	struct entry_flags flags;
};

#define GETTER(name) COLUMN_GETTER(get_##name)
#define VALUE(name, expression) \
	COLUMN_VALUE(get_##name, const struct entry_row *row, expression)

VALUE(address, cell_hex(row->address))
VALUE(level, cell_text(name_of(table_level_names, row->level)))

GETTER(leaf)
{
	const struct pagetable_view *view = about;
	const struct entry_row *row = data;

	if (row->run->kind == PAGE_PRESENT)
		*cell = cell_words(leaf_size_text(scratch, view->geometry, row->level));
}

GETTER(frame)
{
	const struct entry_row *row = data;

	if (row->run->kind != PAGE_PRESENT)
		return;
	*cell = row->run->frame_known ? cell_hex(row->run->frame + row->page) :
		cell_missing(row->run->gap == GAP_NONE ? GAP_NEEDS_PRIVILEGE : row->run->gap);
}

VALUE(kind, cell_text(name_of(entry_kind_names, row->kind)))

GETTER(path)
{
	const struct pagetable_view *view = about;
	const struct entry_row *row = data;
	struct span name = vma_name(view->process, row->vma);

	if (name.len)
		*cell = cell_bytes(name);
}

GETTER(certainty)
{
	const struct entry_row *row = data;
	struct cell *items = scratch_cells(scratch, ENTRY_FLAG_MAX);

	for (unsigned i = 0; items && i < ENTRY_FLAG_MAX; i++)
		items[i] = cell_named(name_of(entry_flag_names, i),
				      cell_text(certainty_name(row->flags.claim[i].certainty)));
	if (items)
		*cell = cell_object(items, ENTRY_FLAG_MAX);
}

static struct cell claim_cell(const struct entry_claim *claim)
{
	return claim->certainty == CERTAINTY_UNKNOWN ? cell_null() : cell_bool(claim->yes);
}

#define FLAG_GETTER(name, flag) VALUE(name, claim_cell(&row->flags.claim[flag]))

FLAG_GETTER(present, ENTRY_PRESENT)
FLAG_GETTER(writable, ENTRY_WRITABLE)
FLAG_GETTER(user, ENTRY_USER)
FLAG_GETTER(accessed, ENTRY_ACCESSED)
FLAG_GETTER(dirty, ENTRY_DIRTY)
FLAG_GETTER(no_execute, ENTRY_NO_EXECUTE)

const struct column pagetable_entry_columns[] = {
	{ "address", "ADDRESS", "first address it maps", NUMBER, 0, 14, get_address },
	{ "level", "LEVEL", "table it lies in", BOTH, 0, 5, get_level },
	{ "leaf", "LEAF", "bytes it maps", BOTH | COLUMN_RIGHT | COLUMN_SPARE, 0, 4, get_leaf },
	{ "frame", "FRAME", "first page frame", BOTH | COLUMN_RIGHT, 0, 9, get_frame },
	{ "kind", "KIND", "what it holds", BOTH, 0, 7, get_kind },
	{ "present", "PRESENT", "told by pagemap", BOTH | COLUMN_SPARE, 0, 7, get_present },
	{ "writable", "WRITABLE", "inferred, or - where nothing tells", BOTH, 0, 8, get_writable },
	{ "user", "USER", "inferred", BOTH | COLUMN_SPARE, 0, 4, get_user },
	{ "accessed", "ACCESSED", "inferred, or - where nothing tells", BOTH | COLUMN_SPARE, 0, 8,
	  get_accessed },
	{ "dirty", "DIRTY", "inferred, or - where nothing tells", BOTH, 0, 5, get_dirty },
	{ "no_execute", "NX", "inferred from the VMA", BOTH, 0, 3, get_no_execute },
	{ "certainty", "CERTAINTY", "of each flag", COLUMN_JSON, 0, 40, get_certainty },
	{ "path", "PATH", "name of the VMA", COLUMN_DEFAULT | COLUMN_TRUNC | COLUMN_HEX_BYTES, 0,
	  20, get_path },
	{ NULL }
};

int report_entries_begin(struct pagetable_entries *entries, struct report *report,
			 const struct pagetable_view *view, const char *columns,
			 struct error *error)
{
	entries->report = report;
	entries->view = view;
	if (column_set_choose(&entries->set, pagetable_entry_columns, columns,
			      report_options(report)->verbose, error) < 0)
		return -ERROR_USAGE;
	return report_table_begin(report, "entries", NULL, &entries->set, view, 0);
}

int report_entries_run(struct pagetable_entries *entries, uint32_t vma,
		       const struct page_run *run)
{
	const struct pagetable_view *view = entries->view;
	const struct geometry *g = view->geometry;
	struct table_run table;
	struct entry_row row = { .run = run, .vma = &view->process->vmas[vma] };
	uint64_t step;
	int rc = 0;

	if (!table_run_from_pages(view->process, vma, run, &table))
		return 0;
	row.level = table_leaf_level(g, table.leaf);
	row.kind = entry_kind_of(run);
	entry_judge(g, row.vma->perms, run, &row.flags);
	step = geometry_span(g, row.level) >> g->page_shift;
	for (uint64_t page = 0; page < run->pages && rc >= 0; page += step) {
		row.page = page;
		row.address = run->start + (page << g->page_shift);
		rc = report_row(entries->report, &row);
	}
	return rc;
}

int report_entries_end(struct pagetable_entries *entries)
{
	return report_table_end(entries->report);
}
