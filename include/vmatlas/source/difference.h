/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_SOURCE_DIFFERENCE_H
#define VMATLAS_SOURCE_DIFFERENCE_H

#include "vmatlas/base/buf.h"

/*
 * How a copied page differs from its file, without what it holds: a mark per byte. As text,
 * behind the page number, ranges of bytes that differ, then named ranges:
 *	8+6/8*4 3f8+8 unbound 18+18 cleared f00+80
 * OFFSET+LENGTH, and where /STRIDE*TIMES follows, so many of that length, one every STRIDE.
 */
enum page_mark {
	PAGE_DIFFERS = 1 << 0,	/* from the file; where the loader cleared it, from zero */
	PAGE_UNBOUND = 1 << 1,	/* word of a slot of the PLT: that of the file plus load bias */
	PAGE_CLEARED = 1 << 2	/* the loader cleared it, and the file holds something there */
};

/* Appends what stands behind the page number, with a blank in front of each word. */
int difference_write(const uint8_t *marks, size_t page_size, struct buf *text);
/* The text behind the page number into page_size marks (NULL: it is only checked). False where
 * it has another form, goes back or leaves the page. */
bool difference_parse(struct span text, size_t page_size, uint8_t *marks);

#endif
