// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <time.h>
#include <wchar.h>

#include "render.h"
#include "vmatlas/base/digits.h"

/* As lsblk: powers of 1024, one decimal where it is not zero: 0B 512B 4K 1.5M 2G. */
static char *put_size(char *end, uint64_t bytes)
{
	unsigned unit = bytes ? (63 - (unsigned)__builtin_clzll(bytes)) / 10 : 0;
	uint64_t whole = bytes >> unit * 10, tenths = 0;

	if (unit) {
		/* The ten bits below the point are enough for one decimal. */
		tenths = ((bytes >> (unit - 1) * 10 & 1023) * 10 + 512) >> 10;
		whole += tenths == 10;
		tenths %= 10;
		if (whole == 1024 && unit < 6) {
			whole = 1;
			unit++;
		}
	}
	*--end = "BKMGTPE"[unit];
	if (tenths) {
		*--end = (char)('0' + tenths);
		*--end = '.';
	}
	return digits_put_dec(end, whole);
}

/* Nothing is no size. */
static char *put_delta(char *end, int64_t bytes, bool exact)
{
	uint64_t size = bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes;
	char *begin = exact || !size ? digits_put_dec(end, size) : put_size(end, size);

	if (size)
		*--begin = bytes < 0 ? '-' : '+';
	return begin;
}

size_t cell_number(char room[CELL_DIGITS], const struct cell *cell, bool exact,
		   const char **text)
{
	char *end = room + CELL_DIGITS, *begin;

	switch (cell->type) {
	case CELL_COUNT:
		begin = digits_put_dec(end, cell->count);
		break;
	case CELL_SIZE:
		begin = exact ? digits_put_dec(end, cell->count) : put_size(end, cell->count);
		break;
	case CELL_DELTA:
		begin = put_delta(end, cell->number, exact);
		break;
	case CELL_HEX:
		begin = digits_put_hex(end, cell->count);
		*--begin = 'x';
		*--begin = '0';
		break;
	case CELL_SIGNED:
		begin = digits_put_dec(end, cell->number < 0 ? 0 - (uint64_t)cell->number :
				(uint64_t)cell->number);
		if (cell->number < 0)
			*--begin = '-';
		break;
	default:
		return 0;
	}
	*text = begin;
	return (size_t)(end - begin);
}

static int add_time(struct buf *out, int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[40];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return buf_addf(out, "@%lld", (long long)seconds);
	return buf_add_str(out, text);
}

static int add_flags(struct buf *out, const struct cell *cell, enum escape_for where)
{
	struct span rest = cell->flags.extra, word;
	size_t begin = out->len;

	if (where == ESCAPE_RAW && !cell->flags.bits && !span_trim(rest).len)
		return buf_add_str(out, "\"\"");
	if (cell->flags.names &&
	    names_add_bits(out, cell->flags.names, cell->flags.bits, ",") < 0)
		return -1;
	while (span_take_word(&rest, &word))
		if ((out->len > begin && buf_add_char(out, ',') < 0) ||
		    escape_add(out, word, where) < 0)
			return -1;
	return 0;
}

static int add_items(struct report *report, struct buf *out, const struct cell *cell,
		     enum escape_for where)
{
	if (where == ESCAPE_RAW && !cell->list.count)
		return buf_add_str(out, "\"\"");
	for (size_t i = 0; i < cell->list.count; i++) {
		const struct cell *item = &cell->list.items[i];

		if (i && buf_add_char(out, ',') < 0)
			return -1;
		if (cell->type == CELL_OBJECT && item->name &&
		    (escape_add(out, span_of(item->name), where) < 0 ||
		     buf_add_char(out, '=') < 0))
			return -1;
		if (cell_add(report, out, item, where) < 0)
			return -1;
	}
	return 0;
}

/* `-` alone does not apply; `-*`, `-**` have a footnote. Scripts see `-`. */
static int add_gap(struct report *report, struct buf *out, enum gap gap, enum escape_for where)
{
	if (buf_add_char(out, '-') < 0)
		return -1;
	if (where == ESCAPE_TERMINAL && (unsigned)gap < GAP_MAX)
		for (unsigned i = 0; i < report->gap_order[gap]; i++)
			if (buf_add_char(out, '*') < 0)
				return -1;
	return 0;
}

