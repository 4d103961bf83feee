// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmatlas/base/digits.h"
#include "vmatlas/base/error.h"

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf)BUF_INIT;
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

int buf_reserve(struct buf *buf, size_t extra)
{
	size_t need, cap;
	char *data;

	if (__builtin_add_overflow(buf->len, extra, &need) || need >= SIZE_MAX / 2)
		return -ERROR_NOMEM;
	if (need < buf->cap)
		return 0;
	cap = buf->cap + buf->cap / 2 > need ? buf->cap + buf->cap / 2 : need + 1;
	if (cap < 32)
		cap = 32;
	data = realloc(buf->data, cap);
	if (!data)
		return -ERROR_NOMEM;
	buf->data = data;
	buf->cap = cap;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_add(struct buf *buf, const void *data, size_t len)
{
	if (len >= buf->cap - buf->len && buf_reserve(buf, len) < 0)
		return -ERROR_NOMEM;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_add_span(struct buf *buf, struct span s)
{
	return buf_add(buf, s.ptr, s.len);
}

int buf_add_str(struct buf *buf, const char *s)
{
	return buf_add(buf, s, strlen(s));
}

int buf_add_char(struct buf *buf, char c)
{
	return buf_add(buf, &c, 1);
}

int buf_add_hex(struct buf *buf, uint64_t value, unsigned min_digits)
{
	char text[DIGITS_MAX], *end = text + sizeof(text), *begin = digits_put_hex(end, value);

	while (begin > text && end - begin < (ptrdiff_t)min_digits)
		*--begin = '0';
	return buf_add(buf, begin, (size_t)(end - begin));
}

int buf_addf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || buf_reserve(buf, (size_t)len) < 0)
		return -ERROR_NOMEM;
	va_start(args, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
	return 0;
}

struct span buf_span(const struct buf *buf)
{
	return (struct span) { buf->data, buf->len };
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

int array_grow(void **items, size_t *cap, size_t count, size_t size)
{
	size_t want = count < 8 ? 8 : count + count / 2, bytes;
	void *grown;

	if (count < *cap)
		return 0;
	if (__builtin_mul_overflow(want, size, &bytes))
		return -ERROR_NOMEM;
	grown = realloc(*items, bytes);
	if (!grown)
		return -ERROR_NOMEM;
	*items = grown;
	*cap = want;
	return 0;
}
