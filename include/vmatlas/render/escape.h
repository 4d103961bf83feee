/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_ESCAPE_H
#define VMATLAS_RENDER_ESCAPE_H

#include "vmatlas/base/buf.h"

/*
 * The one place where bytes of a target become printable.
 * Terminal and text: control bytes, C1 controls, bidirectional, format, invisible and private
 * characters and bytes that are no UTF-8 become \xNN (a character of several bytes: one \xNN per
 * byte); outside a UTF-8 locale everything above 0x7e does. The result is valid in the locale.
 * JSON: valid UTF-8 whatever the locale, under the same rules; quoting is the writer's.
 * A backslash becomes \x5c when an x follows it, so \xNN in the output always means a byte and
 * the form can be undone; other backslashes stay. Raw and pairs escape each backslash, raw also
 * blanks, pairs also " $ and `.
 */
enum escape_for { ESCAPE_TERMINAL, ESCAPE_JSON, ESCAPE_RAW, ESCAPE_PAIRS };

int escape_add(struct buf *out, struct span bytes, enum escape_for where);
/* How many bytes at the front are plain ASCII that stays as it is, in JSON also within quotes. */
size_t escape_plain(struct span bytes, enum escape_for where);
/* Does the current locale use UTF-8? Told once by the program at start, after setlocale(). */
void escape_set_utf8(bool utf8);
bool escape_is_utf8(void);

#endif
