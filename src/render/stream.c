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

#define BLANKS 16

/* Writes whole groups: up to BLANKS - 1 more than asked for. */
static char *put_blanks(char *at, size_t count)
{
	for (size_t i = 0; i < count; i += BLANKS)
		memset(at + i, ' ', BLANKS);
	return at + count;
}

static inline int add_field(struct buf *out, const struct field *f)
{
	size_t pad = f->width > f->columns ? f->width - f->columns : 0;
	char *p;

	if (out->cap - out->len <= f->text.len + pad + BLANKS &&
	    buf_reserve(out, f->text.len + pad + BLANKS) < 0)
		return -1;
	p = out->data + out->len;
	if (f->right)
		p = put_blanks(p, pad);
	if (f->text.len)
		memcpy(p, f->text.ptr, f->text.len);
	p += f->text.len;
	if (!f->right && !f->last)
		p = put_blanks(p, pad);
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

/* Eight bytes at a time; the last group may overlap the one before. */
static bool is_ascii(struct span s)
{
	uint64_t word, high = 0;
	size_t i = 0;

	for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.ptr + i, sizeof(word));
		high |= word;
	}
	if (i && i < s.len) {
		memcpy(&word, s.ptr + s.len - sizeof(word), sizeof(word));
		high |= word;
		i = s.len;
	}
	for (; i < s.len; i++)
		high |= (unsigned char)s.ptr[i];
	return !(high & 0x8080808080808080ull);
}

/* What stands for itself: numbers, our own words, plain names, what does not apply. */
static bool plain_text(const struct report *report, const struct cell *cell,
		       char room[CELL_DIGITS], struct span *text)
{
	switch (cell->type) {
	case CELL_TEXT:
		*text = cell->text;
		return is_ascii(cell->text);
	case CELL_BYTES:
		*text = cell->text;
		return escape_plain(cell->text, ESCAPE_TERMINAL) == cell->text.len;
	case CELL_MISSING:
		*text = SPAN_LITERAL("-");
		return cell->gap == GAP_NOT_APPLICABLE;
	default:
		text->len = cell_number(room, cell, report->options.bytes, &text->ptr);
		return text->len;
	}
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

		if (plain_text(report, &cells[i], room, &f.text))
			f.columns = f.text.len;
		else if (field_text(report, &cells[i], &f) < 0)
			return -1;
		field_cut(report, i, used, &f);
		used += (f.columns > f.width ? f.columns : f.width) + 1;
		if (add_field(&report->pending, &f) < 0)
			return -1;
	}
	return report_flush_full(report);
}
