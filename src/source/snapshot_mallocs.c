// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_mallocs.h"

#include <stdlib.h>

#include "snapshot_lines.h"

#define LINES_KEPT_MAX (4u << 20)

const struct name source_malloc_names[] = {
	{ SOURCE_MALLOC_BLOCK, "block", "a block with a mapping of its own" },
	{ SOURCE_MALLOC_HEAP, "heap", "a heap of an arena, as far as it is open" },
	{ 0, NULL, NULL }
};

void snapshot_mallocs_done(struct snapshot_mallocs *mallocs)
{
	free(mallocs->lines);
	*mallocs = (struct snapshot_mallocs) { .recorded = false };
}

/* "7f3064000000 heap 21000" */
static bool take_line(struct span text, struct malloc_line *line)
{
	uint64_t what;

	if (!span_take_hex(&text, &line->address) || !span_take_char(&text, ' ') ||
	    name_value(source_malloc_names, span_take_until(&text, ' '), &what) < 0 ||
	    !span_take_char(&text, ' ') || !span_take_hex(&text, &line->size) || text.len)
		return false;
	line->what = (enum source_malloc)what;
	return true;
}

static int compare_lines(const void *a, const void *b)
{
	const struct malloc_line *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->what > y->what) - (x->what < y->what);
}

static int add_line(struct snapshot_mallocs *mallocs, struct snapshot_lines *text,
		    struct span span)
{
	const struct malloc_line *last = mallocs->count ?
		&mallocs->lines[mallocs->count - 1] : NULL;
	struct malloc_line line;

	if (!take_line(span, &line))
		return snapshot_lines_bad(text, "not an address, a word and a size");
	if (last && compare_lines(&line, last) <= 0)
		return snapshot_lines_bad(text, "addresses go back");
	if (mallocs->count == LINES_KEPT_MAX)
		return error_set(text->error, ERROR_LIMIT, text->name, "too long");
	if (array_grow((void **)&mallocs->lines, &mallocs->cap, mallocs->count, sizeof(line)) < 0)
		return error_nomem(text->error);
	mallocs->lines[mallocs->count++] = line;
	return 0;
}

int snapshot_mallocs_load(struct snapshot_mallocs *mallocs, struct snapshot_store *store,
			  const char *name, struct error *error)
{
	CLEANUP(snapshot_lines_done) struct snapshot_lines text;
	struct error local = ERROR_INIT;
	struct span line;
	int rc = snapshot_lines_open(&text, store, name, &local);

	*mallocs = (struct snapshot_mallocs) { .recorded = rc != -ERROR_NOT_RECORDED };
	if (!mallocs->recorded)
		return 0;
	while (rc >= 0 && (rc = snapshot_lines_next(&text, &line)) > 0)
		rc = add_line(mallocs, &text, line);
	if (rc < 0) {
		snapshot_mallocs_done(mallocs);
		if (error)
			*error = local;
	}
	return rc;
}

int snapshot_mallocs_size(const struct snapshot_mallocs *mallocs, enum source_malloc what,
			  uint64_t address, uint64_t *size, struct error *error)
{
	const struct malloc_line key = { .address = address, .what = what }, *line = NULL;

	if (mallocs->count)
		line = bsearch(&key, mallocs->lines, mallocs->count, sizeof(key), compare_lines);
	if (!line)
		return error_set(error, ERROR_NOT_FOUND, NULL, "no header of malloc is there");
	*size = line->size;
	return 0;
}
