// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdio.h>

#include "columns.h"
#include "report_pagetable_parts.h"

struct span leaf_size_text(struct scratch *scratch, const struct geometry *geometry,
			   enum table_level level)
{
	unsigned shift = geometry->level[level].shift;

	return scratch_printf(scratch, "%u%c", 1u << shift % 10, "BKMGTPE"[shift / 10]);
}

int report_geometry(struct report *report, const struct geometry *geometry,
		    enum certainty certainty)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct cell items[] = {
		cell_named("name", cell_text(geometry->name)),
		cell_named("meaning", cell_text(geometry->meaning)),
		cell_named("page_size", cell_count(1ULL << geometry->page_shift)),
		cell_named("user_bits", cell_count(geometry->user_bits)),
		cell_named("entry_size", cell_count(geometry->entry_size)),
		cell_named("certainty", cell_text(certainty_name(certainty))),
	};

	buf_addf(&text, "%s: %s", geometry->name, geometry->meaning);
	report_fact(report, NULL, "Geometry", cell_text(buf_str(&text)), REPORT_TEXT_ONLY);
	if (certainty == CERTAINTY_GUESS)
		report_warning(report, "not-recorded",
			       SPAN_LITERAL("the machine is not recorded: x86-64 is assumed; "
					    "--arch chooses another"));
	report_fact(report, "geometry", NULL, cell_object(items, ARRAY_SIZE(items)),
		    REPORT_JSON_ONLY);
	return report_fact(report, "levels", NULL, cell_count(geometry_depth(geometry)),
			   REPORT_JSON_ONLY);
}

/* Rows of the table of levels: top to bottom, the deposited tables last. */
#define ROW_DEPOSITED LEVEL_MAX

struct level_row {
	const struct pagetable *table;
	unsigned level;
};

static uint64_t level_tables(const struct level_row *row)
{
	return row->level == ROW_DEPOSITED ? row->table->counts.deposited :
		row->table->counts.tables[row->level];
}

static enum table_level level_shape(const struct level_row *row)
{
	return row->level == ROW_DEPOSITED ? LEVEL_PTE : row->level;
}

#define LEVEL_GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct level_row *row, expression)

LEVEL_GETTER(level, cell_text(row->level == ROW_DEPOSITED ? "deposited" :
	      name_of(table_level_names, row->level)))
LEVEL_GETTER(tables, cell_count(level_tables(row)))
LEVEL_GETTER(bytes, cell_size(level_tables(row) *
	      geometry_table_bytes(row->table->geometry, level_shape(row))))

COLUMN_GETTER(get_entries)
{
	const struct level_row *row = data;

	if (row->level != ROW_DEPOSITED)
		*cell = cell_count(row->table->counts.entries[row->level]);
}

COLUMN_GETTER(get_fill)
{
	const struct level_row *row = data;
	uint64_t room = level_tables(row) << row->table->geometry->level[level_shape(row)].bits;

	if (row->level == ROW_DEPOSITED || !room)
		return;
	*cell = (struct cell) {
		.type = CELL_PERCENT,
		.ratio = (double)row->table->counts.entries[row->level] / (double)room,
	};
}

COLUMN_GETTER(get_leaves)
{
	const struct level_row *row = data;

	if (row->level != ROW_DEPOSITED && row->table->geometry->leaf_levels >> row->level & 1)
		*cell = cell_count(row->table->counts.leaves[row->level]);
}

COLUMN_GETTER(get_covers)
{
	const struct level_row *row = data;

	if (row->level != ROW_DEPOSITED)
		*cell = cell_size(geometry_span(row->table->geometry, row->level));
}

static const struct column level_columns[] = {
	{ "level", "LEVEL", "pgd to pte; deposited: PTE tables kept behind huge pages",
	  BOTH, 0, 9, get_level },
	{ "tables", "TABLES", "tables of this level",
	  NUMBER, 0, 8, get_tables },
	{ "bytes", "BYTES", "memory of these tables",
	  NUMBER, 0, 8, get_bytes },
	{ "entries", "ENTRIES", "used entries in them",
	  NUMBER, 0, 10, get_entries },
	{ "fill", "FILL", "used entries of all",
	  NUMBER, 0, 6, get_fill },
	{ "leaves", "LEAVES", "entries that map a page",
	  NUMBER, 0, 10, get_leaves },
	{ "covers", "COVERS", "address space of one entry",
	  NUMBER, 0, 6, get_covers },
	{ NULL }
};

