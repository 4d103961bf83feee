/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PARSE_SWAR_H
#define PARSE_SWAR_H

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

#endif
