// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "stop.h"
#include "vmatlas/parse/stat.h"

/* The same on every architecture. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define SPARE_FDS 64u
#define ANCESTORS_MAX 1024u
#define DEPTH_MAX 64u		/* deeper ones stop together with those */

static int pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void raise_limit(size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= count + SPARE_FDS)
		return;
	limit.rlim_cur = limit.rlim_max < count + SPARE_FDS ? limit.rlim_max : count + SPARE_FDS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int read_stat(const struct stop *stop, pid_t pid, struct stat_record *stat,
		     struct buf *text)
{
	buf_clear(text);
	if (source_pid_text(stop->cli->source, pid, SOURCE_STAT, text, NULL) < 0)
		return -1;
	return stat_parse(buf_span(text), stat, NULL);
}

static bool is_stopped(char state)
{
	return state == 'T' || state == 't';
}

/* What must run on for us to run on. */
struct spared {
	pid_t pids[ANCESTORS_MAX + 2];	/* our tracer or 0, we, our parent, its parent ... */
	size_t count;
};

/* Who traces us must not stand still, or we do for ever: "TracerPid:\t42". */
static pid_t own_tracer(const struct stop *stop)
{
	static const char key[] = "\nTracerPid:";
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const char *at;

	if (source_pid_text(stop->cli->source, getpid(), SOURCE_STATUS, &text, NULL) < 0)
		return 0;
	at = strstr(buf_str(&text), key);
	return at ? (pid_t)strtol(at + sizeof(key) - 1, NULL, 10) : 0;
}

/* 0: none, or it is not in our PID namespace, or hidden (hidepid). */
static pid_t parent_of(const struct stop *stop, pid_t pid)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	return read_stat(stop, pid, &stat, &text) < 0 ? 0 : (pid_t)stat.ppid;
}

static void find_spared(const struct stop *stop, struct spared *spared)
{
	pid_t pid = getpid();

	spared->pids[0] = own_tracer(stop);
	for (spared->count = 1; pid > 0 && spared->count < ARRAY_SIZE(spared->pids);
	     pid = parent_of(stop, pid))
		spared->pids[spared->count++] = pid;
}

static bool is_spared(const struct spared *spared, pid_t pid)
{
	for (size_t i = 0; i < spared->count; i++)
		if (spared->pids[i] == pid)
			return true;
	return false;
}

static int list_add(struct stop_list *list, const struct stop_process *process,
		    struct error *error)
{
	if (array_grow((void **)&list->items, &list->cap, list->count,
		       sizeof(*list->items)) < 0) {
		close(process->pidfd);
		return error_nomem(error);
	}
	list->items[list->count++] = *process;
	return 0;
}

void stop_list_done(struct stop_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		close(list->items[i].pidfd);
	free(list->items);
	*list = (struct stop_list) { NULL, 0, 0 };
}

/* The pidfd is opened before stat is read: if the process with this number is the one that was
 * chosen, the pidfd is of it. */
static bool may_stop(const struct selected *selected, struct stop *stop,
		     struct stop_process *process)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	if (read_stat(stop, selected->pid, &stat, &text) < 0 ||
	    stat.start_time != selected->start_time)
		return false;
	process->start_time = stat.start_time;
	process->ppid = (pid_t)stat.ppid;
	stop->before += is_stopped(stat.state);
	return !is_stopped(stat.state);
}

static int open_one(const struct selected *selected, struct stop *stop, struct error *error)
{
	struct stop_process process = { .pid = selected->pid };

	process.pidfd = pidfd_open(selected->pid);
	if (process.pidfd < 0 && errno == ESRCH)
		return 0;
	if (process.pidfd < 0 && errno == ENOSYS)
		return error_set(error, ERROR_NOT_IN_KERNEL, "--stop", "this kernel has no "
				 "pidfd_open(2): another process might be hit");
	if (process.pidfd < 0)
		return error_errno(error, errno, "--stop", "pidfd_open");
	if (!may_stop(selected, stop, &process)) {
		close(process.pidfd);
		return 0;
	}
	if (stop_send(&process, 0) < 0) {
		stop->refused += errno == EPERM;
		close(process.pidfd);
		return 0;
	}
	return list_add(&stop->set, &process, error);
}

/* The set is ascending by PID while it is made. */
static struct stop_process *find(const struct stop_list *list, pid_t pid)
{
	size_t from = 0, to = list->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (list->items[middle].pid == pid)
			return &list->items[middle];
		if (list->items[middle].pid < pid)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

/* Parents mostly have smaller numbers: one pass or two. */
static void find_depths(struct stop_list *set)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < set->count; i++) {
			struct stop_process *process = &set->items[i];
			const struct stop_process *parent = find(set, process->ppid);

			if (!parent || parent->depth < process->depth ||
			    process->depth == DEPTH_MAX)
				continue;
			process->depth = parent->depth < DEPTH_MAX ? parent->depth + 1 : DEPTH_MAX;
			changed = true;
		}
	}
}

static int compare_depth(const void *a, const void *b)
{
	const struct stop_process *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth > y->depth ? 1 : -1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static bool is_outside(const struct stop *stop, pid_t pid)
{
	for (size_t i = 0; i < stop->outside.count; i++)
		if (stop->outside.items[i].pid == pid)
			return true;
	return false;
}

/* Who may not be opened or signalled could not be continued either. */
static int add_outside(struct stop *stop, pid_t pid, pid_t *parent, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stop_process process = { .pid = pid };
	struct stat_record stat;

	*parent = 0;
	process.pidfd = pidfd_open(pid);
	if (process.pidfd < 0)
		return 0;
	if (read_stat(stop, pid, &stat, &text) < 0) {
		close(process.pidfd);
		return 0;
	}
	*parent = (pid_t)stat.ppid;
	if (is_stopped(stat.state) || stop_send(&process, 0) < 0) {
		close(process.pidfd);
		return 0;
	}
	process.start_time = stat.start_time;
	return list_add(&stop->outside, &process, error);
}

static void reverse(struct stop_list *list)
{
	for (size_t i = 0; i < list->count / 2; i++) {
		struct stop_process process = list->items[i];

		list->items[i] = list->items[list->count - 1 - i];
		list->items[list->count - 1 - i] = process;
	}
}

/* Ancestors of the set that are not in it, up to process 1, which does not stop. */
static int find_outside(struct stop *stop, struct error *error)
{
	for (size_t i = 0; i < stop->set.count; i++) {
		pid_t pid = stop->set.items[i].ppid;

		for (unsigned n = 0; pid > 1 && n < ANCESTORS_MAX; n++) {
			if (find(&stop->set, pid) || is_outside(stop, pid))
				break;
			if (add_outside(stop, pid, &pid, error) < 0)
				return -ERROR_NOMEM;
		}
	}
	reverse(&stop->outside);
	return 0;
}

int stop_choose(const struct selection *selection, struct stop *stop, struct error *error)
{
	struct spared spared;
	int rc = 0;

	find_spared(stop, &spared);
	raise_limit(selection->count);
	for (size_t i = 0; i < selection->count && rc >= 0; i++) {
		const struct selected *selected = &selection->processes[i];

		if (is_spared(&spared, selected->pid))
			stop->spared++;
		else
			rc = open_one(selected, stop, error);
	}
	if (rc >= 0)
		rc = find_outside(stop, error);
	if (rc < 0)
		return rc;
	find_depths(&stop->set);
	if (stop->set.count)
		qsort(stop->set.items, stop->set.count, sizeof(*stop->set.items), compare_depth);
	return 0;
}
