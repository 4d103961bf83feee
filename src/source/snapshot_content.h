/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_CONTENT_H
#define SOURCE_SNAPSHOT_CONTENT_H

#include "pieces.h"
#include "snapshot_differences.h"
#include "snapshot_mallocs.h"

/* What is recorded of the memory of a process: how copied pages differ from their files, headers
 * of malloc, and on request bytes. */
struct snapshot_content {
	struct snapshot_differences differences;
	struct snapshot_mallocs mallocs;
	struct piece_list ranges;
	struct source_pieces *memory;	/* NULL: not recorded */
};

/* The process has its folder. */
int snapshot_content_load(struct snapshot_process *process, struct error *error);
void snapshot_content_free(struct snapshot_content *content);

/* Of struct source_ops. */
int snapshot_difference(struct source_process *process, uint64_t page, uint8_t *marks,
			struct error *error);
int snapshot_malloc_size(struct source_process *process, enum source_malloc what,
			 uint64_t address, uint64_t *size, struct error *error);
int snapshot_mem(struct source_process *process, uint64_t address, void *data, size_t len,
		 size_t *got, struct error *error);
int snapshot_file_open(struct source_process *process, const struct source_file_key *key,
		       struct source_file **file, struct error *error);
int snapshot_path_open(struct source *source, struct source_process *process, const char *path,
		       struct source_file **file, struct error *error);

#endif
