// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <libsmartcols.h>

#include "render.h"

/*
 * Tables laid out by libsmartcols. It would escape again what is escaped, so its encoding is
 * switched off; with that it loops for ever on bytes that are invalid in the locale (2.38), so
 * every cell must have come through escape_add() for the terminal. Only this file knows it.
 */
static int layout_column(struct report *report, const struct column *column)
{
	struct libscols_table *table = report->table.layout;
	int flags = (column->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
		(column->flags & COLUMN_TRUNC && report->cut ? SCOLS_FL_TRUNC : 0);
	struct libscols_column *made =
		scols_table_new_column(table, column->title, column->width ? 0 : 0.1, flags);
	struct libscols_cell *header = made ? scols_column_get_header(made) : NULL;

	if (header && report->color)
		scols_cell_set_color(header, "bold");
	return made ? 0 : -1;
}

int layout_begin(struct report *report)
{
	struct table *t = &report->table;
	struct libscols_table *table = scols_new_table();

	if (!table)
		return -1;
	t->layout = table;
	scols_table_set_stream(table, report->out);
	scols_table_enable_noencoding(table, 1);
	scols_table_enable_noheadings(table, report->options.no_headings);
	scols_table_enable_colors(table, report->color);
	scols_table_set_termforce(table, report->cut ? SCOLS_TERMFORCE_ALWAYS :
				  SCOLS_TERMFORCE_NEVER);
	if (report->cut)
		scols_table_set_termwidth(table, report->width);
	for (size_t i = 0; i < t->count; i++)
		if (layout_column(report, &t->set->columns[t->column[i]]) < 0)
			return -1;
	return 0;
}

int layout_row(struct report *report, const struct cell *cells)
{
	struct table *t = &report->table;
	struct libscols_line *line = scols_table_new_line(t->layout, NULL);

	if (!line)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		buf_clear(&report->work);
		if (cell_add(report, &report->work, &cells[i], ESCAPE_TERMINAL) < 0 ||
		    scols_line_set_data(line, i, buf_str(&report->work)))
			return -1;
	}
	return 0;
}

int layout_end(struct report *report)
{
	struct libscols_table *table = report->table.layout;
	int rc = report_flush(report);

	errno = 0;
	if (rc >= 0)
		rc = scols_print_table(table);
	if (ferror(report->out) && report->error.code == ERROR_NONE)
		rc = error_errno(&report->error, errno, "output", "write");
	layout_free(&report->table);
	return rc;
}

void layout_free(struct table *table)
{
	if (table->layout)
		scols_unref_table(table->layout);
	table->layout = NULL;
}
