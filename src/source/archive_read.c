// SPDX-License-Identifier: LGPL-2.1-or-later
#include "archive_read.h"

#include <archive.h>
#include <archive_entry.h>

#include "vmatlas/base/library.h"

#define BLOCK (64u << 10)

#define FUNCTIONS(F) \
	F(archive_read_new) F(archive_read_free) F(archive_read_support_format_tar) \
	F(archive_read_support_filter_zstd) F(archive_read_support_filter_gzip) \
	F(archive_read_support_filter_xz) F(archive_read_support_filter_bzip2) \
	F(archive_read_open_fd) F(archive_read_next_header) F(archive_read_data) \
	F(archive_error_string) F(archive_entry_pathname) F(archive_entry_filetype) \
	F(archive_entry_hardlink) F(archive_entry_symlink)

LIBRARY_FUNCTIONS(FUNCTIONS);

static struct library library = {
	.file = "libarchive.so.13",
	.package = "libarchive13 (Debian, Ubuntu) or libarchive",
	.use = "archives cannot be read",
	.functions = functions,
};

struct archive_reader {
	struct archive *archive;
};

static int failed(const struct archive_reader *reader, struct error *error)
{
	const char *text = lib.archive_error_string(reader->archive);

	return error_set(error, ERROR_DAMAGED, NULL, "the archive cannot be read: %s",
			 text ? text : "no reason given");
}

/* Only what record writes: a filter that is not built in would run a program. */
static int reader_begin(struct archive_reader *reader, int fd, struct error *error)
{
	struct archive *a = reader->archive;

	if (lib.archive_read_support_format_tar(a) != ARCHIVE_OK)
		return failed(reader, error);
	lib.archive_read_support_filter_gzip(a);
	lib.archive_read_support_filter_bzip2(a);
	lib.archive_read_support_filter_xz(a);
	lib.archive_read_support_filter_zstd(a);
	return lib.archive_read_open_fd(a, fd, BLOCK) == ARCHIVE_OK ? 0 : failed(reader, error);
}

int archive_reader_new(int fd, struct archive_reader **out, struct error *error)
{
	CLEANUP(archive_reader_freep) struct archive_reader *reader = NULL;
	int rc = library_load(&library, error);

	if (rc < 0)
		return rc;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return error_nomem(error);
	reader->archive = lib.archive_read_new();
	if (!reader->archive)
		return error_nomem(error);
	rc = reader_begin(reader, fd, error);
	if (rc < 0)
		return rc;
	*out = reader;
	reader = NULL;
	return 0;
}

void archive_reader_free(struct archive_reader *reader)
{
	if (!reader)
		return;
	if (reader->archive)
		lib.archive_read_free(reader->archive);
	free(reader);
}

static enum archive_kind kind_of(struct archive_entry *entry)
{
	if (lib.archive_entry_hardlink(entry) || lib.archive_entry_symlink(entry))
		return ARCHIVE_LINK;
	switch (lib.archive_entry_filetype(entry)) {
	case AE_IFREG:
		return ARCHIVE_FILE;
	case AE_IFDIR:
		return ARCHIVE_FOLDER;
	case AE_IFLNK:
		return ARCHIVE_LINK;
	default:
		return ARCHIVE_SPECIAL;
	}
}

int archive_reader_next(struct archive_reader *reader, struct archive_item *item,
			struct error *error)
{
	struct archive_entry *entry = NULL;
	int rc = lib.archive_read_next_header(reader->archive, &entry);

	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK)
		return failed(reader, error);
	*item = (struct archive_item) { lib.archive_entry_pathname(entry), kind_of(entry) };
	if (!item->name)
		return error_set(error, ERROR_DAMAGED, NULL, "a member of the archive has no name");
	return 1;
}

ssize_t archive_reader_data(struct archive_reader *reader, void *data, size_t len,
			    struct error *error)
{
	la_ssize_t got = lib.archive_read_data(reader->archive, data, len);

	return got < 0 ? failed(reader, error) : (ssize_t)got;
}
