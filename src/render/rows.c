// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "render.h"

/* Which columns, in which order: what was chosen, or the JSON members in the array's order. */
static void table_columns(struct table *table, bool json)
{
	const struct column_set *set = &table->set;

	for (size_t i = 0; json && i < TABLE_COLUMNS && set->columns[i].name; i++)
		if (set->json & 1ull << i)
			table->column[table->count++] = (uint8_t)i;
	for (size_t i = 0; !json && i < set->count; i++)
		table->column[table->count++] = set->chosen[i];
}

static size_t table_width(const struct table *table)
{
	size_t width = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct column *column = &table->set.columns[table->column[i]];

		width += 1 + (column->flags & COLUMN_TRUNC && column->width > TABLE_TRUNC ?
			      TABLE_TRUNC : column->width);
	}
	return width ? width - 1 : 0;
}

/* Of a table that is streamed only the usual widths are known. */
static void table_narrow(struct table *table, size_t width)
{
	for (size_t i = table->count; i-- > 0 && table_width(table) > width;) {
		if (!(table->set.columns[table->column[i]].flags & COLUMN_SPARE))
			continue;
		table->count--;
		memmove(&table->column[i], &table->column[i + 1],
			(table->count - i) * sizeof(table->column[0]));
	}
}

static int table_sort(struct report *report)
{
	struct table *table = &report->table;
	const char *name = report->options.sort;

	if (!name)
		return 0;
	table->descending = *name == '-';
	table->sort = column_named(table->set.columns, name + table->descending);
	if (table->sort && !(table->store = scratch_new()))
		return error_nomem(&report->error);
	return 0;
}

int report_table_begin(struct report *report, const char *name, const char *title,
		       const struct column_set *set, const void *ctx, size_t rows_hint)
{
	if (report->rc < 0)
		return report->rc;
	report->table = (struct table) { .set = *set, .ctx = ctx };
	report->table.streamed = !rows_hint || rows_hint > TABLE_LAYOUT_ROWS;
	table_columns(&report->table, report_is_json(report));
	if (report_is_text(report) && report->cut && !set->given && report->table.streamed)
		table_narrow(&report->table, report->width);
	report->in_table = true;
	report->had_table = true;
	if (report_fail(report, table_sort(report)) < 0)
		return report->rc;
	return report_fail(report, report->ops->table_begin(report, name, title));
}

/* A row that waits to be sorted may be one that is not printed: a footnote would be about
 * nothing. That something is missing counts all the same. */
static void note_cell(struct report *report, const struct cell *cell)
{
	if (report->table.sort)
		report->incomplete |= cell_is_missing(cell);
	else
		report_note_gaps(report, cell);
}

int report_row(struct report *report, const void *row)
{
	struct table *t = &report->table;
	struct cell cells[TABLE_COLUMNS + 1];
	size_t i;

	if (report->rc < 0)
		return report->rc;
	scratch_reset(report->scratch);
	for (i = 0; i < t->count; i++) {
		cells[i] = cell_null();		/* which a getter may leave */
		t->set.columns[t->column[i]].get(t->ctx, row, &cells[i], report->scratch);
		if (cells[i].type == CELL_MISSING || cells[i].type >= CELL_LIST)
			note_cell(report, &cells[i]);
	}
	if (scratch_failed(report->scratch))
		return report_fail(report, error_nomem(&report->error));
	if (!t->sort)
		return report_fail(report, report->ops->row(report, cells));
	cells[i] = cell_null();
	t->sort->get(t->ctx, row, &cells[i], report->scratch);
	return report_fail(report, table_rows_hold(report, cells));
}

int report_table_end(struct report *report)
{
	if (!report->in_table)
		return report->rc;
	report->in_table = false;
	if (report->table.sort)
		report_fail(report, table_rows_flush(report));
	if (report->rc >= 0)
		report_fail(report, report->ops->table_end(report));
	table_rows_free(&report->table);
	return report->rc;
}

static bool span_copy(struct scratch *store, struct span *text)
{
	char *copy = scratch_alloc(store, text->len + 1);

	if (!copy)
		return false;
	if (text->len)
		memcpy(copy, text->ptr, text->len);
	text->ptr = copy;
	return true;
}

