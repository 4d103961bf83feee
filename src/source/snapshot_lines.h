/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_LINES_H
#define SOURCE_SNAPSHOT_LINES_H

#include "snapshot.h"

/* A text of a snapshot that ends with the line `end`, line by line. */
struct snapshot_lines {
	struct snapshot_file file;
	struct snapshot_reader reader;
	struct lines lines;
	struct error *error;	/* the caller's, may be NULL */
	char name[SNAPSHOT_NAME_MAX];
};

/* Not to be moved afterwards. -ERROR_NOT_RECORDED when there is no such file. */
int snapshot_lines_open(struct snapshot_lines *text, struct snapshot_store *store,
			const char *name, struct error *error);
void snapshot_lines_done(struct snapshot_lines *text);
/* 1 and the next line, 0 behind the line `end`; -ERROR_DAMAGED where the text stops before. */
int snapshot_lines_next(struct snapshot_lines *text, struct span *line);
/* The line is damaged: names file and line, returns -ERROR_DAMAGED. */
int snapshot_lines_bad(struct snapshot_lines *text, const char *why);

#endif
