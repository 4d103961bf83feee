// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_runs.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmatlas/base/search.h"

#define WINDOW (256u << 10)
#define INDEX_STEP (4u << 10)	/* at first; twice as much each time the index is full */
#define INDEX_MAX 65536u
#define LOOK_BACK (64u << 10)
#define RUN_LINE_MAX 80u	/* four numbers of 16 digits */
/* No page or frame has a larger number: 64 bits of address in pages of 1 KiB. */
#define NUMBER_END (1ULL << 54)
/* Of all runs together: 32 TiB in pages of 4 KiB take some seconds. */
#define PAGES_MAX (1ULL << 33)

/* Where a line begins. */
struct place {
	uint64_t offset;
	uint64_t number;	/* FIRST of it */
	uint64_t before;	/* one more than what the line above ends with */
	unsigned long line;
};

struct snapshot_runs {
	struct source *source;
	struct snapshot_file file;
	char name[SNAPSHOT_NAME_MAX];
	struct place start;	/* of the first run */
	char *text;		/* WINDOW bytes, and zeros behind what is in it */
	uint64_t offset;	/* in the file, of text[0] */
	size_t at, len;
	unsigned long line;	/* of text[at] */
	uint64_t before;	/* one more than the run above `run` ends with */
	struct snapshot_run run;	/* read last */
	bool has_run;
	bool ended;		/* nothing is behind `run` */
	uint64_t counted;	/* the file up to here has so many in its runs: */
	uint64_t pages;
	uint64_t index_step;
	struct place *index;
	size_t index_count, index_cap;
};

static int bad_line(const struct snapshot_runs *r, struct error *error, const char *text)
{
	error_set(error, ERROR_DAMAGED, r->name, "%s", text);
	if (error)
		error->line = r->line;
	return -ERROR_DAMAGED;
}

/* Keeps what is left of the window, and a little of what lies before it because readers go back
 * by a few frames; fills the rest. */
static int fill(struct snapshot_runs *r, struct error *error)
{
	uint64_t next = r->offset + r->len, left = r->file.size - next;
	size_t back = r->at < LOOK_BACK ? r->at : LOOK_BACK;
	size_t drop = r->at - back, rest = r->len - drop, room = WINDOW - rest;
	ssize_t got;

	memmove(r->text, r->text + drop, rest);
	r->offset += drop;
	r->at = back;
	r->len = rest;
	got = source_pread(r->source, r->file.fd, r->text + rest, left < room ? left : room,
			   r->file.base + next);
	if (got < 0)
		return error_errno(error, -(int)got, r->name, "read");
	r->len += (size_t)got;
	memset(r->text + r->len, 0, RUN_LINE_MAX);
	return 0;
}

static const uint8_t digits[256] = {
	['0'] = 16, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	['a'] = 10, 11, 12, 13, 14, 15,
};

/* Lower-case digits, at most 16: NULL if there are none or more. */
static const char *take_number(const char *p, uint64_t *value)
{
	const char *from = p;
	uint64_t number = 0;
	uint8_t digit;

	while ((digit = digits[(uint8_t)*p])) {
		number = number << 4 | (digit & 15);
		p++;
	}
	*value = number;
	return (size_t)(p - from - 1) < 16 ? p : NULL;
}

/* "7f1c2a400+200 8180000000123400+1": behind the newline, or NULL. */
static const char *take_run(const char *p, struct snapshot_run *run)
{
	uint64_t count = 1, step = 0;

	p = take_number(p, &run->first);
	if (p && *p == '+')
		p = take_number(p + 1, &count);
	if (!p || *p++ != ' ')
		return NULL;
	p = take_number(p, &run->word);
	if (p && (*p == '+' || *p == '-')) {
		bool down = *p == '-';

		p = take_number(p + 1, &step);
		step = down ? -step : step;
	}
	if (!p || *p != '\n' || !count || __builtin_add_overflow(run->first, count, &run->end))
		return NULL;
	run->step = step;
	return p + 1;
}

/* Keeps every second place: the index stays small, whatever the length of the file. */
static void thin_index(struct snapshot_runs *r)
{
	for (size_t i = 0; i < r->index_count / 2; i++)
		r->index[i] = r->index[2 * i + 1];
	r->index_count /= 2;
	r->index_step *= 2;
}

static int note_place(struct snapshot_runs *r, uint64_t offset, uint64_t number,
		      struct error *error)
{
	uint64_t last = r->index_count ? r->index[r->index_count - 1].offset : r->start.offset;

	if (offset < last + r->index_step)
		return 0;
	if (r->index_count == INDEX_MAX)
		thin_index(r);
	if (array_grow((void **)&r->index, &r->index_cap, r->index_count,
		       sizeof(*r->index)) < 0)
		return error_nomem(error);
	r->index[r->index_count++] = (struct place) { offset, number, r->before, r->line };
	return 0;
}

/* Of all runs as far as they were ever read. */
static uint64_t count_pages(struct snapshot_runs *r, const struct snapshot_run *run)
{
	uint64_t offset = r->offset + r->at;

	if (offset >= r->counted) {
		r->pages += run->end - run->first;
		r->counted = offset + 1;
	}
	return r->pages;
}

static int take_end(struct snapshot_runs *r, struct error *error)
{
	if (r->offset + r->at + strlen("end\n") != r->file.size)
		return bad_line(r, error, "something is behind the end");
	r->ended = true;
	return 0;
}

