// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmatlas/source/file_about.h"

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

static int names_failed(const struct snapshot_names *names, const char *what, struct error *error)
{
	error_set(error, ERROR_DAMAGED, names->item, "%s", what);
	if (error)
		error->line = names->lines.number;
	return -ERROR_DAMAGED;
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
	return names_failed(names, "not the form START-END TARGET, or not ascending", error);
}

static int add_target(struct snapshot_names *names, struct buf *name, struct error *error)
{
	size_t before = name->len;
	int rc = name_unescape(names->target, name);

	if (rc < 0)
		source_buf_cut(name, before);
	return rc == -ERROR_NOMEM ? error_nomem(error) :
		rc < 0 ? names_failed(names, "a backslash without three octal digits", error) : 0;
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
		return add_target(p->names, name, error);
	return error_set(error, ERROR_NOT_FOUND, "map_files", "its name is as maps shows it");
}
