/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_ESCAPE_H
#define VMATLAS_RENDER_ESCAPE_H

#include "vmatlas/base/buf.h"

/*
 * The one place where bytes of a target become printable.
 * Terminal and text: control bytes, C1 controls, bidirectional and format characters, backslash
 * ambiguity and bytes that are no UTF-8 become \xNN (a character of several bytes: one \xNN per
 * byte); outside a UTF-8 locale everything above 0x7e does. The result is valid in the locale.
 * JSON: valid UTF-8; bytes that are no UTF-8, controls and format characters become \xNN text.
 */
enum escape_for { ESCAPE_TERMINAL, ESCAPE_JSON };

int escape_add(struct buf *out, struct span bytes, enum escape_for where);
/* Is the span valid UTF-8 as it is? */
bool escape_is_utf8(struct span bytes);
/* Does the current locale use UTF-8? Asked once by the program at start. */
void escape_set_utf8(bool utf8);

#endif
