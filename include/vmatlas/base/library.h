/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_BASE_LIBRARY_H
#define VMATLAS_BASE_LIBRARY_H

#include <stddef.h>

#include "vmatlas/base/error.h"

/*
 * A shared library that is loaded when one of its functions is first needed, because most
 * commands do not need it and all would wait for its relocations. Not for several threads.
 */
struct library_function {
	const char *name;
	void *pointer;		/* to the function pointer that is filled */
};

enum library_state { LIBRARY_NOT_TRIED, LIBRARY_LOADED, LIBRARY_MISSING };

struct library {
	const char *file;	/* "libcapstone.so.4" */
	const char *package;	/* what to install, for people */
	const char *use;	/* what is missing without it: "instructions are not shown" */
	const struct library_function *functions;	/* ends with a NULL name */
	enum library_state state;
	const struct library *next_missing;
};

/*
 * What a file uses of one library: `lib`, pointers with the functions' own names and types,
 * and functions[], the table of them. `list(F)` is F(name) for each of them:
 *
 *	#define FUNCTIONS(F) F(cs_open) F(cs_close)
 *	LIBRARY_FUNCTIONS(FUNCTIONS);
 */
#define LIBRARY_FUNCTIONS(list) \
	static struct { list(LIBRARY_POINTER) } lib; \
	static const struct library_function functions[] = { list(LIBRARY_FUNCTION) { NULL, NULL } }
#define LIBRARY_POINTER(name) __typeof__(name) *name;
#define LIBRARY_FUNCTION(name) { #name, &lib.name },

/* 0, or -ERROR_NOT_FOUND if the library or one of its functions is not there; tried once. It
 * stays loaded. */
int library_load(struct library *library, struct error *error);

/* Those that were wanted and not there, one after the other: NULL begins, NULL ends. */
const struct library *library_missing(const struct library *previous);

#endif
