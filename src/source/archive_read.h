/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_ARCHIVE_READ_H
#define SOURCE_ARCHIVE_READ_H

#include <sys/types.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/error.h"

/* A tar archive, packed or not, read through libarchive, which is loaded for the first one. */
struct archive_reader;

enum archive_kind {
	ARCHIVE_FILE,
	ARCHIVE_FOLDER,
	ARCHIVE_LINK,		/* hard or symbolic */
	ARCHIVE_SPECIAL		/* device, FIFO, socket */
};

struct archive_item {
	const char *name;	/* until the next call */
	enum archive_kind kind;
};

/* From the descriptor, which stays the caller's. */
int archive_reader_new(int fd, struct archive_reader **reader, struct error *error);
void archive_reader_free(struct archive_reader *reader);
DEFINE_CLEANUP(archive_reader_free, struct archive_reader)

/* 1 and the next one, 0 at the end. */
int archive_reader_next(struct archive_reader *reader, struct archive_item *item,
			struct error *error);
/* Bytes of the file handed out last; 0 at its end. Holes read as zeros. */
ssize_t archive_reader_data(struct archive_reader *reader, void *data, size_t len,
			    struct error *error);

#endif
