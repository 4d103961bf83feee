// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "vmatlas/source/archive_write.h"

/* More than a kernel can have processes or threads (PID_MAX_LIMIT). */
#define NUMBERS_MAX (4u << 20)

void snapshot_file_done(struct snapshot_file *file)
{
	if (!file->borrowed)
		cleanup_close(&file->fd);
	file->fd = -1;
}

/* A part of the archive's storage as a file of its own. */
static int file_copy(struct source *source, const struct snapshot_file *file, int *fd,
		     struct error *error)
{
	CLEANUP_CLOSE int copy = -1;
	off_t at = (off_t)file->base;
	uint64_t end = file->base + file->size;
	int rc = snapshot_storage_new(&copy, error);

	while (!rc && (uint64_t)at < end) {
		ssize_t sent = sendfile(copy, file->fd, &at, end - (uint64_t)at);

		source_count(source, sent);
		if (sent <= 0)
			rc = error_errno(error, sent ? errno : EIO, NULL, "unpacking into TMPDIR");
	}
	if (rc < 0)
		return rc;
	if (lseek(copy, 0, SEEK_SET) < 0)
		return error_errno(error, errno, NULL, "unpacking into TMPDIR");
	*fd = copy;
	copy = -1;
	return 0;
}

int snapshot_file_detach(struct source *source, struct snapshot_file *file, int *fd,
			 struct error *error)
{
	if (file->borrowed)
		return file_copy(source, file, fd, error);
	*fd = file->fd;
	file->fd = -1;
	return 0;
}

int snapshot_file_text(struct source *source, const struct snapshot_file *file, const char *name,
		       size_t limit, struct buf *text, struct error *error)
{
	size_t size = (size_t)file->size;
	ssize_t got;

	if (file->size > limit)
		return error_set(error, ERROR_LIMIT, name, "longer than %zu bytes", limit);
	if (buf_reserve(text, size) < 0)
		return error_nomem(error);
	got = source_pread(source, file->fd, text->data + text->len, size, file->base);
	if (got < 0)
		return error_errno(error, -(int)got, name, "read");
	source_buf_cut(text, text->len + (size_t)got);
	return 0;
}

int snapshot_store_init(struct snapshot_store *store, struct source *source, const char *path,
			struct error *error)
{
	int dir = source_openat(source, AT_FDCWD, path, O_PATH | O_DIRECTORY);

	*store = (struct snapshot_store) { .source = source, .dir = -1 };
	if (dir == -ENOENT)
		return error_set(error, ERROR_NOT_FOUND, path, "no such snapshot");
	if (dir < 0 && dir != -ENOTDIR)
		return error_errno(error, -dir, path, "open");
	if (dir < 0 && archive_named(path, NULL))
		return snapshot_archive_new(source, path, &store->archive, error);
	if (dir < 0) {
		store->maps = strdup(path);
		return store->maps ? 0 : error_nomem(error);
	}
	store->dir = dir;
	return 0;
}

void snapshot_store_done(struct snapshot_store *store)
{
	cleanup_close(&store->dir);
	snapshot_archive_free(store->archive);
	free(store->maps);
}

static int folder_refusal(int errnum, const char *name, struct error *error)
{
	switch (errnum) {
	case ENOENT:
		return error_set(error, ERROR_NOT_RECORDED, name, "the snapshot does not hold it");
	case ENOTDIR:
		return error_set(error, ERROR_DAMAGED, name, "not a folder");
	case ELOOP:
		return error_set(error, ERROR_DAMAGED, name,
				 "a symbolic link in a snapshot is not followed");
	default:
		return error_errno(error, errnum, name, "open");
	}
}

/* Opens `name` part by part: no symbolic link is followed. A descriptor or -errno. */
static int folder_open(struct snapshot_store *store, const char *name, int flags)
{
	CLEANUP_CLOSE int above = -1;
	int dir = store->dir;
	const char *slash;

	for (; (slash = strchr(name, '/')); name = slash + 1) {
		char part[SNAPSHOT_NAME_MAX];
		size_t len = (size_t)(slash - name);

		if (len >= sizeof(part))
			return -ENAMETOOLONG;
		memcpy(part, name, len);
		part[len] = '\0';
		dir = source_openat(store->source, dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW);
		cleanup_close(&above);
		above = dir;
		if (dir < 0)
			return dir;
	}
	return source_openat(store->source, dir, name, flags | O_NOFOLLOW);
}

