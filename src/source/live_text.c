// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define PF_KTHREAD 0x200000	/* include/linux/sched.h */
#define LINK_MAX_BYTES (64u << 10)

/* Texts that are empty, or end early, when there is no address space; smaps_rollup fails. */
static const bool of_space[SOURCE_TEXT_MAX] = {
	[SOURCE_MAPS] = true,
	[SOURCE_SMAPS] = true,
	[SOURCE_NUMA_MAPS] = true,
	[SOURCE_AUXV] = true,
};

static const char *const system_texts[SOURCE_SYSTEM_TEXT_MAX] = {
	[SOURCE_MAX_MAP_COUNT] = "sys/vm/max_map_count",
	[SOURCE_OVERCOMMIT] = "sys/vm/overcommit_memory",
	[SOURCE_CPUINFO] = "cpuinfo",
	[SOURCE_MEMINFO] = "meminfo",
	[SOURCE_SWAPS] = "swaps",
	[SOURCE_THP_SIZE] = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
	[SOURCE_STACK_GUARD_GAP] = "cmdline",
	[SOURCE_MOUNTS] = "self/mountinfo",
	[SOURCE_KSM_SHARED] = "/sys/kernel/mm/ksm/pages_shared",
	[SOURCE_CPUS_ONLINE] = "/sys/devices/system/cpu/online",
	[SOURCE_KERNEL_STAT] = "stat",
};

/* Skips to field `number` of stat, counted as in proc(5), in the text behind the comm. */
static uint64_t live_stat_field(struct span rest, unsigned number)
{
	struct span word = { NULL, 0 };
	uint64_t value = 0;

	for (unsigned i = 3; i <= number; i++)
		if (!span_take_word(&rest, &word))
			return 0;
	return span_take_dec(&word, &value) ? value : 0;
}

/* "4242 (na) me) S 1 4242 ...": the name may hold anything, so the last ')' ends it. */
static int live_stat_parse(struct span text, struct live_stat *stat)
{
	const char *end = text.len ? memrchr(text.ptr, ')', text.len) : NULL;
	struct span rest, from, state;

	if (!end)
		return -ERROR_PARSE;
	rest = (struct span) { end + 1, text.len - (size_t)(end + 1 - text.ptr) };
	from = rest;
	if (!span_take_word(&from, &state) || state.len != 1)
		return -ERROR_PARSE;
	*stat = (struct live_stat) {
		.state = state.ptr[0],
		.kernel_thread = live_stat_field(rest, 9) & PF_KTHREAD,
		.threads = live_stat_field(rest, 20),
		.start_time = live_stat_field(rest, 22),
		.start_code = live_stat_field(rest, 26),
		.start_stack = live_stat_field(rest, 28),
	};
	return 0;
}

int live_stat_read(struct source *source, int dir, struct live_stat *stat, struct error *error)
{
	CLEANUP_CLOSE int fd = source_openat(source, dir, "stat", O_RDONLY);
	char text[2048];
	ssize_t got = fd < 0 ? fd : source_read(source, fd, text, sizeof(text));

	if (got < 0)
		return error_errno(error, -(int)got, "stat", "read");
	if (live_stat_parse((struct span) { text, (size_t)got }, stat) < 0)
		return error_set(error, ERROR_PARSE, "stat", "not the form of proc(5)");
	return 0;
}

static int live_numbers_collect(DIR *folder, pid_t **numbers, size_t *count)
{
	CLEANUP_FREE pid_t *list = NULL;
	size_t have = 0, cap = 0;
	struct dirent *entry;

	while ((errno = 0, entry = readdir(folder))) {
		struct span name = span_of(entry->d_name);
		uint64_t id;

		if (!span_take_dec(&name, &id) || name.len || !id || id > INT32_MAX)
			continue;
		if (array_grow((void **)&list, &cap, have, sizeof(*list)) < 0)
			return -ENOMEM;
		list[have++] = (pid_t)id;
	}
	if (errno)
		return -errno;
	source_pids_sort(list, have);
	*numbers = list;
	*count = have;
	list = NULL;
	return 0;
}

int live_numbers(struct source *source, int dir, const char *name, pid_t **numbers,
		 size_t *count, struct error *error)
{
	int fd = source_openat(source, dir, name, O_RDONLY | O_DIRECTORY);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	int rc;

	if (!folder) {
		rc = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return error_errno(error, -rc, name, "open");
	}
	rc = live_numbers_collect(folder, numbers, count);
	closedir(folder);
	return rc < 0 ? error_errno(error, -rc, name, "read") : 0;
}

int live_pids(struct source *source, pid_t **pids, size_t *count, struct error *error)
{
	return live_numbers(source, live_of(source)->proc, ".", pids, count, error);
}

int live_threads(struct source_process *process, pid_t **tids, size_t *count,
		 struct error *error)
{
	struct live_process *p = live_process_of(process);

	return live_numbers(process->source, p->dir, "task", tids, count, error);
}

