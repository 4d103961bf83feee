/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PARSE_TEXT_H
#define PARSE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/names.h"
#include "vmatlas/base/span.h"

/* The next line without its newline; false at the end. */
bool text_take_line(struct span *text, struct span *line);

/* "Key:" at the front of a line: no blank in the key, at least one byte. The colon is eaten. */
bool text_take_key(struct span *line, struct span *key);

/* What stands behind the colon as a whole: "   1234 kB" in bytes, or "  1234". */
bool text_size(struct span value, uint64_t *bytes);
bool text_number(struct span value, uint64_t *number);

/* Index in a table whose values are its indices, or -1. `guess` is tried first: the kernel prints
 * keys in the same order again and again. */
int text_key_index(const struct name *table, size_t guess, size_t count, struct span key);

#endif
