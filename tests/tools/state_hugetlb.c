// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pages of the hugetlb pool, which the guardian makes larger for as long as we live. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memstate.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define FREE "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
#define PAGES (HUGE / PAGE)

#define ATTR_HUGE_OWN "leaf=2M mappings=1 exclusive=true next_read=none next_write=in-place"
#define ATTR_HUGE_LAST "leaf=2M mappings=1 exclusive=false next_read=none next_write=in-place"
#define ATTR_HUGE_COW "leaf=2M mappings=2 exclusive=false next_read=none next_write=copy"
#define ATTR_HUGE_OBJECT "leaf=2M mappings=1 exclusive=null next_read=none next_write=in-place"
#define ATTR_HUGE_OBJECT2 "leaf=2M mappings=2 exclusive=null next_read=none next_write=in-place"

static void pool_grow(long pages)
{
	FILE *file;
	long available = 0;

	guardian_add(POOL, pages);
	file = fopen(FREE, "re");
	if (!file || fscanf(file, "%ld", &available) != 1)
		die(FREE);
	fclose(file);
	if (available < pages)
		skip("the hugetlb pool has %ld of %ld pages", available, pages);
}

static char *map_hugetlb(size_t count, int flags, int fd)
{
	char *want = map_place(count * HUGE, HUGE);
	char *p = mmap(want, count * HUGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE,
		       fd, 0);

	if (p == MAP_FAILED)
		skip("no hugetlb mapping: %m");
	return p;
}

/* A private read allocates at once: hugetlb has no zero page. */
static void make_private(void)
{
	char *p;

	pool_grow(3);
	p = map_hugetlb(3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	touch_read(p, 1);
	touch_write(p + HUGE, 1);
	expect_vma(p, 3 * HUGE, "D anon backing=hugetlb sharing=private");
	expect(p, PAGES, "anon", ATTR_HUGE_OWN);
	expect(p + HUGE, PAGES, "anon", ATTR_HUGE_OWN);
	expect(p + 2 * HUGE, PAGES, "untouched", "next_read=allocate next_write=allocate");
}

/* Two pages more than mapped: a write after fork copies. */
static void make_forked(void)
{
	char *p;
	pid_t child;

	pool_grow(4);
	p = map_hugetlb(2, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	touch_write(p, 1);
	touch_write(p + HUGE, 1);
	child = child_start(NULL, NULL);
	touch_write(p + HUGE, 1);
	expect(p, PAGES, "anon-shared", ATTR_HUGE_COW);
	expect(p + HUGE, PAGES, "anon", ATTR_HUGE_OWN);
	expect_in(child, p, PAGES, "anon-shared", ATTR_HUGE_COW);
	expect_in(child, p + HUGE, PAGES, "anon", ATTR_HUGE_LAST);
}

static void child_reads(void *arg)
{
	touch_read(arg, 1);
}

static void make_shared(void)
{
	char *p;
	pid_t child;

	pool_grow(3);
	p = map_hugetlb(3, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	touch_write(p, 1);
	touch_write(p + HUGE, 1);
	child = child_start(child_reads, p);
	expect(p, PAGES, "object", ATTR_HUGE_OBJECT2);
	expect(p + HUGE, PAGES, "object", ATTR_HUGE_OBJECT);
	expect(p + 2 * HUGE, PAGES, "untouched", ATTR_OBJECT_NEW);
	expect_in(child, p, PAGES, "object", ATTR_HUGE_OBJECT2);
	expect_in(child, p + HUGE, 2 * PAGES, "untouched", ATTR_OBJECT_NEW);
}

static void make_file_private(void)
{
	int fd = memfd_create("memstate-hugetlb", MFD_CLOEXEC | MFD_HUGETLB);
	char *object, *p;

	pool_grow(4);
	if (fd < 0 || ftruncate(fd, 2 * HUGE))
		skip("no hugetlb memfd: %m");
	object = map_hugetlb(2, MAP_SHARED, fd);
	touch_write(object, 1);
	touch_write(object + HUGE, 1);
	munmap(object, 2 * HUGE);
	p = map_hugetlb(2, MAP_PRIVATE, fd);
	touch_read(p, 1);
	touch_write(p + HUGE, 1);
	expect(p, PAGES, "file",
	       "leaf=2M mappings=1 exclusive=null next_read=none next_write=copy");
	expect(p + HUGE, PAGES, "copy", ATTR_HUGE_OWN);
}

/* The pool has nothing for this mapping: an access is answered with SIGBUS. */
static void make_empty(void)
{
	char *p;

	guardian_set(POOL, "0");
	p = map_hugetlb(1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1);
	expect(p, PAGES, "untouched", "next_read=bus next_write=bus");
}

const struct state hugetlb_states[] = {
	{"hugetlb-private", "private hugetlb: read, written, untouched", "root", make_private},
	{"hugetlb-forked", "private hugetlb, forked, one page written again", "root",
	 make_forked},
	{"hugetlb-shared", "shared hugetlb, forked, the child read a page", "root", make_shared},
	{"hugetlb-file", "private mapping of a hugetlb memfd: read and written", "root",
	 make_file_private},
	{"hugetlb-empty", "hugetlb mapping without reservation, pool empty", "root", make_empty},
	{0},
};
