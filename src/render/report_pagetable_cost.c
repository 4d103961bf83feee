// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "columns.h"
#include "report_pagetable_parts.h"
#include "vmatlas/render/escape.h"

#define WASTE_SHOWN (1ULL << 20)	/* unused table memory of a range worth a row for people */
#define ADVICE_TABLES 8			/* PTE tables of a VMA worth advice */
#define ADVICE_MAX 3

/* Human size as the tables show it. */
static struct span size_text(struct scratch *scratch, uint64_t bytes)
{
	unsigned unit = 0;
	double value = (double)bytes;

	for (; value >= 1024 && unit < 6; unit++)
		value /= 1024;
	return scratch_printf(scratch, value >= 100 || value == (double)(uint64_t)value ?
			      "%.0f%c" : "%.1f%c", value, "BKMGTPE"[unit]);
}

static int report_fill(struct report *report, const struct pagetable *table)
{
	uint64_t tables = table->counts.tables[LEVEL_PTE];
	unsigned entries = 1u << table->geometry->level[LEVEL_PTE].bits;
	struct cell items[] = {
		cell_named("pte_tables", cell_count(tables)),
		cell_named("full", cell_count(table->fill.full)),
		cell_named("sparse", cell_count(table->fill.sparse)),
		cell_named("single", cell_count(table->fill.single)),
		cell_named("absent_entries", cell_count(table->counts.absent)),
		cell_named("preallocated", cell_count(table->preallocated)),
	};

	report_fact(report, "fill", NULL, cell_object(items, ARRAY_SIZE(items)),
		    REPORT_JSON_ONLY);
	report_line(report, "");
	return report_prose(report, "Of %" PRIu64 " PTE table%s %" PRIu64 " %s full, %" PRIu64
			    " %s at most %u of %u entries, %" PRIu64 " only one.", tables,
			    plural(tables), table->fill.full, table->fill.full == 1 ? "is" : "are",
			    table->fill.sparse, table->fill.sparse == 1 ? "holds" : "hold",
			    entries / TABLE_SPARSE_PART, entries, table->fill.single);
}

static uint64_t unused_bytes(const struct geometry *g, const struct table_waste *waste)
{
	return waste->tables * geometry_table_bytes(g, LEVEL_PTE) - waste->entries * g->entry_size;
}

