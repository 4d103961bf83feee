/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_ARCHIVE_H
#define SOURCE_SNAPSHOT_ARCHIVE_H

#include "snapshot.h"

/*
 * The files of an archive, unpacked one behind the other into a file without a name: nothing of
 * it can be put elsewhere, and it goes with the descriptor. Only regular files and folders below
 * one name are taken, each once; a bound on what is unpacked keeps small archives from filling
 * the disk.
 */
struct snapshot_archive;

int snapshot_archive_new(struct source *source, const char *path,
			 struct snapshot_archive **archive, struct error *error);
void snapshot_archive_free(struct snapshot_archive *archive);
DEFINE_CLEANUP(snapshot_archive_free, struct snapshot_archive)

/* False if there is no such file. The descriptor stays the archive's. */
bool snapshot_archive_file(const struct snapshot_archive *archive, const char *name,
			   struct snapshot_file *file);
bool snapshot_archive_has_folder(const struct snapshot_archive *archive, const char *name);
/* Decimal names in a folder, each once, in no order; the caller frees them. */
int snapshot_archive_numbers(const struct snapshot_archive *archive, const char *name,
			     pid_t **numbers, size_t *count, struct error *error);
/* A file without a name, for those who want one of their own. */
int snapshot_storage_new(int *fd, struct error *error);

#endif