static int next_run(struct snapshot_runs *r, struct error *error)
{
	struct snapshot_run run;
	uint64_t above = r->has_run ? r->run.end : r->before;
	const char *p, *behind;

	if (r->ended)
		return 0;
	if (r->len - r->at < RUN_LINE_MAX && fill(r, error) < 0)
		return -1;
	p = r->text + r->at;
	if (p[0] == 'e' && p[1] == 'n' && p[2] == 'd' && p[3] == '\n')
		return take_end(r, error);
	behind = take_run(p, &run);
	if (!behind || run.end > NUMBER_END)
		return bad_line(r, error, "not the form of a run");
	if (run.first < above)
		return bad_line(r, error, "it overlaps the line above, or goes back");
	if (count_pages(r, &run) > PAGES_MAX)
		return error_set(error, ERROR_LIMIT, r->name, "more than %llu pages",
				 PAGES_MAX);
	r->before = above;
	if (note_place(r, r->offset + r->at, run.first, error) < 0)
		return -1;
	r->run = run;
	r->has_run = true;
	r->at += (size_t)(behind - p);
	r->line++;
	return 1;
}

static void go_to(struct snapshot_runs *r, const struct place *place)
{
	if (place->offset >= r->offset && place->offset <= r->offset + r->len) {
		r->at = place->offset - r->offset;
	} else {
		r->offset = place->offset;
		r->at = r->len = 0;
	}
	r->line = place->line;
	r->before = place->before;
	r->has_run = r->ended = false;
}

/* The last noted place at or below a number. */
static const struct place *place_of(const struct snapshot_runs *r, uint64_t number)
{
	size_t above = SEARCH_FIRST(i, r->index_count, r->index[i].number <= number);

	return above ? &r->index[above - 1] : &r->start;
}

int snapshot_runs_seek(struct snapshot_runs *r, uint64_t at, struct snapshot_run *run,
		       struct error *error)
{
	const struct place *place = place_of(r, at);
	int rc = 1;

	if (!r->has_run || at < r->before || place->offset > r->offset + r->at)
		go_to(r, place);
	while (!r->has_run || r->run.end <= at) {
		rc = next_run(r, error);
		if (rc <= 0)
			return rc;
	}
	*run = r->run;
	return 1;
}

int snapshot_runs_next(struct snapshot_runs *r, struct snapshot_run *run, struct error *error)
{
	int rc = next_run(r, error);

	if (rc > 0)
		*run = r->run;
	return rc;
}

int snapshot_runs_words(struct snapshot_runs *r, uint64_t first, uint64_t *words, size_t count,
			uint64_t absent, struct error *error)
{
	uint64_t at = first, end = first + count;
	struct snapshot_run run;
	int rc = snapshot_runs_seek(r, first, &run, error);

	while (rc > 0 && run.first < end) {
		uint64_t stop = run.end < end ? run.end : end, word;

		while (at < run.first)
			words[at++ - first] = absent;
		word = run.word + (at - run.first) * run.step;
		for (; at < stop; at++, word += run.step)
			words[at - first] = word;
		if (run.end >= end)
			break;
		rc = snapshot_runs_next(r, &run, error);
	}
	if (rc < 0)
		return rc;
	while (at < end)
		words[at++ - first] = absent;
	return 0;
}

/* "categories 1f8" */
static int take_head(struct snapshot_runs *r, const char *head, uint64_t *number,
		     struct error *error)
{
	size_t len = strlen(head);
	const char *p = r->text;

	if (strncmp(p, head, len) || p[len] != ' ' || !(p = take_number(p + len + 1, number)) ||
	    *p != '\n')
		return error_set(error, ERROR_DAMAGED, r->name,
				 "its first line is not \"%s NUMBER\"", head);
	r->at = (size_t)(p + 1 - r->text);
	r->line++;
	return 0;
}

/* A file that was cut off is told before anything of it is used. */
static int runs_begin(struct snapshot_runs *r, const char *head, uint64_t *number,
		      struct error *error)
{
	char last[5] = "";
	uint64_t size = r->file.size;
	ssize_t got = size < 4 ? 0 : source_pread(r->source, r->file.fd, last, 4,
						  r->file.base + size - 4);
	int rc;

	if (got < 0)
		return error_errno(error, -(int)got, r->name, "read");
	if (strcmp(last, "end\n"))
		return error_set(error, ERROR_DAMAGED, r->name,
				 "cut off: its last line is not \"end\"");
	r->line = 1;
	rc = fill(r, error);
	if (!rc && head)
		rc = take_head(r, head, number, error);
	r->start = (struct place) { .offset = r->at, .line = r->line };
	return rc;
}

int snapshot_runs_new(struct source *source, struct snapshot_file *file, const char *name,
		      const char *head, uint64_t *number, struct snapshot_runs **out,
		      struct error *error)
{
	CLEANUP(snapshot_runs_freep) struct snapshot_runs *runs = calloc(1, sizeof(*runs));
	int rc;

	if (!runs) {
		snapshot_file_done(file);
		return error_nomem(error);
	}
	runs->source = source;
	runs->file = *file;
	runs->index_step = INDEX_STEP;
	file->fd = -1;
	snprintf(runs->name, sizeof(runs->name), "%s", name);
	runs->text = malloc(WINDOW + RUN_LINE_MAX);
	if (!runs->text)
		return error_nomem(error);
	rc = runs_begin(runs, head, number, error);
	if (rc < 0)
		return rc;
	*out = runs;
	runs = NULL;
	return 0;
}

void snapshot_runs_free(struct snapshot_runs *runs)
{
	if (!runs)
		return;
	snapshot_file_done(&runs->file);
	free(runs->text);
	free(runs->index);
	free(runs);
}
