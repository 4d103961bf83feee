/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_H
#define SOURCE_SNAPSHOT_H

#include <pthread.h>

#include "source_impl.h"

struct snapshot_archive;
struct snapshot_names;
struct snapshot_runs;

/*
 * The provider that reads what vmatlas-snapshot(5) describes. Nothing of the running system is
 * looked at, and everything that is read may be damaged or made to do harm:
 *   snapshot_store.c	 where the files are: a folder, an archive, or one text `maps`
 *   snapshot_archive.c	 an archive, unpacked where nobody sees it
 *   snapshot_manifest.c what was recorded, when and where
 *   snapshot_missing.c	 what could not be read when it was recorded
 *   snapshot_text.c	 texts of processes and of the machine
 *   snapshot_names.c	 map_files
 *   snapshot_runs.c	 one file of runs
 *   snapshot_pages.c	 pagemap and PAGEMAP_SCAN
 *   snapshot_frames.c	 words of frames
 *   snapshot_files.c	 headers and tables of mapped files
 *   snapshot_content.c	 how copied pages differ from their files, and what else stands for memory
 *   source_snapshot.c	 processes, and all of it together
 */

/* A recorded file longer than this is refused. */
#define SNAPSHOT_FILE_MAX (64ULL << 30)

/* The bytes of one recorded file: [base, base + size) of fd. */
struct snapshot_file {
	int fd;			/* -1: none */
	bool borrowed;		/* fd is the store's */
	uint64_t base;
	uint64_t size;
};

#define SNAPSHOT_FILE_INIT { .fd = -1 }

void snapshot_file_done(struct snapshot_file *file);

/* Appends all of it, at most `limit` bytes (else ERROR_LIMIT). */
int snapshot_file_text(struct source *source, const struct snapshot_file *file, const char *name,
		       size_t limit, struct buf *text, struct error *error);

/* Names are relative to the snapshot, with '/' between their parts: "4242/task/4242/comm". */
struct snapshot_store {
	struct source *source;
	int dir;		/* O_PATH; -1: an archive, or only the text `maps` */
	struct snapshot_archive *archive;
	char *maps;		/* its path */
};

int snapshot_store_init(struct snapshot_store *store, struct source *source, const char *path,
			struct error *error);
void snapshot_store_done(struct snapshot_store *store);
/* ERROR_NOT_RECORDED when there is no such file, ERROR_DAMAGED when it is no regular file. */
int snapshot_store_file(struct snapshot_store *store, const char *name,
			struct snapshot_file *file, struct error *error);
/* Gives the file away as a descriptor that is read from its start to its end. */
int snapshot_file_detach(struct source *source, struct snapshot_file *file, int *fd,
			 struct error *error);
bool snapshot_store_has_folder(struct snapshot_store *store, const char *name);
/* Ascending decimal names in a folder; the caller frees them. */
int snapshot_store_numbers(struct snapshot_store *store, const char *name, pid_t **numbers,
			   size_t *count, struct error *error);

/* A file for lines_init(): lines_init(&lines, snapshot_reader_read, &reader, chunk). */
struct snapshot_reader {
	struct source *source;
	const struct snapshot_file *file;
	const char *name;
	uint64_t at;
};

ssize_t snapshot_reader_read(void *reader, void *data, size_t len, struct error *error);

/* One file `missing`: sorted by name. */
struct snapshot_lack {
	struct span item;	/* in text */
	int errnum;
};

struct snapshot_missing {
	struct buf text;
	struct snapshot_lack *lacks;
	size_t count, cap;
};

/* An absent file is an empty list. `name` is that of the file. */
int snapshot_missing_load(struct snapshot_missing *missing, struct snapshot_store *store,
			  const char *name, struct error *error);
/* The text stays the caller's, and as long as the list. */
int snapshot_missing_parse(struct snapshot_missing *missing, struct span text, const char *name,
			   struct error *error);
void snapshot_missing_done(struct snapshot_missing *missing);
/* Why `item` is not there: the record as it was when it was recorded, else ERROR_NOT_RECORDED.
 * Always fails. */
int snapshot_missing_why(const struct snapshot_missing *missing, const char *item,
			 struct error *error);
bool snapshot_missing_has(const struct snapshot_missing *missing, const char *item);

struct snapshot_member {
	pid_t pid;
	pid_t tid;		/* whose files stand for those of the process */
};

struct snapshot_files;		/* snapshot_files.h */
struct snapshot_content;	/* snapshot_content.h */

struct snapshot {
	struct source base;
	struct snapshot_store store;
	bool has_manifest;	/* else one process, without a folder of its own */
	struct snapshot_member *members;	/* ascending */
	size_t member_count, member_cap;
	uint64_t frames_end;
	bool exclusive_mark;
	struct snapshot_missing missing;
	pthread_mutex_t lock;	/* of frames: several threads ask */
	struct snapshot_runs *frames[SOURCE_FRAMES_MAX];
	struct snapshot_files *files;
};

struct snapshot_process {
	struct source_process base;
	char folder[16];	/* "4242/", or "" */
	struct snapshot_missing missing;
	struct snapshot_runs *pagemap, *scan;	/* opened when they are wanted */
	struct snapshot_names *names;		/* map_files, too */
	uint64_t categories;			/* recorded in scan */
	struct snapshot_content *content;
};

static inline struct snapshot *snapshot_of(struct source *source)
{
	return (struct snapshot *)source;
}

static inline struct snapshot_process *snapshot_process_of(struct source_process *process)
{
	return (struct snapshot_process *)process;
}

/* Whoever reads frames has some bits for each: this is 16 TiB in pages of 4 KiB. */
#define SNAPSHOT_FRAMES_MAX (1ULL << 32)

int snapshot_manifest_parse(struct snapshot *snapshot, struct span text, struct error *error);
/* ERROR_NOT_RECORDED when there is none. */
int snapshot_manifest_load(struct snapshot *snapshot, struct error *error);

/* Room for the longest name: "4242/task/4242/smaps_rollup". */
#define SNAPSHOT_NAME_MAX 96

/* A file of the folder of a process; absent: why. */
int snapshot_process_file(struct source_process *process, const char *item,
			  struct snapshot_file *file, struct error *error);
int snapshot_text_open(struct source_process *process, pid_t tid, enum source_text what, int *fd,
		       struct error *error);
int snapshot_system_open(struct source *source, enum source_system_text what, int *fd,
			 struct error *error);
int snapshot_exe(struct source_process *process, struct buf *path, struct error *error);
void snapshot_names_free(struct snapshot_names *names);
int snapshot_mapped_name(struct source_process *process, uint64_t start, uint64_t end,
			 struct buf *name, struct error *error);

int snapshot_pagemap(struct source_process *process, uint64_t first, uint64_t *words,
		     size_t count, size_t *got, struct error *error);
bool snapshot_hole(struct source_process *process, uint64_t page, uint64_t *end);
int snapshot_scan(struct source_process *process, const struct source_scan *scan,
		  struct source_region *regions, size_t count, size_t *got, uint64_t *walked,
		  struct error *error);

int snapshot_frames(struct source *source, enum source_frames what, uint64_t first,
		    uint64_t *words, size_t count, size_t *got, struct error *error);
enum gap snapshot_frames_access(struct source *source, enum source_frames what);
void snapshot_frames_done(struct snapshot *snapshot);

#endif
