// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render.h"

/*
 * Tables printed while they are read: each column as wide as it usually is, a longer value
 * pushes the rest of its row. Written for tens of thousands of rows: no allocation and no
 * formatted print per cell, numbers and plain names go straight into the output.
 */
struct field {
	struct span text;
	size_t columns;		/* what it takes on a terminal */
	size_t width;		/* what it is padded to */
	bool right;
	bool last;		/* not padded behind */
};

static int add_field(struct buf *out, const struct field *f)
{
	size_t pad = f->width > f->columns ? f->width - f->columns : 0;
	char *p;

	if (buf_reserve(out, f->text.len + pad + 1) < 0)
		return -1;
	p = out->data + out->len;
	if (f->right) {
		memset(p, ' ', pad);
		p += pad;
	}
	if (f->text.len)
		memcpy(p, f->text.ptr, f->text.len);
	p += f->text.len;
	if (!f->right && !f->last) {
		memset(p, ' ', pad);
		p += pad;
	}
	*p++ = f->last ? '\n' : ' ';
	out->len = (size_t)(p - out->data);
	return 0;
}

static struct field field_of(const struct table *t, size_t i)
{
	return (struct field) {
		.width = t->width[i],
		.right = t->set->columns[t->column[i]].flags & COLUMN_RIGHT,
		.last = i + 1 == t->count,
	};
}

int stream_begin(struct report *report)
{
	struct table *t = &report->table;

	for (size_t i = 0; i < t->count; i++) {
		const struct column *column = &t->set->columns[t->column[i]];
		size_t title = strlen(column->title);

		t->width[i] = column->width > title ? column->width : (uint8_t)title;
	}
	for (size_t i = 0; i < t->count && !report->options.no_headings; i++) {
		struct field f = field_of(t, i);

		f.text = span_of(t->set->columns[t->column[i]].title);
		f.columns = f.text.len;
		if (add_field(&report->pending, &f) < 0)
			return -1;
	}
	return 0;
}

/* Everything that is not a number or a plain name. */
static int field_text(struct report *report, const struct cell *cell, struct field *f)
{
	buf_clear(&report->work);
	if (cell_add(report, &report->work, cell, ESCAPE_TERMINAL) < 0)
		return -1;
	f->text = (struct span) { buf_str(&report->work), report->work.len };
	f->columns = text_columns(f->text);
	return 0;
}

static bool is_ascii(struct span s)
{
	uint64_t word, high = 0;
	size_t i = 0;

	for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.ptr + i, sizeof(word));
		high |= word;
	}
	for (; i < s.len; i++)
		high |= (unsigned char)s.ptr[i];
	return !(high & 0x8080808080808080ull);
}

/* Our own words need no escape, only their width may differ from their length. */
static bool plain_text(const struct cell *cell)
{
	if (cell->type == CELL_TEXT)
		return is_ascii(cell->text);
	return cell->type == CELL_BYTES &&
		escape_plain(cell->text, ESCAPE_TERMINAL) == cell->text.len;
}

/* A last column that may be cut ends with the terminal's line. */
static void field_cut(const struct report *report, size_t i, size_t used, struct field *f)
{
	const struct table *t = &report->table;
	size_t room = report->width > used ? report->width - used : 0;

	if (!report->cut || !f->last || f->columns <= room ||
	    !(t->set->columns[t->column[i]].flags & COLUMN_TRUNC))
		return;
	f->text.len = text_fit(f->text, room);
	f->columns = room;
}

int stream_row(struct report *report, const struct cell *cells)
{
	struct table *t = &report->table;
	size_t used = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct field f = field_of(t, i);
		char room[CELL_DIGITS];

		f.text.len = cell_number(room, &cells[i], report->options.bytes, &f.text.ptr);
		f.columns = f.text.len;
		if (!f.text.len && plain_text(&cells[i])) {
			f.text = cells[i].text;
			f.columns = f.text.len;
		} else if (!f.text.len && field_text(report, &cells[i], &f) < 0) {
			return -1;
		}
		field_cut(report, i, used, &f);
		used += (f.columns > f.width ? f.columns : f.width) + 1;
		if (add_field(&report->pending, &f) < 0)
			return -1;
	}
	return report_flush_full(report);
}
