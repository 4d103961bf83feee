// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <jansson.h>

#include "render.h"

/*
 * JSON is written as it comes, element by element: the punctuation by hand, because no library
 * tree ever holds the document; strings and reals by jansson. Containers begun by the report
 * put each member on its own line, cells stay on one.
 */
static int dump_piece(const char *text, size_t len, void *ctx)
{
	return buf_add(ctx, text, len) < 0 ? -1 : 0;
}

static int add_value(struct buf *out, json_t *value)
{
	int rc = value ? json_dump_callback(value, dump_piece, out, JSON_ENCODE_ANY) : -1;

	json_decref(value);
	return rc;
}

/* A long document is mostly keys and short values, which are put where the output ends: at
 * least so many bytes, NULL for want of memory. */
static inline char *room_for(struct buf *out, size_t len)
{
	if (out->cap - out->len <= len && buf_reserve(out, len) < 0)
		return NULL;
	return out->data + out->len;
}

static inline int put_end(struct buf *out, char *end)
{
	*end = '\0';
	out->len = (size_t)(end - out->data);
	return 0;
}

static inline int add_literal(struct buf *out, const char *text, size_t len)
{
	char *p = room_for(out, len);

	return p ? put_end(out, mempcpy(p, text, len)) : -1;
}

#define ADD(out, literal) add_literal(out, literal, sizeof(literal) - 1)

/* Text without anything to quote, in quotes: nearly every key and most values are such. */
static inline int add_word(struct buf *out, struct span text)
{
	char *p = room_for(out, text.len + 2);

	if (!p)
		return -1;
	*p++ = '"';
	p = put_text(p, text);
	*p++ = '"';
	return put_end(out, p);
}

static int add_string(struct buf *out, struct span bytes)
{
	CLEANUP(buf_done) struct buf escaped = BUF_INIT;

	if (escape_plain(bytes, ESCAPE_JSON) == bytes.len)
		return add_word(out, bytes);
	if (escape_add(&escaped, bytes, ESCAPE_JSON) < 0)
		return -1;
	return add_value(out, json_stringn(buf_str(&escaped), escaped.len));
}

/* ", " where something stands before, the quoted name, ": ". Nothing in it needs a quote. */
static int add_key(struct buf *out, struct span name, bool comma)
{
	char *p = room_for(out, name.len + 6);

	if (!p)
		return -1;
	if (comma)
		p = mempcpy(p, ", ", 2);
	*p++ = '"';
	p = put_text(p, name);
	return put_end(out, mempcpy(p, "\": ", 3));
}

/* The same for any name: some come from the kernel. */
static int add_name(struct buf *out, const char *name, bool comma)
{
	struct span key = span_of(name);

	if (escape_plain(key, ESCAPE_JSON) == key.len)
		return add_key(out, key, comma);
	if ((comma && ADD(out, ", ") < 0) || add_string(out, key) < 0)
		return -1;
	return ADD(out, ": ");
}

static int add_hex(struct buf *out, uint64_t value)
{
	struct cell word = cell_hex(value);
	char room[CELL_DIGITS];
	struct span text;

	text.len = cell_number(room, &word, true, &text.ptr);
	return add_word(out, text);
}

/* jansson and many readers have signed 64-bit integers: what is above becomes a hex string. */
static int add_number(struct buf *out, const struct cell *cell)
{
	char room[CELL_DIGITS], *p = room_for(out, CELL_DIGITS);
	struct span text;

	if (!p)
		return -1;
	if (cell->count < 10) {		/* most counters are 0 */
		*p = (char)('0' + cell->count);
		return put_end(out, p + 1);
	}
	if (cell->type != CELL_SIGNED && cell->count > INT64_MAX)
		return add_hex(out, cell->count);
	text.len = cell_number(room, cell, true, &text.ptr);
	return put_end(out, put_text(p, text));
}

static int add_flag_names(struct buf *out, const struct cell *cell)
{
	struct span rest = cell->flags.extra, word;
	bool comma = cell->flags.names && cell->flags.bits;

	if (ADD(out, "[") < 0)
		return -1;
	if (comma && (ADD(out, "\"") < 0 ||
		      names_add_bits(out, cell->flags.names, cell->flags.bits, "\", \"") < 0 ||
		      ADD(out, "\"") < 0))
		return -1;
	for (; span_take_word(&rest, &word); comma = true)
		if ((comma && ADD(out, ", ") < 0) || add_string(out, word) < 0)
			return -1;
	return ADD(out, "]");
}

