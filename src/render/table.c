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
	int flags = column->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0;
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
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);	/* layout_end() fits it */
	for (size_t i = 0; i < t->count; i++)
		if (layout_column(report, &t->set.columns[t->column[i]]) < 0)
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

#define TRUNC_MIN 10u	/* a name that is cut to less tells nothing */

/* What a table on a terminal must give up: natural widths, and the columns that are shown. */
struct fit {
	size_t width[TABLE_COLUMNS];
	bool hidden[TABLE_COLUMNS];
	bool cut[TABLE_COLUMNS];
	bool prose[TABLE_COLUMNS];	/* columns of sentences that do not fit */
	size_t prose_count;
	size_t hang;		/* where the last column's begin; 0: in lines of their own */
};

static void fit_widths(const struct report *report, struct fit *fit)
{
	const struct table *t = &report->table;
	size_t lines = scols_table_get_nlines(t->layout);

	*fit = (struct fit) { .hang = 0 };
	for (size_t i = 0; i < t->count; i++) {
		const char *title = t->set.columns[t->column[i]].title;
		size_t widest = report->options.no_headings ? 0 : text_columns(span_of(title));

		for (size_t line = 0; line < lines; line++) {
			size_t width = line_columns(scols_table_get_line(t->layout, line), i);

			widest = width > widest ? width : widest;
		}
		fit->width[i] = widest;
	}
}

static unsigned fit_flags(const struct table *t, size_t at)
{
	return t->set.columns[t->column[at]].flags;
}

/* Of columns that may be cut only `most`. */
static size_t fit_total(const struct table *t, const struct fit *fit, size_t most)
{
	size_t total = 0;

	for (size_t i = 0; i < t->count; i++) {
		bool cut = fit_flags(t, i) & COLUMN_TRUNC && fit->width[i] > most;

		if (!fit->hidden[i])
			total += 1 + (cut ? most : fit->width[i]);
	}
	return total ? total - 1 : 0;
}

static void fit_hide(const struct table *t, struct fit *fit, size_t at)
{
	struct libscols_column *column = scols_table_get_column(t->layout, at);

	fit->hidden[at] = true;
	scols_column_set_flags(column, scols_column_get_flags(column) | SCOLS_FL_HIDDEN);
}

static void fit_prose(const struct report *report, struct fit *fit)
{
	const struct table *t = &report->table;
	size_t last = t->count - 1, rest = fit_total(t, fit, SIZE_MAX) - fit->width[last];

	if (fit_flags(t, last) & COLUMN_PROSE && rest + PROSE_MIN <= report->width) {
		fit->hang = rest;
		fit->prose[last] = true;
		fit->prose_count = 1;
		return;
	}
	for (size_t i = 0; i < t->count; i++) {
		if (!(fit_flags(t, i) & COLUMN_PROSE))
			continue;
		fit_hide(t, fit, i);
		fit->prose[i] = true;
		fit->prose_count++;
	}
}

/* Makes the widest of the columns that may be cut narrower, until the rows fit. */
static void fit_shrink(const struct report *report, struct fit *fit)
{
	const struct table *t = &report->table;
	size_t total = fit_total(t, fit, SIZE_MAX);

	for (; total > report->width; total--) {
		size_t widest = t->count;

		for (size_t i = 0; i < t->count; i++)
			if (!fit->hidden[i] && fit_flags(t, i) & COLUMN_TRUNC &&
			    (widest == t->count || fit->width[i] >= fit->width[widest]))
				widest = i;
		if (widest == t->count || fit->width[widest] <= TRUNC_MIN)
			return;
		fit->width[widest]--;
		fit->cut[widest] = true;
	}
}

/* Rows that a terminal breaks cannot be read: sentences go below, then columns that can be
 * spared give way, the last one first. */
static void fit_plan(const struct report *report, struct fit *fit)
{
	const struct table *t = &report->table;

	fit_widths(report, fit);
	if (!report->cut || fit_total(t, fit, SIZE_MAX) <= report->width)
		return;
	fit_prose(report, fit);
	for (size_t i = t->count; i-- > 0 && !t->set.given &&
	     !fit->hang && fit_total(t, fit, TABLE_TRUNC) > report->width;)
		if (fit_flags(t, i) & COLUMN_SPARE && !fit->hidden[i])
			fit_hide(t, fit, i);
	if (!fit->hang)
		fit_shrink(report, fit);
}

static int cut_front(struct libscols_line *line, size_t at, size_t room, struct buf *work)
{
	const char *text = scols_cell_get_data(scols_line_get_cell(line, at));
	size_t front = text_tail(span_of(text), room);

	if (!front)
		return 0;
	buf_clear(work);
	if (buf_add_str(work, TEXT_CUT) < 0 || buf_add_str(work, text + front) < 0)
		return -1;
	return scols_line_set_data(line, at, buf_str(work)) ? -1 : 0;
}

