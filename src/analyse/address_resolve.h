/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_ADDRESS_RESOLVE_H
#define ANALYSE_ADDRESS_RESOLVE_H

#include "address.h"

/* What a name turned out to mean, and the places it may mean if they are several. */
struct resolve {
	struct address_context *ctx;
	struct span query;		/* all of it, for messages */
	struct span name;		/* without the offset */
	uint64_t offset;
	uint64_t *address;
	struct buf *candidates;
	struct error *error;
	size_t found;			/* places, each address once */
	uint64_t last;			/* where the last one lies */
};

int resolve_fail(struct resolve *r, enum error_code code, const char *text);
/* One more place, told to people as "0x7f.. FILE!NAME TYPE". */
int resolve_add(struct resolve *r, uint64_t address, struct span file, struct span name,
		const char *what);
/* 0 if exactly one place was found; else why not. */
int resolve_finish(struct resolve *r, const char *what);

/* Does the word name this object: its whole path, the last part of it, or that up to ".so"? */
bool resolve_object_is(const struct object *object, struct span word);
bool resolve_is_object(const struct process *process, struct span word);

int resolve_symbol(struct resolve *r, struct span file);
int resolve_file_offset(struct resolve *r);
/* heap, brk, stack, entry, pc:TID, sp:TID: 1 if it was one of them, 0 if not, or negative. */
int resolve_place(struct resolve *r);

#endif
