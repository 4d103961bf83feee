// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "source_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Several threads may read different processes of one source. */
void source_count(struct source *source, ssize_t bytes)
{
	__atomic_fetch_add(&source->cost.calls, 1, __ATOMIC_RELAXED);
	if (bytes > 0)
		__atomic_fetch_add(&source->cost.bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
}

/* A descriptor or -errno. */
int source_openat(struct source *source, int dir, const char *name, int flags)
{
	int fd;

	do {
		fd = openat(dir, name, flags | O_CLOEXEC | O_NOCTTY);
		source_count(source, 0);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* Bytes or -errno. */
ssize_t source_read(struct source *source, int fd, void *data, size_t len)
{
	ssize_t got;

	do {
		got = read(fd, data, len);
		source_count(source, got);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

ssize_t source_pread(struct source *source, int fd, void *data, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

		source_count(source, got);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && !done)
			return -errno;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

void source_buf_cut(struct buf *text, size_t len)
{
	text->len = len;
	if (text->data)
		text->data[len] = '\0';
}

int source_read_all(struct source *source, int fd, const char *item, size_t limit,
		    struct buf *text, struct error *error)
{
	size_t before = text->len;
	ssize_t got;

	do {
		if (buf_reserve(text, 4096) < 0) {
			source_buf_cut(text, before);
			return error_nomem(error);
		}
		got = source_read(source, fd, text->data + text->len, 4096);
		if (got > 0)
			text->len += (size_t)got;
	} while (got > 0 && text->len - before <= limit);
	source_buf_cut(text, got ? before : text->len);
	if (!got)
		return 0;
	return got < 0 ? error_errno(error, -(int)got, item, "read") :
		error_set(error, ERROR_LIMIT, item, "longer than %zu bytes", limit);
}

static int pid_compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

void source_pids_sort(pid_t *pids, size_t count)
{
	if (count)
		qsort(pids, count, sizeof(*pids), pid_compare);
}