static int cut_back(struct libscols_line *line, size_t at, size_t room, struct buf *work)
{
	struct span text = span_of(scols_cell_get_data(scols_line_get_cell(line, at)));

	if (text_columns(text) <= room)
		return 0;
	text.len = text_fit(text, room);
	buf_clear(work);
	if (buf_add_span(work, text) < 0)
		return -1;
	return scols_line_set_data(line, at, buf_str(work)) ? -1 : 0;
}

/* libsmartcols would cut the first column to its heading and keep the others, and knows only the
 * end of a cell, while of a path that is what tells it apart. */
static int fit_cut(struct report *report, const struct fit *fit)
{
	const struct table *t = &report->table;
	size_t lines = scols_table_get_nlines(t->layout);
	int rc = 0;

	for (size_t i = 0; i < t->count; i++) {
		bool tail = fit_flags(t, i) & COLUMN_TAIL;

		for (size_t l = 0; fit->cut[i] && l < lines && rc >= 0; l++)
			rc = (tail ? cut_front : cut_back)(scols_table_get_line(t->layout, l), i,
							   fit->width[i], &report->work);
	}
	return rc;
}

/* In lines of its own, behind the heading if there are several. */
static int add_below(struct report *report, const struct fit *fit, size_t at, const char *text,
		     struct buf *below)
{
	const struct table *t = &report->table;
	const char *title = fit->prose_count > 1 ? t->set.columns[t->column[at]].title : "";
	size_t indent = PROSE_INDENT + (*title ? strlen(title) + 1 : 0);

	if (!*text || !strcmp(text, "-"))
		return 0;
	if (buf_addf(below, "%*s%s%s", (int)PROSE_INDENT, "", title, *title ? " " : "") < 0)
		return -1;
	return text_wrapped(report, below, span_of(text), indent, indent);
}

/* The first line stays in the table. */
static int add_hanging(struct report *report, const struct fit *fit, struct libscols_line *line,
		       struct buf *below)
{
	size_t last = report->table.count - 1;
	const char *data = scols_cell_get_data(scols_line_get_cell(line, last));
	struct span text, first;

	buf_clear(&report->work);
	if (text_wrapped(report, &report->work, span_of(data), fit->hang, fit->hang) < 0)
		return -1;
	text = buf_span(&report->work);
	first = span_take_until(&text, '\n');
	span_take_char(&text, '\n');
	report->work.data[first.len] = '\0';
	return scols_line_set_data(line, last, first.ptr) ? -1 : buf_add_span(below, text);
}

/* What goes below the row is appended to `below`, ended by a NUL: lines, or nothing. */
static int fit_sentences(struct report *report, const struct fit *fit,
			 struct libscols_line *line, struct buf *below)
{
	int rc = 0;

	if (fit->hang)
		rc = add_hanging(report, fit, line, below);
	for (size_t i = 0; !fit->hang && i < report->table.count && rc >= 0; i++)
		if (fit->prose[i])
			rc = add_below(report, fit, i, scols_cell_get_data(
				       scols_line_get_cell(line, i)), below);
	return rc < 0 ? rc : buf_add_char(below, '\0');
}

/* libsmartcols laid the rows out: each is one line of its text. */
static int add_rows(struct report *report, struct span text, struct span below)
{
	bool heading = !report->options.no_headings;

	while (text.len) {
		struct span row = span_take_until(&text, '\n');

		span_take_char(&text, '\n');
		if (buf_add_span(&report->pending, row) < 0 ||
		    buf_add_char(&report->pending, '\n') < 0)
			return -1;
		if (!heading && buf_add_span(&report->pending, span_take_until(&below, '\0')) < 0)
			return -1;
		if (!heading)
			span_take_char(&below, '\0');
		heading = false;
	}
	return report_flush(report);
}

static int print_sentences(struct report *report, const struct fit *fit)
{
	struct libscols_table *table = report->table.layout;
	size_t lines = scols_table_get_nlines(table);
	CLEANUP(buf_done) struct buf below = BUF_INIT;
	CLEANUP_FREE char *text = NULL;

	for (size_t i = 0; i < lines; i++)
		if (fit_sentences(report, fit, scols_table_get_line(table, i), &below) < 0)
			return error_nomem(&report->error);
	if (scols_print_table_to_string(table, &text) < 0)
		return error_nomem(&report->error);
	return add_rows(report, span_of(text), buf_span(&below));
}

int layout_end(struct report *report)
{
	struct libscols_table *table = report->table.layout;
	int rc = report_flush(report);
	struct fit fit;

	fit_plan(report, &fit);
	if (rc >= 0 && report->cut && fit_cut(report, &fit) < 0)
		rc = error_nomem(&report->error);

	errno = 0;
	if (rc >= 0)
		rc = fit.prose_count ? print_sentences(report, &fit) : scols_print_table(table);
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
