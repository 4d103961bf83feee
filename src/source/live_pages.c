// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PAGEMAP_PRESENT_WORD (1ULL << 63)
#define PAGEMAP_FILE_WORD (1ULL << 61)
#define PAGEMAP_EXCLUSIVE_WORD (1ULL << 56)
#define PAGEMAP_FRAME_WORD ((1ULL << 55) - 1)
#define KPAGEFLAGS_ANON_WORD (1ULL << 12)
#define KPAGEFLAGS_OWNER_2_WORD (1ULL << 34)

/* struct pm_scan_arg of include/uapi/linux/fs.h (6.7), which older headers lack. */
struct scan_arg {
	uint64_t size;
	uint64_t flags;		/* always 0: both flags serve to change the target */
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

_Static_assert(sizeof(struct scan_arg) == 96, "the kernel demands this size");
_Static_assert(sizeof(struct source_region) == 24, "filled by the kernel as struct page_region");

/* The pagemap word of a page of ours; 0 on failure, or if it is not present. */
static uint64_t live_word_at(struct live *live, uintptr_t address)
{
	CLEANUP_CLOSE int fd = source_openat(&live->base, live->proc, "self/pagemap", O_RDONLY);
	uint64_t word = 0;

	if (fd < 0 || source_pread(&live->base, fd, &word, sizeof(word),
				   address / live->base.host.page_size * 8) != sizeof(word))
		return 0;
	return word & PAGEMAP_PRESENT_WORD ? word : 0;
}

/* The stack page we are working on is certainly present. */
static uint64_t live_own_word(struct live *live)
{
	return live_word_at(live, (uintptr_t)__builtin_frame_address(0));
}

/* Frames are shown to who had CAP_SYS_ADMIN in the first user namespace at open; that cannot be
 * asked, but our own stack page has a frame. */
bool live_frames_probe(struct live *live)
{
	return live_own_word(live) & PAGEMAP_FRAME_WORD;
}

/* The stack page was written after exec, so it is exclusive if the kernel has such a mark. */
bool live_exclusive_mark(struct source *source)
{
	uint64_t frame = live_own_word(live_of(source)) & PAGEMAP_FRAME_WORD, flags = 0;
	size_t got = 0;

	if (!frame || live_frames(source, SOURCE_KPAGEFLAGS, frame, &flags, 1, &got, NULL) < 0)
		return false;
	return got && flags & KPAGEFLAGS_ANON_WORD && flags & KPAGEFLAGS_OWNER_2_WORD;
}

/* A page that was only ever read (do_anonymous_page in mm/memory.c). Where userspace may have
 * none, the page is anonymous and exclusive. */
uint64_t live_zero_frame(struct source *source)
{
	size_t size = source->host.page_size;
	void *page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t word = 0;

	if (page == MAP_FAILED)
		return 0;
	if (!*(volatile const char *)page)
		word = live_word_at(live_of(source), (uintptr_t)page);
	munmap(page, size);
	return word & (PAGEMAP_EXCLUSIVE_WORD | PAGEMAP_FILE_WORD) ? 0 :
		word & PAGEMAP_FRAME_WORD;
}

/* A pagemap descriptor stays with the address space it was opened on. */
static int live_pagemap_open(struct live_process *p)
{
	if (p->pagemap < 0)
		p->pagemap = source_openat(p->base.source, p->dir, "pagemap", O_RDONLY);
	return p->pagemap;
}

void live_space_bind(struct live_process *process)
{
	live_pagemap_open(process);
}

/* The first word can be read as long as the address space has users (pagemap_read in
 * fs/proc/task_mmu.c: mmget_not_zero), whether or not anything is mapped there. */
bool live_space_exists(struct live_process *process)
{
	uint64_t word;

	return process->pagemap < 0 ||
	       source_pread(process->base.source, process->pagemap, &word, sizeof(word), 0) ==
		       sizeof(word);
}

int live_pagemap(struct source_process *process, uint64_t first, uint64_t *words, size_t count,
		 size_t *got, struct error *error)
{
	struct live_process *p = live_process_of(process);
	int fd = live_pagemap_open(p);
	ssize_t bytes;

	if (fd < 0)
		return live_refusal(p, "pagemap", -fd, error);
	if (first > INT64_MAX / sizeof(*words) - count) {
		*got = 0;
		return 0;
	}
	bytes = source_pread(process->source, fd, words, count * sizeof(*words),
			     first * sizeof(*words));
	if (bytes < 0)
		return error_errno(error, -(int)bytes, "pagemap", "read");
	/* Short: the end of user space, or of the address space. */
	if ((size_t)bytes < count * sizeof(*words) && !live_space_exists(p))
		return live_no_space(p, error);
	*got = (size_t)bytes / sizeof(*words);
	return 0;
}

/* The ioctl refuses what it does not know, and addresses that are not of user space. */
static int live_scan_failed(struct live_process *p, int errnum, struct error *error)
{
	switch (errnum) {
	case ENOTTY:
	case EINVAL:
		return error_set(error, ERROR_NOT_IN_KERNEL, "pagemap",
				 "this kernel cannot scan for that (PAGEMAP_SCAN is in 6.7)");
	case EFAULT:
		return error_set(error, ERROR_USAGE, "pagemap",
				 "the range to scan leaves user space");
	case ESRCH:
		return live_no_space(p, error);
	default:
		return error_errno(error, errnum, "pagemap", "scan");
	}
}

int live_scan(struct source_process *process, const struct source_scan *scan,
	      struct source_region *regions, size_t count, size_t *got, uint64_t *walked,
	      struct error *error)
{
	struct live_process *p = live_process_of(process);
	int fd = live_pagemap_open(p), rc;
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = scan->start,
		.end = scan->end,
		.vec = (uintptr_t)regions,
		.vec_len = count,
		.category_inverted = scan->inverted,
		.category_mask = scan->mask,
		.category_anyof_mask = scan->anyof,
		.return_mask = scan->report,
	};

