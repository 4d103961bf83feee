/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_SCRATCH_H
#define VMATLAS_RENDER_SCRATCH_H

#include <stddef.h>

#include "vmatlas/render/cell.h"

/*
 * Memory of one row: text and items that getters make up. Everything in it is forgotten when
 * the next row begins, so a getter needs no ownership. On failure (out of memory) the getters
 * return NULL or an empty text and the report fails at its end.
 */
struct scratch;

struct scratch *scratch_new(void);
void scratch_free(struct scratch *scratch);
void scratch_reset(struct scratch *scratch);
bool scratch_failed(const struct scratch *scratch);	/* did memory ever run out? */

void *scratch_alloc(struct scratch *scratch, size_t size);	/* zeroed, aligned */
struct span scratch_printf(struct scratch *scratch, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A number as a name: of a PID or a count. With a NUL behind it. */
struct span scratch_dec(struct scratch *scratch, uint64_t value);
struct cell *scratch_cells(struct scratch *scratch, size_t count);

#endif
