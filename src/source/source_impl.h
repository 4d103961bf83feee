/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SOURCE_IMPL_H
#define SOURCE_SOURCE_IMPL_H

#include "vmatlas/source/source.h"

/*
 * What a provider fills in. A missing function means that this provider never has the thing:
 * the interface answers ERROR_NOT_RECORDED. Arguments are those of the public function.
 */
struct source_ops {
	void (*free)(struct source *source);
	int (*pids)(struct source *source, pid_t **pids, size_t *count, struct error *error);
	int (*system_open)(struct source *source, enum source_system_text what, int *fd,
			   struct error *error);
	int (*frames)(struct source *source, enum source_frames what, uint64_t first,
		      uint64_t *words, size_t count, size_t *got, struct error *error);
	enum gap (*frames_access)(struct source *source, enum source_frames what);
	uint64_t (*frames_end)(struct source *source);
	/* Fills host.boot_id, or leaves it empty. NULL: it was filled from the start. */
	void (*boot_id)(struct source *source);
	bool (*exclusive_mark)(struct source *source);
	uint64_t (*zero_frame)(struct source *source);
	uint64_t (*space_key)(const struct source_process *process);
	/* Of two with one key and different TIDs. */
	enum source_order (*order_spaces)(struct source *source, const struct source_space *a,
					  const struct source_space *b);
	int (*path_open)(struct source *source, struct source_process *process, const char *path,
			 struct source_file **file, struct error *error);

	/* One text of a process without opening it; missing: it is opened. */
	int (*pid_text_open)(struct source *source, pid_t pid, enum source_text what, int *fd,
			     struct error *error);
	int (*process_open)(struct source *source, pid_t pid, struct source_process **process,
			    struct error *error);
	void (*process_free)(struct source_process *process);
	int (*check)(struct source_process *process, struct error *error);
	int (*threads)(struct source_process *process, pid_t **tids, size_t *count,
		       struct error *error);
	/* tid 0: of the process. The descriptor is read from its start, once. */
	int (*text_open)(struct source_process *process, pid_t tid, enum source_text what,
			 int *fd, struct error *error);
	/* The text ended: was it the end, or did the process end? May be NULL. */
	int (*text_end)(struct source_process *process, enum source_text what,
			struct error *error);
	int (*exe)(struct source_process *process, struct buf *path, struct error *error);
	int (*ns)(struct source_process *process, enum source_namespace which, uint64_t *inode,
		  struct error *error);
	int (*mapped_name)(struct source_process *process, uint64_t start, uint64_t end,
			   struct buf *name, struct error *error);
	int (*pagemap)(struct source_process *process, uint64_t first, uint64_t *words,
		       size_t count, size_t *got, struct error *error);
	bool (*hole)(struct source_process *process, uint64_t page, uint64_t *end);
	int (*scan)(struct source_process *process, const struct source_scan *scan,
		    struct source_region *regions, size_t count, size_t *got, uint64_t *walked,
		    struct error *error);
	int (*mem)(struct source_process *process, uint64_t address, void *data, size_t len,
		   size_t *got, struct error *error);
	int (*difference)(struct source_process *process, uint64_t page, uint8_t *marks,
			  struct error *error);
	int (*malloc_size)(struct source_process *process, enum source_malloc what,
			   uint64_t address, uint64_t *size, struct error *error);
	int (*file_open)(struct source_process *process, const struct source_file_key *key,
			 struct source_file **file, struct error *error);
};

/* Providers put these first in their own struct. */
struct source {
	const struct source_ops *ops;
	struct source_host host;
	struct source_cost cost;
	enum gap frames_gap[SOURCE_FRAMES_MAX];	/* GAP_NOT_READ before the first attempt */
	bool remote_files;
	struct error damage;	/* see source_take_damage() */
	bool damaged;
	bool texts_whole;	/* of one who recorded what the kernel gave */
	unsigned parallel;	/* threads for one answer; 0: one per processor */
};

struct source_process {
	struct source *source;
	pid_t pid;
	pid_t tid;
	bool no_space;		/* see source_process_has_space() */
	enum gap access[ACCESS_MAX];
};

/* Bound of source_text(). */
#define SOURCE_TEXT_BYTES (1u << 20)

void source_init(struct source *source, const struct source_ops *ops, enum source_kind kind);
void source_process_init(struct source_process *process, struct source *source, pid_t pid);

/* Notes what came of an attempt: a success always, of failures the first. Returns rc. */
int source_note(struct source_process *process, enum source_access what, int rc,
		const struct error *error);

/* Keeps the first damage that is told of a snapshot. Returns rc. */
int source_note_damage(struct source *source, int rc, const struct error *error);

/* The same, and hands the failure on to a caller who wants it. */
int source_tell(struct source *source, int rc, const struct error *local, struct error *error);
int source_tell_access(struct source_process *process, enum source_access what, int rc,
		       const struct error *local, struct error *error);

static inline int source_not_recorded(struct error *error, const char *item)
{
	return error_set(error, ERROR_NOT_RECORDED, item, "the snapshot does not hold it");
}

/* Counts one call. */
void source_count(struct source *source, ssize_t bytes);
/* System calls, counted and repeated when a signal interrupts them. */
int source_openat(struct source *source, int dir, const char *name, int flags);
ssize_t source_read(struct source *source, int fd, void *data, size_t len);
/* Goes on until len, the end or a failure; a failure after some bytes is a short read. */
ssize_t source_pread(struct source *source, int fd, void *data, size_t len, uint64_t offset);
/* Takes back what was appended behind `len`. */
void source_buf_cut(struct buf *text, size_t len);
/* Appends all of fd, at most `limit` bytes in all (else ERROR_LIMIT). */
int source_read_all(struct source *source, int fd, const char *item, size_t limit,
		    struct buf *text, struct error *error);

void source_pids_sort(pid_t *pids, size_t count);

#endif
