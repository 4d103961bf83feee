// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>

#define LIVE_ROOT "/proc"

static void live_free(struct source *source)
{
	struct live *live = live_of(source);

	for (int i = 0; i < SOURCE_FRAMES_MAX; i++)
		if (live->frames[i] >= 0)
			close(live->frames[i]);
	if (live->proc >= 0)
		close(live->proc);
	pthread_mutex_destroy(&live->lock);
	live_devices_done(&live->devices);
	free(live);
}

/* "4b3fa0b6-6d5f-4d2b-8a53-9f1d8b2c5e07": asked for by few, so not read before. */
static void live_boot_id(struct source *source)
{
	CLEANUP_CLOSE int fd = source_openat(source, live_of(source)->proc,
					     "sys/kernel/random/boot_id", O_RDONLY);
	char *id = source->host.boot_id;
	ssize_t len = fd < 0 ? fd : source_read(source, fd, id, sizeof(source->host.boot_id) - 1);

	id[len < 0 ? 0 : len] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

static const struct source_ops live_ops = {
	.free = live_free,
	.pids = live_pids,
	.system_open = live_system_open,
	.frames = live_frames,
	.frames_access = live_frames_access,
	.frames_end = live_frames_end,
	.boot_id = live_boot_id,
	.exclusive_mark = live_exclusive_mark,
	.zero_frame = live_zero_frame,
	.space_key = live_space_key,
	.order_spaces = live_order_spaces,
	.path_open = live_path_open,
	.pid_text_open = live_pid_text_open,
	.process_open = live_process_open,
	.process_free = live_process_free,
	.check = live_check,
	.threads = live_threads,
	.text_open = live_text_open,
	.text_end = live_text_end,
	.exe = live_exe,
	.ns = live_namespace,
	.mapped_name = live_mapped_name,
	.pagemap = live_pagemap,
	.scan = live_scan,
	.mem = live_mem,
	.file_open = live_file_open,
};

static int live_open_root(struct live *live, struct error *error)
{
	struct statfs fs;

	live->proc = source_openat(&live->base, AT_FDCWD, LIVE_ROOT, O_PATH | O_DIRECTORY);
	if (live->proc < 0)
		return error_errno(error, -live->proc, LIVE_ROOT, "open");
	if (fstatfs(live->proc, &fs) < 0)
		return error_errno(error, errno, LIVE_ROOT, "statfs");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return error_set(error, ERROR_NOT_FOUND, LIVE_ROOT,
				 "no proc file system is mounted there");
	return 0;
}

/* What start times of processes count from. To the nearest second: it is the same each time. */
static int64_t live_boot_time(void)
{
	struct timespec now, since_boot;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	return now.tv_sec - since_boot.tv_sec +
	       (now.tv_nsec - since_boot.tv_nsec + 1500000000) / 1000000000 - 1;
}

static void live_fill_host(struct live *live)
{
	struct source_host *host = &live->base.host;
	struct utsname name;

	if (!uname(&name)) {
		memcpy(host->kernel, name.release, sizeof(host->kernel));
		memcpy(host->machine, name.machine, sizeof(host->machine));
	}
	host->page_size = (uint32_t)sysconf(_SC_PAGESIZE);
	host->page_size_known = true;
	host->time = time(NULL);
	host->boot_time = live_boot_time();
	host->frames_visible = live_frames_probe(live);
	live->own_pids = live_own_pids(live);
}

int source_live(struct source **source, struct error *error)
{
	CLEANUP(source_freep) struct source *guard = NULL;
	struct live *live = malloc(sizeof(*live));
	int rc;

	if (!live)
		return error_nomem(error);
	*live = (struct live) { .proc = -1 };
	for (int i = 0; i < SOURCE_FRAMES_MAX; i++)
		live->frames[i] = -1;
	pthread_mutex_init(&live->lock, NULL);
	source_init(&live->base, &live_ops, SOURCE_KIND_LIVE);
	guard = &live->base;
	rc = live_open_root(live, error);
	if (rc < 0)
		return rc;
	live_fill_host(live);
	guard = NULL;
	*source = &live->base;
	return 0;
}
