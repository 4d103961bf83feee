/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RECORD_FILES_H
#define RECORD_FILES_H

#include <pthread.h>

#include "recording.h"
#include "trace.h"
#include "vmatlas/model/process.h"
#include "vmatlas/source/file_about.h"

#define FILE_BYTES_MAX (128ull << 20)	/* of one file */
#define FILES_BYTES_MAX (1ull << 30)	/* of all */

/* One file, or one outcome of opening it: files/N, under a name of its own until all are known. */
struct mapped_file {
	struct file_about about;	/* pids: all that map it */
	char name[24];			/* of its folder */
	bool limited;			/* a part is left out */
	struct error uncached;		/* why the page cache could not be asked */
	struct code_page *code;		/* with --memory, ascending */
	size_t code_count;
	size_t code_cap;
};

/* A page of the file that is needed to show how code of a process was patched. */
struct code_page {
	uint64_t offset;
	size_t len;			/* less at the end of the file */
	char *bytes;
};

/* Those of all processes, each once; several threads add. */
struct mapped_files {
	pthread_mutex_t lock;
	int dir;			/* of `files`; -1: there is none yet */
	struct mapped_file **items;
	size_t count;
	size_t cap;
	uint64_t bytes;
};

struct mapped_files *mapped_files_new(void);
void mapped_files_free(struct mapped_files *files);

/* What the process maps, its ELF files with headers and tables. *of_object, for the caller to
 * free: the file of each object, NULL where there is none. */
int mapped_files_add(struct recording *recording, struct process *process,
		     struct mapped_file ***of_object, struct error *error);
/* After the last process: numbers them in the order of their paths. */
int mapped_files_finish(struct recording *recording, struct error *error);

/* code.c: the file's pages [offset, offset + len) are wanted, and those around them. */
int code_add(struct mapped_files *files, struct mapped_file *file, const struct elf_reader *reader,
	     uint64_t page_size, uint64_t offset, uint64_t len, struct error *error);
/* files/N/code, where there are any. `dir` is files/N. */
int code_write(struct recording *recording, const struct mapped_file *file, int dir,
	       struct error *error);
void code_done(struct mapped_file *file);

/*
 * cached.c: files/N/cached and files/N/swapped. *in: what the page cache has, for the caller to
 * be done with. 1 with *failure where that cannot be asked.
 */
int cached_record(struct recording *recording, const struct source_file *opened, int dir,
		  struct trace *in, struct error *failure, struct error *error);
/* Reading must not leave in the page cache what was not there. */
void cached_restore(struct recording *recording, const struct source_file *opened,
		    const struct trace *in);

/* Lines of `ranges`. */
int ranges_text(const struct trace *trace, struct buf *text);
/* Bytes as `ranges` and `bytes` in the folder: those of the trace, as far as they can be read. */
int pieces_write(struct recording *recording, int dir, const struct trace *trace,
		 struct error *error);

#endif