static int file_check(int fd, const char *name, uint64_t *size, struct error *error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(error, errno, name, "stat");
	if (!S_ISREG(st.st_mode))
		return error_set(error, ERROR_DAMAGED, name, "not a regular file");
	if ((uint64_t)st.st_size > SNAPSHOT_FILE_MAX)
		return error_set(error, ERROR_LIMIT, name, "longer than %llu GiB",
				 SNAPSHOT_FILE_MAX >> 30);
	*size = (uint64_t)st.st_size;
	return 0;
}

/* Never anything but a regular file; O_NONBLOCK because it might be a FIFO. */
int snapshot_store_file(struct snapshot_store *store, const char *name,
			struct snapshot_file *file, struct error *error)
{
	CLEANUP_CLOSE int fd = -1;
	uint64_t size = 0;
	int rc;

	if (store->archive)
		return snapshot_archive_file(store->archive, name, file) ? 0 :
			folder_refusal(ENOENT, name, error);
	if (store->dir >= 0)
		fd = folder_open(store, name, O_RDONLY | O_NONBLOCK);
	else if (!strcmp(name, "maps"))
		fd = source_openat(store->source, AT_FDCWD, store->maps, O_RDONLY | O_NONBLOCK);
	else
		return error_set(error, ERROR_NOT_RECORDED, name, "only a maps text was given");
	if (fd < 0)
		return folder_refusal(-fd, name, error);
	rc = file_check(fd, name, &size, error);
	if (rc < 0)
		return rc;
	*file = (struct snapshot_file) { .fd = fd, .size = size };
	fd = -1;
	return 0;
}

bool snapshot_store_has_folder(struct snapshot_store *store, const char *name)
{
	CLEANUP_CLOSE int fd = -1;

	if (store->archive)
		return snapshot_archive_has_folder(store->archive, name);
	if (store->dir >= 0)
		fd = folder_open(store, name, O_PATH | O_DIRECTORY);
	return fd >= 0;
}

static int numbers_collect(DIR *folder, const char *name, pid_t **numbers, size_t *count,
			   struct error *error)
{
	CLEANUP_FREE pid_t *list = NULL;
	size_t have = 0, cap = 0;
	struct dirent *entry;

	while ((errno = 0, entry = readdir(folder))) {
		struct span word = span_of(entry->d_name);
		uint64_t id;

		if (!span_take_dec(&word, &id) || word.len || !id || id > INT32_MAX)
			continue;
		if (have == NUMBERS_MAX)
			return error_set(error, ERROR_LIMIT, name, "more than %u entries",
					 NUMBERS_MAX);
		if (array_grow((void **)&list, &cap, have, sizeof(*list)) < 0)
			return error_nomem(error);
		list[have++] = (pid_t)id;
	}
	if (errno)
		return error_errno(error, errno, name, "read");
	*numbers = list;
	*count = have;
	list = NULL;
	return 0;
}

static int folder_numbers(struct snapshot_store *store, const char *name, pid_t **numbers,
			  size_t *count, struct error *error)
{
	int fd = store->dir < 0 ? -ENOENT : folder_open(store, name, O_RDONLY | O_DIRECTORY);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	int rc;

	if (fd < 0)
		return folder_refusal(-fd, name, error);
	if (!folder) {
		close(fd);
		return error_nomem(error);
	}
	rc = numbers_collect(folder, name, numbers, count, error);
	closedir(folder);
	return rc;
}

int snapshot_store_numbers(struct snapshot_store *store, const char *name, pid_t **numbers,
			   size_t *count, struct error *error)
{
	int rc;

	if (store->archive && !snapshot_archive_has_folder(store->archive, name))
		return folder_refusal(ENOENT, name, error);
	rc = store->archive ?
		snapshot_archive_numbers(store->archive, name, numbers, count, error) :
		folder_numbers(store, name, numbers, count, error);
	if (!rc)
		source_pids_sort(*numbers, *count);
	return rc;
}

ssize_t snapshot_reader_read(void *reader, void *data, size_t len, struct error *error)
{
	struct snapshot_reader *r = reader;
	uint64_t left = r->file->size - r->at;
	ssize_t got = source_pread(r->source, r->file->fd, data, len < left ? len : left,
				   r->file->base + r->at);

	if (got < 0)
		return error_errno(error, -(int)got, r->name, "read");
	r->at += (uint64_t)got;
	return got;
}
