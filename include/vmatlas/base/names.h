/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_NAMES_H
#define VMATLAS_BASE_NAMES_H

#include <stdint.h>

#include "vmatlas/base/buf.h"

/* One named value or bit. Tables are sorted as they are to be printed; the last entry has
 * name NULL. For bits `value` is the mask. */
struct name {
	uint64_t value;
	const char *name;	/* stable, as printed */
	const char *meaning;	/* short, for help and manuals */
};

/* NULL when the value is not in the table: the caller then prints the number. */
const char *name_of(const struct name *table, uint64_t value);
const char *name_meaning(const struct name *table, uint64_t value);
/* 0 and *value set, or -ERROR_NOT_FOUND. */
int name_value(const struct name *table, struct span name, uint64_t *value);
/* Known bits in table order separated by `sep`, then the rest in hex, so none is lost. */
int names_add_bits(struct buf *buf, const struct name *table, uint64_t bits, const char *sep);

#endif
