/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include "vmatlas/base/buf.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/render/document.h"
#include "vmatlas/render/escape.h"
#include "vmatlas/render/report.h"

/* Containers may be nested this deep; more is a mistake of the program. */
#define REPORT_DEPTH 32
/* Up to this many rows libsmartcols lays a table out: it needs them all at once, and 4 us each. */
#define TABLE_LAYOUT_ROWS 2000
/* --sort holds this many rows; more are printed as they come, with a warning. */
#define TABLE_SORT_ROWS 200000
#define TABLE_COLUMNS 64
/* What a column that may be cut to fit a terminal should keep. */
#define TABLE_TRUNC 20u

/* What a renderer does. Each returns 0 or negative; a NULL member means "nothing to do". The
 * cells of a row are those of table.column[], in that order. */
struct report_ops {
	int (*begin)(struct report *report, const char *schema);
	int (*fact)(struct report *report, const char *name, const char *title,
		    const struct cell *cell);
	int (*open)(struct report *report, const char *name, const char *title, bool array);
	int (*close)(struct report *report, bool array);
	int (*element)(struct report *report, const struct cell *cell);
	int (*table_begin)(struct report *report, const char *name, const char *title);
	int (*row)(struct report *report, const struct cell *cells);
	int (*table_end)(struct report *report);
	int (*heading)(struct report *report, const char *text);
	int (*prose)(struct report *report, struct span text);
	int (*line)(struct report *report, const char *text);
	int (*end)(struct report *report);
};

struct table_row {
	struct cell *cells;	/* as drawn, then the sort key */
	size_t number;		/* keeps the sort stable */
};

/* How a column is drawn in a table that is streamed, in JSON its member's name. */
struct table_field {
	struct span name;
	uint8_t width;		/* usual width or title, the larger; 0: not padded */
	bool right;
	uint16_t room;		/* cut to that; 0: not */
	bool cut;		/* ends with the terminal's line */
	bool prose;		/* last, and wrapped below its beginning */
	char end;		/* what stands behind it */
};

struct table {
	struct column_set set;	/* a copy: a report ends its table also when the caller is gone */
	const void *ctx;
	uint8_t column[TABLE_COLUMNS];	/* indexes of the columns drawn */
	size_t count;
	struct table_field field[TABLE_COLUMNS];	/* if streamed */
	bool muted;			/* raw and pairs: of another kind than the first */
	bool streamed;			/* laid out with the columns' usual widths */
	const struct column *sort;	/* NULL: rows go out as they come */
	bool descending;
	struct scratch *store;		/* deep copies of held rows */
	struct table_row *rows;
	size_t row_count;
	size_t row_cap;
	void *layout;			/* struct libscols_table of table.c */
};

#define TEXT_BOLD "\033[1m"
#define TEXT_PLAIN "\033[0m"

/* In how many columns sentences still read well; with less they begin a line of their own. */
#define PROSE_MIN 40u
#define PROSE_INDENT 4u

struct warning {
	const char *code;	/* a string of the program: never freed */
	struct buf message;	/* raw bytes */
};

struct report {
	FILE *out;
	const struct report_ops *ops;
	struct report_options options;
	unsigned width;			/* columns of prose; of tables too if `cut` */
	bool cut;
	bool color;
	int rc;				/* first failure; everything after it is ignored */
	struct error error;
	bool ended;

	struct buf pending;		/* output on its way */
	struct buf work;		/* one cell or paragraph */
	struct scratch *scratch;
	bool array[REPORT_DEPTH];	/* open containers: array or object */
	bool comma[REPORT_DEPTH];	/* JSON: something was written into it */
	size_t depth;
	bool in_table;
	struct table table;

	unsigned gaps;			/* bit per enum gap seen */
	bool incomplete;		/* or one in a row that was not printed */
	uint8_t gap_order[GAP_MAX];	/* footnote number of each, from 1 */
	uint8_t gap_count;
	struct warning *warnings;
	size_t warning_count;
	size_t warning_cap;

	struct buf facts;		/* text and scripts: facts that wait */
	bool wrote;			/* text: something stands above */
	bool had_table;
	const struct column *script_columns;	/* raw and pairs: of the first table */

	struct source *source;		/* of report_document_begin() */
	struct source_process *process;
	bool has_process;		/* JSON: the member was written */
	uint64_t start_us;
};

extern const struct report_ops text_ops, raw_ops, pairs_ops, json_ops;
/* A paragraph: lines but the first begin behind `indent` blanks, the first at `column`. */
int text_wrapped(struct report *report, struct buf *out, struct span text, size_t indent,
		 size_t column);
/* text_facts.c */
int text_fact(struct report *report, const char *name, const char *title,
	      const struct cell *cell);
int text_facts_flush(struct report *report);
int text_painted(struct report *report, const char *text, const char *const *colors);

/* Most words have four to sixteen bytes: two moves that may overlap need no call. */
static inline char *put_text(char *at, struct span text)
{
	char *end = at + text.len;

	if (text.len - 8 <= 8) {
		memcpy(at, text.ptr, 8);
		memcpy(end - 8, text.ptr + text.len - 8, 8);
	} else if (text.len - 4 < 4) {
		memcpy(at, text.ptr, 4);
		memcpy(end - 4, text.ptr + text.len - 4, 4);
	} else if (text.len) {
		memcpy(at, text.ptr, text.len);
	}
	return end;
}

/* report.c */
int report_fail(struct report *report, int rc);		/* records the first failure */
int report_flush(struct report *report);
int report_flush_full(struct report *report);		/* only when much is pending */
bool cell_is_missing(const struct cell *cell);		/* for a reason, in some part */
void report_note_gaps(struct report *report, const struct cell *cell);

/* celltext.c: the textual form of a cell for terminal, raw or pairs. */
int cell_add(struct report *report, struct buf *out, const struct cell *cell,
	     enum escape_for where);
#define CELL_DIGITS 32
/* Plain numbers without a buffer: length of the text at *text (somewhere inside room), or 0 for
 * other types. */
size_t cell_number(char room[CELL_DIGITS], const struct cell *cell, bool exact,
		   const char **text);
size_t text_columns(struct span text);			/* columns on a terminal */
/* Bytes of the longest front that fits into that many columns. */
size_t text_fit(struct span text, size_t columns);
/* What of a longer text stays away at its front where TEXT_CUT comes in its place, in bytes; 0 if
 * it fits. */
size_t text_tail(struct span text, size_t columns);
#define TEXT_CUT "..."

/* rows.c: sorting. */
int table_rows_hold(struct report *report, const struct cell *cells);
int table_rows_flush(struct report *report);
void table_rows_free(struct table *table);

/* table.c (libsmartcols) and stream.c (fixed widths) draw the rows of text tables. */
int layout_begin(struct report *report);
int layout_row(struct report *report, const struct cell *cells);
int layout_end(struct report *report);
void layout_free(struct table *table);
int stream_begin(struct report *report);
int stream_row(struct report *report, const struct cell *cells);

/* document.c: what stands behind the contents: access and cost. */
int document_end(struct report *report);
/* document_process.c */
int document_process_missing(struct report *report);
/* json.c: the warnings of the report. */
int json_warnings(struct report *report);

#endif