/* Makes the cell independent of the row it came from. Item names are often made up too. */
static bool cell_copy(struct scratch *store, struct cell *cell)
{
	struct span name = span_of(cell->name);
	struct cell *items;

	if (cell->name && !span_copy(store, &name))
		return false;
	cell->name = name.ptr;
	switch (cell->type) {
	case CELL_TEXT:
	case CELL_BYTES:
	case CELL_PATH:
		return span_copy(store, &cell->text);
	case CELL_FLAGS:
		return span_copy(store, &cell->flags.extra);
	case CELL_LIST:
	case CELL_OBJECT:
		items = scratch_cells(store, cell->list.count);
		if (!items)
			return false;
		for (size_t i = 0; i < cell->list.count; i++) {
			items[i] = cell->list.items[i];
			if (!cell_copy(store, &items[i]))
				return false;
		}
		cell->list.items = items;
		return true;
	default:
		return true;
	}
}

static int row_add(struct report *report, const struct cell *cells)
{
	struct table *t = &report->table;
	struct cell *held = scratch_cells(t->store, t->count + 1);

	if (!held || array_grow((void **)&t->rows, &t->row_cap, t->row_count,
				sizeof(*t->rows)) < 0)
		return error_nomem(&report->error);
	for (size_t i = 0; i <= t->count; i++) {
		held[i] = cells[i];
		if (!cell_copy(t->store, &held[i]))
			return error_nomem(&report->error);
	}
	t->rows[t->row_count] = (struct table_row) { held, t->row_count };
	t->row_count++;
	return 0;
}

int table_rows_hold(struct report *report, const struct cell *cells)
{
	static const char message[] = "too many rows to sort: they are in their own order";
	struct table *t = &report->table;
	int rc;

	if (t->row_count < TABLE_SORT_ROWS)
		return row_add(report, cells);
	report_warning(report, "limit", span_of(message));
	rc = table_rows_flush(report);
	return rc < 0 ? rc : report->ops->row(report, cells);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int cell_compare(const struct cell *a, const struct cell *b)
{
	if (a->type != b->type)
		return (a->type > b->type) - (a->type < b->type);	/* missing first */
	switch (a->type) {
	case CELL_BOOL:
		return a->yes - b->yes;
	case CELL_COUNT:
	case CELL_SIZE:
	case CELL_HEX:
	case CELL_DEVICE:
		return compare_numbers(a->count, b->count);
	case CELL_SIGNED:
	case CELL_DELTA:
	case CELL_TIME:
		return (a->number > b->number) - (a->number < b->number);
	case CELL_PERCENT:
		return (a->ratio > b->ratio) - (a->ratio < b->ratio);
	case CELL_TEXT:
	case CELL_BYTES:
	case CELL_PATH:
		return span_compare(a->text, b->text);
	case CELL_FLAGS:
		return compare_numbers(a->flags.bits, b->flags.bits);
	default:
		return compare_numbers(a->list.count, b->list.count);
	}
}

static int row_compare(const void *left, const void *right, void *ctx)
{
	const struct table_row *a = left, *b = right;
	const struct table *t = ctx;
	int order = cell_compare(&a->cells[t->count], &b->cells[t->count]);

	if (order)
		return t->descending ? -order : order;
	return compare_numbers(a->number, b->number);
}

/* Sorts only a complete table; one that was too long goes out as it came. */
int table_rows_flush(struct report *report)
{
	struct table *t = &report->table;
	int rc = 0;

	if (t->row_count && t->row_count < TABLE_SORT_ROWS)
		qsort_r(t->rows, t->row_count, sizeof(*t->rows), row_compare, t);
	t->sort = NULL;
	if (report->options.top && t->row_count > report->options.top)
		t->row_count = report->options.top;
	for (size_t i = 0; i < t->row_count && rc >= 0; i++) {
		for (size_t c = 0; c < t->count; c++)
			report_note_gaps(report, &t->rows[i].cells[c]);
		rc = report->ops->row(report, t->rows[i].cells);
	}
	table_rows_free(t);
	return rc;
}

void table_rows_free(struct table *table)
{
	free(table->rows);
	scratch_free(table->store);
	table->rows = NULL;
	table->store = NULL;
	table->row_count = table->row_cap = 0;
}
