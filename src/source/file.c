// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "source_impl.h"

void source_file_free(struct source_file *file)
{
	if (!file)
		return;
	cleanup_close(&file->fd);
	free(file);
}

ssize_t source_file_read(const struct source_file *file, uint64_t offset, void *data, size_t len,
			 struct error *error)
{
	ssize_t got;

	if (offset > INT64_MAX)
		return 0;
	do
		got = pread(file->fd, data, len, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? error_errno(error, errno, NULL, "read") : got;
}
