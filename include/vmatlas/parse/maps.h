/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_MAPS_H
#define VMATLAS_PARSE_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmatlas/base/error.h"
#include "vmatlas/base/span.h"

/* Permission bits as maps prints them. SHARED is VM_MAYSHARE: the mapping was created with
 * MAP_SHARED (fs/proc/task_mmu.c show_vma_header_prefix). */
enum vma_perm {
	VMA_READ = 1,
	VMA_WRITE = 2,
	VMA_EXEC = 4,
	VMA_SHARED = 8
};

/*
 * One line:
 * 7f1c0a000000-7f1c0a021000 rw-p 00001000 fe:00 394275                     /usr/lib/x.so (deleted)
 * start         end          perms offset   maj:min inode                   name
 *
 * The name column starts at byte 73 on a 64-bit kernel and 49 on a 32-bit one, or one space
 * after a longer inode; trailing spaces belong to the name. Only newline is escaped (as
 * backslash 012, ambiguously). Linux 2.0 has no name column at all.
 */
struct maps_line {
	uint64_t start;
	uint64_t end;		/* exclusive, above start */
	uint64_t offset;
	uint64_t inode;
	uint32_t major;
	uint32_t minor;
	uint8_t perms;		/* enum vma_perm */
	bool deleted;		/* name ended in " (deleted)", which was taken off */
	bool newline_escape;	/* name holds backslash 012: a newline, or these four bytes */
	struct span name;	/* raw bytes as printed, empty if none; points into the line */
};

/* ERROR_PARSE with what was wrong; the line's bytes are not quoted in the text. */
int maps_parse_line(struct span line, struct maps_line *out, struct error *error);

/* "rw-p" into text[5]. */
void maps_perms_text(uint8_t perms, char text[5]);

#endif
