// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>

#include "render.h"

/*
 * Raw: columns separated by one blank, as other util-linux tools have with --raw. Pairs:
 * NAME="value", fit for a shell's eval. Every line has one shape: only tables of the kind that
 * comes first are shown, or the facts of a report without a table, which wait until it is known.
 */
static int add_key(struct buf *out, const char *name, const char *suffix)
{
	/* What a shell could not do without, or does not let be set. */
	static const char *const shells_own[] = { "path", "uid", "ppid" };

	for (size_t i = 0; i < ARRAY_SIZE(shells_own); i++)
		if (!strcmp(name, shells_own[i]) && buf_add_str(out, "VM_") < 0)
			return -1;
	for (; *name; name++)
		if (buf_add_char(out, isalnum((unsigned char)*name) ?
				 (char)toupper((unsigned char)*name) : '_') < 0)
			return -1;
	return buf_add_str(out, suffix);
}

static int add_pair(struct report *report, struct buf *out, const char *name,
		    const struct cell *cell)
{
	if (add_key(out, name, "=\"") < 0 || cell_add(report, out, cell, ESCAPE_PAIRS) < 0 ||
	    buf_add_char(out, '"') < 0)
		return -1;
	if (cell->type != CELL_MISSING || !gap_name(cell->gap)[0])
		return 0;
	if (buf_add_char(out, ' ') < 0 || add_key(out, name, "_MISSING=\"") < 0 ||
	    buf_add_str(out, gap_name(cell->gap)) < 0)
		return -1;
	return buf_add_char(out, '"');
}

static int pairs_fact(struct report *report, const char *name, const char *title,
		      const struct cell *cell)
{
	(void)title;
	if (report->had_table || !name)
		return 0;
	if (add_pair(report, &report->facts, name, cell) < 0)
		return -1;
	return buf_add_char(&report->facts, '\n');
}

static int raw_fact(struct report *report, const char *name, const char *title,
		    const struct cell *cell)
{
	(void)title;
	if (report->had_table || !name)
		return 0;
	if (escape_add(&report->facts, span_of(name), ESCAPE_RAW) < 0 ||
	    buf_add_char(&report->facts, ' ') < 0 ||
	    cell_add(report, &report->facts, cell, ESCAPE_RAW) < 0)
		return -1;
	return buf_add_char(&report->facts, '\n');
}

static int script_element(struct report *report, const struct cell *cell)
{
	(void)report;
	(void)cell;
	return 0;
}

static int script_table_begin(struct report *report, const char *name, const char *title)
{
	(void)name;
	(void)title;
	buf_clear(&report->facts);
	if (!report->script_columns)
		report->script_columns = report->table.set.columns;
	report->table.muted = report->script_columns != report->table.set.columns;
	return 0;
}

static int raw_table_begin(struct report *report, const char *name, const char *title)
{
	struct table *t = &report->table;

	script_table_begin(report, name, title);
	if (report->options.no_headings || report->wrote)
		return 0;
	report->wrote = true;
	for (size_t i = 0; i < t->count; i++)
		if (escape_add(&report->pending, span_of(t->set.columns[t->column[i]].title),
			       ESCAPE_RAW) < 0 ||
		    buf_add_char(&report->pending, i + 1 < t->count ? ' ' : '\n') < 0)
			return -1;
	return 0;
}

static int raw_row(struct report *report, const struct cell *cells)
{
	struct table *t = &report->table;

	if (t->muted)
		return 0;
	for (size_t i = 0; i < t->count; i++)
		if (cell_add(report, &report->pending, &cells[i], ESCAPE_RAW) < 0 ||
		    buf_add_char(&report->pending, i + 1 < t->count ? ' ' : '\n') < 0)
			return -1;
	return report_flush_full(report);
}

static int pairs_row(struct report *report, const struct cell *cells)
{
	struct table *t = &report->table;

	if (t->muted)
		return 0;
	for (size_t i = 0; i < t->count; i++)
		if (add_pair(report, &report->pending, t->set.columns[t->column[i]].name,
			     &cells[i]) < 0 ||
		    buf_add_char(&report->pending, i + 1 < t->count ? ' ' : '\n') < 0)
			return -1;
	return report_flush_full(report);
}

static int script_table_end(struct report *report)
{
	(void)report;
	return 0;
}

static int script_end(struct report *report)
{
	return report->had_table ? 0 : buf_add_span(&report->pending, buf_span(&report->facts));
}

const struct report_ops raw_ops = {
	.fact = raw_fact,
	.element = script_element,
	.table_begin = raw_table_begin,
	.row = raw_row,
	.table_end = script_table_end,
	.end = script_end,
};

const struct report_ops pairs_ops = {
	.fact = pairs_fact,
	.element = script_element,
	.table_begin = script_table_begin,
	.row = pairs_row,
	.table_end = script_table_end,
	.end = script_end,
};
