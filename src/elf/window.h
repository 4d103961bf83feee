/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_WINDOW_H
#define ELF_WINDOW_H

#include "vmatlas/elf/image.h"

/* Bytes of one table of a file seen through one small buffer that moves forward. Nothing behind
 * the table is read: a recording holds what was read, and that must be no more than tables. */
struct elf_window {
	const struct elf_image *image;
	uint64_t end;		/* of the table; UINT64_MAX: not known */
	bool withheld;		/* a recording left bytes out that were asked for */
	uint64_t start;
	size_t len;
	uint8_t data[16384];
};

static inline void elf_window_init(struct elf_window *window, const struct elf_image *image)
{
	window->image = image;
	window->end = UINT64_MAX;
	window->withheld = false;
	window->len = 0;
}

/* `len` bytes at `offset`, valid until the next call; NULL if they are not in the table. */
const uint8_t *elf_window_at(struct elf_window *window, uint64_t offset, size_t len);

#endif
