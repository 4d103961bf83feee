// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render.h"

/*
 * Facts wait until their section ends, so that the values can be aligned, each as
 * "title\0value\0" and a byte: the gap by which the value is missing, or 0. Many that are missing
 * for one reason are told in one line, or a maps text alone would begin with a column of dashes.
 */
struct fact {
	struct span title;
	struct span value;
	unsigned gap;
};

#define MISSING_MANY 4u
#define MISSING_TITLE "Missing "
#define VALUE_MIN 20u		/* with fewer columns the terminal may break it as it likes */

static bool next_fact(struct span *rest, struct fact *fact)
{
	if (!rest->len)
		return false;
	fact->title = span_take_until(rest, '\0');
	span_take_char(rest, '\0');
	fact->value = span_take_until(rest, '\0');
	span_take_char(rest, '\0');
	fact->gap = (unsigned char)rest->ptr[0];
	*rest = (struct span) { rest->ptr + 1, rest->len - 1 };
	return true;
}

int text_fact(struct report *report, const char *name, const char *title,
	      const struct cell *cell)
{
	bool gap = cell->type == CELL_MISSING && cell_is_missing(cell);

	if (!title)
		title = name ? name : "";
	if (buf_add(&report->facts, title, strlen(title) + 1) < 0 ||
	    cell_add(report, &report->facts, cell, ESCAPE_TERMINAL) < 0 ||
	    buf_add_char(&report->facts, '\0') < 0)
		return -1;
	return buf_add_char(&report->facts, gap ? (char)cell->gap : '\0');
}

/* On a terminal a long value goes on below its beginning. */
static int add_fact(struct report *report, struct span title, struct span value, size_t column)
{
	struct buf *out = &report->pending;

	if (buf_add_span(out, title) < 0)
		return -1;
	for (size_t i = text_columns(title); value.len && i < column; i++)
		if (buf_add_char(out, ' ') < 0)
			return -1;
	if (!report->cut || column + text_columns(value) <= report->width ||
	    column + VALUE_MIN > report->width)
		return buf_add_span(out, value) < 0 ? -1 : buf_add_char(out, '\n');
	return text_wrapped(report, out, value, column, column);
}

/* "Missing -*    PID; Command; Threads" */
static int add_missing(struct report *report, unsigned gap, size_t column)
{
	CLEANUP(buf_done) struct buf title = BUF_INIT, names = BUF_INIT;
	struct span rest = buf_span(&report->facts);
	struct fact fact;

	while (next_fact(&rest, &fact)) {
		if (fact.gap != gap)
			continue;
		if (!names.len && (buf_add_str(&title, MISSING_TITLE) < 0 ||
				   buf_add_span(&title, fact.value) < 0))
			return -1;
		if ((names.len && buf_add_str(&names, "; ") < 0) ||
		    buf_add_span(&names, fact.title) < 0)
			return -1;
	}
	return add_fact(report, buf_span(&title), buf_span(&names), column);
}

/* The column of the values, and which gaps have so many facts that they are told together. */
static size_t facts_column(const struct report *report, bool many[GAP_MAX])
{
	struct span rest = buf_span(&report->facts);
	size_t count[GAP_MAX] = { 0 }, widest = 0;
	struct fact fact;

	while (next_fact(&rest, &fact))
		if (fact.gap && ++count[fact.gap] >= MISSING_MANY) {
			size_t width = strlen(MISSING_TITLE) + fact.value.len;

			many[fact.gap] = true;
			widest = width > widest ? width : widest;
		}
	for (rest = buf_span(&report->facts); next_fact(&rest, &fact);) {
		size_t width = many[fact.gap] ? 0 : text_columns(fact.title);

		widest = width > widest ? width : widest;
	}
	return widest + 2;
}

int text_facts_flush(struct report *report)
{
	bool many[GAP_MAX] = { false };
	size_t column = facts_column(report, many);
	struct span rest = buf_span(&report->facts);
	struct fact fact;

	while (next_fact(&rest, &fact))
		if (!many[fact.gap] && add_fact(report, fact.title, fact.value, column) < 0)
			return -1;
	for (unsigned gap = 0; gap < GAP_MAX; gap++)
		if (many[gap] && add_missing(report, gap, column) < 0)
			return -1;
	report->wrote |= report->facts.len != 0;
	buf_clear(&report->facts);
	return report_flush_full(report);
}
