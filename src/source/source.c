// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "source_impl.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define NOT_RECORDED(error, item) \
	error_set(error, ERROR_NOT_RECORDED, item, "the snapshot does not hold it")

static const struct {
	const char *name;
	enum source_access access;	/* ACCESS_MAX: not in the table */
} texts[SOURCE_TEXT_MAX] = {
	[SOURCE_MAPS] = { "maps", ACCESS_MAPS },
	[SOURCE_SMAPS] = { "smaps", ACCESS_SMAPS },
	[SOURCE_SMAPS_ROLLUP] = { "smaps_rollup", ACCESS_SMAPS_ROLLUP },
	[SOURCE_STATUS] = { "status", ACCESS_STATUS },
	[SOURCE_STAT] = { "stat", ACCESS_STAT },
	[SOURCE_STATM] = { "statm", ACCESS_MAX },
	[SOURCE_COMM] = { "comm", ACCESS_MAX },
	[SOURCE_LIMITS] = { "limits", ACCESS_MAX },
	[SOURCE_NUMA_MAPS] = { "numa_maps", ACCESS_MAX },
	[SOURCE_AUXV] = { "auxv", ACCESS_AUXV },
	[SOURCE_CMDLINE] = { "cmdline", ACCESS_MAX },
	[SOURCE_SYSCALL] = { "syscall", ACCESS_MAX },
	[SOURCE_CHILDREN] = { "children", ACCESS_MAX },
	[SOURCE_CGROUP] = { "cgroup", ACCESS_MAX },
	[SOURCE_SYSV_SHM] = { "sysv_shm", ACCESS_MAX },
};

static const enum source_frames frames_of_access[ACCESS_MAX] = {
	[ACCESS_KPAGEFLAGS] = SOURCE_KPAGEFLAGS,
	[ACCESS_KPAGECOUNT] = SOURCE_KPAGECOUNT,
	[ACCESS_KPAGECGROUP] = SOURCE_KPAGECGROUP,
};

struct source_stream {
	struct source_process *process;
	enum source_text what;
	int fd;
};

void source_init(struct source *source, const struct source_ops *ops, enum source_kind kind)
{
	*source = (struct source) { .ops = ops, .host.kind = kind };
	for (int i = 0; i < SOURCE_FRAMES_MAX; i++)
		source->frames_gap[i] = GAP_NOT_READ;
}

void source_process_init(struct source_process *process, struct source *source, pid_t pid)
{
	*process = (struct source_process) { .source = source, .pid = pid, .tid = pid };
	for (int i = 0; i < ACCESS_MAX; i++)
		process->access[i] = GAP_NOT_READ;
}

const char *source_text_name(enum source_text what)
{
	return texts[what].name;
}

int source_note_damage(struct source *source, int rc, const struct error *error)
{
	if ((rc == -ERROR_DAMAGED || rc == -ERROR_LIMIT) && !error->errnum && source->host.kind == SOURCE_KIND_SNAPSHOT &&
	    !__atomic_exchange_n(&source->damaged, true, __ATOMIC_RELAXED))
		source->damage = *error;
	return rc;
}

void source_text_damaged(struct source_process *process, enum source_text what,
			 const struct error *why)
{
	struct error damage = *why;

	if (!process->source->texts_whole)
		return;
	damage.code = ERROR_DAMAGED;
	damage.errnum = 0;
	snprintf(damage.item, sizeof(damage.item), "%d/%s", process->pid, texts[what].name);
	source_note_damage(process->source, -ERROR_DAMAGED, &damage);
}

/* The same, and hands the failure to a caller who wants it. */
static int told(struct source *source, int rc, const struct error *local, struct error *error)
{
	if (rc < 0 && error)
		*error = *local;
	return source_note_damage(source, rc, local);
}

bool source_take_damage(struct source *source, struct error *damage)
{
	if (!source->damaged)
		return false;
	*damage = source->damage;
	source->damaged = false;
	return true;
}

int source_note(struct source_process *process, enum source_access what, int rc,
		const struct error *error)
{
	source_note_damage(process->source, rc, error);
	if (what == ACCESS_MAX)
		return rc;
	if (rc >= 0)
		process->access[what] = GAP_NONE;
	else if (process->access[what] == GAP_NOT_READ)
		process->access[what] = gap_from_error(error);
	return rc;
}

void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}

const struct source_host *source_host(const struct source *source)
{
	return &source->host;
}

const struct source_cost *source_cost(const struct source *source)
{
	return &source->cost;
}

void source_set_remote_files(struct source *source, bool allowed)
{
	source->remote_files = allowed;
}

void source_set_parallel(struct source *source, unsigned threads)
{
	source->parallel = threads;
}

unsigned source_parallel(const struct source *source)
{
	cpu_set_t cpus;

	if (source->parallel)
		return source->parallel;
	return sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : (unsigned)CPU_COUNT(&cpus);
}

