// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <errno.h>
#include <fcntl.h>

#include "vmatlas/base/search.h"

static const char *const frame_files[SOURCE_FRAMES_MAX] = {
	[SOURCE_KPAGEFLAGS] = "kpageflags",
	[SOURCE_KPAGECOUNT] = "kpagecount",
	[SOURCE_KPAGECGROUP] = "kpagecgroup",
};

static int live_frames_refusal(const char *name, int errnum, struct error *error)
{
	if (errnum == ENOENT)
		return error_set(error, ERROR_NOT_IN_KERNEL, name, "this kernel does not have it");
	if (errnum != EACCES && errnum != EPERM)
		return error_errno(error, errnum, name, "open");
	error_set(error, ERROR_DENIED, name, "not allowed to read it%s",
		  geteuid() ? "; run as root" : LIVE_ROOT_REFUSED);
	if (error)
		error->errnum = errnum;
	return -ERROR_DENIED;
}

static int live_frames_open(struct live *live, enum source_frames what, struct error *error)
{
	struct error local = ERROR_INIT;
	int fd;

	pthread_mutex_lock(&live->lock);
	fd = live->frames[what];
	if (fd < 0) {
		fd = source_openat(&live->base, live->proc, frame_files[what], O_RDONLY);
		if (fd < 0)
			live_frames_refusal(frame_files[what], -fd, &local);
		live->base.frames_gap[what] = gap_from_error(&local);
		__atomic_store_n(&live->frames[what], fd, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&live->lock);
	if (fd >= 0)
		return fd;
	if (error)
		*error = local;
	return -(int)local.code;
}

/* The descriptor or a negative error; opened once, also by several threads. */
static int live_frames_fd(struct live *live, enum source_frames what, struct error *error)
{
	int fd = __atomic_load_n(&live->frames[what], __ATOMIC_ACQUIRE);

	return fd >= 0 ? fd : live_frames_open(live, what, error);
}

int live_frames(struct source *source, enum source_frames what, uint64_t first, uint64_t *words,
		size_t count, size_t *got, struct error *error)
{
	int fd = live_frames_fd(live_of(source), what, error);
	ssize_t bytes;

	if (fd < 0)
		return fd;
	if (first > INT64_MAX / sizeof(*words) - count) {
		*got = 0;
		return 0;
	}
	bytes = source_pread(source, fd, words, count * sizeof(*words), first * sizeof(*words));
	if (bytes < 0)
		return error_errno(error, -(int)bytes, frame_files[what], "read");
	*got = (size_t)bytes / sizeof(*words);
	return 0;
}

enum gap live_frames_access(struct source *source, enum source_frames what)
{
	live_frames_fd(live_of(source), what, NULL);
	return source->frames_gap[what];
}

static bool live_frame_exists(struct source *source, enum source_frames what, uint64_t frame)
{
	uint64_t word;
	size_t got = 0;

	return !live_frames(source, what, frame, &word, 1, &got, NULL) && got;
}

/* Every frame below the end can be read, holes too (fs/proc/page.c: only max_dump_pfn ends the
 * file), so a binary search finds it. */
static uint64_t live_frames_search(struct source *source, enum source_frames what)
{
	return SEARCH_FIRST(frame, 1ULL << 52, live_frame_exists(source, what, frame));
}

uint64_t live_frames_end(struct source *source)
{
	struct live *live = live_of(source);
	enum source_frames what = SOURCE_KPAGEFLAGS;
	uint64_t end = __atomic_load_n(&live->frames_end, __ATOMIC_RELAXED);

	if (end)
		return end;
	if (live_frames_access(source, what) != GAP_NONE)
		what = SOURCE_KPAGECOUNT;
	end = live_frames_search(source, what);
	__atomic_store_n(&live->frames_end, end, __ATOMIC_RELAXED);
	return end;
}
