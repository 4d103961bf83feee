/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_DIFFERENCES_H
#define SOURCE_SNAPSHOT_DIFFERENCES_H

#include "snapshot.h"

/*
 * PID/differences, a line per copied page of an ELF file, ascending:
 *	7f1c2a4f3 8+6/8*4 3f8+8
 *	7f1c2a4f4+2
 *	end
 * Page number, how many pages differ in the same way, and how (vmatlas/source/difference.h).
 */
struct difference_line {
	uint64_t first;
	uint64_t count;
	size_t at;		/* in text */
	size_t len;
};

struct snapshot_differences {
	bool recorded;
	size_t page_size;
	struct buf text;
	struct difference_line *lines;
	size_t count;
	size_t cap;
};

/* An absent file is fine: `recorded` stays false. */
int snapshot_differences_load(struct snapshot_differences *differences,
			      struct snapshot_store *store, const char *name, size_t page_size,
			      struct error *error);
void snapshot_differences_done(struct snapshot_differences *differences);

/* As source_difference(), but for a snapshot that has none at all. */
int snapshot_differences_page(const struct snapshot_differences *differences, uint64_t page,
			      uint8_t *marks, struct error *error);

#endif
