/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_BITMAP_H
#define VMATLAS_BASE_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

/* Bit `at` of a bitmap is bit at % 64 of word at / 64. The caller knows how many there are. */
static inline bool bitmap_has(const uint64_t *bitmap, uint64_t at)
{
	return bitmap[at / 64] >> at % 64 & 1;
}

/* First place at or above `from` whose bit is `set`, `end` if there is none. */
static inline uint64_t bitmap_find(const uint64_t *bitmap, uint64_t from, uint64_t end, bool set)
{
	while (from < end) {
		uint64_t word = (set ? bitmap[from / 64] : ~bitmap[from / 64]) >> from % 64;

		if (word) {
			from += (uint64_t)__builtin_ctzll(word);
			return from < end ? from : end;
		}
		from = (from | 63) + 1;
	}
	return end;
}

#endif
