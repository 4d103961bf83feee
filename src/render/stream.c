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
};

#define BLANKS 16

/* Writes whole groups: up to BLANKS - 1 more than asked for. */
static inline char *put_blanks(char *at, size_t count)
{
	for (size_t i = 0; i < count; i += BLANKS)
		memset(at + i, ' ', BLANKS);
	return at + count;
}

/* Padded to the column's width, and a blank. */
static inline int add_field(struct buf *out, const struct table_field *column,
			    const struct field *f)
{
	size_t pad = column->width > f->columns ? column->width - f->columns : 0;
	char *at;

	if (out->cap - out->len <= f->text.len + pad + BLANKS &&
	    buf_reserve(out, f->text.len + pad + BLANKS) < 0)
		return -1;
	at = out->data + out->len;
	if (column->right)
		at = put_blanks(at, pad);
	at = put_text(at, f->text);
	if (!column->right)
		at = put_blanks(at, pad);
	*at++ = column->end;
	out->len = (size_t)(at - out->data);
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

/* Four or eight bytes at a time; the last group may overlap the one before. */
static inline bool is_ascii(struct span s)
{
	uint64_t word, high = 0;
	uint32_t half[2] = { 0, 0 };
	size_t i;

	if (s.len < 4) {
		for (i = 0; i < s.len; i++)
			high |= (unsigned char)s.ptr[i];
	} else if (s.len < 8) {
		memcpy(&half[0], s.ptr, 4);
		memcpy(&half[1], s.ptr + s.len - 4, 4);
		high = half[0] | half[1];
	} else {
		for (i = 0; i < s.len; i += 8) {
			memcpy(&word, s.ptr + (i + 8 <= s.len ? i : s.len - 8), 8);
			high |= word;
		}
	}
	return !(high & 0x8080808080808080ull);
}

/* What stands for itself: numbers, our own words, plain names, what does not apply. */
static inline bool plain_text(const struct report *report, const struct cell *cell,
		       char room[CELL_DIGITS], struct span *text)
{
	switch (cell->type) {
	case CELL_TEXT:
		*text = cell->text;
		return is_ascii(cell->text);
	case CELL_BYTES:
	case CELL_PATH:
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

static void field_cut(struct field *f, size_t room)
{
	if (f->columns <= room)
		return;
	f->text.len = text_fit(f->text, room);
	f->columns = room;
}

/* Sentences go on below their beginning, or where that is too far right begin there. */
static int add_sentence(struct report *report, size_t used, struct span text)
{
	struct buf *out = &report->pending;
	size_t indent = used + PROSE_MIN <= report->width ? used : PROSE_INDENT;

	while (indent == PROSE_INDENT && out->data[out->len - 1] == ' ')
		out->len--;
	if (indent == PROSE_INDENT && text.len && buf_addf(out, "\n%*s", (int)indent, "") < 0)
		return -1;
	return text_wrapped(report, out, text, indent, indent);
}

static int add_fields(struct report *report, const struct cell *cells)
{
	const struct table *t = &report->table;
	size_t used = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct table_field *column = &t->field[i];
		char room[CELL_DIGITS];
		struct field f;

		if (plain_text(report, &cells[i], room, &f.text))
			f.columns = f.text.len;
		else if (field_text(report, &cells[i], &f) < 0)
			return -1;
		if (column->prose)
			return add_sentence(report, used, f.text);
		if (column->cut)
			field_cut(&f, report->width > used ? report->width - used : 0);
		else if (column->room)
			field_cut(&f, column->room);
		used += (f.columns > column->width ? f.columns : column->width) + 1;
		if (add_field(&report->pending, column, &f) < 0)
			return -1;
	}
	return 0;
}

static int add_headings(struct report *report)
{
	const struct table *t = &report->table;
	struct cell titles[TABLE_COLUMNS];
	size_t used = 0;

	for (size_t i = 0; i < t->count; i++) {
		bool below = t->field[i].prose && used + PROSE_MIN > report->width;

		titles[i] = cell_text(below ? "" : t->set.columns[t->column[i]].title);
		used += t->field[i].width + 1u;
	}
	return add_fields(report, titles);
}

static int add_painted_headings(struct report *report)
{
	struct buf *out = &report->pending;

	if (!report->color)
		return add_headings(report);
	if (buf_add_str(out, TEXT_BOLD) < 0 || add_headings(report) < 0)
		return -1;
	out->len--;		/* the end of the line */
	return buf_add_str(out, TEXT_PLAIN "\n");
}

/* A column that may be cut and is not the last one may use what the usual widths leave. */
static void stream_rooms(struct report *report)
{
	struct table *t = &report->table;
	size_t total = 0, slack;

	for (size_t i = 0; i < t->count; i++)
		total += t->set.columns[t->column[i]].width + 1u;
	slack = report->width > total ? report->width - total : 0;
	for (size_t i = 0; i + 1 < t->count && report->cut; i++)
		if (t->set.columns[t->column[i]].flags & COLUMN_TRUNC)
			t->field[i].room = (uint16_t)(t->field[i].width + slack);
}

/* The last column is not padded behind. */
int stream_begin(struct report *report)
{
	struct table *t = &report->table;

	for (size_t i = 0; i < t->count; i++) {
		const struct column *column = &t->set.columns[t->column[i]];
		size_t title = strlen(column->title);
		bool last = i + 1 == t->count, right = column->flags & COLUMN_RIGHT;

		t->field[i] = (struct table_field) {
			.width = last && !right ? 0 :
				 column->width > title ? column->width : (uint8_t)title,
			.right = right,
			.cut = last && report->cut && column->flags & COLUMN_TRUNC,
			.prose = last && report->cut && column->flags & COLUMN_PROSE,
			.end = last ? '\n' : ' ',
		};
	}
	stream_rooms(report);
	return report->options.no_headings ? 0 : add_painted_headings(report);
}

int stream_row(struct report *report, const struct cell *cells)
{
	return add_fields(report, cells) < 0 ? -1 : report_flush_full(report);
}
