// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/base/span.h"

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

bool span_is(struct span a, const char *s)
{
	return span_equal(a, span_of(s));
}

bool span_starts(struct span a, const char *prefix)
{
	size_t len = strlen(prefix);

	return a.len >= len && !memcmp(a.ptr, prefix, len);
}

bool span_ends(struct span a, const char *suffix)
{
	size_t len = strlen(suffix);

	return a.len >= len && !memcmp(a.ptr + a.len - len, suffix, len);
}

int span_compare(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

static void span_eat(struct span *s, size_t n)
{
	s->ptr += n;
	s->len -= n;
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool span_take_hex(struct span *s, uint64_t *value)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->len; i++) {
		int digit = hex_digit(s->ptr[i]);

		if (digit < 0)
			break;
		if (v >> 60)
			return false;
		v = v << 4 | (unsigned)digit;
	}
	if (!i)
		return false;
	span_eat(s, i);
	*value = v;
	return true;
}

bool span_take_dec(struct span *s, uint64_t *value)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->len; i++) {
		unsigned digit = (unsigned char)s->ptr[i] - '0';

		if (digit > 9)
			break;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (!i)
		return false;
	span_eat(s, i);
	*value = v;
	return true;
}

bool span_take_int(struct span *s, int64_t *value)
{
	struct span rest = *s;
	bool negative = span_take_char(&rest, '-');
	uint64_t magnitude;

	if (!span_take_dec(&rest, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*value = negative ? (int64_t)-magnitude : (int64_t)magnitude;
	*s = rest;
	return true;
}

bool span_take_char(struct span *s, char c)
{
	if (!s->len || *s->ptr != c)
		return false;
	span_eat(s, 1);
	return true;
}

struct span span_take_until(struct span *s, char c)
{
	const char *hit = s->len ? memchr(s->ptr, c, s->len) : NULL;
	struct span taken = { s->ptr, hit ? (size_t)(hit - s->ptr) : s->len };

	if (taken.len)
		span_eat(s, taken.len);
	return taken;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t span_skip_blanks(struct span *s)
{
	size_t n = 0;

	while (n < s->len && is_blank(s->ptr[n]))
		n++;
	if (n)
		span_eat(s, n);
	return n;
}

bool span_take_word(struct span *s, struct span *word)
{
	size_t n = 0;

	span_skip_blanks(s);
	while (n < s->len && !is_blank(s->ptr[n]))
		n++;
	if (!n)
		return false;
	*word = (struct span) { s->ptr, n };
	span_eat(s, n);
	return true;
}

struct span span_last_part(struct span path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - path.ptr) : 0;

	return skip < path.len ? (struct span) { path.ptr + skip, path.len - skip } : path;
}

struct span span_trim(struct span s)
{
	while (s.len && (is_blank(*s.ptr) || *s.ptr == '\n'))
		span_eat(&s, 1);
	while (s.len && (is_blank(s.ptr[s.len - 1]) || s.ptr[s.len - 1] == '\n'))
		s.len--;
	return s;
}

bool span_number(struct span s, uint64_t *value)
{
	uint64_t v;
	bool hex = span_starts(s, "0x") || span_starts(s, "0X");

	if (hex)
		span_eat(&s, 2);
	if (!(hex ? span_take_hex(&s, &v) : span_take_dec(&s, &v)) || s.len)
		return false;
	*value = v;
	return true;
}
