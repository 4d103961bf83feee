// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "columns.h"
#include "render.h"
#include "report_share.h"

/* More processes than this are no table that anybody reads: their heaviest pairs are listed. */
#define MATRIX_MAX 20u

struct pair {
	uint32_t a;
	uint32_t b;
	uint64_t bytes;
};

struct pairs {
	struct pair *items;
	size_t count;
	size_t cap;
};

struct pair_row {
	const struct share *share;
	const struct tally_process *list;
	const struct pair *pair;
};

#define PAIR_GETTER(name, expression) \
	COLUMN_VALUE(pair_##name, const struct pair_row *row, expression)

PAIR_GETTER(pid_a, cell_count((uint64_t)row->list[row->pair->a].pid))
PAIR_GETTER(comm_a, share_comm(row->share, row->pair->a))
PAIR_GETTER(pid_b, cell_count((uint64_t)row->list[row->pair->b].pid))
PAIR_GETTER(comm_b, share_comm(row->share, row->pair->b))
PAIR_GETTER(shared, cell_size(row->pair->bytes))

const struct column share_pair_columns[] = {
	{ "shared", "SHARED", "bytes that both map", NUMBER, 0, 6, pair_shared },
	{ "pid_a", "PID", "one process", NUMBER, 0, 7, pair_pid_a },
	{ "comm_a", "COMM", "its name", BOTH, 0, 15, pair_comm_a },
	{ "pid_b", "PID-2", "the other", NUMBER, 0, 7, pair_pid_b },
	{ "comm_b", "COMM-2", "its name", BOTH, 0, 15, pair_comm_b },
	{ NULL },
};

static int pair_compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->a != y->a ? (x->a > y->a ? 1 : -1) : (x->b > y->b) - (x->b < y->b);
}

static int collect(const struct share *share, struct pairs *pairs)
{
	for (uint32_t a = 0; a < share->count; a++)
		for (uint32_t b = a + 1; b < share->count; b++) {
			uint64_t bytes = share_pair(share, a, b);

			if (!bytes)
				continue;
			if (array_grow((void **)&pairs->items, &pairs->cap, pairs->count,
				       sizeof(*pairs->items)) < 0)
				return -1;
			pairs->items[pairs->count++] = (struct pair) { a, b, bytes };
		}
	if (pairs->count)
		qsort(pairs->items, pairs->count, sizeof(*pairs->items), pair_compare);
	return 0;
}

static int add_list(struct report *report, const struct share *share,
		    const struct share_show *show)
{
	bool all = report_is_json(report) || show->rows == SHARE_ROWS_PAIRS;
	struct pair_row row = { share, share_list(share), NULL };
	struct pairs pairs = { NULL, 0, 0 };
	size_t shown;
	int rc = collect(share, &pairs);

	shown = all || pairs.count < SHARE_ROWS_SHORT ? pairs.count : SHARE_ROWS_SHORT;
	if (rc >= 0)
		rc = report_table_begin(report, "pairs", all ? "Shared by pairs" :
					"Pairs that share most", &show->columns[SHARE_ROWS_PAIRS],
					NULL, shown);
	for (size_t i = 0; i < shown && rc >= 0; i++) {
		row.pair = &pairs.items[i];
		rc = report_row(report, &row);
	}
	if (rc >= 0)
		rc = report_table_end(report);
	if (rc >= 0 && shown < pairs.count)
		rc = report_prose(report, "%zu more pairs; --pairs-of lists all.",
				  pairs.count - shown);
	free(pairs.items);
	return rc;
}

static unsigned digits_of(pid_t pid)
{
	unsigned digits = 1;

	while (pid >= 10) {
		pid /= 10;
		digits++;
	}
	return digits;
}

static int add_cell(struct report *report, struct buf *line, struct cell cell, size_t width)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (cell_add(report, &text, &cell, ESCAPE_TERMINAL) < 0)
		return -1;
	return buf_addf(line, "%*s", (int)width, buf_str(&text));
}

/* The widest size, and a blank. */
static size_t matrix_width(struct report *report, const struct share *share, size_t pid_width)
{
	size_t width = pid_width;

	for (size_t a = 0; a < share->count; a++)
		for (size_t b = 0; b < a; b++) {
			CLEANUP(buf_done) struct buf text = BUF_INIT;
			struct cell cell = cell_size(share_pair(share, a, b));

			if (cell_add(report, &text, &cell, ESCAPE_TERMINAL) >= 0 &&
			    text.len > width)
				width = text.len;
		}
	return width + 1;
}

/* Rows of `first` and those below; what lies right of the diagonal would only repeat. */
static int matrix_rows(struct report *report, const struct share *share, size_t first,
		       size_t end, size_t pid_width, size_t width)
{
	const struct tally_process *list = share_list(share);
	int rc = 0;

	for (size_t a = first + 1; a < share->count && rc >= 0; a++) {
		CLEANUP(buf_done) struct buf line = BUF_INIT;

		rc = add_cell(report, &line, cell_count((uint64_t)list[a].pid), pid_width);
		for (size_t b = first; b < end && b < a && rc >= 0; b++)
			rc = add_cell(report, &line, cell_size(share_pair(share, a, b)), width);
		if (rc >= 0)
			rc = report_line(report, buf_str(&line));
	}
	return rc;
}

/* Blocks of as many columns as fit the width. */
static int add_matrix(struct report *report, const struct share *share)
{
	const struct tally_process *list = share_list(share);
	size_t pid_width = 3, width, fit;
	int rc = report_heading(report, "Shared by each pair");

	for (size_t i = 0; i < share->count; i++)
		if (digits_of(list[i].pid) > pid_width)
			pid_width = digits_of(list[i].pid);
	width = matrix_width(report, share, pid_width);
	fit = report->width > pid_width + width ? (report->width - pid_width) / width : 1;
	for (size_t first = 0; first + 1 < share->count && rc >= 0; first += fit) {
		CLEANUP(buf_done) struct buf line = BUF_INIT;
		size_t end = first + fit < share->count - 1 ? first + fit : share->count - 1;

		rc = buf_addf(&line, "%*s", (int)pid_width, "PID");
		for (size_t b = first; b < end && rc >= 0; b++)
			rc = add_cell(report, &line, cell_count((uint64_t)list[b].pid), width);
		if (rc >= 0)
			rc = report_line(report, buf_str(&line));
		if (rc >= 0)
			rc = matrix_rows(report, share, first, end, pid_width, width);
	}
	return rc;
}

int share_add_pairs(struct report *report, const struct share *share,
		    const struct share_show *show)
{
	if (share->count < 2 && show->rows != SHARE_ROWS_PAIRS && !report_is_json(report))
		return 0;
	if (!share->pairs)
		return report_fact(report, "pairs", "shared by pairs", cell_missing(
			share->pairs_gap != GAP_NONE ? share->pairs_gap :
			tally_totals(share->tally)->frames_gap), 0);
	if (report_is_text(report) && show->rows != SHARE_ROWS_PAIRS &&
	    share->count <= MATRIX_MAX)
		return add_matrix(report, share);
	return add_list(report, share, show);
}
