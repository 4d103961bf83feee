// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define OUT_BYTES (64u << 10)

int out_open(struct out *out, struct recording *recording, int dir, const char *name,
	     struct error *error)
{
	struct out opened = { .recording = recording, .name = name };

	opened.data = malloc(OUT_BYTES);
	if (!opened.data)
		return error_nomem(error);
	opened.fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (opened.fd < 0) {
		free(opened.data);
		return error_errno(error, errno, name, "making it");
	}
	*out = opened;
	return 0;
}

static int out_write(struct out *out, const char *data, size_t len, struct error *error)
{
	__atomic_fetch_add(&out->recording->bytes, len, __ATOMIC_RELAXED);
	while (len) {
		ssize_t done = write(out->fd, data, len);

		if (done < 0 && errno != EINTR)
			return error_errno(error, errno, out->name, "writing it");
		if (recording_stopped(out->recording, error) < 0)
			return -1;
		if (done > 0) {
			data += done;
			len -= (size_t)done;
		}
	}
	return 0;
}

static int out_flush(struct out *out, struct error *error)
{
	size_t len = out->used;

	out->used = 0;
	return out_write(out, out->data, len, error);
}

int out_add(struct out *out, const void *data, size_t len, struct error *error)
{
	if (len > OUT_BYTES - out->used && out_flush(out, error) < 0)
		return -1;
	if (len > OUT_BYTES)
		return out_write(out, data, len, error);
	if (len)
		memcpy(out->data + out->used, data, len);
	out->used += len;
	return 0;
}

int out_end(struct out *out, struct error *error)
{
	int rc = out_flush(out, error);

	/* NFS tells here that the disk is full. */
	if (close(out->fd) < 0 && rc >= 0)
		rc = error_errno(error, errno, out->name, "writing it");
	out->fd = -1;
	return rc;
}

void out_done(struct out *out)
{
	if (out->fd >= 0)
		close(out->fd);
	free(out->data);
}

int out_text(struct recording *recording, int dir, const char *name, struct span text,
	     struct error *error)
{
	struct out out;
	int rc = out_open(&out, recording, dir, name, error);

	if (rc < 0)
		return rc;
	rc = out_add(&out, text.ptr, text.len, error);
	if (rc >= 0)
		rc = out_end(&out, error);
	out_done(&out);
	return rc;
}
