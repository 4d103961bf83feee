/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_SOURCE_FILE_ABOUT_H
#define VMATLAS_SOURCE_FILE_ABOUT_H

#include "vmatlas/base/names.h"
#include "vmatlas/source/source.h"

/*
 * The text files/N/about of a snapshot: which file a process maps, and what came of opening it.
 * Whoever records writes it, a snapshot's source reads it.
 *
 *	path /usr/lib/x86_64-linux-gnu/libc.so.6
 *	device 08:01
 *	inode 12345
 *	match mapped
 *	opened 08:01 12345
 *	size 1983576
 *	mtime 1700000000
 *	links 1
 *	build_id 58254ca972fe678e9ca90aa056a54bfb0fe4a0cc
 *	end
 */
struct file_about {
	struct buf path;	/* raw bytes */
	bool deleted;
	uint32_t major;		/* this and the next two: as in maps */
	uint32_t minor;
	uint64_t inode;
	bool debug;		/* a separate debug file: nobody maps it, it is asked for by path */
	pid_t *pids;		/* it is so for these; none: for all that no other one is for */
	size_t pid_count;
	size_t pid_cap;
	enum error_code failed;	/* why it could not be opened; ERROR_NONE: it was */
	struct buf why;		/* in words */
	struct source_file file;	/* fd -1, no pieces */
	struct buf build_id;	/* lower-case hex digits; empty: none known */
};

void file_about_init(struct file_about *about);
void file_about_done(struct file_about *about);
/* Takes one line; unknown keys are ignored. 0, or a negative value: the line is damaged, or
 * -ERROR_NOMEM. */
int file_about_take(struct file_about *about, struct span line);
/* All lines, `end` too. */
int file_about_write(const struct file_about *about, struct buf *text);

/* A name within a line: a backslash is \134, a newline \012. */
int name_escape(struct span name, struct buf *text);
int name_unescape(struct span text, struct buf *name);

#endif
