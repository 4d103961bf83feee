// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/base/digits.h"

#include <string.h>

char *digits_put_dec(char *end, uint64_t value)
{
	/* Two digits per division: this is the hottest loop of a long table. */
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324"
		"25262728293031323334353637383940414243444546474849"
		"50515253545556575859606162636465666768697071727374"
		"75767778798081828384858687888990919293949596979899";

	while (value >= 100) {
		end -= 2;
		memcpy(end, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		end -= 2;
		memcpy(end, pairs + value * 2, 2);
		return end;
	}
	*--end = (char)('0' + value);
	return end;
}

/* Eight digits, the most significant one first in memory. */
static void put_hex_8(char *at, uint32_t value)
{
	uint64_t x = __builtin_bswap32(value), letters;

	/* One byte of the number in every second byte, then one digit in every byte. */
	x = (x | x << 16) & 0x0000ffff0000ffffull;
	x = (x | x << 8) & 0x00ff00ff00ff00ffull;
	x = (x >> 4 | x << 8) & 0x0f0f0f0f0f0f0f0full;
	letters = (x + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull;
	x += 0x3030303030303030ull + letters * ('a' - '0' - 10);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	memcpy(at, &x, sizeof(x));
}

char *digits_put_hex(char *end, uint64_t value)
{
	unsigned count = value ? (67 - (unsigned)__builtin_clzll(value)) / 4 : 1;

	put_hex_8(end - 8, (uint32_t)value);
	if (count > 8)
		put_hex_8(end - 16, (uint32_t)(value >> 32));
	return end - count;
}
