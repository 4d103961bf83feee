// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "pieces.h"

void source_file_free(struct source_file *file)
{
	if (!file)
		return;
	cleanup_close(&file->fd);
	pieces_free(file->pieces);
	pieces_free(file->code);
	free(file);
}

static ssize_t recorded_read(const struct source_file *file, uint64_t offset, void *data,
			     size_t len, struct error *error)
{
	ssize_t got;

	if (offset >= file->size)
		return 0;
	if (!file->pieces)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "the snapshot does not hold bytes of this file");
	got = pieces_read(file->pieces, offset, data, len, error);
	return got == -ERROR_NOT_RECORDED && file->code ?
		pieces_read(file->code, offset, data, len, error) : got;
}

ssize_t source_file_read(const struct source_file *file, uint64_t offset, void *data, size_t len,
			 struct error *error)
{
	ssize_t got;

	if (file->fd < 0)
		return recorded_read(file, offset, data, len, error);
	if (offset > INT64_MAX)
		return 0;
	do
		got = pread(file->fd, data, len, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? error_errno(error, errno, NULL, "read") : got;
}
