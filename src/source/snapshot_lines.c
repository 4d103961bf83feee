// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_lines.h"

#include <stdio.h>

#define CHUNK 65536u

int snapshot_lines_open(struct snapshot_lines *text, struct snapshot_store *store,
			const char *name, struct error *error)
{
	*text = (struct snapshot_lines) { .file = SNAPSHOT_FILE_INIT, .error = error };
	snprintf(text->name, sizeof(text->name), "%s", name);
	text->reader = (struct snapshot_reader) { store->source, &text->file, text->name, 0 };
	lines_init(&text->lines, snapshot_reader_read, &text->reader, CHUNK);
	return snapshot_store_file(store, name, &text->file, error);
}

void snapshot_lines_done(struct snapshot_lines *text)
{
	snapshot_file_done(&text->file);
	lines_done(&text->lines);
}

int snapshot_lines_bad(struct snapshot_lines *text, const char *why)
{
	int rc = error_set(text->error, ERROR_DAMAGED, text->name, "%s", why);

	if (text->error)
		text->error->line = text->lines.number;
	return rc;
}

static int next(struct snapshot_lines *text, struct span *line)
{
	int rc = lines_next(&text->lines, line, text->error);

	if (rc < 0 && text->error)
		memcpy(text->error->item, text->name, sizeof(text->name));
	return rc;
}

int snapshot_lines_next(struct snapshot_lines *text, struct span *line)
{
	int rc = next(text, line);

	if (rc < 0)
		return rc;
	if (!rc)
		return snapshot_lines_bad(text, "it is cut off: its last line is not \"end\"");
	if (!span_is(*line, "end"))
		return 1;
	rc = next(text, line);
	return rc > 0 ? snapshot_lines_bad(text, "there are lines behind \"end\"") : rc;
}
