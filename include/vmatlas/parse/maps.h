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
 * after a longer inode; other kernels padded otherwise. A name cannot begin with a space, so all
 * spaces behind the inode are padding; trailing ones belong to the name. Only newline is escaped
 * (as backslash 012, ambiguously). Linux 2.0 has no name column at all.
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

/* The line comes without its newline. ERROR_PARSE with what was wrong (a field, start not below
 * end, a number too large, NUL or newline in the name); its bytes are not quoted in the text. */
int maps_parse_line(struct span line, struct maps_line *out, struct error *error);

/*
 * The same for lines one after the other: what stands behind the permissions is often as in the
 * line before (anonymous memory), and then not parsed again. Zero at first.
 */
#define MAPS_TAIL 32
struct maps_before {
	char tail[MAPS_TAIL];	/* from the offset on */
	size_t tail_len;	/* 0: there was none, or it was longer */
	size_t name_at;		/* in the tail */
	struct maps_line line;
};

int maps_parse_next(struct span line, struct maps_before *before, struct maps_line *out,
		    struct error *error);

/*
 * The name as it was printed, with the suffix that was taken off: a live file may really be
 * called "x (deleted)" (fs/d_path.c d_path appends it to unlinked ones only, but prints both
 * alike); who can, compares device and inode. Points into the line.
 */
#define MAPS_DELETED_LEN 10
struct span maps_printed_name(const struct maps_line *line);

/* "rw-p" into text[5]. */
void maps_perms_text(uint8_t perms, char text[5]);

#endif
