/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_FILES_H
#define SOURCE_SNAPSHOT_FILES_H

#include "pieces.h"

/*
 * The mapped files of a snapshot: files/N/about says which file it is and what came of opening
 * it, files/N/ranges and files/N/bytes hold its headers and tables.
 */
struct snapshot_files;

/* Reads `about` and `ranges` of files/1, files/2 and so on; a snapshot may have none. The store
 * and what is missing must live as long. */
int snapshot_files_load(struct snapshot_store *store, const struct snapshot_missing *missing,
			struct snapshot_files **files, struct error *error);
void snapshot_files_free(struct snapshot_files *files);

/* As source_file_open() for a process with that id, and source_path_open(). */
int snapshot_files_mapped(struct snapshot_files *files, pid_t pid,
			  const struct source_file_key *key, struct source_file **file,
			  struct error *error);
int snapshot_files_named(struct snapshot_files *files, const char *path,
			 struct source_file **file, struct error *error);

/* Which pages of a file the page cache held: files/N/cached, and of shared memory those in swap:
 * files/N/swapped. Both are texts as `ranges`. */
struct recorded_cache {
	struct piece_list in, swapped;
	struct error why;	/* ERROR_NONE: they are known */
};

/* As source_file_cached(). */
int recorded_cache_ask(const struct recorded_cache *cache, uint64_t page_size, uint64_t offset,
		       uint64_t len, struct source_cached *cached, struct error *error);

#endif
