/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_SPAN_H
#define VMATLAS_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A view of bytes that somebody else owns. Not NUL-terminated, may hold any byte, `ptr` may be
 * NULL when `len` is 0. The take functions eat from the front and leave the span as it was when
 * they return false.
 */
struct span {
	const char *ptr;
	size_t len;
};

#define SPAN_LITERAL(s) ((struct span) { (s), sizeof(s) - 1 })

static inline struct span span_of(const char *s)
{
	return (struct span) { s, s ? strlen(s) : 0 };
}

bool span_equal(struct span a, struct span b);
bool span_is(struct span a, const char *s);
bool span_starts(struct span a, const char *prefix);
bool span_ends(struct span a, const char *suffix);
int span_compare(struct span a, struct span b);		/* bytewise, shorter first */

/* Hexadecimal digits of either case without 0x, at least one; false on overflow. */
bool span_take_hex(struct span *s, uint64_t *value);
/* Decimal digits, at least one; false on overflow. */
bool span_take_dec(struct span *s, uint64_t *value);
/* "-"? followed by decimal digits. */
bool span_take_int(struct span *s, int64_t *value);
bool span_take_char(struct span *s, char c);
/* Bytes up to (not including) the first c, or all; always succeeds, may be empty. */
struct span span_take_until(struct span *s, char c);
/* Blanks (space, tab) at the front; returns how many. */
size_t span_skip_blanks(struct span *s);
/* Next word between blanks; false at the end. */
bool span_take_word(struct span *s, struct span *word);
/* Of a path what is behind the last slash; all of it where that is nothing. */
struct span span_last_part(struct span path);
struct span span_trim(struct span s);			/* blanks and newline at both ends */

/* The whole span as a number: "0x" hex or decimal. */
bool span_number(struct span s, uint64_t *value);

#endif
