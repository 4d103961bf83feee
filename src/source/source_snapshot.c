// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "source_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A recorded text longer than this is no text of a process. */
#define SNAPSHOT_TEXT_MAX (4ULL << 30)
#define SNAPSHOT_STAT_MAX 4096

/* A folder with the texts of one process under their names in /proc/PID, or one maps text.
 * Nothing of /proc is touched. */
struct snapshot {
	struct source base;
	int dir;		/* -1 when the path named a maps text */
	char *maps;		/* that path, or NULL */
	pid_t pid;		/* 0: not recorded */
};

static struct snapshot *snapshot_of(struct source *source)
{
	return (struct snapshot *)source;
}

static int snapshot_file_check(int fd, const char *name, struct stat *st, struct error *error)
{
	if (fstat(fd, st) < 0)
		return error_errno(error, errno, name, "stat");
	if (!S_ISREG(st->st_mode))
		return error_set(error, ERROR_DAMAGED, name, "not a regular file");
	if ((uint64_t)st->st_size > SNAPSHOT_TEXT_MAX)
		return error_set(error, ERROR_LIMIT, name, "longer than 4 GiB");
	return 0;
}

/* Never anything but a regular file; O_NONBLOCK because it might be a FIFO. */
static int snapshot_open_at(struct snapshot *snapshot, int dir, const char *name, int flags,
			    int *fd, struct error *error)
{
	CLEANUP_CLOSE int file = source_openat(&snapshot->base, dir, name,
					       O_RDONLY | O_NONBLOCK | flags);
	struct stat st;
	int rc;

	if (file == -ENOENT)
		return error_set(error, ERROR_NOT_RECORDED, name, "the snapshot does not hold it");
	if (file == -ELOOP)
		return error_set(error, ERROR_DAMAGED, name,
				 "a symbolic link in a snapshot is not followed");
	if (file < 0)
		return error_errno(error, -file, name, "open");
	rc = snapshot_file_check(file, name, &st, error);
	if (rc < 0)
		return rc;
	*fd = file;
	file = -1;
	return 0;
}

static int snapshot_open(struct snapshot *snapshot, enum source_text what, int *fd,
			 struct error *error)
{
	const char *name = source_text_name(what);

	if (snapshot->dir >= 0)
		return snapshot_open_at(snapshot, snapshot->dir, name, O_NOFOLLOW, fd, error);
	if (what == SOURCE_MAPS)
		return snapshot_open_at(snapshot, AT_FDCWD, snapshot->maps, 0, fd, error);
	return error_set(error, ERROR_NOT_RECORDED, name, "only a maps text was given");
}

static int snapshot_text_open(struct source_process *process, pid_t tid, enum source_text what,
			      int *fd, struct error *error)
{
	if (tid && tid != process->pid)
		return error_set(error, ERROR_NOT_RECORDED, source_text_name(what),
				 "the snapshot does not hold threads");
	return snapshot_open(snapshot_of(process->source), what, fd, error);
}

static int snapshot_exe(struct source_process *process, struct buf *path, struct error *error)
{
	struct snapshot *snapshot = snapshot_of(process->source);
	CLEANUP_CLOSE int fd = -1;
	int rc;

	if (snapshot->dir < 0)
		return error_set(error, ERROR_NOT_RECORDED, "exe", "only a maps text was given");
	rc = snapshot_open_at(snapshot, snapshot->dir, "exe", O_NOFOLLOW, &fd, error);
	return rc < 0 ? rc : source_read_all(process->source, fd, "exe", SOURCE_TEXT_BYTES, path,
					     error);
}

static int snapshot_pids(struct source *source, pid_t **pids, size_t *count, struct error *error)
{
	pid_t *list = malloc(sizeof(*list));

	if (!list)
		return error_nomem(error);
	*list = snapshot_of(source)->pid;
	*pids = list;
	*count = 1;
	return 0;
}

static int snapshot_process_open(struct source *source, pid_t pid,
				 struct source_process **process, struct error *error)
{
	pid_t recorded = snapshot_of(source)->pid;
	struct source_process *p;

	if (pid && pid != recorded && recorded)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "the snapshot does not hold process %d but %d", pid, recorded);
	if (pid && !recorded)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "the snapshot does not tell its process id; give none");
	p = malloc(sizeof(*p));
	if (!p)
		return error_nomem(error);
	source_process_init(p, source, recorded);
	*process = p;
	return 0;
}

static void snapshot_process_free(struct source_process *process)
{
	free(process);
}

static void snapshot_free(struct source *source)
{
	struct snapshot *snapshot = snapshot_of(source);

	if (snapshot->dir >= 0)
		close(snapshot->dir);
	free(snapshot->maps);
	free(snapshot);
}

static const struct source_ops snapshot_ops = {
	.free = snapshot_free,
	.pids = snapshot_pids,
	.process_open = snapshot_process_open,
	.process_free = snapshot_process_free,
	.text_open = snapshot_text_open,
	.exe = snapshot_exe,
};

/* The id is the first field of `stat`; without a readable one the process is nameless. */
static void snapshot_read_pid(struct snapshot *snapshot)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP_CLOSE int fd = -1;
	struct span span;
	uint64_t pid;

	if (snapshot_open(snapshot, SOURCE_STAT, &fd, NULL) < 0 ||
	    source_read_all(&snapshot->base, fd, "stat", SNAPSHOT_STAT_MAX, &text, NULL) < 0)
		return;
	span = buf_span(&text);
	if (span_take_dec(&span, &pid) && span_take_char(&span, ' ') && pid <= INT32_MAX)
		snapshot->pid = (pid_t)pid;
}

/* `maps` must be there; its time is the time of the recording. */
static int snapshot_read_head(struct snapshot *snapshot, struct error *error)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	int rc = snapshot_open(snapshot, SOURCE_MAPS, &fd, error);

	if (!rc)
		rc = snapshot_file_check(fd, "maps", &st, error);
	if (rc < 0)
		return rc;
	snapshot->base.host.page_size = 4096;
	snapshot->base.host.time = st.st_mtime;
	snapshot_read_pid(snapshot);
	return 0;
}

int source_folder(struct source **source, const char *path, struct error *error)
{
	CLEANUP(source_freep) struct source *guard = NULL;
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	int rc;

	if (!snapshot)
		return error_nomem(error);
	*snapshot = (struct snapshot) { .dir = -1 };
	source_init(&snapshot->base, &snapshot_ops, SOURCE_KIND_SNAPSHOT);
	guard = &snapshot->base;
	snapshot->dir = source_openat(guard, AT_FDCWD, path, O_PATH | O_DIRECTORY);
	if (snapshot->dir == -ENOENT)
		return error_set(error, ERROR_NOT_FOUND, path, "no such snapshot");
	if (snapshot->dir < 0 && snapshot->dir != -ENOTDIR)
		return error_errno(error, -snapshot->dir, path, "open");
	if (snapshot->dir < 0) {
		snapshot->maps = strdup(path);
		if (!snapshot->maps)
			return error_nomem(error);
	}
	rc = snapshot_read_head(snapshot, error);
	if (rc < 0)
		return rc;
	guard = NULL;
	*source = &snapshot->base;
	return 0;
}
