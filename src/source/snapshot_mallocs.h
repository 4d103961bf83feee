/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_MALLOCS_H
#define SOURCE_SNAPSHOT_MALLOCS_H

#include "snapshot.h"

/*
 * PID/malloc, what the headers of malloc in the process told, ascending:
 *	7f3064000000 heap 21000
 *	7f3069a2f000 block 401000
 *	end
 */
struct malloc_line {
	uint64_t address;
	uint64_t size;
	enum source_malloc what;
};

struct snapshot_mallocs {
	bool recorded;
	struct malloc_line *lines;
	size_t count;
	size_t cap;
};

/* An absent file is fine: `recorded` stays false. */
int snapshot_mallocs_load(struct snapshot_mallocs *mallocs, struct snapshot_store *store,
			  const char *name, struct error *error);
void snapshot_mallocs_done(struct snapshot_mallocs *mallocs);

/* As source_malloc_size(), but for a snapshot that has none at all. */
int snapshot_mallocs_size(const struct snapshot_mallocs *mallocs, enum source_malloc what,
			  uint64_t address, uint64_t *size, struct error *error);

#endif
