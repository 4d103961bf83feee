// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "archive_read.h"
#include "vmatlas/base/search.h"

#define CHUNK (256u << 10)
#define MEMBERS_MAX (16u << 20)
#define NAME_BYTES_MAX 255u
/* Texts of the kernel pack well, but not that well. */
#define BOMB_RATIO 200u
#define BOMB_FREE (256ULL << 20)

struct member {
	size_t name;		/* offset in names */
	uint64_t base;
	uint64_t size;
};

struct snapshot_archive {
	struct source *source;
	int storage;
	uint64_t used, limit;	/* bytes of it */
	struct buf names;	/* each ends with a NUL */
	struct buf top;		/* what all names begin with: "NAME/" */
	bool has_top;
	struct member *members;	/* sorted by name once all are there */
	size_t count, cap;
};

int snapshot_storage_new(int *fd, struct error *error)
{
	const char *folder = getenv("TMPDIR");
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int made;

	if (!folder || !*folder)
		folder = "/tmp";
	made = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	/* Not every file system has nameless files. */
	if (made < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		if (buf_addf(&path, "%s/vmatlas-XXXXXX", folder) < 0)
			return error_nomem(error);
		made = mkostemp(path.data, O_CLOEXEC);
		if (made >= 0)
			unlink(path.data);
	}
	if (made < 0)
		return error_errno(error, errno, folder, "making a temporary file");
	*fd = made;
	return 0;
}

static const char *name_of_member(const struct snapshot_archive *archive, size_t index)
{
	return archive->names.data + archive->members[index].name;
}

static int refuse(const char *name, const char *why, struct error *error)
{
	return error_set(error, ERROR_DAMAGED, name, "refused in an archive: %s", why);
}

/* Each part between slashes is a plain name; a folder may end with one. */
static bool is_plain(const char *name, enum archive_kind kind)
{
	for (;;) {
		size_t len = strcspn(name, "/");

		if (!len || (len <= 2 && !strncmp(name, "..", len)))
			return false;
		name += len;
		if (!*name || (kind == ARCHIVE_FOLDER && !strcmp(name, "/")))
			return true;
		name++;
	}
}

/* tar writes names as it was given them: "./NAME", and "./" for the folder it stands in. */
static const char *skip_here(const char *name)
{
	while (!strncmp(name, "./", 2))
		name += 2;
	return strcmp(name, ".") ? name : "";
}

/* The first name tells what stands above everything: a folder, or nothing. */
static int learn_top(struct snapshot_archive *archive, const struct archive_item *item,
		     struct error *error)
{
	size_t len = strcspn(item->name, "/");
	bool below = item->name[len] || item->kind == ARCHIVE_FOLDER;

	archive->has_top = true;
	if (!*item->name && item->kind == ARCHIVE_FOLDER)
		return 0;
	if (!len || !strncmp(item->name, "../", len + 1))
		return refuse(item->name, "not a plain name", error);
	if (below && (buf_add(&archive->top, item->name, len) < 0 ||
		      buf_add_char(&archive->top, '/') < 0))
		return error_nomem(error);
	return 0;
}

/* *inner: the name of a file below the top, NULL for a folder. */
static int check_name(struct snapshot_archive *archive, const struct archive_item *item,
		      const char **inner, struct error *error)
{
	struct span name = span_of(item->name), top;

	if (name.len > NAME_BYTES_MAX)
		return refuse(item->name, "too long a name", error);
	if (item->kind == ARCHIVE_LINK)
		return refuse(item->name, "a link", error);
	if (item->kind == ARCHIVE_SPECIAL)
		return refuse(item->name, "neither a file nor a folder", error);
	if (!archive->has_top && learn_top(archive, item, error) < 0)
		return -1;
	top = buf_span(&archive->top);
	*inner = NULL;
	if (item->kind == ARCHIVE_FOLDER && name.len + 1 >= top.len && name.len <= top.len &&
	    !strncmp(buf_str(&archive->top), item->name, name.len))
		return 0;
	if (!span_starts(name, buf_str(&archive->top)))
		return refuse(item->name, "not in the folder of the first one", error);
	if (!is_plain(item->name + top.len, item->kind))
		return refuse(item->name, "not a plain name", error);
	if (item->kind == ARCHIVE_FILE)
		*inner = item->name + top.len;
	return 0;
}

static int store_bytes(struct snapshot_archive *archive, const char *data, size_t len,
		       struct error *error)
{
	if (len > archive->limit - archive->used)
		return error_set(error, ERROR_LIMIT, NULL, "unpacked it is larger than %llu MiB: "
				 "not a recording, or unpack it by hand",
				 (unsigned long long)archive->limit >> 20);
	while (len) {
		ssize_t put = pwrite(archive->storage, data, len, (off_t)archive->used);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return error_errno(error, put ? errno : ENOSPC, NULL,
					   "unpacking into TMPDIR");
		source_count(archive->source, 0);
		archive->used += (uint64_t)put;
		data += put;
		len -= (size_t)put;
	}
	return 0;
}

static int add_file(struct snapshot_archive *archive, struct archive_reader *reader,
		    const char *name, char *chunk, struct error *error)
{
	struct member member = { .name = archive->names.len, .base = archive->used };
	ssize_t got;

	if (archive->count == MEMBERS_MAX)
		return error_set(error, ERROR_LIMIT, NULL, "more than %u files in the archive",
				 MEMBERS_MAX);
	if (buf_add(&archive->names, name, strlen(name) + 1) < 0 ||
	    array_grow((void **)&archive->members, &archive->cap, archive->count,
		       sizeof(member)) < 0)
		return error_nomem(error);
	while ((got = archive_reader_data(reader, chunk, CHUNK, error)) > 0)
		if (store_bytes(archive, chunk, (size_t)got, error) < 0)
			return -1;
	if (got < 0)
		return (int)got;
	member.size = archive->used - member.base;
	archive->members[archive->count++] = member;
	return 0;
}

