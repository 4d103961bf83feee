// SPDX-License-Identifier: LGPL-2.1-or-later
/* States that need a setting of the whole system: swap and KSM. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memstate.h"

#define KSM "/sys/kernel/mm/ksm/"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { SWAP_PAGES = 2048, TRIES = 100 };

/* Header of a swap area, linux/swap.h union swap_header */
struct swap_info {
	char boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t bad_pages;
	char rest[PAGE - 1024 - 12 - 10];
	char magic[10];
} __attribute__((packed));

static void swap_enable(void)
{
	static const struct swap_info info = {
		.version = 1, .last_page = SWAP_PAGES - 1, .magic = "SWAPSPACE2",
	};
	const char *path = file_named(SWAP_PAGES);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	_Static_assert(sizeof(struct swap_info) == PAGE, "the header is a page");
	if (fd < 0 || fchmod(fd, 0600) || write(fd, &info, sizeof(info)) != sizeof(info) ||
	    fsync(fd))
		die(path);
	close(fd);
	guardian_swap(path);
}

/* For an entry with a swap slot mincore() tells whether the page is in the swap cache. */
static size_t pages_out(char *start, size_t pages)
{
	unsigned char resident[16];
	size_t out = 0;

	if (mincore(start, pages * PAGE, resident))
		die("mincore");
	while (out < pages && page_swapped(start + out * PAGE) && !(resident[out] & 1))
		out++;
	return out;
}

/*
 * The first MADV_PAGEOUT writes the pages and leaves them in the swap cache.
 * Read in from there they are clean, and the next one drops them.
 */
static void page_out(void *start, size_t pages)
{
	for (int i = 0; i < TRIES && pages_out(start, pages) < pages; i++) {
		touch_read(start, pages);
		if (madvise(start, pages * PAGE, MADV_PAGEOUT))
			skip("no MADV_PAGEOUT: %m");
		usleep(10000);
	}
	if (pages_out(start, pages) < pages)
		skip("the kernel did not swap %zu pages out", pages);
}

static void make_swapped(void)
{
	char *p = map_anon(6);

	swap_enable();
	touch_write(p, 4);
	page_out(p, 4);
	expect(p, 4, "swap", ATTR_SWAP);
	expect(p + 4 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
}

static void make_swapped_forked(void)
{
	char *p = map_anon(4);
	pid_t child;

	swap_enable();
	touch_write(p, 4);
	page_out(p, 4);
	child = child_start(NULL, NULL);
	expect(p, 4, "swap", ATTR_SWAP);
	expect_in(child, p, 4, "swap", ATTR_SWAP);
}

static void make_swapped_copy(void)
{
	char *p = map_new(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_new(4), 0);

	swap_enable();
	touch_write(p, 2);
	page_out(p, 2);
	expect(p, 2, "swap", ATTR_SWAP);
	expect(p + 2 * PAGE, 2, "untouched", ATTR_FILE_NEW);
}

/* Swapped out and read again by one of two: its page is in the swap cache. */
static void make_swapped_read(void)
{
	char *p = map_anon(2);
	pid_t child;

	swap_enable();
	touch_write(p, 2);
	page_out(p, 2);
	child = child_start(NULL, NULL);
	touch_read(p, 1);
	expect(p, 1, "anon", "leaf=4K mappings=1 exclusive=false next_read=none next_write=copy");
	expect_in(child, p, 1, "swap", NULL);
}

/* The page table of shared memory forgets: the swap slot is known to the object alone. */
static void make_swapped_shmem(void)
{
	char *p = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	swap_enable();
	touch_write(p, 4);
	for (int i = 0; i < TRIES && page_entry(p); i++) {
		madvise(p, 4 * PAGE, MADV_PAGEOUT);
		usleep(20000);
	}
	if (page_entry(p))
		skip("the kernel swapped no shared memory out");
	expect(p, 4, "untouched", NULL);
}

static bool all_same_frame(const char *p, size_t pages)
{
	for (size_t i = 1; i < pages; i++)
		if (page_frame(p + i * PAGE) != page_frame(p))
			return false;
	return true;
}

static void fill(char *page, uint64_t number)
{
	uint64_t tag[2] = {getpid(), number};

	memset(page, CODE, PAGE);
	memcpy(page + PAGE / 2, tag, sizeof(tag));
}

static void ksm_run(void)
{
	guardian_set(KSM "sleep_millisecs", "1");
	guardian_set(KSM "pages_to_scan", "2000");
	guardian_set(KSM "run", "1");
}

/*
 * Merged pages stay merged when KSM is stopped, so nothing else of the system
 * changes. The content is of this process only: it must not merge with others.
 */
static char *ksm_merge(size_t pages)
{
	char *p = map_anon(pages + 2);

	for (size_t i = 0; i < pages + 2; i++)
		fill(p + i * PAGE, i < pages ? 0 : i);
	if (madvise(p, pages * PAGE, MADV_MERGEABLE))
		skip("no KSM in this kernel");
	if (!page_frame(p))
		skip("frame numbers are hidden");
	ksm_run();
	for (int i = 0; i < TRIES && !all_same_frame(p, pages); i++)
		usleep(50000);
	if (!all_same_frame(p, pages))
		skip("KSM merged nothing in %d ms", TRIES * 50);
	guardian_set(KSM "run", "0");
	return p;
}

static void make_ksm(void)
{
	char *p = ksm_merge(4);

	expect(p, 4, "ksm", "leaf=4K mappings=4 next_read=none next_write=copy");
	expect(p + 4 * PAGE, 2, "anon", ATTR_OWN);
}

static void make_ksm_forked(void)
{
	char *p = ksm_merge(2);
	pid_t child = child_start(NULL, NULL);

	expect(p, 2, "ksm", "leaf=4K mappings=4 next_read=none next_write=copy");
	expect_in(child, p, 2, "ksm", "leaf=4K mappings=4 next_read=none next_write=copy");
}

/* A merged page is copied on write even by its only user. */
static void make_ksm_last(void)
{
	char *p = ksm_merge(2);

	touch_write(p, 1);
	expect(p, 1, "anon", ATTR_OWN);
	expect(p + PAGE, 1, "ksm", "leaf=4K mappings=1 next_read=none next_write=copy");
}

const struct state system_states[] = {
	{"swapped", "written, then swapped out", "root", make_swapped},
	{"swapped-forked", "swapped out, then a child", "root", make_swapped_forked},
	{"swapped-copy", "copies of file pages, swapped out", "root", make_swapped_copy},
	{"swapped-read", "swapped out, forked, one page read back", "root", make_swapped_read},
	{"swapped-shmem", "shared anonymous memory swapped out", "root", make_swapped_shmem},
	{"ksm-forked", "two equal pages merged by KSM, then a child", "root, KSM",
	 make_ksm_forked},
	{"ksm-last", "a merged page whose only other mapping was written", "root, KSM",
	 make_ksm_last},
	{"ksm", "four equal pages merged by KSM", "root, KSM", make_ksm},
	{0},
};
