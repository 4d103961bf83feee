// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render.h"

/* Where a line of a paragraph is: lines but the first begin behind `indent` blanks. */
struct wrap {
	struct buf *out;
	size_t width;
	size_t indent;
	size_t column;
	bool lists;	/* may break behind a comma */
	bool word;	/* something stands in this line */
};

static int wrap_blanks(struct wrap *w, size_t count)
{
	w->column += count;
	while (count--)
		if (buf_add_char(w->out, ' ') < 0)
			return -1;
	return 0;
}

static int wrap_break(struct wrap *w)
{
	w->column = 0;
	w->word = false;
	return buf_add_char(w->out, '\n') < 0 ? -1 : wrap_blanks(w, w->indent);
}

static int wrap_put(struct wrap *w, struct span text, size_t columns)
{
	w->column += columns;
	w->word = true;
	return buf_add_span(w->out, text);
}

/* A list without blanks that is longer than a line goes on behind one of its commas. */
static int wrap_list(struct wrap *w, struct span list)
{
	while (list.len) {
		struct span item = { list.ptr, span_take_until(&list, ',').len };
		size_t columns;

		item.len += span_take_char(&list, ',');
		columns = text_columns(item);
		if (w->word && w->column + columns > w->width && wrap_break(w) < 0)
			return -1;
		if (wrap_put(w, item, columns) < 0)
			return -1;
	}
	return 0;
}

/* Breaks at blanks; a word longer than the line stands on its own. */
static int wrap_words(struct wrap *w, struct span text)
{
	struct span word;

	while (span_take_word(&text, &word)) {
		size_t columns = text_columns(word);

		if (w->word && w->column + 1 + columns > w->width) {
			if (wrap_break(w) < 0)
				return -1;
		} else if (w->word && wrap_blanks(w, 1) < 0) {
			return -1;
		}
		if (w->lists && w->column + columns > w->width ? wrap_list(w, word) < 0 :
								 wrap_put(w, word, columns) < 0)
			return -1;
	}
	return 0;
}

int text_wrapped(struct report *report, struct buf *out, struct span text, size_t indent,
		 size_t column)
{
	struct wrap w = { .out = out, .width = report->width, .indent = indent,
			  .column = column, .lists = report->cut };

	return wrap_words(&w, text) < 0 ? -1 : buf_add_char(out, '\n');
}

/* An empty line between what stands above and what comes. */
static int text_gap(struct report *report)
{
	if (text_facts_flush(report) < 0)
		return -1;
	if (!report->wrote)
		return 0;
	return buf_add_char(&report->pending, '\n');
}

static int text_heading(struct report *report, const char *text)
{
	if (text_gap(report) < 0 ||
	    (report->color && buf_add_str(&report->pending, TEXT_BOLD) < 0) ||
	    escape_add(&report->pending, span_of(text), ESCAPE_TERMINAL) < 0 ||
	    (report->color && buf_add_str(&report->pending, TEXT_PLAIN) < 0))
		return -1;
	report->wrote = true;
	return buf_add_char(&report->pending, '\n');
}

static int text_open(struct report *report, const char *name, const char *title, bool array)
{
	(void)name;
	(void)array;
	return title ? text_heading(report, title) : 0;
}

static int text_element(struct report *report, const struct cell *cell)
{
	if (text_facts_flush(report) < 0 || buf_add_str(&report->pending, "  ") < 0 ||
	    cell_add(report, &report->pending, cell, ESCAPE_TERMINAL) < 0)
		return -1;
	report->wrote = true;
	return buf_add_char(&report->pending, '\n');
}

static int text_prose(struct report *report, struct span text)
{
	buf_clear(&report->work);
	if (text_facts_flush(report) < 0 ||
	    escape_add(&report->work, text, ESCAPE_TERMINAL) < 0)
		return -1;
	report->wrote = true;
	return text_wrapped(report, &report->pending, buf_span(&report->work), 0, 0);
}

static int text_line(struct report *report, const char *text)
{
	if (text_facts_flush(report) < 0 ||
	    escape_add(&report->pending, span_of(text), ESCAPE_TERMINAL) < 0)
		return -1;
	report->wrote = true;
	return buf_add_char(&report->pending, '\n');
}

static int change_color(struct buf *out, const char *from, const char *to)
{
	if (from == to)
		return 0;
	if (from && buf_add_str(out, TEXT_PLAIN) < 0)
		return -1;
	return to ? buf_addf(out, "\033[%sm", to) : 0;
}

int text_painted(struct report *report, const char *text, const char *const *colors)
{
	const char *color = NULL;

	if (text_facts_flush(report) < 0)
		return -1;
	report->wrote = true;
	for (size_t i = 0; text[i]; i++) {
		const char *next = report->color ? colors[i] : NULL;

		if (change_color(&report->pending, color, next) < 0 ||
		    buf_add_char(&report->pending, text[i]) < 0)
			return -1;
		color = next;
	}
	if (change_color(&report->pending, color, NULL) < 0)
		return -1;
	return buf_add_char(&report->pending, '\n');
}

static int text_table_begin(struct report *report, const char *name, const char *title)
{
	(void)name;
	if (title ? text_heading(report, title) < 0 : text_gap(report) < 0)
		return -1;
	report->wrote = true;
	return report->table.streamed ? stream_begin(report) : layout_begin(report);
}

static int text_row(struct report *report, const struct cell *cells)
{
	return report->table.streamed ? stream_row(report, cells) : layout_row(report, cells);
}

static int text_table_end(struct report *report)
{
	return report->table.streamed ? 0 : layout_end(report);
}

static int text_footnote(struct report *report, const char *mark, struct span text)
{
	buf_clear(&report->work);
	if (buf_add_str(&report->work, mark) < 0 || buf_add_char(&report->work, ' ') < 0 ||
	    escape_add(&report->work, text, ESCAPE_TERMINAL) < 0)
		return -1;
	return text_wrapped(report, &report->pending, buf_span(&report->work), 2, 0);
}

static int text_gap_notes(struct report *report)
{
	for (unsigned n = 1; n <= report->gap_count; n++)
		for (enum gap gap = 0; gap < GAP_MAX; gap++) {
			CLEANUP(buf_done) struct buf mark = BUF_INIT;

			if (report->gap_order[gap] != n)
				continue;
			if (buf_addf(&mark, "-%.*s", (int)n, "*******") < 0 ||
			    text_footnote(report, buf_str(&mark), span_of(gap_phrase(gap))) < 0)
				return -1;
		}
	return 0;
}

static int text_end(struct report *report)
{
	if (text_facts_flush(report) < 0)
		return -1;
	if (!report->gap_count && !report->warning_count)
		return 0;
	if (text_gap(report) < 0 || text_gap_notes(report) < 0)
		return -1;
	for (size_t i = 0; i < report->warning_count; i++)
		if (text_footnote(report, "!", buf_span(&report->warnings[i].message)) < 0)
			return -1;
	return 0;
}

const struct report_ops text_ops = {
	.fact = text_fact,
	.open = text_open,
	.element = text_element,
	.table_begin = text_table_begin,
	.row = text_row,
	.table_end = text_table_end,
	.heading = text_heading,
	.prose = text_prose,
	.line = text_line,
	.end = text_end,
};