static int compare_members(const void *a, const void *b, void *names)
{
	return strcmp((const char *)names + ((const struct member *)a)->name,
		      (const char *)names + ((const struct member *)b)->name);
}

static int sort_members(struct snapshot_archive *archive, struct error *error)
{
	if (archive->count)
		qsort_r(archive->members, archive->count, sizeof(*archive->members),
			compare_members, archive->names.data);
	for (size_t i = 1; i < archive->count; i++)
		if (!strcmp(name_of_member(archive, i - 1), name_of_member(archive, i)))
			return refuse(name_of_member(archive, i), "it is there twice", error);
	return 0;
}

static int unpack(struct snapshot_archive *archive, struct archive_reader *reader,
		  struct error *error)
{
	CLEANUP_FREE char *chunk = malloc(CHUNK);
	struct archive_item item;
	const char *inner = NULL;
	int rc;

	if (!chunk)
		return error_nomem(error);
	while ((rc = archive_reader_next(reader, &item, error)) > 0) {
		item.name = skip_here(item.name);
		rc = check_name(archive, &item, &inner, error);
		if (!rc && inner)
			rc = add_file(archive, reader, inner, chunk, error);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : sort_members(archive, error);
}

static int archive_begin(struct snapshot_archive *archive, const char *path, struct error *error)
{
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;
	CLEANUP_CLOSE int fd = source_openat(archive->source, AT_FDCWD, path,
					     O_RDONLY | O_NONBLOCK);
	struct stat st;
	int rc;

	if (fd < 0)
		return error_errno(error, -fd, path, "open");
	if (fstat(fd, &st) < 0)
		return error_errno(error, errno, path, "stat");
	if (!S_ISREG(st.st_mode))
		return error_set(error, ERROR_DAMAGED, path, "not a regular file");
	archive->limit = BOMB_FREE + BOMB_RATIO * (uint64_t)st.st_size;
	if (archive->limit > SNAPSHOT_FILE_MAX)
		archive->limit = SNAPSHOT_FILE_MAX;
	rc = archive_reader_new(fd, &reader, error);
	if (!rc)
		rc = snapshot_storage_new(&archive->storage, error);
	return rc < 0 ? rc : unpack(archive, reader, error);
}

int snapshot_archive_new(struct source *source, const char *path, struct snapshot_archive **out,
			 struct error *error)
{
	CLEANUP(snapshot_archive_freep) struct snapshot_archive *archive = NULL;
	struct error local = ERROR_INIT;
	int rc;

	archive = calloc(1, sizeof(*archive));
	if (!archive)
		return error_nomem(error);
	archive->source = source;
	archive->storage = -1;
	rc = archive_begin(archive, path, &local);
	if (rc < 0) {
		if (error)
			*error = local;
		if (error && !error->item[0])
			snprintf(error->item, sizeof(error->item), "%s", path);
		return -(int)local.code;
	}
	*out = archive;
	archive = NULL;
	return 0;
}

void snapshot_archive_free(struct snapshot_archive *archive)
{
	if (!archive)
		return;
	cleanup_close(&archive->storage);
	buf_done(&archive->names);
	buf_done(&archive->top);
	free(archive->members);
	free(archive);
}

/* The first member whose name is not below this one. */
static size_t lower_bound(const struct snapshot_archive *archive, const char *name)
{
	return SEARCH_FIRST(i, archive->count, strcmp(name_of_member(archive, i), name) < 0);
}

bool snapshot_archive_file(const struct snapshot_archive *archive, const char *name,
			   struct snapshot_file *file)
{
	size_t at = lower_bound(archive, name);

	if (at == archive->count || strcmp(name_of_member(archive, at), name))
		return false;
	*file = (struct snapshot_file) {
		.fd = archive->storage, .borrowed = true,
		.base = archive->members[at].base, .size = archive->members[at].size,
	};
	return true;
}

/* The first member below the folder, and how long the name of that is with its slash. */
static size_t first_below(const struct snapshot_archive *archive, const char *folder, size_t *len)
{
	char name[SNAPSHOT_NAME_MAX];

	*len = (size_t)snprintf(name, sizeof(name), "%s/", folder);
	return *len < sizeof(name) ? lower_bound(archive, name) : archive->count;
}

static bool is_below(const struct snapshot_archive *archive, size_t at, const char *folder,
		     size_t len)
{
	return at < archive->count && !strncmp(name_of_member(archive, at), folder, len - 1) &&
	       name_of_member(archive, at)[len - 1] == '/';
}

bool snapshot_archive_has_folder(const struct snapshot_archive *archive, const char *name)
{
	size_t len, at = first_below(archive, name, &len);

	return is_below(archive, at, name, len);
}

int snapshot_archive_numbers(const struct snapshot_archive *archive, const char *name,
			     pid_t **numbers, size_t *count, struct error *error)
{
	CLEANUP_FREE pid_t *list = NULL;
	size_t have = 0, cap = 0, len, at = first_below(archive, name, &len);

	for (; is_below(archive, at, name, len); at++) {
		struct span word = span_of(name_of_member(archive, at) + len);
		uint64_t id;

		if (!span_take_dec(&word, &id) || (word.len && word.ptr[0] != '/') || !id ||
		    id > INT32_MAX || (have && list[have - 1] == (pid_t)id))
			continue;
		if (array_grow((void **)&list, &cap, have, sizeof(*list)) < 0)
			return error_nomem(error);
		list[have++] = (pid_t)id;
	}
	*numbers = list;
	*count = have;
	list = NULL;
	return 0;
}
