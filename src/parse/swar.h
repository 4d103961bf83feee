/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PARSE_SWAR_H
#define PARSE_SWAR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes of text in one word, whatever the byte order: the first is the lowest byte. */
#define EVERY_BYTE(x) (0x0101010101010101ULL * (x))

static inline uint64_t load_8(const void *at)
{
	uint64_t bytes;

	memcpy(&bytes, at, sizeof(bytes));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	bytes = __builtin_bswap64(bytes);
#endif
	return bytes;
}

/* Eight lower-case hexadecimal digits at once: half of the time of a line goes into numbers. */
static inline bool hex_8(const void *at, uint64_t *value)
{
	uint64_t x = load_8(at);
	uint64_t letters = x >> 6 & EVERY_BYTE(1);	/* 'a' is 0x61, '0' is 0x30 */
	uint64_t low = x & EVERY_BYTE(0x0f);
	uint64_t bad = (x & EVERY_BYTE(0xf0)) ^ (EVERY_BYTE(0x30) + letters * 0x30);

	bad |= (low + EVERY_BYTE(6) + letters * 3) & EVERY_BYTE(0x10);	/* above '9' or 'f' */
	bad |= letters << 4 & ~(low + EVERY_BYTE(0x0f));		/* before 'a' */
	if (bad)
		return false;
	x = __builtin_bswap64(low + letters * 9);
	x = (x | x >> 4) & 0x00ff00ff00ff00ffULL;
	x = (x | x >> 8) & 0x0000ffff0000ffffULL;
	*value = (x | x >> 16) & 0xffffffff;
	return true;
}

#endif
