// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/maps.h"

#include <string.h>

#include "swar.h"

/* Digit + 1, so that 0 means "no digit". */
static const uint8_t hex_digits[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5,
	['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

struct cursor {
	const unsigned char *at;
	const unsigned char *end;
};

/* Not span_take_hex: a process may have 60,000 lines with five numbers each. */
static inline bool take_hex(struct cursor *c, unsigned max_digits, uint64_t *value)
{
	const unsigned char *at = c->at;
	uint64_t v = 0;
	unsigned digit;

	if (max_digits > 8 && c->end - at >= 8 && hex_8(at, &v))
		at += 8;
	while (at < c->end && (digit = hex_digits[*at])) {
		v = v << 4 | (digit - 1);
		at++;
	}
	if (at == c->at || at - c->at > max_digits)
		return false;
	c->at = at;
	*value = v;
	return true;
}

static inline bool take_dec(struct cursor *c, uint64_t *value)
{
	const unsigned char *at = c->at;
	uint64_t v = 0;
	unsigned digit;

	while (at < c->end && (digit = *at - '0') <= 9) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
		at++;
	}
	if (at == c->at)
		return false;
	c->at = at;
	*value = v;
	return true;
}

static inline bool take_char(struct cursor *c, unsigned char want)
{
	if (c->at >= c->end || *c->at != want)
		return false;
	c->at++;
	return true;
}

/* Twelve digits are what a user space of 47 bits mostly has. */
static inline bool take_address(struct cursor *c, unsigned char mark, uint64_t *value)
{
	uint64_t high, low;

	if (c->end - c->at > 12 && c->at[12] == mark && hex_8(c->at, &high) &&
	    hex_8(c->at + 4, &low)) {
		*value = high << 16 | (low & 0xffff);
		c->at += 13;
		return true;
	}
	return take_hex(c, 16, value) && take_char(c, mark);
}

static inline bool take_range(struct cursor *c, struct maps_line *out)
{
	return take_address(c, '-', &out->start) && take_address(c, ' ', &out->end) &&
	       out->start < out->end;
}

/* Without a branch per letter: neighbouring lines differ in them. */
static inline bool take_perms(struct cursor *c, uint8_t *perms)
{
	const unsigned char *p = c->at;
	unsigned read, write, exec, shared;

	if (c->end - p < 5)
		return false;
	read = p[0] == 'r';
	write = p[1] == 'w';
	exec = p[2] == 'x';
	shared = p[3] == 's';
	if (!((read | (p[0] == '-')) & (write | (p[1] == '-')) & (exec | (p[2] == '-')) &
	      (shared | (p[3] == 'p')) & (p[4] == ' ')))
		return false;
	*perms = (uint8_t)(read * VMA_READ | write * VMA_WRITE | exec * VMA_EXEC |
			   shared * VMA_SHARED);
	c->at += 5;
	return true;
}

static inline bool take_device(struct cursor *c, struct maps_line *out)
{
	uint64_t major, minor;

	if (!take_hex(c, 8, &major) || !take_char(c, ':') || !take_hex(c, 8, &minor) ||
	    !take_char(c, ' '))
		return false;
	out->major = (uint32_t)major;
	out->minor = (uint32_t)minor;
	return true;
}

/* No backslash and no control byte: nothing in the name needs a closer look. May be false for a
 * name that is plain (by a borrow between bytes), never true for one that is not. */
static bool name_is_plain(const char *name, size_t len)
{
	uint64_t hits = 0, x;
	size_t at;

	if (len < 8)
		return false;
	for (at = 0; at < len; at += 8) {
		x = load_8(name + (at + 8 <= len ? at : len - 8));
		hits |= (x - EVERY_BYTE(0x20)) & ~x;
		x ^= EVERY_BYTE('\\');
		hits |= (x - EVERY_BYTE(1)) & ~x;
	}
	return !(hits & EVERY_BYTE(0x80));
}

static bool has_newline_escape(struct span name)
{
	const char *at = name.ptr, *end = name.ptr + name.len;

	while ((at = memchr(at, '\\', (size_t)(end - at)))) {
		if (end - at >= 4 && !memcmp(at + 1, "012", 3))
			return true;
		at++;
	}
	return false;
}

/*
 * Behind the inode: nothing (Linux 2.0), one space, or padding to the name column of the kernel
 * that printed it. A name never begins with a space, so all of them are padding; what follows
 * the name's first byte, spaces too, is the name.
 */
static inline bool take_name(struct cursor *c, struct maps_line *out)
{
	const char *name;
	size_t len;

	if (c->at < c->end && *c->at != ' ')
		return false;
	while (c->end - c->at >= 8 && load_8(c->at) == EVERY_BYTE(' '))
		c->at += 8;
	while (c->at < c->end && *c->at == ' ')
		c->at++;
	name = (const char *)c->at;
	len = (size_t)(c->end - c->at);
	out->name = (struct span) { name, len };
	out->deleted = false;
	out->newline_escape = false;
	if (!len)
		return true;
	if (!name_is_plain(name, len)) {
		if (memchr(name, '\0', len) || memchr(name, '\n', len))
			return false;
		out->newline_escape = has_newline_escape(out->name);
	}
	if (len > MAPS_DELETED_LEN &&
	    !memcmp(name + len - MAPS_DELETED_LEN, " (deleted)", MAPS_DELETED_LEN)) {
		out->deleted = true;
		out->name.len -= MAPS_DELETED_LEN;
	}
	return true;
}

/* What does not parse, NULL if all does. */
static inline const char *take_tail(struct cursor *c, struct maps_line *out)
{
	if (!take_hex(c, 16, &out->offset) || !take_char(c, ' '))
		return "offset";
	if (!take_device(c, out))
		return "device";
	if (!take_dec(c, &out->inode))
		return "inode";
	return take_name(c, out) ? NULL : "name";
}

static inline bool tail_is_known(const struct cursor *c, const struct maps_before *before)
{
	size_t len = (size_t)(c->end - c->at);

	return len == before->tail_len && len && !memcmp(c->at, before->tail, len);
}

static inline void take_known_tail(const struct cursor *c, const struct maps_before *before,
				   struct maps_line *out)
{
	const struct maps_line *line = &before->line;

	out->offset = line->offset;
	out->inode = line->inode;
	out->major = line->major;
	out->minor = line->minor;
	out->deleted = line->deleted;
	out->newline_escape = line->newline_escape;
	out->name.ptr = (const char *)c->at + before->name_at;
	out->name.len = line->name.len;
}

static void tail_keep(const struct cursor *c, const struct maps_line *line,
		      struct maps_before *before)
{
	size_t len = (size_t)(c->end - c->at);

	before->tail_len = 0;
	if (len > MAPS_TAIL)
		return;
	memcpy(before->tail, c->at, len);
	before->tail_len = len;
	before->name_at = (size_t)(line->name.ptr - (const char *)c->at);
	before->line = *line;
}

int maps_parse_next(struct span line, struct maps_before *before, struct maps_line *out,
		    struct error *error)
{
	struct cursor c = { (const unsigned char *)line.ptr,
			    (const unsigned char *)line.ptr + line.len }, tail;
	struct maps_line parsed;
	const char *what = NULL;

	if (!take_range(&c, &parsed))
		what = "address range";
	else if (!take_perms(&c, &parsed.perms))
		what = "permissions";
	tail = c;
	if (!what && tail_is_known(&tail, before)) {
		take_known_tail(&tail, before, &parsed);
	} else if (!what) {
		what = take_tail(&c, &parsed);
		if (!what)
			tail_keep(&tail, &parsed, before);
	}
	if (what)
		return error_set(error, ERROR_PARSE, NULL, "maps line has no valid %s", what);
	*out = parsed;
	return 0;
}

int maps_parse_line(struct span line, struct maps_line *out, struct error *error)
{
	struct maps_before before;

	before.tail_len = 0;
	return maps_parse_next(line, &before, out, error);
}

struct span maps_printed_name(const struct maps_line *line)
{
	return (struct span) { line->name.ptr,
			       line->name.len + (line->deleted ? MAPS_DELETED_LEN : 0) };
}

void maps_perms_text(uint8_t perms, char text[5])
{
	text[0] = perms & VMA_READ ? 'r' : '-';
	text[1] = perms & VMA_WRITE ? 'w' : '-';
	text[2] = perms & VMA_EXEC ? 'x' : '-';
	text[3] = perms & VMA_SHARED ? 's' : 'p';
	text[4] = '\0';
}
