// SPDX-License-Identifier: LGPL-2.1-or-later
#include "window.h"

const uint8_t *elf_window_at(struct elf_window *window, uint64_t offset, size_t len)
{
	uint64_t size = window->image->reader.size;

	if (offset >= window->start && len <= window->len &&
	    offset - window->start <= window->len - len)
		return window->data + (offset - window->start);
	if (offset > size || len > size - offset || len > sizeof(window->data))
		return NULL;
	window->start = offset;
	window->len = size - offset < sizeof(window->data) ? size - offset
							   : sizeof(window->data);
	if (elf_image_read(window->image, offset, window->data, window->len, NULL) < 0) {
		window->len = 0;
		return NULL;
	}
	return window->data;
}