/* For scripts a text that is just "-" must differ from a missing one, and in raw an empty one
 * must be a field: "", which is then escaped where it is the text itself. */
static int add_text(struct buf *out, struct span text, enum escape_for where)
{
	if (where != ESCAPE_TERMINAL && span_is(text, "-"))
		return buf_add_str(out, "\\x2d");
	if (where == ESCAPE_RAW && !text.len)
		return buf_add_str(out, "\"\"");
	if (where == ESCAPE_RAW && span_is(text, "\"\""))
		return buf_add_str(out, "\\x22\\x22");
	return escape_add(out, text, where);
}

static int add_percent(struct buf *out, double ratio, enum escape_for where)
{
	return where == ESCAPE_TERMINAL ? buf_addf(out, "%.1f%%", ratio * 100) :
		buf_addf(out, "%.6g", ratio);
}

int cell_add(struct report *report, struct buf *out, const struct cell *cell,
	     enum escape_for where)
{
	bool terminal = where == ESCAPE_TERMINAL;
	char room[CELL_DIGITS];
	const char *text;
	size_t len = cell_number(room, cell, report->options.bytes || !terminal, &text);

	if (len)
		return buf_add(out, text, len);
	switch (cell->type) {
	case CELL_MISSING:
		return add_gap(report, out, cell->gap, where);
	case CELL_BOOL:
		return buf_add_str(out, terminal ? cell->yes ? "yes" : "no" :
				   cell->yes ? "true" : "false");
	case CELL_DEVICE:
		return buf_add_hex(out, cell->count >> 32, 2) < 0 ||
			buf_add_char(out, ':') < 0 ? -1 :
			buf_add_hex(out, (uint32_t)cell->count, 2);
	case CELL_TEXT:
	case CELL_BYTES:
	case CELL_PATH:
		return add_text(out, cell->text, where);
	case CELL_PERCENT:
		return add_percent(out, cell->ratio, where);
	case CELL_TIME:
		return add_time(out, cell->number);
	case CELL_FLAGS:
		return add_flags(out, cell, where);
	case CELL_LIST:
	case CELL_OBJECT:
		return add_items(report, out, cell, where);
	default:
		return -1;
	}
}

/* Bytes of the first character and its columns; text is valid in the locale by now. */
static size_t text_step(struct span text, mbstate_t *state, size_t *columns)
{
	wchar_t c;
	size_t len;
	int width;

	*columns = 1;
	if (!((unsigned char)text.ptr[0] & 0x80))
		return 1;
	len = mbrtowc(&c, text.ptr, text.len, state);
	if (len == 0 || len > text.len) {
		*state = (mbstate_t) { 0 };
		return 1;
	}
	width = wcwidth(c);
	*columns = width < 0 ? 1 : (size_t)width;
	return len;
}

size_t text_fit(struct span text, size_t columns)
{
	struct span rest = text;
	mbstate_t state = { 0 };

	while (rest.len) {
		size_t width, len = text_step(rest, &state, &width);

		if (width > columns)
			break;
		columns -= width;
		rest = (struct span) { rest.ptr + len, rest.len - len };
	}
	return text.len - rest.len;
}

/* Cuts at characters, not inside of one: its further bytes are 10xxxxxx in UTF-8. */
size_t text_tail(struct span text, size_t room)
{
	size_t keep = room - strlen(TEXT_CUT), columns = text_columns(text), at = 0;

	if (columns <= room)
		return 0;
	/* No byte takes more than one column. */
	for (; columns > keep; columns = text_columns((struct span) { text.ptr + at,
								       text.len - at }))
		for (at += columns - keep; (text.ptr[at] & 0xc0) == 0x80;)
			at++;
	return at;
}

size_t text_columns(struct span text)
{
	mbstate_t state = { 0 };
	size_t columns = escape_plain(text, ESCAPE_TERMINAL);

	text = (struct span) { text.ptr + columns, text.len - columns };
	while (text.len) {
		size_t width, len = text_step(text, &state, &width);

		columns += width;
		text = (struct span) { text.ptr + len, text.len - len };
	}
	return columns;
}
