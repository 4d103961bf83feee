// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "vmatlas/source/archive_write.h"

#define DEPTH_MAX 8
#define CHUNK (64u << 10)

struct pack {
	struct recording *recording;
	struct archive_writer *writer;
	char *data;		/* CHUNK bytes */
};

static int pack_bytes(struct pack *pack, int fd, uint64_t size, const char *name,
		      struct error *error)
{
	while (size) {
		ssize_t got = read(fd, pack->data, size < CHUNK ? size : CHUNK);

		if (recording_stopped(pack->recording, error) < 0)
			return -1;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_errno(error, got ? errno : EIO, name, "reading it back");
		if (archive_writer_data(pack->writer, pack->data, (size_t)got, error) < 0)
			return -1;
		size -= (uint64_t)got;
	}
	return 0;
}

static int pack_file(struct pack *pack, int dir, const char *name, const char *path,
		     struct error *error)
{
	CLEANUP_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(error, errno, path, "reading it back");
	if (archive_writer_file(pack->writer, path, (uint64_t)st.st_size, error) < 0)
		return -1;
	return pack_bytes(pack, fd, (uint64_t)st.st_size, path, error);
}

static int not_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

/* Bytewise, whatever the locale; the manifest first: a reader knows then what comes. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	bool first = !strcmp((*a)->d_name, "manifest"), second = !strcmp((*b)->d_name, "manifest");

	return first != second ? (first ? -1 : 1) : strcmp((*a)->d_name, (*b)->d_name);
}

static int pack_folder(struct pack *pack, int dir, const char *path, unsigned depth,
		       struct error *error);

static int pack_entry(struct pack *pack, int dir, const struct dirent *entry, const char *path,
		      unsigned depth, struct error *error)
{
	CLEANUP(buf_done) struct buf inner = BUF_INIT;
	CLEANUP_CLOSE int folder = -1;

	if (buf_addf(&inner, "%s/%s", path, entry->d_name) < 0)
		return error_nomem(error);
	if (entry->d_type != DT_DIR)
		return pack_file(pack, dir, entry->d_name, buf_str(&inner), error);
	folder = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || !depth)
		return error_errno(error, folder < 0 ? errno : ELOOP, buf_str(&inner),
				   "reading it back");
	return pack_folder(pack, folder, buf_str(&inner), depth - 1, error);
}

static int pack_folder(struct pack *pack, int dir, const char *path, unsigned depth,
		       struct error *error)
{
	struct dirent **entries = NULL;
	int count = scandirat(dir, ".", &entries, not_dots, by_name);
	int rc = count < 0 ? error_errno(error, errno, path, "reading it back") :
		archive_writer_folder(pack->writer, path, error);

	for (int i = 0; i < count; i++) {
		if (rc >= 0)
			rc = pack_entry(pack, dir, entries[i], path, depth, error);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int pack_all(struct pack *pack, int fd, struct error *error)
{
	const struct place *place = &pack->recording->place;
	CLEANUP(buf_done) struct buf top = BUF_INIT;
	size_t stem = 0;
	int rc;

	archive_named(place->name, &stem);
	if (buf_add(&top, place->name, stem) < 0)
		return error_nomem(error);
	rc = archive_writer_new(fd, place->name, source_host(pack->recording->source)->time,
				&pack->writer, error);
	if (rc >= 0)
		rc = pack_folder(pack, place->root, buf_str(&top), DEPTH_MAX, error);
	return rc < 0 ? rc : archive_writer_end(pack->writer, error);
}

int pack_record(struct recording *recording, uint64_t *stored, struct error *error)
{
	CLEANUP_CLOSE int fd = openat(recording->place.outer, PLACE_ARCHIVE,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	CLEANUP_FREE char *data = malloc(CHUNK);
	struct pack pack = { .recording = recording, .data = data };
	struct stat st;
	int rc;

	if (fd < 0)
		return error_errno(error, errno, recording->place.target, "making the archive");
	if (!data)
		return error_nomem(error);
	rc = pack_all(&pack, fd, error);
	archive_writer_free(pack.writer);
	if (rc >= 0 && !fstat(fd, &st))
		*stored = (uint64_t)st.st_size;
	return rc;
}
