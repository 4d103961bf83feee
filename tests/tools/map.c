// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mappings that merge with nothing, files that other processes do not map, own page tables. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "memstate.h"

#define FS_TMPFS 0x01021994
#define FS_RAMFS 0x858458f6

/* A free range with at least a free page on both sides. */
void *map_place(size_t len, size_t align)
{
	size_t span = len + 2 * align;
	uintptr_t start;
	void *area;

	area = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		die("reserve");
	munmap(area, span);
	start = (uintptr_t)area + 1;
	return (void *)((start + align - 1) / align * align);
}

void *map_new(size_t pages, int prot, int flags, int fd, off_t offset)
{
	size_t len = pages * PAGE;
	void *want = map_place(len, PAGE), *got;

	got = mmap(want, len, prot, flags | MAP_FIXED_NOREPLACE, fd, offset);
	if (got == MAP_FAILED)
		die("mmap");
	madvise(got, len, MADV_NOHUGEPAGE); /* EINVAL where it has no meaning */
	return got;
}

void *map_anon(size_t pages)
{
	return map_new(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void *map_huge_area(size_t len)
{
	void *want = map_place(len, HUGE), *got;

	got = mmap(want, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (got == MAP_FAILED)
		die("mmap");
	if (madvise(got, len, MADV_HUGEPAGE))
		skip("no transparent huge pages in this kernel");
	return got;
}

void touch_read(const void *start, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		(void)*((const volatile char *)start + i * PAGE);
}

/* Every page gets other content, so that KSM and zero detection leave it alone. */
void touch_write(void *start, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		volatile uint64_t *page = (void *)((char *)start + i * PAGE);

		page[1] = (uintptr_t)page;
		page[2] = getpid();
		*(volatile char *)page = (char)CODE;
	}
}

const char *scratch_dir(void)
{
	static const char *const tries[] = {".", "/var/tmp", "/tmp", "/root"};
	struct statfs fs;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		if (statfs(tries[i], &fs) || access(tries[i], W_OK))
			continue;
		if (fs.f_type != FS_TMPFS && fs.f_type != FS_RAMFS)
			return tries[i];
	}
	skip("no writable directory on a disk file system");
}

static void file_fill(int fd, size_t pages)
{
	char page[PAGE];

	memset(page, CODE, sizeof(page));
	for (size_t i = 0; i < pages; i++)
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
			die("write file");
}

static int file_make(char *name, size_t size, size_t pages)
{
	int fd;

	snprintf(name, size, "%s/memstate-XXXXXX", scratch_dir());
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		die(name);
	fchmod(fd, 0755);
	file_fill(fd, pages);
	return fd;
}

int file_new(size_t pages)
{
	char name[64];
	int fd = file_make(name, sizeof(name), pages);

	unlink(name);
	return fd;
}

const char *file_named(size_t pages)
{
	static char absolute[4096];
	char name[64];
	int fd = file_make(name, sizeof(name), pages);

	close(fd);
	if (!realpath(name, absolute))
		die(name);
	guardian_remove(absolute);
	return absolute;
}

static uint64_t word_at(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t word = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &word, sizeof(word), index * sizeof(word)) != sizeof(word))
		word = 0;
	close(fd);
	return word;
}

uint64_t page_entry(const void *addr)
{
	return word_at("/proc/self/pagemap", (uintptr_t)addr / PAGE);
}

uint64_t page_frame(const void *addr)
{
	uint64_t entry = page_entry(addr);

	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

bool page_swapped(const void *addr)
{
	return page_entry(addr) >> 62 & 1;
}

uint64_t frame_flags(uint64_t frame)
{
	return frame ? word_at("/proc/kpageflags", frame) : 0;
}

uint64_t frame_count(uint64_t frame)
{
	return frame ? word_at("/proc/kpagecount", frame) : 0;
}

struct scan_region {
	uint64_t start, end, categories;
};

struct scan_request {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof, result;
};

/* PAGE_IS_HUGE of PAGEMAP_SCAN: the page table maps it with a PMD */
bool page_huge(const void *addr)
{
	uint64_t start = (uintptr_t)addr & ~(PAGE - 1), huge = 1 << 6;
	struct scan_region region = {0};
	struct scan_request request = {
		.size = sizeof(request), .start = start, .end = start + PAGE,
		.vec = (uintptr_t)&region, .vec_len = 1, .mask = huge, .result = huge,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int found = fd < 0 ? -1 : ioctl(fd, _IOWR('f', 16, struct scan_request), &request);

	if (fd >= 0)
		close(fd);
	return found == 1;
}
