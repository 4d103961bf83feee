/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ELF_DEBUG_LINE_H
#define VMATLAS_ELF_DEBUG_LINE_H

#include "vmatlas/elf/image.h"
#include "vmatlas/elf/symbols.h"

/* The place in the source that an address comes from: "src/list.c", 41. */
struct elf_line {
	char *file;		/* as the compiler wrote it, raw bytes; NULL: not known */
	unsigned line;		/* 0: not known */
	unsigned column;	/* 0: not known */
};

#define ELF_LINES_MAX 4096u	/* addresses at a time */

/*
 * Source lines of addresses (p_vaddr space) from the file's own debug information, else from
 * its separate debug file, found as for symbols. `own` is the image's file, NULL if it is read
 * from memory. libdw reads in a child with little memory and time that can open nothing: a file
 * that breaks it only sets *damaged, and the addresses answered before stay. No network is asked
 * (debuginfod).
 * `lines` has room for `count`; 0 also when nothing is known. ERROR_NOT_RECORDED: there are some,
 * but not in the snapshot that holds the rest of the file.
 */
int elf_lines_find(const struct elf_image *image, const struct source_file *own, const char *path,
		   const struct elf_opener *opener, const uint64_t *addresses, size_t count,
		   struct elf_line *lines, bool *damaged, struct error *error);
void elf_lines_done(struct elf_line *lines, size_t count);

#endif
