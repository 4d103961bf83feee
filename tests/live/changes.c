// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Changes its memory in known ways, one step per line of standard input, and says what is where.
 *
 * changes FILE [fork]
 *
 * Prints "region NAME START PAGES" for each region, then "ready PID". With `fork` the parent stays
 * as it is ("parent PID" comes first) and a child takes the steps. After each step "done" is
 * printed, with what the step says about itself:
 *
 *	write NAME N	writes the first N pages		touch NAME	reads all pages
 *	protect NAME	pages 4 to 7 read-only			unmap NAME	all of it
 *	move NAME	mremap to another place			heap N		N pages more, written
 *	forget NAME N	MADV_DONTNEED of the first N		pageout NAME	MADV_PAGEOUT of all
 *	grow NAME N	mremap in place, not touched		global N	writes N pages of .data
 *	sparse N	2 N pages elsewhere; each other one is read: the zero page
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SPACE 4096u		/* pages between two regions */
#define DATA_PAGES 16u

/* What a write to .data is told by. */
static char written_table[DATA_PAGES * 4096] __attribute__((aligned(4096))) = { 1 };

struct region {
	const char *name;
	unsigned pages;
	int written;		/* all pages, before anything else */
	int file;
	char *start;
};

static struct region regions[] = {
	{ "common", 64, 1, 0, NULL }, { "empty", 32, 0, 0, NULL }, { "file", 16, 0, 1, NULL },
	{ "moved", 24, 1, 0, NULL }, { "protected", 12, 1, 0, NULL }, { "gone", 8, 1, 0, NULL },
	{ "forgotten", 20, 1, 0, NULL }, { "swapped", 16, 1, 0, NULL }, { "grown", 10, 1, 0, NULL },
};

#define REGIONS (sizeof(regions) / sizeof(regions[0]))

static size_t page;

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static struct region *named(const char *name)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (!strcmp(regions[i].name, name))
			return &regions[i];
	fprintf(stderr, "no region %s\n", name);
	exit(99);
}

static void write_pages(char *start, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		((volatile char *)start)[i * page] += 1;
}

static void touch_pages(const char *start, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		(void)((const volatile char *)start)[i * page];
}

/* Regions lie far apart in a reservation, so that nothing merges with a neighbour. */
static void make_regions(const char *path)
{
	size_t all = 2 * REGIONS * SPACE * page;
	char *at = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (at == MAP_FAILED || fd < 0 || ftruncate(fd, (off_t)(64 * page)))
		die("prepare");
	munmap(at, all);
	for (size_t i = 0; i < REGIONS; i++) {
		struct region *region = &regions[i];
		int flags = MAP_PRIVATE | MAP_FIXED | (region->file ? 0 : MAP_ANONYMOUS);

		region->start = mmap(at + i * SPACE * page, region->pages * page,
				     PROT_READ | PROT_WRITE, flags, region->file ? fd : -1, 0);
		if (region->start == MAP_FAILED)
			die("mmap");
		madvise(region->start, region->pages * page, MADV_NOHUGEPAGE);
		if (region->written)
			write_pages(region->start, region->pages);
		else if (region->file)
			touch_pages(region->start, region->pages);
		printf("region %s %#lx %u\n", region->name, (unsigned long)region->start,
		       region->pages);
	}
	printf("region data %#lx %u\n", (unsigned long)written_table, DATA_PAGES);
	close(fd);
}

static void grow_heap(size_t pages)
{
	char *end = sbrk((intptr_t)(pages * page));

	if (end == (char *)-1)
		die("sbrk");
	write_pages((char *)(((uintptr_t)end + page - 1) & ~(page - 1)), pages);
}

static void move_region(struct region *region)
{
	char *to = regions[REGIONS - 1].start + SPACE * page;

	if (mremap(region->start, region->pages * page, region->pages * page,
		   MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		die("mremap");
	printf("at %#lx\n", (unsigned long)to);
}

static void make_sparse(size_t pages)
{
	char *at = mmap(NULL, 2 * pages * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
			MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	madvise(at, 2 * pages * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++)
		touch_pages(at + 2 * i * page, 1);
	printf("at %#lx\n", (unsigned long)at);
}

static void step(const char *what, const char *name, size_t n)
{
	struct region *region;

	if (!strcmp(what, "heap"))
		return grow_heap((size_t)atoi(name));
	if (!strcmp(what, "sparse"))
		return make_sparse((size_t)atoi(name));
	if (!strcmp(what, "global"))
		return write_pages(written_table, (size_t)atoi(name));
	region = named(name);
	if (!strcmp(what, "write"))
		write_pages(region->start, n);
	else if (!strcmp(what, "touch"))
		touch_pages(region->start, region->pages);
	else if (!strcmp(what, "protect"))
		mprotect(region->start + 4 * page, 4 * page, PROT_READ);
	else if (!strcmp(what, "unmap"))
		munmap(region->start, region->pages * page);
	else if (!strcmp(what, "move"))
		move_region(region);
	else if (!strcmp(what, "forget"))
		madvise(region->start, n * page, MADV_DONTNEED);
	else if (!strcmp(what, "pageout"))
		madvise(region->start, region->pages * page, MADV_PAGEOUT);
	else if (!strcmp(what, "grow") &&
		 mremap(region->start, region->pages * page, (region->pages + n) * page, 0) ==
		 MAP_FAILED)
		die("mremap");
}

int main(int argc, char **argv)
{
	char line[128], what[32], name[32];

	page = (size_t)sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 99;
	make_regions(argv[1]);
	if (argc > 2) {
		printf("parent %d\n", (int)getpid());
		while (fork())
			for (;;)
				pause();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	touch_pages(written_table, DATA_PAGES);
	printf("ready %d\n", (int)getpid());
	while (fgets(line, sizeof(line), stdin)) {
		int n = 0;

		if (sscanf(line, "%31s %31s %d", what, name, &n) < 2)
			return 99;
		step(what, name, (size_t)n);
		printf("done\n");
	}
	return 0;
}
