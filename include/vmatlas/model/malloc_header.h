/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_MALLOC_HEADER_H
#define VMATLAS_MODEL_MALLOC_HEADER_H

#include "vmatlas/model/process.h"

/*
 * What a header of glibc's malloc at the address tells, read from a page that is present, or from
 * a recording: bytes of a block with a mapping of its own (header included), or bytes that are
 * open of a heap of an arena. *size 0: there is no such header, or it cannot be read. Negative:
 * nothing tells which pages are present.
 */
int malloc_header_read(struct process *process, enum source_malloc what, uint64_t address,
		       uint64_t *size);

/* glibc malloc/arena.c: heaps of arenas are HEAP_MAX_SIZE large and aligned to it. */
uint64_t malloc_heap_max(const struct process *process);

#endif