int source_pids(struct source *source, pid_t **pids, size_t *count, struct error *error)
{
	return source->ops->pids(source, pids, count, error);
}

int source_process_open(struct source *source, pid_t pid, struct source_process **process,
			struct error *error)
{
	return source->ops->process_open(source, pid, process, error);
}

void source_process_free(struct source_process *process)
{
	if (process)
		process->source->ops->process_free(process);
}

pid_t source_process_pid(const struct source_process *process)
{
	return process->pid;
}

bool source_process_has_space(const struct source_process *process)
{
	return !process->no_space;
}

pid_t source_process_tid(const struct source_process *process)
{
	return process->tid;
}

struct source *source_process_source(const struct source_process *process)
{
	return process->source;
}

enum gap source_access(const struct source_process *process, enum source_access what)
{
	if (what == ACCESS_KPAGEFLAGS || what == ACCESS_KPAGECOUNT || what == ACCESS_KPAGECGROUP)
		return process->source->frames_gap[frames_of_access[what]];
	return process->access[what];
}

int source_process_check(struct source_process *process, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->check ? ops->check(process, error) : 0;
}

int source_threads(struct source_process *process, pid_t **tids, size_t *count,
		   struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->threads ? ops->threads(process, tids, count, &local) :
		NOT_RECORDED(&local, "task");
	return told(process->source, rc, &local, error);
}

static int text_open(struct source_process *process, pid_t tid, enum source_text what, int *fd,
		     struct error *error)
{
	struct error local = ERROR_INIT;
	int rc = process->source->ops->text_open(process, tid, what, fd, &local);

	if (rc < 0 && error)
		*error = local;
	return source_note(process, tid ? ACCESS_MAX : texts[what].access, rc, &local);
}

int source_stream_open(struct source_process *process, enum source_text what,
		       struct source_stream **stream, struct error *error)
{
	struct source_stream *s = malloc(sizeof(*s));
	int rc;

	if (!s)
		return error_nomem(error);
	*s = (struct source_stream) { .process = process, .what = what };
	rc = text_open(process, 0, what, &s->fd, error);
	if (rc < 0) {
		free(s);
		return rc;
	}
	*stream = s;
	return 0;
}

void source_stream_free(struct source_stream *stream)
{
	if (!stream)
		return;
	close(stream->fd);
	free(stream);
}

struct source *source_stream_source(const struct source_stream *stream)
{
	return stream->process->source;
}

static int text_end(struct source_process *process, enum source_text what, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->text_end ? ops->text_end(process, what, error) : 0;
}

ssize_t source_stream_read(void *stream, void *data, size_t len, struct error *error)
{
	struct source_stream *s = stream;
	ssize_t got = source_read(s->process->source, s->fd, data, len);

	if (got < 0)
		return error_errno(error, -(int)got, texts[s->what].name, "read");
	return got || !len ? got : text_end(s->process, s->what, error);
}

int source_text(struct source_process *process, pid_t tid, enum source_text what,
		struct buf *text, struct error *error)
{
	CLEANUP_CLOSE int fd = -1;
	size_t before = text->len;
	struct error local;
	int rc = text_open(process, tid, what, &fd, error);

	if (rc < 0)
		return rc;
	error_init(&local);
	rc = source_read_all(process->source, fd, texts[what].name, SOURCE_TEXT_BYTES, text,
			     &local);
	told(process->source, rc, &local, error);
	if (!rc && !tid)
		rc = text_end(process, what, error);
	if (rc < 0)
		source_buf_cut(text, before);
	return rc;
}

static int opened_text(struct source *source, pid_t pid, enum source_text what,
		       struct buf *text, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	int rc = source_process_open(source, pid, &process, error);

	return rc < 0 ? rc : source_text(process, 0, what, text, error);
}

int source_pid_text(struct source *source, pid_t pid, enum source_text what, struct buf *text,
		    struct error *error)
{
	CLEANUP_CLOSE int fd = -1;
	int rc;

	if (!source->ops->pid_text_open)
		return opened_text(source, pid, what, text, error);
	rc = source->ops->pid_text_open(source, pid, what, &fd, error);
	return rc < 0 ? rc : source_read_all(source, fd, texts[what].name, SOURCE_TEXT_BYTES, text,
					     error);
}

int source_system_text(struct source *source, enum source_system_text what, struct buf *text,
		       struct error *error)
{
	CLEANUP_CLOSE int fd = -1;
	struct error local;
	int rc;

	if (!source->ops->system_open)
		return NOT_RECORDED(error, NULL);
	error_init(&local);
	rc = told(source, source->ops->system_open(source, what, &fd, &local), &local, error);
	return rc < 0 ? rc : source_read_all(source, fd, NULL, SOURCE_TEXT_BYTES, text, error);
}

int source_exe(struct source_process *process, struct buf *path, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->exe ? ops->exe(process, path, &local) : NOT_RECORDED(&local, "exe");
	return told(process->source, rc, &local, error);
}

