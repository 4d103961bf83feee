/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_LIVE_H
#define SOURCE_LIVE_H

#include <pthread.h>

#include "source_impl.h"

/* What a refusal is followed by for root, who need not be told to become root: PID 1 below a
 * security module, or anything at all from within a user namespace. */
#define LIVE_ROOT_REFUSED                                                                   \
	", although as root: a container, a user namespace or a security module forbids it"

/* A mounted file system, by the device number that maps shows. */
struct live_device {
	uint32_t major;
	uint32_t minor;
	bool remote;		/* FUSE or network */
};

struct live_devices {
	struct live_device *list;
	size_t count;
	size_t cap;
	bool loaded;
};

/* The running system. All names are looked up below `proc`. */
struct live {
	struct source base;
	int proc;
	pthread_mutex_t lock;		/* of what follows: sources are shared by threads */
	int frames[SOURCE_FRAMES_MAX];	/* -1 while not open */
	uint64_t frames_end;		/* 0: not asked for yet */
	struct live_devices devices;	/* of our mount namespace */
	bool own_pids;			/* its PIDs are ours: not of another PID namespace */
};

/* What identifies an address space in /proc/PID/stat. */
struct live_stat {
	char state;
	bool kernel_thread;	/* PF_KTHREAD */
	uint64_t start_time;
	uint64_t start_code;	/* this and the next: 0 or 1 when they are masked */
	uint64_t start_stack;
	uint64_t threads;
};

/*
 * `dir` is /proc/TID opened once: every lookup below it fails with ENOENT or ESRCH after that
 * task is reaped, also when the number is given to another one (proc keeps the struct pid).
 */
struct live_process {
	struct source_process base;
	int dir;
	int pagemap;		/* -1 while not open */
	int mem;
	struct live_stat stat;	/* at opening */
	struct live_devices devices;	/* of its mount namespace, when ours does not know one */
};

static inline struct live *live_of(struct source *source)
{
	return (struct live *)source;
}

static inline struct live_process *live_process_of(struct source_process *process)
{
	return (struct live_process *)process;
}

/* live_process.c */
int live_process_open(struct source *source, pid_t pid, struct source_process **process,
		      struct error *error);
int live_pid_text_open(struct source *source, pid_t pid, enum source_text what, int *fd,
		       struct error *error);
void live_process_free(struct source_process *process);
int live_check(struct source_process *process, struct error *error);
/* There is no address space to read: fills the record with the reason, returns negative. */
int live_no_space(struct live_process *process, struct error *error);
/* A file of the process could not be opened: fills the record with what the process is by now,
 * or what is missing; returns negative. */
int live_refusal(struct live_process *process, const char *name, int errnum,
		 struct error *error);

/* live_text.c */
int live_stat_read(struct source *source, int dir, struct live_stat *stat, struct error *error);
/* Numbers in the folder `name` below dir, ascending. */
int live_numbers(struct source *source, int dir, const char *name, pid_t **numbers,
		 size_t *count, struct error *error);
int live_pids(struct source *source, pid_t **pids, size_t *count, struct error *error);
int live_threads(struct source_process *process, pid_t **tids, size_t *count,
		 struct error *error);
int live_text_open(struct source_process *process, pid_t tid, enum source_text what, int *fd,
		   struct error *error);
int live_text_end(struct source_process *process, enum source_text what, struct error *error);
int live_system_open(struct source *source, enum source_system_text what, int *fd,
		     struct error *error);
int live_exe(struct source_process *process, struct buf *path, struct error *error);
int live_namespace(struct source_process *process, enum source_namespace which, uint64_t *inode,
		   struct error *error);
int live_mapped_name(struct source_process *process, uint64_t start, uint64_t end,
		     struct buf *name, struct error *error);

/* live_pages.c */
bool live_frames_probe(struct live *live);
bool live_exclusive_mark(struct source *source);
uint64_t live_zero_frame(struct source *source);
/* Ties the process to the address space it has now; harmless when that is refused. */
void live_space_bind(struct live_process *process);
/* Does that address space still exist? True when it could not be tied. */
bool live_space_exists(struct live_process *process);
int live_pagemap(struct source_process *process, uint64_t first, uint64_t *words, size_t count,
		 size_t *got, struct error *error);
int live_scan(struct source_process *process, const struct source_scan *scan,
	      struct source_region *regions, size_t count, size_t *got, uint64_t *walked,
	      struct error *error);
int live_mem(struct source_process *process, uint64_t address, void *data, size_t len,
	     size_t *got, struct error *error);

/* live_frames.c */
int live_frames(struct source *source, enum source_frames what, uint64_t first, uint64_t *words,
		size_t count, size_t *got, struct error *error);
enum gap live_frames_access(struct source *source, enum source_frames what);
uint64_t live_frames_end(struct source *source);

/* live_devices.c */
void live_devices_done(struct live_devices *devices);
int live_refuse_remote_key(struct live_process *p, const struct source_file_key *key,
			   const char *item, struct error *error);
int live_refuse_remote_fd(struct source *source, int fd, const char *item, struct error *error);

/* live_space.c */
bool live_own_pids(struct live *live);
uint64_t live_space_key(const struct source_process *process);
enum source_order live_order_spaces(struct source *source, const struct source_space *a,
				    const struct source_space *b);

/* live_files.c */
int live_file_open(struct source_process *process, const struct source_file_key *key,
		   struct source_file **file, struct error *error);
int live_path_open(struct source *source, struct source_process *process, const char *path,
		   struct source_file **file, struct error *error);

#endif
