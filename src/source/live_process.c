// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* The same on every architecture; 5.3. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* hidepid=1 lets nobody look below the folder of another user's process, hidepid=2 says it is
 * not there (proc_pid_permission in fs/proc/base.c); opening the folder itself still works. */
static int live_enter_refusal(pid_t pid, int errnum, struct error *error)
{
	switch (errnum) {
	case ENOENT:
	case ESRCH:
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "there is no process %d (or /proc is mounted with hidepid)", pid);
	case EACCES:
	case EPERM:
		return error_set(error, ERROR_DENIED, NULL,
				 "not allowed to look at process %d; run as its user or as root",
				 pid);
	default:
		return error_errno(error, errnum, NULL, "opening the process");
	}
}

/* The folder of a process or thread; threads are not listed in /proc but can be entered. */
static int live_enter(struct live *live, pid_t pid, int *dir, struct error *error)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%d", pid);
	fd = pid > 0 ? source_openat(&live->base, live->proc, name, O_PATH | O_DIRECTORY) :
		-ENOENT;
	if (fd < 0)
		return live_enter_refusal(pid, -fd, error);
	*dir = fd;
	return 0;
}

int live_pid_text_open(struct source *source, pid_t pid, enum source_text what, int *fd,
		       struct error *error)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "%d/%s", pid, source_text_name(what));
	file = source_openat(source, live_of(source)->proc, path, O_RDONLY);
	if (file < 0)
		return live_enter_refusal(pid, -file, error);
	*fd = file;
	return 0;
}

/* "Tgid:\t1234" stands in the first lines of status. */
static int live_thread_group(struct live *live, pid_t pid, int dir, pid_t *tgid,
			     struct error *error)
{
	CLEANUP_CLOSE int fd = source_openat(&live->base, dir, "status", O_RDONLY);
	char text[512];
	struct span span = { text, 0 }, line;
	ssize_t got = fd < 0 ? fd : source_read(&live->base, fd, text, sizeof(text));
	uint64_t id;

	if (got < 0)
		return live_enter_refusal(pid, -(int)got, error);
	span.len = (size_t)got;
	while (span.len) {
		line = span_take_until(&span, '\n');
		span_take_char(&span, '\n');
		if (!span_starts(line, "Tgid:"))
			continue;
		line = (struct span) { line.ptr + 5, line.len - 5 };
		span_skip_blanks(&line);
		if (!span_take_dec(&line, &id) || !id || id > INT32_MAX)
			break;
		*tgid = (pid_t)id;
		return 0;
	}
	return error_set(error, ERROR_PARSE, "status", "no thread group id in it");
}

/* pidfd_open(2) takes only leaders, for a fifth of what reading status takes. It knows the numbers
 * of our own PID namespace; without all rights status tells better what is refused. */
