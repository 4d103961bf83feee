/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_LINES_H
#define VMATLAS_BASE_LINES_H

#include <stddef.h>
#include <sys/types.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"

/*
 * Lines of a stream through one window that is used again and again: memory is bounded by the
 * longest line (LINES_MAX), whatever the length of the stream.
 * read() returns bytes read, 0 at the end, negative on failure with the record filled.
 * next_window() may be NULL. Else it is asked first: *window holds what was not handed out, from
 * *at on; it may put another buffer there that goes on with more, and takes over the old one.
 * 1, 0 at the end, negative on failure, or LINES_READ: read() is to be used.
 */
#define LINES_READ 2
#define LINES_MAX (1u << 20)	/* a longer line is cut there and reported as ERROR_LIMIT */

struct lines {
	ssize_t (*read)(void *ctx, void *data, size_t len, struct error *error);
	int (*next_window)(void *ctx, struct buf *window, size_t *at, struct error *error);
	void *ctx;
	size_t chunk;		/* bytes asked for per read */
	unsigned long number;	/* of the line handed out last, 1-based */
	struct buf window;
	size_t at;		/* first byte not handed out */
	size_t searched;	/* bytes from `at` known to hold no newline */
	int ended;
};

void lines_init(struct lines *lines,
		ssize_t (*read)(void *ctx, void *data, size_t len, struct error *error),
		void *ctx, size_t chunk);
void lines_done(struct lines *lines);
/* 1 and the line without its newline (valid until the next call), 0 at the end, negative on
 * failure. A last line without newline is handed out as it is. */
int lines_next(struct lines *lines, struct span *line, struct error *error);

/* For whoever knows what the next lines look like: what was read but not handed out (it may end
 * inside a line), and taking `count` lines of `len` bytes, newlines included, off its front. */
static inline struct span lines_ahead(const struct lines *lines)
{
	const struct buf *w = &lines->window;

	return (struct span) { w->data ? w->data + lines->at : NULL, w->len - lines->at };
}

static inline void lines_take(struct lines *lines, size_t len, unsigned long count)
{
	lines->at += len;
	if (len)
		lines->searched = 0;
	lines->number += count;
}

#endif