static int add_member(struct report *report, struct buf *out, const char *name,
		      const struct cell *cell, bool comma);

static int add_cell(struct report *report, struct buf *out, const struct cell *cell)
{
	bool object = cell->type == CELL_OBJECT;
	struct cell plain;

	switch (cell->type) {
	case CELL_MISSING:
		return ADD(out, "null");
	case CELL_BOOL:
		return cell->yes ? ADD(out, "true") : ADD(out, "false");
	case CELL_COUNT:
	case CELL_SIGNED:
	case CELL_SIZE:
		return add_number(out, cell);
	case CELL_HEX:
		return add_hex(out, cell->count);
	case CELL_DELTA:
		plain = cell_signed(cell->number);	/* without a plus */
		return add_number(out, &plain);
	case CELL_TEXT:
	case CELL_BYTES:
	case CELL_PATH:
		return add_string(out, cell->text);
	case CELL_PERCENT:
		return cell->ratio == cell->ratio ? add_value(out, json_real(cell->ratio)) :
			ADD(out, "null");
	case CELL_FLAGS:
		return add_flag_names(out, cell);
	case CELL_LIST:
	case CELL_OBJECT:
		break;
	default:
		return buf_add_char(out, '"') < 0 ||
			cell_add(report, out, cell, ESCAPE_JSON) < 0 ? -1 :
			buf_add_char(out, '"');
	}
	if (buf_add_char(out, object ? '{' : '[') < 0)
		return -1;
	for (size_t i = 0; i < cell->list.count; i++) {
		const struct cell *item = &cell->list.items[i];

		if (object ? add_member(report, out, item->name, item, i > 0) < 0 :
		    (i && ADD(out, ", ") < 0) || add_cell(report, out, item) < 0)
			return -1;
	}
	return buf_add_char(out, object ? '}' : ']');
}

static int add_suffixed(struct buf *out, const char *name, const char *suffix)
{
	if (ADD(out, ", ") < 0 || add_string(out, span_of(name)) < 0)
		return -1;
	out->len--;
	if (buf_add_str(out, suffix) < 0)
		return -1;
	return ADD(out, "\": ");
}

/* An escape takes more room than what it stands for. */
static bool is_shown_escaped(struct span bytes)
{
	CLEANUP(buf_done) struct buf escaped = BUF_INIT;

	return escape_plain(bytes, ESCAPE_JSON) != bytes.len &&
	       escape_add(&escaped, bytes, ESCAPE_JSON) == 0 && escaped.len != bytes.len;
}

/* All bytes of a name that is not shown as it is, two digits each. */
static int add_member_hex(struct buf *out, const char *name, struct span bytes)
{
	if (add_suffixed(out, name, "_hex") < 0 || buf_add_char(out, '"') < 0)
		return -1;
	for (size_t i = 0; i < bytes.len; i++)
		if (buf_add_hex(out, (unsigned char)bytes.ptr[i], 2) < 0)
			return -1;
	return buf_add_char(out, '"');
}

/* A member's value and what stands beside it. */
static int add_member_value(struct report *report, struct buf *out, const char *name,
			    const struct cell *cell)
{
	if (add_cell(report, out, cell) < 0)
		return -1;
	if (cell->type == CELL_PATH && is_shown_escaped(cell->text))
		return add_member_hex(out, name, cell->text);
	if (cell->type != CELL_MISSING || !gap_name(cell->gap)[0])
		return 0;
	if (add_suffixed(out, name, "_missing") < 0)
		return -1;
	return add_word(out, span_of(gap_name(cell->gap)));
}

static int add_member(struct report *report, struct buf *out, const char *name,
		      const struct cell *cell, bool comma)
{
	return add_name(out, name, comma) < 0 ? -1 : add_member_value(report, out, name, cell);
}

/* Comma, line break and indentation before the next thing in the innermost container. */
static int next_line(struct report *report)
{
	struct buf *out = &report->pending;
	size_t depth = report->depth;

	if (report->comma[depth] && buf_add_char(out, ',') < 0)
		return -1;
	report->comma[depth] = true;
	if (report->options.one_line)
		return buf_add_char(out, ' ') < 0 ? -1 : report_flush_full(report);
	if (buf_add_char(out, '\n') < 0)
		return -1;
	for (size_t i = 0; i <= depth; i++)
		if (buf_add_char(out, ' ') < 0)
			return -1;
	return report_flush_full(report);
}

