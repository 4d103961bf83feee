/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "vmatlas/base/buf.h"

/* A file as it is; the test ends when it is not there. */
static inline void file_read(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	if (!file) {
		perror(path);
		exit(1);
	}
	do {
		if (buf_reserve(text, 65536) < 0)
			exit(1);
		got = fread(text->data + text->len, 1, 65536, file);
		text->len += got;
	} while (got);
	fclose(file);
}

/* A file of fixtures/text; make sets srcdir. */
static inline void fixture_read(const char *name, struct buf *text)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];

	snprintf(path, sizeof(path), "%s/fixtures/text/%s", srcdir ? srcdir : ".", name);
	buf_clear(text);
	file_read(path, text);
}

/* Line `number` (0-based) without its newline, empty behind the end. */
static inline struct span fixture_line(const struct buf *text, unsigned number)
{
	struct span rest = buf_span(text), line;

	do {
		line = span_take_until(&rest, '\n');
		span_take_char(&rest, '\n');
	} while (number--);
	return line;
}

#endif