static int report_levels(struct report *report, const struct pagetable *table)
{
	struct level_row row = { .table = table };
	struct column_set set;

	column_set_choose(&set, level_columns, NULL, false, NULL);
	report_table_begin(report, "level_tables", NULL, &set, NULL, LEVEL_MAX + 1);
	for (unsigned level = LEVEL_MAX; level-- > 0;) {
		row.level = level;
		if (geometry_has(table->geometry, level))
			report_row(report, &row);
	}
	row.level = ROW_DEPOSITED;
	report_row(report, &row);
	return report_table_end(report);
}

/* The contract's object: every level by name, folded ones 0. */
static int report_counts(struct report *report, const char *name,
			 const struct table_counts *counts)
{
	struct cell items[LEVEL_MAX + 1];
	size_t n = 0;

	for (unsigned level = LEVEL_MAX; level-- > 0;)
		items[n++] = cell_named(name_of(table_level_names, level),
					cell_count(counts->tables[level]));
	items[n++] = cell_named("deposited", cell_count(counts->deposited));
	return report_fact(report, name, NULL, cell_object(items, n), REPORT_JSON_ONLY);
}

int report_leaves(struct report *report, const char *name, const struct geometry *g,
		  const struct table_counts *counts)
{
	struct scratch *scratch = scratch_new();
	struct cell items[LEVEL_MAX];
	size_t n = 0;
	int rc;

	if (!scratch)
		return -ERROR_NOMEM;
	for (enum table_level level = LEVEL_PTE; level < LEVEL_MAX; level++)
		if (g->leaf_levels >> level & 1)
			items[n++] = cell_named(leaf_size_text(scratch, g, level).ptr,
						cell_count(counts->leaves[level]));
	rc = report_fact(report, name, NULL, cell_object(items, n), REPORT_JSON_ONLY);
	scratch_free(scratch);
	return rc;
}

static struct cell difference_cell(const struct pagetable_view *view)
{
	if (view->vmpte_gap != GAP_NONE)
		return cell_missing(view->vmpte_gap);
	if (view->table->gap != GAP_NONE)
		return cell_missing(view->table->gap);
	return cell_signed((int64_t)(view->vmpte - pagetable_bytes(view->table)));
}

static int report_totals(struct report *report, const struct pagetable_view *view)
{
	const struct pagetable *table = view->table;
	struct cell model = cell_size(pagetable_bytes(table));

	if (table->gap != GAP_NONE)
		model = cell_missing(table->gap);
	report_fact(report, "model_bytes", "Model", model, 0);
	report_fact(report, "vmpte_bytes", "VmPTE",
		    view->vmpte_gap == GAP_NONE ? cell_size(view->vmpte) :
		    cell_missing(view->vmpte_gap), 0);
	report_fact(report, "difference_bytes", "Difference", difference_cell(view), 0);
	report_causes(report, view);
	if (table->gap != GAP_NONE) {
		report_fact(report, "tables", NULL, cell_missing(table->gap), REPORT_JSON_ONLY);
		return report_fact(report, "leaves", NULL, cell_missing(table->gap),
				   REPORT_JSON_ONLY);
	}
	report_counts(report, "tables", &table->counts);
	return report_leaves(report, "leaves", table->geometry, &table->counts);
}

static bool for_scripts(const struct report *report)
{
	enum report_format format = report_options(report)->format;

	return format == REPORT_RAW || format == REPORT_PAIRS;
}

int report_pagetable(struct report *report, const struct pagetable_view *view,
		     const char *columns, struct error *error)
{
	if (for_scripts(report))
		return report_table_vmas(report, view, columns, error);
	report_geometry(report, view->geometry, view->geometry_certainty);
	report_totals(report, view);
	if (view->table->gap == GAP_NONE) {
		report_levels(report, view->table);
		report_cost(report, view);
	}
	if (view->table->gap != GAP_NONE && report_is_text(report) && !view->all_vmas)
		return 0;
	return report_table_vmas(report, view, columns, error);
}
