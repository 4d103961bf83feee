/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PARSE_VM_FLAGS_H
#define PARSE_VM_FLAGS_H

#include <stdint.h>

#include "vmatlas/base/buf.h"

/* Adds the known codes of "rd wr mr mw me ac " to *flags and the others, separated by a space, to
 * `unknown`. 0 or -ERROR_NOMEM. */
int vm_flags_parse(struct span codes, uint64_t *flags, struct buf *unknown);

#endif
