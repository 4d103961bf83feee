/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RECORD_PIECES_H
#define RECORD_PIECES_H

#include "recording.h"
#include "vmatlas/model/process.h"

/* What a job for one process writes; `dir` is the folder of the process. */
struct pieces {
	struct recording *recording;
	struct process *process;
	struct mapped_file **files;	/* by object, NULL: none */
	struct missing *missing;
	int dir;
};

/* Pages in a row that were copied from a private mapping of a file and are present. */
typedef int copied_fn(void *ctx, const struct vma *vma, uint64_t address, uint64_t pages,
		      struct error *error);

/* Calls fn for all of the process in ascending order. Fails only if fn does; *failure tells that
 * pagemap could not be read. */
int copied_pages(struct pieces *pieces, copied_fn *fn, void *ctx, struct error *failure,
		 struct error *error);

/* PID/differences, PID/malloc, PID/memory. */
int differences_record(struct pieces *pieces, struct error *error);
int mallocs_record(struct pieces *pieces, struct error *error);
int memory_record(struct pieces *pieces, struct error *error);

#endif
