/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_CONFINED_H
#define ELF_CONFINED_H

#include <stdbool.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/error.h"

/*
 * Runs code that is not safe against hostile input (a C++ demangler, libdw) in a child with
 * little memory and time; a crash there is only "damaged" here.
 */
struct confined_limits {
	uint64_t memory;	/* private writable bytes, with what the process has already */
	unsigned seconds;	/* of CPU, and of waiting */
	size_t output;		/* bytes taken of what it writes */
	bool no_files;		/* it can open nothing, whatever paths its input names */
};

/*
 * `run` writes its answer to the descriptor and returns; the child keeps copies of all
 * descriptors and memory, writes no files and no core. Appends to output what came, also on
 * failure. -ERROR_DAMAGED: it crashed or went beyond a limit.
 */
int confined_run(void (*run)(void *ctx, int out), void *ctx, const struct confined_limits *limits,
		 struct buf *output, struct error *error);

/* All of it, for use in the child. */
void confined_write(int out, const void *data, size_t len);

#endif
