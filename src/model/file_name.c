// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/file_name.h"

#include <string.h>

#include "vmatlas/base/cleanup.h"

#define DELETED " (deleted)"

static void take(struct buf *name, struct buf *found)
{
	buf_done(name);
	*name = *found;
	*found = (struct buf) BUF_INIT;
}

/* Is the file at this path that of the key? Without a range, so that no FUSE file is touched. */
static bool is_at(struct source_process *process, const struct source_file_key *key,
		  const struct buf *path)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct source_file_key named = {
		.inode = key->inode, .major = key->major, .minor = key->minor,
		.path = buf_span(path),
	};

	return source_file_open(process, &named, &file, NULL) == 0 &&
	       file->match == FILE_MATCH_SAME;
}

int file_name_deleted(struct source_process *process, const struct source_file_key *key,
		      struct buf *name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	if (buf_add_span(&path, key->path) < 0 || buf_add_str(&path, DELETED) < 0)
		return -ERROR_NOMEM;
	if (!is_at(process, key, &path))
		return 0;
	take(name, &path);
	return 1;
}

/* Is `escaped` what the kernel makes of `plain`? */
static bool is_escape_of(struct span escaped, struct span plain)
{
	size_t at = 0;

	for (size_t i = 0; i < plain.len; i++) {
		struct span rest = { escaped.ptr + at, escaped.len - at };
		bool newline = plain.ptr[i] == '\n';

		if (newline ? !span_starts(rest, "\\012") :
		    !rest.len || *rest.ptr != plain.ptr[i])
			return false;
		at += newline ? 4 : 1;
	}
	return at == escaped.len;
}

int file_name_newline(struct source_process *process, const struct source_file_key *key,
		      struct buf *name)
{
	CLEANUP(buf_done) struct buf plain = BUF_INIT;
	struct span span;

	if (source_mapped_name(process, key->start, key->end, &plain, NULL) < 0)
		return 0;
	span = buf_span(&plain);
	if (key->deleted && span_ends(span, DELETED))
		span.len -= strlen(DELETED);
	if (!is_escape_of(key->path, span) || span_equal(key->path, span))
		return 0;
	plain.data[span.len] = '\0';
	plain.len = span.len;
	take(name, &plain);
	return 1;
}
