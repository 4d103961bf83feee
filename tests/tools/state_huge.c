// SPDX-License-Identifier: LGPL-2.1-or-later
/* Transparent huge pages: whole, in parts, forked, the huge zero page, other sizes. */
#define _GNU_SOURCE
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

enum { FOLIO = 16 }; /* pages of 64 KiB */

/* Folios of 64 KiB; the area does not hold an aligned 2 MiB. */
static char *folios_new(size_t count)
{
	size_t len = count * FOLIO * PAGE;
	char *p;

	guardian_set(THP "hugepages-64kB/enabled", "madvise");
	p = map_huge_area(2 * HUGE);
	munmap(p + len, 2 * HUGE - len);
	touch_write(p, 1);
	if (!page_entry(p + PAGE))
		skip("the kernel gave no 64 KiB folio");
	touch_write(p, count * FOLIO);
	return p;
}

static void make_multi_size(void)
{
	char *p = folios_new(2);

	for (size_t i = 0; i < 2; i++, p += FOLIO * PAGE) {
		expect(p, 1, "anon", ATTR_OWN);
		expect(p + PAGE, FOLIO - 1, "anon", ATTR_TAIL_OWN);
	}
}

static void child_writes_third(void *arg)
{
	touch_write((char *)arg + 2 * PAGE, 1);
}

/* The third page is mapped by us alone, but its folio is not: a write copies all the same. */
static void make_multi_size_forked(void)
{
	char *p = folios_new(1);
	pid_t child = child_start(child_writes_third, p);

	expect(p, 1, "anon-shared", ATTR_COW);
	expect(p + PAGE, 1, "anon-shared", ATTR_TAIL_COW);
	expect(p + 2 * PAGE, 1, "anon",
	       "leaf=4K mappings=1 exclusive=null next_read=none next_write=copy");
	expect(p + 3 * PAGE, FOLIO - 3, "anon-shared", ATTR_TAIL_COW);
	expect_in(child, p, 1, "anon-shared", ATTR_COW);
	expect_in(child, p + PAGE, 1, "anon-shared", ATTR_TAIL_COW);
	expect_in(child, p + 2 * PAGE, 1, "anon", ATTR_OWN);
	expect_in(child, p + 3 * PAGE, FOLIO - 3, "anon-shared", ATTR_TAIL_COW);
}

static void make_multi_size_child_gone(void)
{
	char *p = folios_new(1);

	child_end(child_start(NULL, NULL));
	expect(p, 1, "anon", ATTR_LAST);
	expect(p + PAGE, FOLIO - 1, "anon", ATTR_TAIL_OWN);
}

static char *map_memfd(int fd, int flags)
{
	char *want = map_place(HUGE, HUGE);
	char *p = mmap(want, HUGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	if (madvise(p, HUGE, MADV_HUGEPAGE))
		skip("no huge pages of shared memory");
	return p;
}

static char *shmem_new(int *fd)
{
	char *p;

	guardian_set(THP "shmem_enabled", "advise");
	*fd = memfd_create("memstate-huge", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, HUGE))
		die("memfd");
	p = map_memfd(*fd, MAP_SHARED);
	touch_write(p, 1);
	if (!page_huge(p))
		skip("the kernel gave no huge page of shared memory");
	return p;
}

/* A huge page of shared memory: no page table is deposited behind it. */
static void make_shmem(void)
{
	int fd;

	expect(shmem_new(&fd), PAGES, "object",
	       "leaf=2M mappings=1 exclusive=null next_read=none next_write=in-place");
}

static void make_shmem_private(void)
{
	char *shared, *p;
	int fd;

	shared = shmem_new(&fd);
	p = map_memfd(fd, MAP_PRIVATE);
	touch_read(p, 1);
	if (!page_huge(p))
		skip("the kernel maps private shared memory with base pages");
	munmap(shared, HUGE);
	expect(p, PAGES, "file",
	       "leaf=2M mappings=1 exclusive=null next_read=none next_write=copy");
}

/* The first copy drops the huge entry: the other pages must be mapped again. */
static void make_shmem_private_written(void)
{
	char *p;
	int fd;

	shmem_new(&fd);
	p = map_memfd(fd, MAP_PRIVATE);
	touch_read(p, 1);
	if (!page_huge(p))
		skip("the kernel maps private shared memory with base pages");
	touch_write(p + 9 * PAGE, 1);
	if (page_entry(p))
		skip("the kernel keeps the other pages mapped");
	expect(p, 9, "untouched", ATTR_FILE_NEW);
	expect(p + 9 * PAGE, 1, "copy", ATTR_OWN);
	expect(p + 10 * PAGE, PAGES - 10, "untouched", ATTR_FILE_NEW);
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
	{"mthp-forked-written", "64 KiB folio, forked, the child wrote a base page", "root, mTHP",
	 make_multi_size_forked},
	{"mthp-child-gone", "64 KiB folio, forked, the child is gone", "root, mTHP",
	 make_multi_size_child_gone},
	{"shmem-thp-private", "huge page of a memfd in a private mapping", "root, THP in shmem",
	 make_shmem_private},
	{"shmem-thp-private-written", "the same, one base page written", "root, THP in shmem",
	 make_shmem_private_written},
	{"shmem-thp", "huge page of a memfd", "root, THP in shmem", make_shmem},
	{0},
};
