// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/lines.h"

void lines_init(struct lines *lines,
		ssize_t (*read)(void *ctx, void *data, size_t len, struct error *error),
		void *ctx, size_t chunk)
{
	*lines = (struct lines) { .read = read, .ctx = ctx, .chunk = chunk };
}

void lines_done(struct lines *lines)
{
	buf_done(&lines->window);
}

/* Moves what is left to the front and reads one more chunk. 1, 0 at the end, negative. */
static int lines_fill(struct lines *lines, struct error *error)
{
	struct buf *w = &lines->window;
	ssize_t got;
	int rc = LINES_READ;

	if (lines->next_window)
		rc = lines->next_window(lines->ctx, w, &lines->at, error);
	if (rc != LINES_READ) {
		lines->ended = !rc;
		return rc;
	}
	if (lines->at) {
		w->len -= lines->at;
		memmove(w->data, w->data + lines->at, w->len);
		lines->at = 0;
	}
	if (buf_reserve(w, lines->chunk) < 0)
		return error_nomem(error);
	got = lines->read(lines->ctx, w->data + w->len, lines->chunk, error);
	if (got < 0)
		return (int)got;
	if (!got) {
		lines->ended = 1;
		return 0;
	}
	w->len += (size_t)got;
	return 1;
}

static int lines_hand_out(struct lines *lines, size_t len, size_t eaten, struct span *line)
{
	*line = (struct span) { lines->window.data + lines->at, len };
	lines->at += eaten;
	lines->searched = 0;
	lines->number++;
	return 1;
}

int lines_next(struct lines *lines, struct span *line, struct error *error)
{
	for (;;) {
		struct span ahead = lines_ahead(lines);
		size_t have = ahead.len;
		const char *end = have > lines->searched ?
			memchr(ahead.ptr + lines->searched, '\n', have - lines->searched) : NULL;
		int rc;

		if (end)
			return lines_hand_out(lines, (size_t)(end - ahead.ptr),
					      (size_t)(end - ahead.ptr) + 1, line);
		lines->searched = have;
		if (have > LINES_MAX) {
			lines->at += have;
			lines->searched = 0;
			lines->number++;
			return error_set(error, ERROR_LIMIT, NULL,
					 "line %lu is longer than %u bytes", lines->number,
					 LINES_MAX);
		}
		if (lines->ended)
			return have ? lines_hand_out(lines, have, have, line) : 0;
		rc = lines_fill(lines, error);
		if (rc < 0)
			return rc;
	}
}
