// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/source/archive_write.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "vmatlas/base/library.h"

#define FUNCTIONS(F) \
	F(archive_write_new) F(archive_write_free) F(archive_write_set_format_pax_restricted) \
	F(archive_write_add_filter_zstd) F(archive_write_add_filter_gzip) \
	F(archive_write_add_filter_xz) F(archive_write_add_filter_bzip2) \
	F(archive_write_add_filter_none) F(archive_write_set_bytes_per_block) \
	F(archive_write_set_options) F(archive_write_open_fd) F(archive_write_header) \
	F(archive_write_data) F(archive_write_close) F(archive_errno) F(archive_error_string) \
	F(archive_entry_new) F(archive_entry_free) F(archive_entry_clear) \
	F(archive_entry_set_pathname) F(archive_entry_set_size) F(archive_entry_set_mode) \
	F(archive_entry_set_mtime)

LIBRARY_FUNCTIONS(FUNCTIONS);

static struct library library = {
	.file = "libarchive.so.13",
	.package = "libarchive13 (Debian, Ubuntu) or libarchive",
	.use = "archives cannot be written",
	.functions = functions,
};

struct archive_writer {
	struct archive *archive;
	struct archive_entry *entry;
	int64_t time;
};

typedef int filter_fn(struct archive *archive);

/* The filter's place in `lib`: it is filled later. */
static const struct {
	const char *suffix;
	filter_fn **filter;
} suffixes[] = {
	{ ".tar", &lib.archive_write_add_filter_none },
	{ ".tar.zst", &lib.archive_write_add_filter_zstd },
	{ ".tzst", &lib.archive_write_add_filter_zstd },
	{ ".tar.gz", &lib.archive_write_add_filter_gzip },
	{ ".tgz", &lib.archive_write_add_filter_gzip },
	{ ".tar.xz", &lib.archive_write_add_filter_xz },
	{ ".tar.bz2", &lib.archive_write_add_filter_bzip2 },
};

static int suffix_of(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i].suffix);

		if (len > n && path[len - n - 1] != '/' &&
		    !strcmp(path + len - n, suffixes[i].suffix))
			return (int)i;
	}
	return -1;
}

bool archive_named(const char *path, size_t *stem)
{
	int at = suffix_of(path);

	if (at >= 0 && stem)
		*stem = strlen(path) - strlen(suffixes[at].suffix);
	return at >= 0;
}

static int failed(const struct archive_writer *writer, struct error *error)
{
	int errnum = lib.archive_errno(writer->archive);
	const char *text = lib.archive_error_string(writer->archive);

	if (errnum > 0)
		return error_errno(error, errnum, NULL, "writing the archive");
	return error_set(error, ERROR_SYSTEM, NULL, "writing the archive failed: %s",
			 text ? text : "no reason given");
}

/* The gzip header would hold the time of packing. Blocks are not padded behind the end. */
static int writer_begin(struct archive_writer *writer, int fd, filter_fn *filter,
			struct error *error)
{
	struct archive *a = writer->archive;

	if (lib.archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
	    filter(a) < ARCHIVE_WARN ||
	    lib.archive_write_set_bytes_per_block(a, 64 << 10) != ARCHIVE_OK)
		return failed(writer, error);
	if (filter == lib.archive_write_add_filter_gzip)
		lib.archive_write_set_options(a, "gzip:!timestamp");
	return lib.archive_write_open_fd(a, fd) == ARCHIVE_OK ? 0 : failed(writer, error);
}

int archive_writer_new(int fd, const char *path, int64_t time, struct archive_writer **out,
		       struct error *error)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	int at = suffix_of(path), rc = library_load(&library, error);

	if (rc < 0)
		return rc;
	if (at < 0)
		return error_set(error, ERROR_USAGE, path, "not the name of an archive");
	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return error_nomem(error);
	writer->time = time;
	writer->archive = lib.archive_write_new();
	writer->entry = lib.archive_entry_new();
	if (!writer->archive || !writer->entry)
		return error_nomem(error);
	rc = writer_begin(writer, fd, *suffixes[at].filter, error);
	if (rc < 0)
		return rc;
	*out = writer;
	writer = NULL;
	return 0;
}

void archive_writer_free(struct archive_writer *writer)
{
	if (!writer)
		return;
	if (writer->entry)
		lib.archive_entry_free(writer->entry);
	if (writer->archive)
		lib.archive_write_free(writer->archive);
	free(writer);
}

static int put_header(struct archive_writer *writer, const char *name, unsigned mode,
		      uint64_t size, struct error *error)
{
	struct archive_entry *entry = writer->entry;

	lib.archive_entry_clear(entry);
	lib.archive_entry_set_pathname(entry, name);
	lib.archive_entry_set_mode(entry, mode);
	lib.archive_entry_set_size(entry, (int64_t)size);
	lib.archive_entry_set_mtime(entry, writer->time, 0);
	return lib.archive_write_header(writer->archive, entry) == ARCHIVE_OK ? 0 :
		failed(writer, error);
}

int archive_writer_folder(struct archive_writer *writer, const char *name, struct error *error)
{
	return put_header(writer, name, AE_IFDIR | 0700, 0, error);
}

int archive_writer_file(struct archive_writer *writer, const char *name, uint64_t size,
			struct error *error)
{
	return put_header(writer, name, AE_IFREG | 0600, size, error);
}

int archive_writer_data(struct archive_writer *writer, const void *data, size_t len,
			struct error *error)
{
	return lib.archive_write_data(writer->archive, data, len) == (la_ssize_t)len ? 0 :
		failed(writer, error);
}

int archive_writer_end(struct archive_writer *writer, struct error *error)
{
	return lib.archive_write_close(writer->archive) == ARCHIVE_OK ? 0 : failed(writer, error);
}