int source_namespace(struct source_process *process, enum source_namespace which,
		     uint64_t *inode, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->ns ? ops->ns(process, which, inode, error) : NOT_RECORDED(error, "ns");
}

int source_mapped_name(struct source_process *process, uint64_t start, uint64_t end,
		       struct buf *name, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->mapped_name ? ops->mapped_name(process, start, end, name, &local) :
		NOT_RECORDED(&local, "map_files");
	return told(process->source, rc, &local, error);
}

int source_pagemap(struct source_process *process, uint64_t first, uint64_t *words, size_t count,
		   size_t *got, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->pagemap ? ops->pagemap(process, first, words, count, got, &local) :
		NOT_RECORDED(&local, "pagemap");
	if (rc < 0 && error)
		*error = local;
	return source_note(process, ACCESS_PAGEMAP, rc, &local);
}

bool source_pagemap_hole(struct source_process *process, uint64_t page, uint64_t *end)
{
	const struct source_ops *ops = process->source->ops;

	return ops->hole && ops->hole(process, page, end);
}

int source_pagemap_scan(struct source_process *process, const struct source_scan *scan,
			struct source_region *regions, size_t count, size_t *got,
			uint64_t *walked, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->scan ? ops->scan(process, scan, regions, count, got, walked, &local) :
		NOT_RECORDED(&local, "pagemap");
	if (rc < 0 && error)
		*error = local;
	return source_note(process, ACCESS_PAGEMAP_SCAN, rc, &local);
}

int source_frames(struct source *source, enum source_frames what, uint64_t first, uint64_t *words,
		  size_t count, size_t *got, struct error *error)
{
	struct error local;
	int rc;

	error_init(&local);
	rc = source->ops->frames ?
		source->ops->frames(source, what, first, words, count, got, &local) :
		NOT_RECORDED(&local, "kpageflags");
	return told(source, rc, &local, error);
}

enum gap source_frames_access(struct source *source, enum source_frames what)
{
	return source->ops->frames_access ? source->ops->frames_access(source, what) :
		(source->frames_gap[what] = GAP_NOT_RECORDED);
}

uint64_t source_frames_end(struct source *source)
{
	return source->ops->frames_end ? source->ops->frames_end(source) : 0;
}

const char *source_boot_id(struct source *source)
{
	if (!source->host.boot_id[0] && source->ops->boot_id)
		source->ops->boot_id(source);
	return source->host.boot_id;
}

bool source_exclusive_mark(struct source *source)
{
	return source->ops->exclusive_mark && source->ops->exclusive_mark(source);
}

uint64_t source_zero_frame(struct source *source)
{
	return source->ops->zero_frame ? source->ops->zero_frame(source) : 0;
}

void source_process_space(const struct source_process *process, struct source_space *space)
{
	const struct source_ops *ops = process->source->ops;

	space->tid = process->tid;
	space->key = ops->space_key ? ops->space_key(process) : 0;
}

enum source_order source_order_spaces(struct source *source, const struct source_space *a,
				      const struct source_space *b)
{
	if (a->key != b->key)
		return a->key < b->key ? SOURCE_ORDER_BEFORE : SOURCE_ORDER_BEHIND;
	if (!source->ops->order_spaces)
		return SOURCE_ORDER_UNKNOWN;
	return a->tid == b->tid ? SOURCE_ORDER_SAME : source->ops->order_spaces(source, a, b);
}

int source_mem(struct source_process *process, uint64_t address, void *data, size_t len,
	       size_t *got, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->mem ? ops->mem(process, address, data, len, got, &local) :
		NOT_RECORDED(&local, "mem");
	if (rc < 0 && error)
		*error = local;
	return source_note(process, ACCESS_MEM, rc, &local);
}

int source_difference(struct source_process *process, uint64_t page, uint8_t *marks,
		      struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->difference ? ops->difference(process, page, marks, error) :
		NOT_RECORDED(error, "differences");
}

int source_malloc_size(struct source_process *process, enum source_malloc what,
		       uint64_t address, uint64_t *size, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->malloc_size ? ops->malloc_size(process, what, address, size, error) :
		NOT_RECORDED(error, "malloc");
}

int source_file_open(struct source_process *process, const struct source_file_key *key,
		     struct source_file **file, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	if (ops->file_open)
		return ops->file_open(process, key, file, error);
	source_note(process, ACCESS_MAP_FILES, -ERROR_NOT_RECORDED,
		    &(struct error) { .code = ERROR_NOT_RECORDED });
	return NOT_RECORDED(error, "files");
}

int source_path_open(struct source *source, struct source_process *process, const char *path,
		     struct source_file **file, struct error *error)
{
	return source->ops->path_open ?
		source->ops->path_open(source, process, path, file, error) :
		NOT_RECORDED(error, path);
}