#define WASTE_GETTER(name, expression) \
	COLUMN_VALUE(get_waste_##name, const struct table_waste *waste, expression)

WASTE_GETTER(start, cell_hex(waste->start))
WASTE_GETTER(end, cell_hex(waste->end))
WASTE_GETTER(tables, cell_count(waste->tables))
WASTE_GETTER(entries, cell_count(waste->entries))

COLUMN_GETTER(get_waste_unused)
{
	const struct pagetable_view *view = about;

	*cell = cell_size(unused_bytes(view->geometry, data));
}

COLUMN_GETTER(get_waste_path)
{
	const struct pagetable_view *view = about;
	const struct table_waste *waste = data;
	struct span name = vma_name(view->process, &view->process->vmas[waste->vma]);

	if (name.len)
		*cell = cell_bytes(name);
}

static const struct column waste_columns[] = {
	{ "start", "START", "first address that the tables cover", NUMBER, 0, 14,
	  get_waste_start },
	{ "end", "END", "address behind the last", NUMBER, 0, 14, get_waste_end },
	{ "tables", "TABLES", "neighbouring PTE tables", NUMBER, 0, 8,
	  get_waste_tables },
	{ "entries", "ENTRIES", "used entries in all of them", NUMBER, 0, 8,
	  get_waste_entries },
	{ "unused_bytes", "UNUSED", "bytes of unused entries", NUMBER, 0, 6,
	  get_waste_unused },
	{ "path", "PATH", "VMA that the first entry is in",
	  BOTH | COLUMN_TRUNC | COLUMN_HEX_BYTES, 0, 20, get_waste_path },
	{ NULL }
};

/* Ranges whose tables are nearly empty; people see those that matter. */
static int report_waste(struct report *report, const struct pagetable_view *view)
{
	const struct table_fill *fill = &view->table->fill;
	bool all = !report_is_text(report) || report_options(report)->verbose;
	struct column_set set;
	size_t shown = 0;

	while (shown < fill->worst_count &&
	       (all || unused_bytes(view->geometry, &fill->worst[shown]) >= WASTE_SHOWN))
		shown++;
	if (!shown && report_is_text(report))
		return 0;
	column_set_choose(&set, waste_columns, NULL, false, NULL);
	report_table_begin(report, "waste", "Most wasteful ranges", &set, view, TABLE_WASTE_MAX);
	for (size_t i = 0; i < shown; i++)
		report_row(report, &fill->worst[i]);
	return report_table_end(report);
}

static int report_fork(struct report *report, const struct pagetable_view *view,
		       struct scratch *scratch)
{
	const struct table_fork *fork = &view->table->fork;
	const struct geometry *g = view->geometry;
	uint64_t bytes = table_counts_bytes(g, &fork->counts);
	struct cell tables[LEVEL_MAX + 1], items[8];
	uint64_t count = fork->counts.deposited, entries = fork->counts.absent;
	size_t n = 0;

	for (unsigned level = LEVEL_MAX; level-- > 0;) {
		tables[n++] = cell_named(name_of(table_level_names, level),
					 cell_count(fork->counts.tables[level]));
		count += level <= LEVEL_PUD ? fork->counts.tables[level] : 0;
		entries += fork->counts.leaves[level];
	}
	tables[n++] = cell_named("deposited", cell_count(fork->counts.deposited));
	items[0] = cell_named("vmas", cell_count(fork->vmas));
	items[1] = cell_named("vmas_skipped", cell_count(fork->vmas_skipped));
	items[2] = cell_named("tables", cell_object(tables, n));
	items[3] = cell_named("bytes", cell_size(bytes));
	items[4] = cell_named("entries", cell_count(entries));
	items[5] = cell_named("protected_entries", cell_count(fork->protected_entries));
	items[6] = cell_named("protected_pages", cell_count(fork->protected_pages));
	items[7] = cell_named("certainty", cell_text(certainty_name(CERTAINTY_INFERRED)));
	report_fact(report, "fork", NULL, cell_object(items, ARRAY_SIZE(items)),
		    REPORT_JSON_ONLY);
	return report_prose(report, "A fork copies %" PRIu64 " of %" PRIu64 " populated VMAs: "
			    "%" PRIu64 " tables (%s) with %" PRIu64 " entries, and write-protects "
			    "%" PRIu64 " anonymous pages. The others have no anonymous page; their "
			    "tables start empty in the child (inferred).", fork->vmas,
			    fork->vmas + fork->vmas_skipped, count, size_text(scratch, bytes).ptr,
			    entries, fork->protected_pages);
}

/* Tables of a VMA now, and if its pages were PMD leaves. */
struct advice {
	const struct vma_tables *tables;
	bool spread;		/* few entries per table: huge pages would waste memory instead */
	uint64_t now;
	uint64_t then;
};

static bool advice_for(const struct pagetable_view *view, const struct vma_tables *tables,
		       struct advice *advice)
{
	const struct geometry *g = view->geometry;
	const struct object *object = vma_object(view->process, &view->process->vmas[tables->vma]);
	uint64_t pte = tables->tables[LEVEL_PTE], entries = tables->bases + tables->absent;
	uint64_t room = pte << g->level[LEVEL_PTE].bits;
	uint64_t per_pmd = 1ULL << g->level[geometry_unfold(g, LEVEL_PMD)].bits;
	uint64_t table = geometry_table_bytes(g, LEVEL_PTE);

	if (pte < ADVICE_TABLES || (object && object->inode))
		return false;
	*advice = (struct advice) { .tables = tables, .now = pte * table };
	advice->spread = entries <= room / TABLE_SPARSE_PART;
	if (advice->spread)
		advice->then = (entries * pte + room - 1) / room * table;
	else
		advice->then = (pte + per_pmd - 1) / per_pmd * table;
	return advice->spread || entries >= room / 2;
}

static size_t find_advice(const struct pagetable_view *view, struct advice top[ADVICE_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < view->table->vma_count; i++) {
		struct advice advice;
		size_t at;

		if (!advice_for(view, &view->table->vmas[i], &advice))
			continue;
		for (at = count; at && top[at - 1].now < advice.now; at--)
			if (at < ADVICE_MAX)
				top[at] = top[at - 1];
		if (at < ADVICE_MAX)
			top[at] = advice;
		count += count < ADVICE_MAX;
	}
	return count;
}

static void advice_prose(struct report *report, const struct pagetable_view *view,
			 const struct advice *advice, struct scratch *scratch)
{
	const struct geometry *g = view->geometry;
	CLEANUP(buf_done) struct buf label = BUF_INIT;
	const char *huge = leaf_size_text(scratch, g, table_leaf_level(g, LEAF_PMD)).ptr;
	const char *now = size_text(scratch, advice->now).ptr;
	const char *then = size_text(scratch, advice->then).ptr;
	const char *mapped = size_text(scratch, advice->tables->bases << g->page_shift).ptr;

	escape_add(&label, table_vma_label(view, advice->tables->vma), ESCAPE_TERMINAL);
	if (advice->spread)
		report_prose(report, "%s at 0x%" PRIx64 " costs %s of PTE tables for %s of pages "
			     "that lie far apart; side by side they would need %s.",
			     buf_str(&label), view->process->vmas[advice->tables->vma].start, now,
			     mapped, then);
	else
		report_prose(report, "%s at 0x%" PRIx64 " costs %s of PTE tables for %s; with %s "
			     "pages %s of PMD tables (hugetlb; transparent huge pages keep their "
			     "PTE tables in reserve, but need one entry each).", buf_str(&label),
			     view->process->vmas[advice->tables->vma].start, now, mapped, huge,
			     then);
}

static int report_advice(struct report *report, const struct pagetable_view *view,
			 struct scratch *scratch)
{
	struct advice top[ADVICE_MAX];
	size_t count = find_advice(view, top);

	report_array_begin(report, "advice", NULL);
	for (size_t i = 0; i < count; i++) {
		const struct vma *vma = &view->process->vmas[top[i].tables->vma];

		if (report_is_text(report)) {
			advice_prose(report, view, &top[i], scratch);
			continue;
		}
		report_object_begin(report, NULL, NULL);
		report_fact(report, "kind", NULL,
			    cell_text(top[i].spread ? "spread" : "huge-pages"), 0);
		report_fact(report, "start", NULL, cell_hex(vma->start), 0);
		report_fact(report, "end", NULL, cell_hex(vma->end), 0);
		report_fact(report, "table_bytes", NULL, cell_size(top[i].now), 0);
		report_fact(report, "possible_bytes", NULL, cell_size(top[i].then), 0);
		report_object_end(report);
	}
	return report_array_end(report);
}

int report_cost(struct report *report, const struct pagetable_view *view)
{
	struct scratch *scratch = scratch_new();
	int rc;

	if (!scratch)
		return -ERROR_NOMEM;
	report_fill(report, view->table);
	report_fork(report, view, scratch);
	report_advice(report, view, scratch);
	rc = report_waste(report, view);
	scratch_free(scratch);
	return rc;
}
