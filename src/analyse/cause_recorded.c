// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include "vmatlas/source/difference.h"

/*
 * A snapshot holds neither the memory nor the file, only where they differ. So both get bytes
 * that differ in just these places; nothing may show them.
 */
static void make_bytes(struct causes *causes, size_t from, size_t len)
{
	for (size_t i = from; i < from + len; i++) {
		uint8_t mark = causes->marks[i];

		causes->expected[i] = mark & PAGE_CLEARED ? 2 : 0;
		causes->memory[i] = mark & PAGE_DIFFERS ? 1 : 0;
	}
}

void cause_recorded_read(struct causes *causes, struct cause_window *window)
{
	struct source_process *source = causes->process->source;
	uint64_t size = causes->process->page_size;

	for (uint64_t i = 0; i < window->pages; i++) {
		uint64_t at = i * size;
		int rc = source_difference(source, (window->address + at) / size,
					   causes->marks + at, NULL);

		window->not_recorded |= rc == -ERROR_NOT_RECORDED;
		if (rc < 0)
			causes->marks[at] = CAUSE_MARK_ABSENT;
		else
			make_bytes(causes, at, size);
	}
	window->read = window->pages;
	window->memory = causes->memory;
	window->file = causes->expected;
	window->marks = causes->marks;
	window->compared = true;
}
