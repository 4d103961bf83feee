/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_UNIT_READER_H
#define TESTS_UNIT_READER_H

#include "vmatlas/base/lines.h"

/* For lines_init: hands out a span in pieces of at most `piece` bytes (0: as asked for). */
struct span_reader {
	struct span rest;
	size_t piece;
};

static inline ssize_t span_reader_read(void *ctx, void *data, size_t len, struct error *error)
{
	struct span_reader *reader = ctx;
	size_t n = reader->rest.len < len ? reader->rest.len : len;

	(void)error;
	if (reader->piece && n > reader->piece)
		n = reader->piece;
	if (n)
		memcpy(data, reader->rest.ptr, n);
	reader->rest.ptr += n;
	reader->rest.len -= n;
	return (ssize_t)n;
}

#endif
