/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_H
#define VMATLAS_RENDER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"
#include "vmatlas/render/cell.h"
#include "vmatlas/render/scratch.h"

/*
 * One report, told once by a command and drawn by one of the renderers: text (facts, tables,
 * prose), raw or pairs, or JSON. The command never asks which one is at work: what is for
 * people only goes through report_prose() and report_heading(), what is for scripts only has
 * REPORT_JSON_ONLY, what both get has both forms from the same cell.
 *
 * Everything is streamed. A report that was begun is always ended by report_end(), also after a
 * failure: the JSON is then complete and valid, and holds the warning.
 */
/*
 * Text is for people. Raw and pairs show one kind of line: the tables that have the columns of
 * the first one, or the facts if the report has no table. Sizes are exact, a missing value is
 * "-", an empty text in raw "", and a gap in pairs adds NAME_MISSING="reason".
 */
enum report_format { REPORT_TEXT, REPORT_RAW, REPORT_PAIRS, REPORT_JSON };
enum report_when { REPORT_AUTO, REPORT_ALWAYS, REPORT_NEVER };

struct report_options {
	enum report_format format;
	enum report_when color;
	bool bytes;		/* sizes exact */
	bool no_headings;
	bool verbose;		/* -v */
	bool one_line;		/* JSON: the whole document on one line */
	unsigned width;		/* 0: the terminal's, or 80; no cut
				 * when the output is no terminal */
	size_t top;		/* of sorted tables only the first rows, so many; 0: all */
	const char *sort;	/* rows of tables that have this column,
				 * "-rss": descending; or NULL */
};

struct report;

/* `schema` is "vmatlas/map". The output stream stays the caller's. */
int report_new(FILE *out, const char *schema, const struct report_options *options,
	       struct report **report, struct error *error);
/* Ends open arrays and objects, writes footnotes and warnings, returns the first failure of the
 * report itself (writing, memory, nesting). */
int report_end(struct report *report, struct error *error);
void report_free(struct report *report);

enum report_flag {
	REPORT_JSON_ONLY = 1 << 0,
	REPORT_TEXT_ONLY = 1 << 1
};

/* A fact: "name": value in JSON; "title   value" in text, aligned within its section. `name`
 * may be NULL with REPORT_TEXT_ONLY and `title` NULL with REPORT_JSON_ONLY. */
int report_fact(struct report *report, const char *name, const char *title, struct cell cell,
		unsigned flags);
/* JSON object around the following members; in text a section with that title (NULL: none). */
int report_object_begin(struct report *report, const char *name, const char *title);
int report_object_end(struct report *report);
/* JSON array of whatever comes; elements are objects begun with name NULL, or plain cells
 * through report_element(). */
int report_array_begin(struct report *report, const char *name, const char *title);
int report_element(struct report *report, struct cell cell);
int report_array_end(struct report *report);

/* For people only. Prose is wrapped to the width; `fmt` results must be escaped or our own:
 * parts from a target go through escape_add() first. */
int report_heading(struct report *report, const char *text);
int report_prose(struct report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int report_line(struct report *report, const char *text);	/* as it is, not wrapped */
/* With a name in it, which on a terminal is cut at its front so that the line fits. */
int report_line_named(struct report *report, const char *before, struct span name,
		      const char *behind);
/* The same for ASCII of ours with a colour per byte: SGR parameters, or NULL for none. */
int report_painted(struct report *report, const char *text, const char *const *colors);

/* A warning: in `warnings` at the end of the JSON, and in text as a footnote. `message` may
 * hold target bytes: it is escaped here. Raw and pairs have no place for it: the caller tells
 * it through report_warning_get(). `code` is a string of the program. */
int report_warning(struct report *report, const char *code, struct span message);
/* The nth warning, escaped for a terminal, appended to text; false when there is none. */
bool report_warning_get(const struct report *report, size_t nth, struct buf *text);
/* Was anything missing for a reason (a gap with a code), or is there a warning? For --strict. */
bool report_incomplete(const struct report *report);

/* Lets the reader have what was said so far; for reports that go on for long. */
int report_sync(struct report *report);

bool report_is_text(const struct report *report);	/* for skipping expensive text-only work */
bool report_is_json(const struct report *report);
bool report_is_empty(const struct report *report);	/* text: nothing was said yet */
const struct report_options *report_options(const struct report *report);

/*
 * Tables. One designated array of columns per row type; help, -o, --list-columns, the table and
 * the JSON members all come from it.
 */
enum column_flag {
	COLUMN_DEFAULT = 1 << 0,	/* shown in text without -o */
	COLUMN_JSON = 1 << 1,		/* a member of the contract: in JSON without -o */
	COLUMN_RIGHT = 1 << 2,
	COLUMN_TRUNC = 1 << 3,		/* may be cut to fit a terminal */
	COLUMN_VERBOSE = 1 << 4,	/* shown in text with -v */
	COLUMN_HEX_BYTES = 1 << 5,	/* CELL_BYTES: add <name>_hex when escaped in JSON */
	COLUMN_HEX_HUGE = 1 << 6,	/* CELL_COUNT: above 2^63-1 in <name>_hex, and null */
	COLUMN_SPARE = 1 << 7,		/* gives way on a narrow terminal if -o does not name it */
	COLUMN_TAIL = 1 << 8,		/* with COLUMN_TRUNC: cut at the
					 * front, a path's end tells more */
	COLUMN_PROSE = 1 << 9		/* sentences: wrapped where they do not fit a terminal */
};

struct column {
	const char *name;		/* JSON member and -o name (matched without case): "rss" */
	const char *title;		/* heading: "RSS" */
	const char *help;
	unsigned flags;
	unsigned needs;			/* what reading it costs: the command's own bits */
	uint8_t width;			/* usual width, for tables printed while they are read */
	/* Fills *cell for this row; may use scratch, which is cleared before each row. */
	void (*get)(const void *ctx, const void *row, struct cell *cell, struct scratch *scratch);
};

/* A selection of columns: indexes into the array, in the order of printing. */
struct column_set {
	const struct column *columns;	/* last entry has name NULL */
	uint8_t chosen[64];
	size_t count;
	uint64_t json;			/* bit per column: a member of the JSON */
	bool given;			/* -o was used: JSON has just these */
};

/* list: "a,b", "+a" adds to the defaults, NULL the defaults. ERROR_USAGE names the bad one. */
int column_set_choose(struct column_set *set, const struct column *columns, const char *list,
		      bool verbose, struct error *error);
unsigned column_set_needs(const struct column_set *set, bool json);
/* The same for this report: with what --sort needs though its column is not shown. */
unsigned report_needs(const struct report *report, const struct column_set *set);
/* By name or title, without case; NULL if there is none. */
const struct column *column_named(const struct column *columns, const char *name);

/* rows_hint: number of rows if known, 0 if not. Above a few thousand rows (or 0) the table is
 * printed as it is read with the columns' usual widths; below, libsmartcols lays it out. */
int report_table_begin(struct report *report, const char *name, const char *title,
		       const struct column_set *set, const void *ctx, size_t rows_hint);
int report_row(struct report *report, const void *row);
int report_table_end(struct report *report);

#endif
