/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_BUF_H
#define VMATLAS_BASE_BUF_H

#include <stddef.h>

#include "vmatlas/base/span.h"

/*
 * Growable bytes. `data` is NUL-terminated after every successful call once anything was
 * appended. Appending returns 0, or -ERROR_NOMEM and leaves the content as it was; a
 * failed buffer stays usable. BUF_INIT needs no allocation.
 */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

#define BUF_INIT { NULL, 0, 0 }

void buf_done(struct buf *buf);
void buf_clear(struct buf *buf);			/* keeps the memory */
int buf_reserve(struct buf *buf, size_t extra);		/* room for extra bytes and a NUL */
int buf_add(struct buf *buf, const void *data, size_t len);
int buf_add_span(struct buf *buf, struct span s);
int buf_add_str(struct buf *buf, const char *s);
int buf_add_char(struct buf *buf, char c);
int buf_add_hex(struct buf *buf, uint64_t value, unsigned min_digits);
int buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct span buf_span(const struct buf *buf);
const char *buf_str(const struct buf *buf);		/* "" when empty */

/*
 * Room for one more element in a plain array: grows geometrically, returns 0 or -ERROR_NOMEM
 * with the array untouched. `count` elements of `size` bytes are in use.
 *	if (array_grow((void **)&a->items, &a->cap, a->count, sizeof(*a->items)) < 0)
 */
int array_grow(void **items, size_t *cap, size_t count, size_t size);

/* "%zu page%s", pages, plural(pages) */
static inline const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#endif
