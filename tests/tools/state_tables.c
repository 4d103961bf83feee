// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Page tables counted by hand. Each area begins and ends at a multiple of
 * 1 GiB, so no PMD or PTE table of it serves anything else, and the pages
 * before and behind it are touched first, so it adds no PUD table. The kernel's
 * VmPTE must then grow by just the tables that are claimed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memstate.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define GIGA ((size_t)1 << 30)

struct tables {
	long pmd;
	long pte;
	long deposited; /* PTE tables kept behind huge anonymous pages */
	long emptied;	/* PTE tables that hold nothing any more */
};

static long table_kib_before;

/* "VmPTE:	      56 kB" */
static long table_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	if (!file)
		die("/proc/self/status");
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "VmPTE: %ld", &kib);
	fclose(file);
	return kib;
}

static void touch_beside(char *addr)
{
	char *p = mmap(addr, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	touch_write(p, 1);
}

/*
 * All tables of what is mapped now: the first call of a function of the C
 * library can need another one.
 */
static void populate_all(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	uintptr_t start, end;

	if (!maps)
		die("/proc/self/maps");
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " r", &start, &end) == 2)
			madvise((void *)start, end - start, MADV_POPULATE_READ);
	fclose(maps);
}

static char *area_new(size_t len, int flags)
{
	char *want = map_place(len, GIGA), *p;

	touch_beside(want - PAGE);
	touch_beside(want + len);
	populate_all();
	table_kib_before = table_kib();
	p = mmap(want, len, PROT_READ | PROT_WRITE,
		 flags | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (p == MAP_FAILED)
		skip("no mapping: %m");
	return p;
}

static char *area_small_pages(size_t len)
{
	char *p = area_new(len, MAP_PRIVATE);

	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static void expect_tables(const char *start, size_t len, struct tables count)
{
	long claimed = count.pmd + count.pte + count.deposited + count.emptied;
	long seen = (table_kib() - table_kib_before) / 4;

	errno = ERANGE;
	if (claimed != seen) {
		fprintf(stderr, "memstate: %ld tables claimed, VmPTE grew by %ld\n", claimed, seen);
		die("page tables");
	}
	expect_line(start, len, "tables", "pmd=%ld pte=%ld deposited=%ld emptied=%ld", count.pmd,
		    count.pte, count.deposited, count.emptied);
}

/* A page in each of eight GiB */
static void make_sparse(void)
{
	char *p = area_small_pages(8 * GIGA);

	for (size_t i = 0; i < 8; i++) {
		touch_write(p + i * GIGA + i * HUGE, 1);
		expect(p + i * GIGA + i * HUGE, 1, "anon", ATTR_OWN);
	}
	expect_tables(p, 8 * GIGA, (struct tables){.pmd = 8, .pte = 8});
}

/* Reading untouched memory costs no page, but tables. */
static void make_read(void)
{
	char *p = area_small_pages(GIGA);

	for (size_t i = 0; i < 4; i++) {
		touch_read(p + i * HUGE, 1);
		expect(p + i * HUGE, 1, "zero", ATTR_ZERO);
	}
	expect_tables(p, GIGA, (struct tables){.pmd = 1, .pte = 4});
}

/* Giving back a part of 2 MiB leaves the table, whatever else the kernel can reclaim. */
static void make_emptied(void)
{
	char *p = area_small_pages(GIGA);

	touch_write(p, 4);
	touch_write(p + HUGE, 4);
	if (madvise(p, 4 * PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED");
	expect(p, 4, "untouched", ATTR_UNTOUCHED);
	expect(p + HUGE, 4, "anon", ATTR_OWN);
	expect_tables(p, GIGA, (struct tables){.pmd = 1, .pte = 1, .emptied = 1});
}

static void make_unmapped(void)
{
	char *p = area_small_pages(2 * GIGA);

	touch_write(p, 4);
	touch_write(p + GIGA, 4);
	munmap(p + GIGA, GIGA);
	expect(p, 4, "anon", ATTR_OWN);
	expect(p + GIGA, 4, "unmapped", ATTR_UNMAPPED);
	expect_tables(p, 2 * GIGA, (struct tables){.pmd = 1, .pte = 1});
}

static void make_guard(void)
{
	char *p = area_small_pages(GIGA);

	if (madvise(p, 2 * PAGE, MADV_GUARD_INSTALL))
		skip("no guard regions in this kernel");
	expect(p, 2, "guard", ATTR_UNMAPPED);
	expect_tables(p, GIGA, (struct tables){.pmd = 1, .pte = 1});
}

static void make_huge(void)
{
	char *p;

	guardian_set("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	p = area_new(GIGA, MAP_PRIVATE);
	if (madvise(p, GIGA, MADV_HUGEPAGE))
		skip("no transparent huge pages in this kernel");
	touch_write(p, 1);
	touch_write(p + HUGE, 1);
	if (!page_huge(p) || !page_huge(p + HUGE))
		skip("the kernel gave no 2 MiB page");
	expect(p, 2 * HUGE / PAGE, "anon", "leaf=2M mappings=1 exclusive=true");
	expect_tables(p, GIGA, (struct tables){.pmd = 1, .deposited = 2});
}

static void make_hugetlb(void)
{
	char *p;

	guardian_add("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", 2);
	p = area_new(GIGA, MAP_PRIVATE | MAP_HUGETLB);
	if (madvise(p, HUGE, MADV_POPULATE_WRITE))
		skip("no hugetlb page: %m");
	expect(p, HUGE / PAGE, "anon", "leaf=2M mappings=1 exclusive=true");
	expect_tables(p, GIGA, (struct tables){.pmd = 1});
}

/* Nothing of a shared mapping is copied by fork, nor are the tables for it. */
static void make_forked(void)
{
	char *p = area_new(GIGA, MAP_SHARED);
	pid_t child;

	touch_write(p, 4);
	child = child_start(NULL, NULL);
	expect(p, 4, "object", ATTR_OBJECT);
	expect_in(child, p, 4, "untouched", ATTR_OBJECT_NEW);
	expect_tables(p, GIGA, (struct tables){.pmd = 1, .pte = 1});
}

const struct state tables_states[] = {
	{"tables-sparse", "a page in each of eight GiB", "", make_sparse},
	{"tables-read", "tables that hold the zero page only", "", make_read},
	{"tables-emptied", "a table that MADV_DONTNEED left behind", "", make_emptied},
	{"tables-unmapped", "tables gone with their mapping", "", make_unmapped},
	{"tables-guard", "a table that holds guard markers only", "MADV_GUARD_INSTALL",
	 make_guard},
	{"tables-thp", "tables deposited behind huge pages", "THP", make_huge},
	{"tables-hugetlb", "hugetlb: no table below the PMD", "root", make_hugetlb},
	{"tables-forked", "shared memory whose tables the child lacks", "", make_forked},
	{0},
};