static bool live_is_leader(struct live *live, pid_t pid)
{
	int fd;

	if (!live->own_pids || !live->base.host.frames_visible)
		return false;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	source_count(&live->base, 0);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* The folder of the thread-group leader of pid. */
static int live_enter_leader(struct live *live, pid_t pid, int *dir, pid_t *tgid,
			     struct error *error)
{
	CLEANUP_CLOSE int fd = -1;
	pid_t leader = pid;
	int rc = live_enter(live, pid, &fd, error);

	if (!rc && !live_is_leader(live, pid))
		rc = live_thread_group(live, pid, fd, &leader, error);
	if (rc < 0)
		return rc;
	if (leader == pid) {
		*dir = fd;
		fd = -1;
	} else {
		rc = live_enter(live, leader, dir, error);
		/* While the thread lives the number of its leader is not given away. */
		if (!rc)
			rc = live_thread_group(live, pid, fd, &leader, error);
	}
	if (!rc)
		*tgid = leader;
	return rc;
}

static bool live_has_ended(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

/* The leader is a zombie: the files of a thread that lives show the address space. Leaves the
 * process as it is when there is none. */
static int live_use_thread(struct live_process *p, struct error *error)
{
	struct live *live = live_of(p->base.source);
	CLEANUP_FREE pid_t *tids = NULL;
	size_t count = 0;
	int rc = live_numbers(&live->base, p->dir, "task", &tids, &count, error);

	for (size_t i = 0; !rc && i < count; i++) {
		CLEANUP_CLOSE int dir = -1;
		struct live_stat stat;
		pid_t tgid;

		/* The thread may have ended and its number belong to another process. */
		if (live_enter(live, tids[i], &dir, NULL) < 0 ||
		    live_thread_group(live, tids[i], dir, &tgid, NULL) < 0 ||
		    tgid != p->base.pid || live_stat_read(&live->base, dir, &stat, NULL) < 0 ||
		    live_has_ended(stat.state))
			continue;
		close(p->dir);
		p->dir = dir;
		dir = -1;
		p->base.tid = tids[i];
		p->stat = stat;
		break;
	}
	return rc;
}

int live_process_open(struct source *source, pid_t pid, struct source_process **process,
		      struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *guard = NULL;
	struct live_process *p = malloc(sizeof(*p));
	pid_t tgid = pid;
	int rc;

	if (!p)
		return error_nomem(error);
	*p = (struct live_process) { .dir = -1, .pagemap = -1, .mem = -1 };
	source_process_init(&p->base, source, pid);
	guard = &p->base;
	rc = live_enter_leader(live_of(source), pid, &p->dir, &tgid, error);
	if (!rc)
		rc = live_stat_read(source, p->dir, &p->stat, error);
	if (rc < 0)
		return rc;
	p->base.pid = tgid;
	p->base.tid = tgid;
	if (live_has_ended(p->stat.state))
		rc = live_use_thread(p, error);
	if (rc < 0)
		return rc;
	p->base.no_space = p->stat.kernel_thread || live_has_ended(p->stat.state);
	guard = NULL;
	*process = &p->base;
	return 0;
}

void live_process_free(struct source_process *process)
{
	struct live_process *p = live_process_of(process);

	if (p->mem >= 0)
		close(p->mem);
	if (p->pagemap >= 0)
		close(p->pagemap);
	if (p->dir >= 0)
		close(p->dir);
	live_devices_done(&p->devices);
	free(p);
}

/* What the process is by now; 0 when it still is what it was at opening. */
static int live_state(struct live_process *p, struct error *error)
{
	pid_t pid = p->base.pid;
	struct live_stat now;
	int rc = live_stat_read(p->base.source, p->dir, &now, error);

	if ((rc == -ERROR_GONE && p->base.tid != pid) ||
	    (!rc && live_has_ended(now.state) && now.threads > 1))
		return error_set(error, ERROR_CHANGED, NULL,
				 "the thread that showed process %d has ended; try again", pid);
	if (rc == -ERROR_GONE)
		return error_set(error, ERROR_GONE, NULL, "process %d has ended", pid);
	if (rc < 0)
		return rc;
	if (live_has_ended(now.state))
		return error_set(error, ERROR_GONE, NULL,
				 "process %d has ended and waits for its parent (zombie)", pid);
	/* No mm: exit_mm() comes before the zombie. What is masked reads 1 and 0. */
	if (!now.start_code && !now.start_stack && !now.kernel_thread)
		return error_set(error, ERROR_GONE, NULL, "process %d is just ending", pid);
	if (now.start_time != p->stat.start_time || now.start_code != p->stat.start_code ||
	    now.start_stack != p->stat.start_stack)
		return error_set(error, ERROR_CHANGED, NULL,
				 "process %d executed another program meanwhile; try again", pid);
	return 0;
}

int live_check(struct source_process *process, struct error *error)
{
	struct live_process *p = live_process_of(process);
	int rc = live_state(p, error);

	if (rc < 0 || live_space_exists(p))
		return rc;
	/* It may have ended in between. */
	rc = live_state(p, error);
	if (rc < 0)
		return rc;
	return error_set(error, ERROR_CHANGED, NULL,
			 "process %d replaced its address space meanwhile; try again",
			 process->pid);
}

int live_no_space(struct live_process *process, struct error *error)
{
	pid_t pid = process->base.pid;
	int rc;

	if (process->stat.kernel_thread)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "process %d is a kernel thread: it has no address space", pid);
	rc = live_check(&process->base, error);
	return rc < 0 ? rc : error_set(error, ERROR_GONE, NULL,
				       "process %d has no address space (any more)", pid);
}

int live_refusal(struct live_process *process, const char *name, int errnum,
		 struct error *error)
{
	pid_t pid = process->base.pid;
	int rc = live_state(process, error);

	if (rc < 0)
		return rc;
	if (errnum == ESRCH || process->stat.kernel_thread)
		return live_no_space(process, error);
	if (errnum == ENOENT)
		return error_set(error, ERROR_NOT_IN_KERNEL, NULL,
				 "this kernel has no %s of a process", name);
	if (errnum != EACCES && errnum != EPERM)
		return error_errno(error, errnum, name, "open");
	rc = error_set(error, ERROR_DENIED, NULL, "not allowed to read %s of process %d%s", name,
		       pid, geteuid() ? "; run as its user, or as root" : LIVE_ROOT_REFUSED);
	if (error)
		error->errnum = errnum;
	return rc;
}
