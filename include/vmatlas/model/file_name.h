/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_FILE_NAME_H
#define VMATLAS_MODEL_FILE_NAME_H

#include "vmatlas/base/buf.h"
#include "vmatlas/source/source.h"

/*
 * What maps shows of the name of a file is ambiguous in two ways. Each function is about the file
 * of a key, and returns 1 with the true name in `name` if it is another one than the key has, else
 * 0; negative for want of memory. The key's path may lie in `name`: it goes with what was there.
 */

/* " (deleted)" may be the kernel's remark or the end of a real name (fs/d_path.c d_path): it is
 * the name if that file exists and is the mapped one. For keys that are said to be deleted. */
int file_name_deleted(struct source_process *process, const struct source_file_key *key,
		      struct buf *name);
/* Backslash 012 may be a newline that the kernel escaped (fs/seq_file.c mangle_path), or these
 * four bytes, which it does not escape: the link in map_files shows the name as it is. */
int file_name_newline(struct source_process *process, const struct source_file_key *key,
		      struct buf *name);

#endif
