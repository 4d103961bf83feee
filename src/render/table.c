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

static size_t line_columns(struct libscols_line *line, size_t at)
{
	return text_columns(span_of(scols_cell_get_data(scols_line_get_cell(line, at))));
}

/* What the other columns leave for this one. */
static size_t layout_room(const struct report *report, size_t at)
{
	const struct table *t = &report->table;
	size_t lines = scols_table_get_nlines(t->layout), used = t->count - 1;

	for (size_t i = 0; i < t->count; i++) {
		const char *title = t->set->columns[t->column[i]].title;
		size_t widest = report->options.no_headings ? 0 : text_columns(span_of(title));

		for (size_t line = 0; line < lines && i != at; line++) {
			size_t width = line_columns(scols_table_get_line(t->layout, line), i);

			widest = width > widest ? width : widest;
		}
		used += i == at ? 0 : widest;
	}
	return used < report->width ? report->width - used : 0;
}

#define CUT "..."
#define TAIL_MIN 10u		/* below that the end of a path tells nothing either */

/* Cuts at characters, not inside of one: its further bytes are 10xxxxxx in UTF-8. */
static int cut_front(struct libscols_line *line, size_t at, size_t room, struct buf *work)
{
	const char *text = scols_cell_get_data(scols_line_get_cell(line, at));
	size_t columns = text_columns(span_of(text)), keep = room - strlen(CUT);

	if (columns <= room)
		return 0;
	/* No byte takes more than one column. */
	for (; columns > keep; columns = text_columns(span_of(text)))
		for (text += columns - keep; (*text & 0xc0) == 0x80;)
			text++;
	buf_clear(work);
	if (buf_add_str(work, CUT) < 0 || buf_add_str(work, text) < 0)
		return -1;
	return scols_line_set_data(line, at, buf_str(work)) ? -1 : 0;
}

/* libsmartcols can only cut the end of a cell, which for a path is what tells it apart. */
static int layout_cut(struct report *report)
{
	const struct table *t = &report->table;
	size_t lines = scols_table_get_nlines(t->layout);
	int rc = 0;

	for (size_t i = 0; i < t->count; i++) {
		size_t room;

		if (!(t->set->columns[t->column[i]].flags & COLUMN_TAIL))
			continue;
		room = layout_room(report, i);
		for (size_t line = 0; room >= TAIL_MIN && line < lines && rc >= 0; line++)
			rc = cut_front(scols_table_get_line(t->layout, line), i, room,
				       &report->work);
	}
	return rc;
}

int layout_end(struct report *report)
{
	struct libscols_table *table = report->table.layout;
	int rc = report_flush(report);

	if (rc >= 0 && report->cut && layout_cut(report) < 0)
		rc = error_nomem(&report->error);

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
