// SPDX-License-Identifier: LGPL-2.1-or-later
/* Transparent huge pages: whole, in parts, forked, the huge zero page, other sizes. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memstate.h"

#define THP "/sys/kernel/mm/transparent_hugepage/"
#define PAGES (HUGE / PAGE)

#define ATTR_HUGE_OWN "leaf=2M mappings=1 exclusive=true next_read=none next_write=in-place"
#define ATTR_HUGE_LAST "leaf=2M mappings=1 exclusive=false next_read=none next_write=in-place"
#define ATTR_HUGE_COW "leaf=2M mappings=2 exclusive=false next_read=none next_write=copy"
/* kpageflags shows the head's exclusive bit for every tail of a large folio mapped by PTEs */
#define ATTR_TAIL_OWN "leaf=4K mappings=1 exclusive=null next_read=none next_write=in-place"
#define ATTR_TAIL_COW "leaf=4K mappings=2 exclusive=null next_read=none next_write=copy"

static void thp_allow(void)
{
	guardian_set(THP "enabled", "madvise");
}

static char *thp_new(void)
{
	char *p;

	thp_allow();
	p = map_huge_area(HUGE);
	touch_write(p, 1);
	if (!page_huge(p))
		skip("the kernel gave no 2 MiB page");
	touch_write(p, PAGES);
	return p;
}

static void make_whole(void)
{
	expect(thp_new(), PAGES, "anon", ATTR_HUGE_OWN);
}

static void make_mprotect(void)
{
	char *p = thp_new();

	mprotect(p + 100 * PAGE, PAGE, PROT_READ);
	expect(p, 1, "anon", ATTR_OWN);
	expect(p + PAGE, 99, "anon", ATTR_TAIL_OWN);
	expect(p + 100 * PAGE, 1, "anon",
	       "leaf=4K mappings=1 exclusive=null next_read=none next_write=segv-access");
	expect(p + 101 * PAGE, PAGES - 101, "anon", ATTR_TAIL_OWN);
}

static void make_munmap(void)
{
	char *p = thp_new();

	munmap(p + HUGE / 2, HUGE / 2);
	expect(p, 1, "anon", ATTR_OWN);
	expect(p + PAGE, PAGES / 2 - 1, "anon", ATTR_TAIL_OWN);
	expect(p + HUGE / 2, PAGES / 2, "unmapped", ATTR_UNMAPPED);
}

static void make_forked(void)
{
	char *p = thp_new();
	pid_t child = child_start(NULL, NULL);

	expect(p, PAGES, "anon-shared", ATTR_HUGE_COW);
	expect_in(child, p, PAGES, "anon-shared", ATTR_HUGE_COW);
}

static void make_child_gone(void)
{
	char *p = thp_new();

	child_end(child_start(NULL, NULL));
	expect(p, PAGES, "anon", ATTR_HUGE_LAST);
}

/*
 * The writer's PMD is split and one base page copied. The child still maps the
 * folio with a PMD: its page at that place is mapped once, but a write copies,
 * as the folio is still referenced by the writer.
 */
static void make_forked_written(void)
{
	char *p = thp_new();
	pid_t child = child_start(NULL, NULL);

	touch_write(p + 7 * PAGE, 1);
	if (page_huge(p))
		skip("the kernel copied the huge page whole");
	expect(p, 1, "anon-shared", ATTR_COW);
	expect(p + PAGE, 6, "anon-shared", ATTR_TAIL_COW);
	expect(p + 7 * PAGE, 1, "anon", ATTR_OWN);
	expect(p + 8 * PAGE, PAGES - 8, "anon-shared", ATTR_TAIL_COW);
	expect_in(child, p, 7, "anon-shared", ATTR_HUGE_COW);
	expect_in(child, p + 7 * PAGE, 1, "anon",
		  "leaf=2M mappings=1 exclusive=false next_read=none next_write=copy");
	expect_in(child, p + 8 * PAGE, PAGES - 8, "anon-shared", ATTR_HUGE_COW);
}

static void make_zero(void)
{
	char *p;

	thp_allow();
	guardian_set(THP "use_zero_page", "1");
	p = map_huge_area(HUGE);
	touch_read(p, 1);
	if (!page_huge(p))
		skip("the kernel gave no huge zero page");
	expect(p, PAGES, "zero",
	       "leaf=2M mappings=0 exclusive=null next_read=none next_write=allocate");
}

static void make_untouched(void)
{
	thp_allow();
	expect(map_huge_area(HUGE), PAGES, "untouched", ATTR_UNTOUCHED);
}

/* 64 KiB folios; the area does not hold an aligned 2 MiB. */
static void make_multi_size(void)
{
	enum { SIZE = 16 };
	char *p;

	guardian_set(THP "hugepages-64kB/enabled", "madvise");
	p = map_huge_area(2 * HUGE);
	munmap(p + 2 * SIZE * PAGE, 2 * HUGE - 2 * SIZE * PAGE);
	touch_write(p, 1);
	if (page_frame(p) && page_frame(p + PAGE) != page_frame(p) + 1)
		skip("the kernel gave no 64 KiB folio");
	touch_write(p, 2 * SIZE);
	for (size_t i = 0; i < 2; i++, p += SIZE * PAGE) {
		expect(p, 1, "anon", ATTR_OWN);
		expect(p + PAGE, SIZE - 1, "anon", ATTR_TAIL_OWN);
	}
}

/* A huge page of shared memory: no page table is deposited behind it. */
static void make_shmem(void)
{
	char *want = map_place(HUGE, HUGE), *p;
	int fd = memfd_create("memstate-huge", MFD_CLOEXEC);

	guardian_set(THP "shmem_enabled", "advise");
	if (fd < 0 || ftruncate(fd, HUGE))
		die("memfd");
	p = mmap(want, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	if (madvise(p, HUGE, MADV_HUGEPAGE))
		skip("no huge pages of shared memory");
	touch_write(p, 1);
	if (!page_huge(p))
		skip("the kernel gave no huge page of shared memory");
	expect(p, PAGES, "object",
	       "leaf=2M mappings=1 exclusive=null next_read=none next_write=in-place");
}

const struct state huge_states[] = {
	{"thp", "transparent huge page, mapped whole", "root, THP", make_whole},
	{"thp-untouched", "room for a huge page, never touched", "root, THP", make_untouched},
	{"thp-mprotect", "huge page mapped in parts: one page is read-only", "root, THP",
	 make_mprotect},
	{"thp-munmap", "huge page mapped in parts: one half is unmapped", "root, THP",
	 make_munmap},
	{"thp-forked", "huge page, then a child", "root, THP", make_forked},
	{"thp-child-gone", "huge page, forked, the child is gone", "root, THP", make_child_gone},
	{"thp-forked-written", "huge page, forked, one base page written", "root, THP",
	 make_forked_written},
	{"thp-zero", "the huge zero page", "root, THP", make_zero},
	{"mthp", "64 KiB folios mapped by PTEs", "root, mTHP", make_multi_size},
	{"shmem-thp", "huge page of a memfd", "root, THP in shmem", make_shmem},
	{0},
};