	if (fd < 0)
		return live_refusal(p, "pagemap", -fd, error);
	do {
		rc = ioctl(fd, SCAN_IOCTL, &arg);
		source_count(process->source, rc > 0 ? rc * (ssize_t)sizeof(*regions) : 0);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0 && errno == EFAULT && scan->start >> 63) {
		/* The gate VMA: not of user space, so there is nothing, as in pagemap. */
		rc = 0;
		arg.walk_end = scan->end;
	}
	if (rc < 0)
		return live_scan_failed(p, errno, error);
	/* Before 7.3 an ended address space is scanned as an empty one. */
	if (!rc && !live_space_exists(p))
		return live_no_space(p, error);
	*got = (size_t)rc;
	*walked = arg.walk_end;
	/* Of a walk that was done in parts, the kernel tells where the last but one ended
	 * (do_pagemap_scan(), 6.7 to 6.18): what was given must not be given again. */
	if (rc > 0 && regions[rc - 1].end > *walked)
		*walked = regions[rc - 1].end;
	return 0;
}

int live_mem(struct source_process *process, uint64_t address, void *data, size_t len,
	     size_t *got, struct error *error)
{
	struct live_process *p = live_process_of(process);
	ssize_t bytes;

	if (p->mem < 0)
		p->mem = source_openat(process->source, p->dir, "mem", O_RDONLY);
	if (p->mem < 0)
		return live_refusal(p, "mem", -p->mem, error);
	bytes = source_pread(process->source, p->mem, data, len, address);
	if (bytes == -EIO || bytes == -EINVAL)
		return error_set(error, ERROR_CHANGED, "mem", "nothing can be read at 0x%llx",
				 (unsigned long long)address);
	if (bytes < 0)
		return error_errno(error, -(int)bytes, "mem", "read");
	if (!bytes && len)
		return live_no_space(p, error);
	*got = (size_t)bytes;
	return 0;
}
