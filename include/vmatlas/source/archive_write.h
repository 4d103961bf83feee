/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_SOURCE_ARCHIVE_WRITE_H
#define VMATLAS_SOURCE_ARCHIVE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/error.h"

/*
 * A tar archive, written through libarchive, which is loaded when the first one is opened.
 * Files are 0600, folders 0700, nobody's, and of one time: equal contents give equal archives.
 */
struct archive_writer;

/* Does the name end as that of an archive does: .tar .tar.zst .tar.gz .tar.xz .tar.bz2 .tgz
 * .tzst? *stem is the length of what comes before; NULL where that is not wanted. */
bool archive_named(const char *path, size_t *stem);

/* Into the descriptor, which stays the caller's; packed as `path` ends. */
int archive_writer_new(int fd, const char *path, int64_t time, struct archive_writer **writer,
		       struct error *error);
void archive_writer_free(struct archive_writer *writer);	/* what was not ended is cut off */
DEFINE_CLEANUP(archive_writer_free, struct archive_writer)

int archive_writer_folder(struct archive_writer *writer, const char *name, struct error *error);
/* Begins a file; exactly `size` bytes follow through archive_writer_data(). */
int archive_writer_file(struct archive_writer *writer, const char *name, uint64_t size,
			struct error *error);
int archive_writer_data(struct archive_writer *writer, const void *data, size_t len,
			struct error *error);
int archive_writer_end(struct archive_writer *writer, struct error *error);

#endif
