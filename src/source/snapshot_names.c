// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_CHUNK 65536u

/* "7f0000000-7f0001000 TARGET": the links whose target is not what maps shows, ascending, as
 * those who ask do: the file is read once. */
struct snapshot_names {
	struct snapshot_file file;
	struct snapshot_reader reader;
	struct lines lines;
	char item[SNAPSHOT_NAME_MAX];
	uint64_t asked;		/* the start asked for last */
	bool held;		/* the line read last: */
	uint64_t start, end;
	struct span target;
};

void snapshot_names_free(struct snapshot_names *names)
{
	if (!names)
		return;
	snapshot_file_done(&names->file);
	lines_done(&names->lines);
	free(names);
}

static int names_open(struct snapshot_process *p, struct error *error)
{
	struct snapshot_names *names = calloc(1, sizeof(*names));
	int rc;

	if (!names)
		return error_nomem(error);
	rc = snapshot_process_file(&p->base, "map_files", &names->file, error);
	if (rc < 0) {
		free(names);
		return rc;
	}
	snprintf(names->item, sizeof(names->item), "%smap_files", p->folder);
	names->reader = (struct snapshot_reader) { p->base.source, &names->file, names->item, 0 };
	lines_init(&names->lines, snapshot_reader_read, &names->reader, LINE_CHUNK);
	p->names = names;
	return 0;
}

static int next_name(struct snapshot_names *names, struct error *error)
{
	uint64_t before = names->held ? names->start + 1 : 0;
	struct span line;
	int rc = lines_next(&names->lines, &line, error);

	names->held = true;
	if (rc > 0 && span_take_hex(&line, &names->start) && span_take_char(&line, '-') &&
	    span_take_hex(&line, &names->end) && span_take_char(&line, ' ') &&
	    names->start >= before) {
		names->target = line;
		return 1;
	}
	/* Nothing is behind it, also for those who ask later. */
	names->start = names->end = UINT64_MAX;
	names->target = (struct span) { NULL, 0 };
	if (rc <= 0)
		return rc;
	error_set(error, ERROR_DAMAGED, names->item,
		  "not the form START-END TARGET, or not ascending");
	if (error)
		error->line = names->lines.number;
	return -ERROR_DAMAGED;
}

/* A backslash is "\134" and a newline "\012" there. */
static int add_unescaped(struct buf *name, struct span escaped, struct error *error)
{
	size_t before = name->len;

	while (escaped.len) {
		bool newline = span_starts(escaped, "\\012");
		size_t eaten = newline || span_starts(escaped, "\\134") ? 4 : 1;

		if (buf_add_char(name, newline ? '\n' : *escaped.ptr) < 0) {
			source_buf_cut(name, before);
			return error_nomem(error);
		}
		escaped = (struct span) { escaped.ptr + eaten, escaped.len - eaten };
	}
	return 0;
}

int snapshot_mapped_name(struct source_process *process, uint64_t start, uint64_t end,
			 struct buf *name, struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);
	int rc = 1;

	if (p->names && p->names->asked > start) {
		snapshot_names_free(p->names);
		p->names = NULL;
	}
	if (!p->names)
		rc = names_open(p, error);
	if (rc >= 0)
		p->names->asked = start;
	while (rc >= 0 && (!p->names->held || p->names->start < start)) {
		rc = next_name(p->names, error);
		if (!rc)
			break;
	}
	if (rc < 0)
		return rc;
	if (p->names->held && p->names->start == start && p->names->end == end)
		return add_unescaped(name, p->names->target, error);
	return error_set(error, ERROR_NOT_FOUND, "map_files", "its name is as maps shows it");
}
