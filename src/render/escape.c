// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/render/escape.h"

#include <string.h>
#include <wctype.h>

/*
 * The form is reversible: every \xNN in the output is one byte, because a backslash that stands
 * before an x in the input becomes \x5c itself. Any other backslash stays, so ordinary names,
 * and the kernel's \012 in maps, are shown as they are. For raw and pairs every backslash is
 * escaped, and besides what would end a field there.
 */
static bool utf8_locale;

void escape_set_utf8(bool utf8)
{
	utf8_locale = utf8;
}

bool escape_is_utf8(void)
{
	return utf8_locale;
}

/*
 * Code points that are invisible or steer the terminal's layout: general categories Cc, Cf, Zl
 * and Zp, Default_Ignorable_Code_Point, private use and noncharacters (Unicode 15.1). Ascending.
 */
static const struct {
	uint32_t first;
	uint32_t last;
} unsafe[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },   { 0x0600, 0x0605 },   { 0x061c, 0x061c },
	{ 0x06dd, 0x06dd },   { 0x070f, 0x070f },   { 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },   { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
	{ 0x2060, 0x206f },   { 0x3164, 0x3164 },   { 0xe000, 0xf8ff },
	{ 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0xfffe, 0xffff },
	{ 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	{ 0xf0000, 0x10ffff },
};

static bool code_point_unsafe(uint32_t c)
{
	size_t low = 0, high = sizeof(unsafe) / sizeof(unsafe[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (c > unsafe[middle].last)
			low = middle + 1;
		else if (c < unsafe[middle].first)
			high = middle;
		else
			return true;
	}
	return (c & 0xfffe) == 0xfffe;
}

/* Bytes of the well-formed sequence at the front (Unicode table 3-7), 0 if there is none. */
static size_t utf8_decode(struct span s, uint32_t *code_point)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 :
		p[0] < 0xf5 ? 4 : 0;
	uint32_t c = len == 1 ? p[0] : p[0] & (0x7f >> len);

	if (!len || len > s.len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code_point = c;
	return len;
}

/* Bit per enum escape_for: this byte needs a closer look there. */
#define EVERYWHERE 0xf
static const uint8_t special[256] = {
	[0x00 ... 0x1f] = EVERYWHERE,
	[' '] = 1 << ESCAPE_RAW,
	['"'] = 1 << ESCAPE_PAIRS | 1 << ESCAPE_JSON,
	['$'] = 1 << ESCAPE_PAIRS,
	['`'] = 1 << ESCAPE_PAIRS,
	['\\'] = EVERYWHERE,
	[0x7f ... 0xff] = EVERYWHERE,
};

#define EVERY_BYTE(c) (0x0101010101010101ull * (c))

/* Eight bytes at once, for terminal and JSON. May be false for plain ones (a borrow between bytes),
 * never true for others. */
static inline bool eight_plain(uint64_t x)
{
	uint64_t quote = x ^ EVERY_BYTE('"'), backslash = x ^ EVERY_BYTE('\\');
	uint64_t del = x ^ EVERY_BYTE(0x7f), one = EVERY_BYTE(1);

	return !((x | (x - EVERY_BYTE(0x20)) | (quote - one) | (backslash - one) | (del - one)) &
		 EVERY_BYTE(0x80));
}

static inline uint64_t eight_at(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* Whole words; the last one may overlap the one before. */
static inline bool all_plain(struct span s)
{
	uint32_t half[2];
	uint64_t x;

	if (s.len < 4)
		return false;
	if (s.len < 8) {
		memcpy(&half[0], s.ptr, 4);
		memcpy(&half[1], s.ptr + s.len - 4, 4);
		x = half[0] | (uint64_t)half[1] << 32;
		return eight_plain(x);
	}
	for (size_t i = 0; i + 8 < s.len; i += 8)
		if (!eight_plain(eight_at(s.ptr + i)))
			return false;
	return eight_plain(eight_at(s.ptr + s.len - 8));
}

size_t escape_plain(struct span s, enum escape_for where)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	unsigned bit = 1u << where;
	size_t i = 0;

	if (where <= ESCAPE_JSON && all_plain(s))
		return s.len;
	while (i < s.len && !(special[p[i]] & bit))
		i++;
	return i;
}

static int add_bytes_hex(struct buf *out, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (buf_add(out, "\\x", 2) < 0 ||
		    buf_add_hex(out, (unsigned char)bytes.ptr[i], 2) < 0)
			return -1;
	return 0;
}

/* May the character at the front, which is not harmless ASCII, stay as it is? */
static bool may_stay(struct span s, uint32_t c, enum escape_for where)
{
	if (c == '\\')
		return where <= ESCAPE_JSON && (s.len < 2 || s.ptr[1] != 'x');
	if (c == '"')
		return where == ESCAPE_JSON;
	if (c < 0x80 || code_point_unsafe(c))
		return false;
	/* wchar_t is the code point in glibc and musl (__STDC_ISO_10646__). */
	return where == ESCAPE_JSON || (utf8_locale && iswprint((wint_t)c));
}

int escape_add(struct buf *out, struct span s, enum escape_for where)
{
	while (s.len) {
		size_t len = escape_plain(s, where);
		uint32_t c = 0;
		int rc;

		if (len) {
			rc = buf_add(out, s.ptr, len);
		} else {
			bool known = (len = utf8_decode(s, &c)) != 0;

			len = known ? len : 1;
			rc = known && may_stay(s, c, where) ? buf_add(out, s.ptr, len) :
				add_bytes_hex(out, (struct span) { s.ptr, len });
		}
		if (rc < 0)
			return rc;
		s = (struct span) { s.ptr + len, s.len - len };
	}
	return 0;
}
