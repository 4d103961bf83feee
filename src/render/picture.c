// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "cow_row.h"

/* One cell per page, or per group of pages in a large VMA: the letter of the state that most of
 * the group's pages have. Readable without colour. */
#define CELLS_MAX 1024u		/* of one VMA */
#define INDENT "  "
#define LINE_MAX_CELLS 66u	/* with the indent */

static const struct {
	char letter;
	const char *color;	/* SGR parameters */
} looks[STATE_MAX] = {
	[STATE_UNTOUCHED] = { '.', "2" },
	[STATE_ZERO] = { '0', "2;36" },
	[STATE_ANON] = { 'A', "32" },
	[STATE_ANON_SHARED] = { 'a', "33" },
	[STATE_FILE] = { 'f', "34" },
	[STATE_COPY] = { 'C', "1;31" },
	[STATE_COPY_SHARED] = { 'c', "35" },
	[STATE_OBJECT] = { 'o', "36" },
	[STATE_KSM] = { 'K', "1;33" },
	[STATE_SWAP] = { 'S', "1;34" },
	[STATE_GUARD] = { '#', "2;31" },
	[STATE_MARKER] = { 'M', "1;35" },
	[STATE_MIGRATING] = { '~', "1;36" },
	[STATE_KERNEL] = { 'k', "37" },
	[STATE_OPAQUE] = { '?', "2" },
	[STATE_UNKNOWN] = { '!', "31" },
};

struct picture {
	struct report *report;
	uint64_t group;			/* pages per cell */
	uint64_t filled;		/* pages of the cell at work */
	uint64_t states[STATE_MAX];	/* of the cell at work */
	bool used[STATE_MAX];
	size_t column;
	char line[LINE_MAX_CELLS + 1];
	const char *colors[LINE_MAX_CELLS];
};

int picture_begin(struct report *report, struct picture **picture)
{
	struct picture *p = calloc(1, sizeof(*p));

	if (!p)
		return -ERROR_NOMEM;
	p->report = report;
	*picture = p;
	return 0;
}

void picture_free(struct picture *picture)
{
	free(picture);
}

static int end_line(struct picture *picture)
{
	if (!picture->column)
		return 0;
	picture->line[picture->column] = 0;
	picture->column = 0;
	return report_painted(picture->report, picture->line, picture->colors);
}

static void put(struct picture *picture, char c, const char *color)
{
	if (picture->column == LINE_MAX_CELLS)
		return;
	picture->line[picture->column] = c;
	picture->colors[picture->column++] = color;
}

static void put_text(struct picture *picture, const char *text)
{
	while (*text)
		put(picture, *text++, NULL);
}

static int put_cell(struct picture *picture, enum page_state state)
{
	if (!picture->column)
		put_text(picture, INDENT);
	put(picture, looks[state].letter, looks[state].color);
	picture->used[state] = true;
	return picture->column == LINE_MAX_CELLS ? end_line(picture) : 0;
}

/* The rarest states are what one looks for: a copy among file pages wins the cell. */
static enum page_state cell_state(const struct picture *picture)
{
	enum page_state best = STATE_UNTOUCHED;
	uint64_t most = 0;

	for (int state = 0; state < STATE_MAX; state++) {
		uint64_t weight = picture->states[state] * (state == STATE_UNTOUCHED ? 1 : 2);

		if (weight > most) {
			most = weight;
			best = (enum page_state)state;
		}
	}
	return best;
}

static int end_cell(struct picture *picture)
{
	enum page_state state = cell_state(picture);

	if (!picture->filled)
		return 0;
	picture->filled = 0;
	memset(picture->states, 0, sizeof(picture->states));
	return put_cell(picture, state);
}

int picture_vma(struct picture *picture, const struct cow_row *row)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT, cells = BUF_INIT;
	uint64_t pages = vma_pages(row->process, row->vma);
	struct span name = vma_name(row->process, row->vma);

	picture->group = 1;
	while (pages / picture->group > CELLS_MAX)
		picture->group *= 2;
	buf_add_hex(&text, row->vma->start, 8);
	buf_addf(&text, " %s %s ", name_of(vma_class_names, row->vma->vma_class),
		 name_of(vma_role_names, row->vma->role));
	if (picture->group > 1)
		buf_addf(&cells, " (%llu pages per cell)", (unsigned long long)picture->group);
	return report_line_named(picture->report, buf_str(&text), name, buf_str(&cells));
}

int picture_run(struct picture *picture, const struct cow_run *run)
{
	uint64_t left = run->pages;

	while (left) {
		uint64_t n = picture->group - picture->filled;

		if (n > left)
			n = left;
		picture->states[run->verdict.state] += n;
		picture->filled += n;
		left -= n;
		if (picture->filled == picture->group && end_cell(picture) < 0)
			return -ERROR_NOMEM;
	}
	return 0;
}

int picture_vma_end(struct picture *picture)
{
	if (end_cell(picture) < 0)
		return -ERROR_NOMEM;
	return end_line(picture);
}

int picture_end(struct picture *picture)
{
	int rc = report_line(picture->report, "");

	for (int state = 0; state < STATE_MAX && rc >= 0; state++) {
		const char *name = name_of(page_state_names, (uint64_t)state);

		if (!picture->used[state])
			continue;
		put_cell(picture, (enum page_state)state);
		put(picture, ' ', NULL);
		put_text(picture, name ? name : "could not be read");
		rc = end_line(picture);
	}
	return rc;
}