static int json_begin(struct report *report, const char *schema)
{
	struct cell name = cell_text(schema), version = cell_count(1);

	if (buf_add_char(&report->pending, '{') < 0 || next_line(report) < 0 ||
	    add_member(report, &report->pending, "schema", &name, false) < 0 ||
	    next_line(report) < 0)
		return -1;
	return add_member(report, &report->pending, "version", &version, false);
}

/* The root member `process` has a fallback in document.c. */
static void note_process(struct report *report, const char *name)
{
	if (!report->depth && name && !strcmp(name, "process"))
		report->has_process = true;
}

static int json_fact(struct report *report, const char *name, const char *title,
		     const struct cell *cell)
{
	(void)title;
	note_process(report, name);
	if (!name || next_line(report) < 0)
		return name ? -1 : 0;
	return add_member(report, &report->pending, name, cell, false);
}

static int json_open(struct report *report, const char *name, const char *title, bool array)
{
	struct buf *out = &report->pending;

	(void)title;
	note_process(report, name);
	if (next_line(report) < 0)
		return -1;
	if (name && add_name(out, name, false) < 0)
		return -1;
	return buf_add_char(out, array ? '[' : '{');
}

static int json_close(struct report *report, bool array)
{
	return buf_add_char(&report->pending, array ? ']' : '}');
}

static int json_element(struct report *report, const struct cell *cell)
{
	if (next_line(report) < 0)
		return -1;
	return add_cell(report, &report->pending, cell);
}

static int json_table_begin(struct report *report, const char *name, const char *title)
{
	struct table *t = &report->table;

	for (size_t i = 0; i < t->count; i++)
		t->field[i].name = span_of(t->set.columns[t->column[i]].name);
	return report_array_begin(report, name, title);
}

static int add_huge(struct buf *out, const char *name, uint64_t number)
{
	if (ADD(out, "null") < 0 || add_suffixed(out, name, "_hex") < 0)
		return -1;
	return add_hex(out, number);
}

/* A value with a sibling NAME_hex where JSON, or its readers, cannot hold it. */
static int add_column(struct report *report, struct buf *out, const struct column *column,
		      const struct cell *cell)
{
	if (column->flags & COLUMN_HEX_HUGE && cell->type == CELL_COUNT && cell->count > INT64_MAX)
		return add_huge(out, column->name, cell->count);
	if (add_member_value(report, out, column->name, cell) < 0)
		return -1;
	if (column->flags & COLUMN_HEX_BYTES && cell->type == CELL_BYTES &&
	    is_shown_escaped(cell->text))
		return add_member_hex(out, column->name, cell->text);
	return 0;
}

static int json_row(struct report *report, const struct cell *cells)
{
	struct buf *out = &report->pending;
	struct table *t = &report->table;

	if (next_line(report) < 0 || ADD(out, "{") < 0)
		return -1;
	for (size_t i = 0; i < t->count; i++)
		if (add_key(out, t->field[i].name, i > 0) < 0 ||
		    add_column(report, out, &t->set.columns[t->column[i]], &cells[i]) < 0)
			return -1;
	return ADD(out, "}");
}

static int json_table_end(struct report *report)
{
	return report_array_end(report);
}

int json_warnings(struct report *report)
{
	if (report_array_begin(report, "warnings", NULL) < 0)
		return -1;
	for (size_t i = 0; i < report->warning_count; i++) {
		struct cell items[] = {
			cell_named("code", cell_text(report->warnings[i].code)),
			cell_named("message", cell_bytes(buf_span(&report->warnings[i].message))),
		};

		report_element(report, cell_object(items, ARRAY_SIZE(items)));
	}
	return report_array_end(report);
}

static int json_end(struct report *report)
{
	if (document_end(report) < 0)
		return -1;
	return buf_add_str(&report->pending, report->options.one_line ? " }\n" : "\n}\n");
}

const struct report_ops json_ops = {
	.begin = json_begin,
	.fact = json_fact,
	.open = json_open,
	.close = json_close,
	.element = json_element,
	.table_begin = json_table_begin,
	.row = json_row,
	.table_end = json_table_end,
	.end = json_end,
};
