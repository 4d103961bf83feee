// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "source_impl.h"

#include <stdio.h>
#include <stdlib.h>

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

struct source_stream {
	struct source_process *process;
	enum source_text what;
	int fd;
};

const char *source_text_name(enum source_text what)
{
	return texts[what].name;
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

static int text_open(struct source_process *process, pid_t tid, enum source_text what, int *fd,
		     struct error *error)
{
	struct error local = ERROR_INIT;
	int rc = process->source->ops->text_open(process, tid, what, fd, &local);

	return source_tell_access(process, tid ? ACCESS_MAX : texts[what].access, rc, &local,
				  error);
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
	source_tell(process->source, rc, &local, error);
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
		return source_not_recorded(error, NULL);
	error_init(&local);
	rc = source->ops->system_open(source, what, &fd, &local);
	rc = source_tell(source, rc, &local, error);
	return rc < 0 ? rc : source_read_all(source, fd, NULL, SOURCE_TEXT_BYTES, text, error);
}
