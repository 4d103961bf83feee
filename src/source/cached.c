// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "snapshot_files.h"

/* include/uapi/linux/mman.h; the number is the same on every architecture. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

struct cache_range {
	uint64_t offset;
	uint64_t len;
};

/* Pages. Evicted ones of shmem are in swap (mm/filemap.c filemap_cachestat()). */
struct cache_counts {
	uint64_t cached;
	uint64_t dirty;
	uint64_t writeback;
	uint64_t evicted;
	uint64_t recently_evicted;
};

int source_file_cached(struct source *source, const struct source_file *file, uint64_t offset,
		       uint64_t len, struct source_cached *cached, struct error *error)
{
	struct cache_range range = { offset, len };
	struct cache_counts counts = { 0 };

	if (file->fd < 0)
		return recorded_cache_ask(file->cache, source->host.page_size, offset, len, cached,
					  error);
	source_count(source, 0);
	if (syscall(SYS_cachestat, file->fd, &range, &counts, 0) < 0)
		return error_errno(error, errno, NULL, "cachestat");
	*cached = (struct source_cached) { counts.cached, counts.evicted };
	return 0;
}

void source_file_forget(struct source *source, const struct source_file *file, uint64_t offset,
			uint64_t len)
{
	if (file->fd < 0)
		return;
	source_count(source, 0);
	posix_fadvise(file->fd, (off_t)offset, (off_t)len, POSIX_FADV_DONTNEED);
}
