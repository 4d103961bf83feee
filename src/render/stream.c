// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render.h"

/*
 * Tables printed while they are read: each column as wide as it usually is, a longer value
 * pushes the rest of its row. No allocation and no formatted print per cell.
 */
static size_t column_width(const struct column *column)
{
	size_t title = strlen(column->title);

	return column->width > title ? column->width : title;
}

static int add_blanks(struct buf *out, size_t count)
{
	if (buf_reserve(out, count) < 0)
		return -1;
	memset(out->data + out->len, ' ', count);
	out->len += count;
	return 0;
}

/* One field and the blank behind it; the last one is not padded on its right. */
static int add_field(struct report *report, const struct column *column, struct span text,
		     size_t columns, bool last)
{
	struct buf *out = &report->pending;
	size_t width = column_width(column);
	size_t pad = width > columns ? width - columns : 0;

	if (buf_reserve(out, text.len + pad + 1) < 0)
		return -1;
	if (column->flags & COLUMN_RIGHT && add_blanks(out, pad) < 0)
		return -1;
	memcpy(out->data + out->len, text.ptr, text.len);
	out->len += text.len;
	if (!last && !(column->flags & COLUMN_RIGHT) && add_blanks(out, pad) < 0)
		return -1;
	out->data[out->len++] = last ? '\n' : ' ';
	return 0;
}

int stream_begin(struct report *report)
{
	struct table *t = &report->table;

	if (report->options.no_headings)
		return 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct column *column = &t->set->columns[t->column[i]];

		if (add_field(report, column, span_of(column->title), strlen(column->title),
			      i + 1 == t->count) < 0)
			return -1;
	}
	return 0;
}

static int add_cell(struct report *report, const struct column *column, const struct cell *cell,
		    size_t at, bool last)
{
	char room[CELL_DIGITS];
	struct span text;

	text.len = cell_number(room, cell, report->options.bytes, &text.ptr);
	if (text.len)
		return add_field(report, column, text, text.len, last);
	buf_clear(&report->work);
	if (cell_add(report, &report->work, cell, ESCAPE_TERMINAL) < 0)
		return -1;
	text = buf_span(&report->work);
	if (!text.len)
		text.ptr = "";
	if (last && report->cut && column->flags & COLUMN_TRUNC)
		text.len = text_fit(text, report->width > at ? report->width - at : 0);
	return add_field(report, column, text, text_columns(text), last);
}

int stream_row(struct report *report, const struct cell *cells)
{
	struct table *t = &report->table;
	size_t begin = report->pending.len;

	for (size_t i = 0; i < t->count; i++)
		if (add_cell(report, &t->set->columns[t->column[i]], &cells[i],
			     report->pending.len - begin, i + 1 == t->count) < 0)
			return -1;
	return report_flush_full(report);
}
