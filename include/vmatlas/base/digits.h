/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_DIGITS_H
#define VMATLAS_BASE_DIGITS_H

#include <stdint.h>

/* Room in front of `end` that the two functions need, whatever the number. */
#define DIGITS_MAX 20

/*
 * A number as text that ends right before `end`; returns its first digit. Without sign, prefix
 * and NUL. Bytes in front of the first digit, as far as DIGITS_MAX, may be overwritten.
 */
char *digits_put_dec(char *end, uint64_t value);
char *digits_put_hex(char *end, uint64_t value);

#endif
