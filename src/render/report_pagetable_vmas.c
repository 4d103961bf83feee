// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "report_pagetable_parts.h"

#define COSTLIEST 10	/* VMAs shown to people who did not ask for all */

struct span table_vma_label(const struct pagetable_view *view, uint32_t vma)
{
	struct span name = vma_name(view->process, &view->process->vmas[vma]);

	return name.len ? name : SPAN_LITERAL("anonymous memory");
}

struct vma_row {
	const struct vma *vma;
	struct vma_tables tables;
};

#define GETTER(name) COLUMN_GETTER(get_##name)
#define VALUE(name, expression) \
	COLUMN_VALUE(get_##name, const struct vma_row *row, expression)

/* Every getter gets the view and a row. Values of pages that could not be read are missing. */
static bool row_missing(const void *ctx, struct cell *cell)
{
	const struct pagetable_view *view = ctx;

	if (view->table->gap == GAP_NONE)
		return false;
	*cell = cell_missing(view->table->gap);
	return true;
}

VALUE(start, cell_hex(row->vma->start))
VALUE(end, cell_hex(row->vma->end))
VALUE(size, cell_size(row->vma->end - row->vma->start))

GETTER(perms)
{
	const struct vma_row *row = data;
	char text[5];

	maps_perms_text(row->vma->perms, text);
	*cell = cell_words(scratch_printf(scratch, "%s", text));
}

GETTER(path)
{
	const struct pagetable_view *view = about;
	const struct vma_row *row = data;
	struct span name = vma_name(view->process, row->vma);

	if (name.len)
		*cell = cell_bytes(name);
}

GETTER(bytes)
{
	const struct pagetable_view *view = about;
	const struct vma_row *row = data;

	if (!row_missing(about, cell))
		*cell = cell_size(vma_tables_bytes(view->geometry, &row->tables));
}

GETTER(tables)
{
	const struct vma_row *row = data;
	struct cell *items = scratch_cells(scratch, LEVEL_PGD + 1);
	size_t n = 0;

	if (row_missing(about, cell) || !items)
		return;
	for (unsigned level = LEVEL_PGD; level-- > 0;)
		items[n++] = cell_named(name_of(table_level_names, level),
					cell_count(row->tables.tables[level]));
	items[n++] = cell_named("deposited", cell_count(row->tables.deposited));
	*cell = cell_object(items, n);
}

GETTER(leaves)
{
	const struct pagetable_view *view = about;
	const struct geometry *g = view->geometry;
	const struct vma_row *row = data;
	struct cell *items = scratch_cells(scratch, 3);
	enum table_level pmd = table_leaf_level(g, LEAF_PMD), pud = table_leaf_level(g, LEAF_PUD);
	size_t n = 0;

	if (row_missing(about, cell) || !items)
		return;
	items[n++] = cell_named(leaf_size_text(scratch, g, LEVEL_PTE).ptr,
				cell_count(row->tables.bases));
	items[n++] = cell_named(leaf_size_text(scratch, g, pmd).ptr,
				cell_count(row->tables.pmd_leaves));
	if (pud != pmd && g->leaf_levels >> pud & 1)
		items[n++] = cell_named(leaf_size_text(scratch, g, pud).ptr,
					cell_count(row->tables.pud_leaves));
	*cell = cell_object(items, n);
}

/* Plain counts of a row, for tables and scripts. */
#define COUNT_GETTER(name, member)                              \
	GETTER(name)                                            \
	{                                                       \
		const struct vma_row *row = data;               \
                                                                \
		if (!row_missing(about, cell))                  \
			*cell = cell_count(row->tables.member); \
	}

COUNT_GETTER(pte, tables[LEVEL_PTE])
COUNT_GETTER(pmd, tables[LEVEL_PMD])
COUNT_GETTER(pud, tables[LEVEL_PUD])
COUNT_GETTER(deposited, deposited)
COUNT_GETTER(pages, bases)
COUNT_GETTER(huge, pmd_leaves)
COUNT_GETTER(gigantic, pud_leaves)
COUNT_GETTER(absent, absent)

#define SHOWN (COLUMN_DEFAULT | COLUMN_RIGHT)

const struct column pagetable_columns[] = {
	{ "start", "START", "first address", SHOWN | COLUMN_JSON, 0, 14, get_start },
	{ "end", "END", "address behind the last", COLUMN_JSON | COLUMN_RIGHT, 0, 14, get_end },
	{ "size", "SIZE", "size of the VMA", SHOWN, 0, 6, get_size },
	{ "perms", "PERM", "permissions as in maps", COLUMN_JSON, 0, 4, get_perms },
	{ "bytes", "TABLES", "memory of its PUD, PMD, PTE and deposited tables",
	  SHOWN | COLUMN_JSON, 0, 6, get_bytes },
	{ "tables", "BYLEVEL", "tables per level", COLUMN_JSON, 0, 40, get_tables },
	{ "leaves", "LEAVES", "present leaf entries by size", COLUMN_JSON, 0, 20, get_leaves },
	{ "pud", "PUD", "PUD tables", COLUMN_VERBOSE | COLUMN_RIGHT, 0, 4, get_pud },
	{ "pmd", "PMD", "PMD tables", SHOWN, 0, 5, get_pmd },
	{ "pte", "PTE", "PTE tables", SHOWN, 0, 7, get_pte },
	{ "deposited", "DEPOSITED", "PTE tables kept behind its huge pages", SHOWN, 0, 9,
	  get_deposited },
	{ "pages", "PAGES", "base pages mapped", SHOWN, 0, 9, get_pages },
	{ "huge", "HUGE", "PMD leaves (2M)", SHOWN, 0, 6, get_huge },
	{ "gigantic", "GIGANTIC", "PUD leaves (1G)", COLUMN_VERBOSE | COLUMN_RIGHT, 0, 8,
	  get_gigantic },
	{ "absent", "ABSENT", "entries for swap and markers", SHOWN | COLUMN_JSON, 0, 6,
	  get_absent },
	{ "path", "PATH", "file or kernel's name",
	  COLUMN_DEFAULT | COLUMN_JSON | COLUMN_TRUNC | COLUMN_HEX_BYTES, 0, 30, get_path },
	{ NULL }
};

/* The VMAs with the most table memory, most first. */
static size_t costliest(const struct pagetable *table, const struct vma_tables *top[COSTLIEST])
{
	size_t count = 0;

	for (size_t i = 0; i < table->vma_count; i++) {
		uint64_t bytes = vma_tables_bytes(table->geometry, &table->vmas[i]);
		size_t at = count;

		while (at && vma_tables_bytes(table->geometry, top[at - 1]) < bytes)
			at--;
		if (at == COSTLIEST)
			continue;
		if (count < COSTLIEST)
			count++;
		for (size_t j = count - 1; j > at; j--)
			top[j] = top[j - 1];
		top[at] = &table->vmas[i];
	}
	return count;
}

static void rows_costliest(struct report *report, const struct pagetable_view *view)
{
	const struct vma_tables *top[COSTLIEST];
	size_t count = costliest(view->table, top);

	for (size_t i = 0; i < count; i++) {
		struct vma_row row = { &view->process->vmas[top[i]->vma], *top[i] };

		report_row(report, &row);
	}
}

static void rows_all(struct report *report, const struct pagetable_view *view)
{
	const struct pagetable *table = view->table;
	size_t next = 0;

	for (size_t i = 0; i < view->process->vma_count; i++) {
		struct vma_row row = { .vma = &view->process->vmas[i] };

		if (next < table->vma_count && table->vmas[next].vma == i)
			row.tables = table->vmas[next++];
		else if (view->partial)
			continue;
		report_row(report, &row);
	}
}

int report_table_vmas(struct report *report, const struct pagetable_view *view,
		      const char *columns, struct error *error)
{
	bool all = view->all_vmas || !report_is_text(report) || view->table->gap != GAP_NONE;
	const char *title = all ? "VMAs" : "VMAs with most tables";
	struct column_set set;

	if (column_set_choose(&set, pagetable_columns, columns, report_options(report)->verbose,
			      error) < 0)
		return -ERROR_USAGE;
	report_table_begin(report, "vmas", title, &set, view,
			   all ? view->process->vma_count : COSTLIEST);
	if (all)
		rows_all(report, view);
	else
		rows_costliest(report, view);
	return report_table_end(report);
}
