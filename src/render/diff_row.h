/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_DIFF_ROW_H
#define RENDER_DIFF_ROW_H

#include "columns.h"
#include "vmatlas/render/report_diff.h"

/* Why sums may be missing; see struct comparison. */
struct diff_gaps {
	enum gap pages, smaps, count;
};

struct diff_ctx {
	const struct comparison *comparison;	/* NULL in a report about a group */
	struct diff_gaps gaps;
	uint32_t page_size;
	enum compare_kin kin;
	bool frames;				/* are comparable */
	bool json;
};

/* A column's get(): the expression may use ctx, row and scratch. */
#define DIFF_GETTER(name, expression) \
	COLUMN_VALUE_OF(get_##name, const struct diff_ctx *ctx, const void *row, expression)

struct diff_ctx diff_ctx_of(const struct report *report, const struct comparison *comparison);

/* diff_cells.c: a sum of both sides; the difference for people, both values for JSON. */
enum diff_sum { DIFF_SIZE, DIFF_RSS, DIFF_PSS, DIFF_USS, DIFF_SWAP, DIFF_COPIED, DIFF_SHARED };
struct cell diff_sum_cell(const struct diff_ctx *ctx, const struct compare_sum sum[SIDE_MAX],
			  enum diff_sum which, struct scratch *scratch);
/* {"anon>swap": 12} */
struct cell diff_pages_cell(const struct compare_transition *items, size_t count,
			    struct scratch *scratch);
/* Pages whose frame stayed, and whose frame is another: {"same": 4, "other": 1} */
struct cell diff_frames_cell(const struct comparison *comparison,
			     const struct compare_transition *items, size_t count,
			     struct scratch *scratch);
/* The VMA of a side as an object, or null. */
struct cell diff_vma_cell(const struct comparison *comparison, const struct compare_match *match,
			  enum compare_side side, struct scratch *scratch);

/* diff_phrase.c: what a transition means: "copied since"; "" where nothing is to be said. */
const char *diff_meaning(enum compare_kin kin, const struct compare_transition *transition);
/* One sentence about a row; target bytes in it are not escaped yet. */
struct span diff_sentence(const struct comparison *comparison, size_t row,
			  struct scratch *scratch);
/* The sentence at the top. */
void diff_summary(const struct comparison *comparison, struct buf *text);

/* report_diff_tables.c */
int report_diff_transitions(struct report *report, const struct diff_ctx *ctx,
			    const struct compare_tally *total, struct error *error);
int report_diff_classes(struct report *report, const struct diff_ctx *ctx, struct error *error);
/* report_diff_files.c */
int report_diff_files(struct report *report, const struct diff_ctx *ctx, struct error *error);
/* report_diff_totals.c */
int report_diff_totals(struct report *report, const struct diff_ctx *ctx,
		       const struct compare_sum sum[SIDE_MAX], struct error *error);

#endif
