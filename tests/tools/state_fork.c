// SPDX-License-Identifier: LGPL-2.1-or-later
/* Private anonymous memory and copies of file pages, after fork. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "memstate.h"

struct range {
	char *start;
	size_t pages;
};

static void child_writes(void *arg)
{
	struct range *range = arg;

	touch_write(range->start, range->pages);
}

static void child_reads(void *arg)
{
	struct range *range = arg;

	touch_read(range->start, range->pages);
}

static void make_forked(void)
{
	char *p = map_anon(8);
	pid_t child;

	touch_write(p, 4);
	touch_read(p + 4 * PAGE, 2);
	child = child_start(NULL, NULL);
	expect(p, 4, "anon-shared", ATTR_COW);
	expect(p + 4 * PAGE, 2, "zero", ATTR_ZERO);
	expect(p + 6 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
	expect_in(child, p, 4, "anon-shared", ATTR_COW);
	expect_in(child, p + 4 * PAGE, 2, "zero", ATTR_ZERO);
	expect_in(child, p + 6 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
}

static void make_child_wrote(void)
{
	char *p = map_anon(6);
	struct range range = {p, 3};
	pid_t child;

	touch_write(p, 6);
	child = child_start(child_writes, &range);
	expect(p, 3, "anon", ATTR_LAST);
	expect(p + 3 * PAGE, 3, "anon-shared", ATTR_COW);
	expect_in(child, p, 3, "anon", ATTR_OWN);
	expect_in(child, p + 3 * PAGE, 3, "anon-shared", ATTR_COW);
}

static void make_parent_wrote(void)
{
	char *p = map_anon(6);
	pid_t child;

	touch_write(p, 6);
	child = child_start(NULL, NULL);
	touch_write(p, 3);
	expect(p, 3, "anon", ATTR_OWN);
	expect(p + 3 * PAGE, 3, "anon-shared", ATTR_COW);
	expect_in(child, p, 3, "anon", ATTR_LAST);
	expect_in(child, p + 3 * PAGE, 3, "anon-shared", ATTR_COW);
}

static void make_child_gone(void)
{
	char *p = map_anon(4);

	touch_write(p, 4);
	child_end(child_start(NULL, NULL));
	expect(p, 4, "anon", ATTR_LAST);
}

static void make_two_children(void)
{
	static const char attrs[] =
		"leaf=4K mappings=3 exclusive=false next_read=none next_write=copy";
	char *p = map_anon(4);
	pid_t first, second;

	touch_write(p, 4);
	first = child_start(NULL, NULL);
	second = child_start(NULL, NULL);
	expect(p, 4, "anon-shared", attrs);
	expect_in(first, p, 4, "anon-shared", attrs);
	expect_in(second, p, 4, "anon-shared", attrs);
}

static void make_dontfork(void)
{
	char *p = map_anon(4);
	pid_t child;

	touch_write(p, 4);
	if (madvise(p, 4 * PAGE, MADV_DONTFORK))
		die("MADV_DONTFORK");
	child = child_start(NULL, NULL);
	expect(p, 4, "anon", ATTR_OWN);
	expect_in(child, p, 4, "unmapped", ATTR_UNMAPPED);
}

static void make_wipeonfork(void)
{
	char *p = map_anon(4);
	pid_t child;

	touch_write(p, 4);
	if (madvise(p, 4 * PAGE, MADV_WIPEONFORK))
		skip("no MADV_WIPEONFORK in this kernel");
	child = child_start(NULL, NULL);
	expect(p, 4, "anon", ATTR_OWN);
	expect_in(child, p, 4, "untouched", ATTR_UNTOUCHED);
}

/*
 * The VMA has copies, so fork copies its page table whole: the file pages of
 * it are mapped in the child too.
 */
static void make_copies_forked(void)
{
	char *p = map_new(12, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_new(12), 0);
	struct range range = {p, 2};
	pid_t child;

	touch_read(p + 6 * PAGE, 6);
	touch_write(p, 6);
	child = child_start(child_writes, &range);
	expect(p, 2, "copy", ATTR_LAST);
	expect(p + 2 * PAGE, 4, "copy-shared", ATTR_COW);
	expect(p + 6 * PAGE, 6, "file", ATTR_FILE2);
	expect_in(child, p, 2, "copy", ATTR_OWN);
	expect_in(child, p + 2 * PAGE, 4, "copy-shared", ATTR_COW);
	expect_in(child, p + 6 * PAGE, 6, "file", ATTR_FILE2);
}

/* No page of the VMA was ever copied: the child starts with an empty page table for it. */
static void make_file_forked(void)
{
	char *p = map_new(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_new(4), 0);
	pid_t child;

	touch_read(p, 4);
	child = child_start(NULL, NULL);
	expect(p, 4, "file", ATTR_FILE);
	expect_in(child, p, 4, "untouched", ATTR_FILE_NEW);
}

static void make_shared_forked(void)
{
	char *p = map_new(3, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *q = map_new(3, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct range range = {p, 3};
	pid_t child;

	touch_write(p, 3);
	touch_write(q, 3);
	child = child_start(child_reads, &range);
	expect(p, 3, "object", ATTR_OBJECT2);
	expect(q, 3, "object", ATTR_OBJECT);
	expect_in(child, p, 3, "object", ATTR_OBJECT2);
	expect_in(child, q, 3, "untouched", ATTR_OBJECT_NEW);
}

const struct state fork_states[] = {
	{"forked", "written, read and untouched memory, then a child", "", make_forked},
	{"child-wrote", "written, forked, the child wrote half", "", make_child_wrote},
	{"parent-wrote", "written, forked, the parent wrote half", "", make_parent_wrote},
	{"child-gone", "written, forked, the child is gone", "", make_child_gone},
	{"two-children", "written, then two children", "", make_two_children},
	{"dontfork", "MADV_DONTFORK: the child has no such VMA", "", make_dontfork},
	{"wipeonfork", "MADV_WIPEONFORK: the child's VMA is empty", "", make_wipeonfork},
	{"copies-forked", "copies of file pages, then a child that wrote some", "",
	 make_copies_forked},
	{"file-forked", "private file pages only read, then a child", "", make_file_forked},
	{"shared-forked", "shared anonymous memory, the child read one of two", "",
	 make_shared_forked},
	{0},
};