/* 0: it has our IPC namespace. */
static int live_own_ipc(struct source_process *process, struct error *error)
{
	struct live_process *p = live_process_of(process);
	struct stat own, other;

	source_count(process->source, 0);
	if (fstatat(p->dir, "ns/ipc", &other, 0) < 0)
		return live_refusal(p, "ns/ipc", errno, error);
	if (fstatat(live_of(process->source)->proc, "self/ns/ipc", &own, 0) < 0)
		return error_errno(error, errno, "self/ns/ipc", "stat");
	if (own.st_ino == other.st_ino && own.st_dev == other.st_dev)
		return 0;
	return error_set(error, ERROR_NOT_FOUND, "sysv_shm", "it is in another IPC namespace");
}

static int live_sysv_shm_open(struct source_process *process, int *fd, struct error *error)
{
	int file, rc = live_own_ipc(process, error);

	if (rc < 0)
		return rc;
	file = source_openat(process->source, live_of(process->source)->proc, "sysvipc/shm",
			     O_RDONLY);
	if (file == -ENOENT)
		return error_set(error, ERROR_NOT_IN_KERNEL, "sysvipc/shm",
				 "this kernel does not have it");
	if (file < 0)
		return error_errno(error, -file, "sysvipc/shm", "open");
	*fd = file;
	return 0;
}

int live_text_open(struct source_process *process, pid_t tid, enum source_text what, int *fd,
		   struct error *error)
{
	struct live_process *p = live_process_of(process);
	const char *name = source_text_name(what);
	char path[64];
	int file;

	if (what == SOURCE_SYSV_SHM)
		return live_sysv_shm_open(process, fd, error);
	if (!tid && what == SOURCE_CHILDREN)
		tid = process->tid;
	snprintf(path, sizeof(path), "task/%d/%s", tid, name);
	if (!tid && of_space[what])
		live_space_bind(p);
	file = source_openat(process->source, p->dir, tid ? path : name, O_RDONLY);
	if (file == -ENOENT && tid)
		return error_set(error, ERROR_GONE, NULL, "thread %d of process %d has ended", tid,
				 process->pid);
	if (file < 0)
		return live_refusal(p, name, -file, error);
	*fd = file;
	return 0;
}

/* An ended address space gives an early end, not a failure (m_start in fs/proc/task_mmu.c). */
int live_text_end(struct source_process *process, enum source_text what, struct error *error)
{
	struct live_process *p = live_process_of(process);

	if (!of_space[what] || (p->pagemap >= 0 && live_space_exists(p)))
		return 0;
	return p->stat.kernel_thread ? live_no_space(p, error) : live_check(process, error);
}

int live_system_open(struct source *source, enum source_system_text what, int *fd,
		     struct error *error)
{
	const char *name = system_texts[what];
	int file = source_openat(source, live_of(source)->proc, name, O_RDONLY);

	if (file == -ENOENT)
		return error_set(error, ERROR_NOT_IN_KERNEL, name, "this kernel does not have it");
	if (file < 0)
		return error_errno(error, -file, name, "open");
	*fd = file;
	return 0;
}

static int live_link(struct live_process *p, const char *link, struct buf *path,
		     struct error *error)
{
	for (size_t size = 1024; size <= LINK_MAX_BYTES; size *= 4) {
		ssize_t got;

		if (buf_reserve(path, size) < 0)
			return error_nomem(error);
		got = readlinkat(p->dir, link, path->data + path->len, size);
		source_count(p->base.source, got);
		if (got < 0)
			return live_refusal(p, link, errno, error);
		if ((size_t)got < size) {
			source_buf_cut(path, path->len + (size_t)got);
			return 0;
		}
		source_buf_cut(path, path->len);
	}
	return error_set(error, ERROR_LIMIT, link, "longer than %u bytes", LINK_MAX_BYTES);
}

int live_exe(struct source_process *process, struct buf *path, struct error *error)
{
	return live_link(live_process_of(process), "exe", path, error);
}

/* "mnt:[4026531841]" */
int live_namespace(struct source_process *process, enum source_namespace which, uint64_t *inode,
		   struct error *error)
{
	static const char *const links[] = {
		[SOURCE_NAMESPACE_PID] = "ns/pid", [SOURCE_NAMESPACE_MOUNT] = "ns/mnt"
	};
	CLEANUP(buf_done) struct buf link = BUF_INIT;
	int rc = live_link(live_process_of(process), links[which], &link, error);
	struct span text = buf_span(&link);

	if (rc < 0)
		return rc;
	span_take_until(&text, '[');
	if (!span_take_char(&text, '[') || !span_take_dec(&text, inode))
		return error_set(error, ERROR_PARSE, links[which], "not the form of a namespace");
	return 0;
}

int live_mapped_name(struct source_process *process, uint64_t start, uint64_t end,
		     struct buf *name, struct error *error)
{
	char link[64];

	snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, start, end);
	return live_link(live_process_of(process), link, name, error);
}
