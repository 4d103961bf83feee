// SPDX-License-Identifier: LGPL-2.1-or-later
#include "window.h"

const uint8_t *elf_window_at(struct elf_window *window, uint64_t offset, size_t len)
{
	uint64_t file = window->image->reader.size;
	uint64_t size = file < window->end ? file : window->end;
	int ret;

	if (offset >= window->start && len <= window->len &&
	    offset - window->start <= window->len - len)
		return window->data + (offset - window->start);
	if (offset > size || len > size - offset || len > sizeof(window->data))
		return NULL;
	window->start = offset;
	window->len = size - offset < sizeof(window->data) ? size - offset
							   : sizeof(window->data);
	ret = elf_image_read(window->image, offset, window->data, window->len, NULL);
	if (ret < 0) {
		window->withheld |= ret == -ERROR_NOT_RECORDED;
		window->len = 0;
		return NULL;
	}
	return window->data;
}
