// SPDX-License-Identifier: LGPL-2.1-or-later
/* Private anonymous memory of one process. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "memstate.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static void make_untouched(void)
{
	expect(map_anon(8), 8, "untouched", ATTR_UNTOUCHED " next_exec=segv-access");
}

static void make_read(void)
{
	char *p = map_anon(8);

	touch_read(p, 4);
	expect(p, 4, "zero", ATTR_ZERO " next_exec=segv-access");
	expect(p + 4 * PAGE, 4, "untouched", ATTR_UNTOUCHED);
}

static void make_written(void)
{
	char *p = map_anon(8);

	touch_write(p, 6);
	expect(p, 6, "anon", ATTR_OWN_EXEC);
	expect(p + 6 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
}

static void make_read_written(void)
{
	char *p = map_anon(4);

	touch_read(p, 4);
	touch_write(p, 2);
	expect(p, 2, "anon", ATTR_OWN);
	expect(p + 2 * PAGE, 2, "zero", ATTR_ZERO);
}

static void make_dontneed(void)
{
	char *p = map_anon(4);

	touch_write(p, 4);
	if (madvise(p, 2 * PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED");
	expect(p, 2, "untouched", ATTR_UNTOUCHED);
	expect(p + 2 * PAGE, 2, "anon", ATTR_OWN);
}

static void make_prot_none(void)
{
	char *p = map_anon(4);

	touch_write(p, 2);
	touch_read(p + 2 * PAGE, 1);
	mprotect(p, 4 * PAGE, PROT_NONE);
	expect(p, 2, "anon",
	       "leaf=4K mappings=1 exclusive=true next_read=segv-access next_write=segv-access "
	       "next_exec=segv-access");
	expect(p + 2 * PAGE, 1, "zero",
	       "leaf=4K mappings=0 exclusive=null next_read=segv-access next_write=segv-access");
	expect(p + 3 * PAGE, 1, "untouched", "next_read=segv-access next_write=segv-access");
}

static void make_read_only(void)
{
	char *p = map_anon(3);

	touch_write(p, 1);
	mprotect(p, 3 * PAGE, PROT_READ);
	touch_read(p + PAGE, 1);
	expect(p, 1, "anon",
	       "leaf=4K mappings=1 exclusive=true next_read=none next_write=segv-access "
	       "next_exec=segv-access");
	expect(p + PAGE, 1, "zero",
	       "leaf=4K mappings=0 exclusive=null next_read=none next_write=segv-access");
	expect(p + 2 * PAGE, 1, "untouched", "next_read=zero next_write=segv-access");
}

static void make_executable(void)
{
	char *p = map_anon(4);

	if (mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		skip("writable and executable memory is refused");
	touch_write(p, 2);
	expect_vma(p, 4 * PAGE, "D jit backing=anon sharing=private");
	expect(p, 2, "anon", ATTR_OWN " next_exec=none");
	expect(p + 2 * PAGE, 2, "untouched", ATTR_UNTOUCHED " next_exec=zero");
}

static void make_guard(void)
{
	char *p = map_anon(8);

	touch_write(p, 8);
	if (madvise(p + 2 * PAGE, 3 * PAGE, MADV_GUARD_INSTALL))
		skip("no guard regions in this kernel");
	expect(p, 2, "anon", ATTR_OWN);
	expect(p + 2 * PAGE, 3, "guard", ATTR_UNMAPPED);
	expect(p + 5 * PAGE, 3, "anon", ATTR_OWN);
}

static void make_mlock(void)
{
	char *p = map_anon(4);

	if (mlock(p, 4 * PAGE))
		skip("mlock is not allowed");
	expect(p, 4, "anon", ATTR_OWN);
}

static void make_free(void)
{
	char *p = map_anon(4);

	touch_write(p, 4);
	if (madvise(p, 2 * PAGE, MADV_FREE))
		skip("no MADV_FREE in this kernel");
	expect(p, 4, "anon", ATTR_OWN);
}

static void make_mremap(void)
{
	char *old = map_anon(4), *moved, *want = map_place(4 * PAGE, PAGE);

	touch_write(old, 2);
	moved = mremap(old, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, want);
	if (moved == MAP_FAILED)
		die("mremap");
	expect(moved, 2, "anon", ATTR_OWN);
	expect(moved + 2 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
	expect(old, 4, "unmapped", ATTR_UNMAPPED);
}

static void make_mremap_keep(void)
{
	char *old = map_anon(4), *moved, *want = map_place(4 * PAGE, PAGE);

	touch_write(old, 4);
	moved = mremap(old, 4 * PAGE, 4 * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, want);
	if (moved == MAP_FAILED)
		skip("no MREMAP_DONTUNMAP in this kernel");
	expect(moved, 4, "anon", ATTR_OWN);
	expect(old, 4, "untouched", ATTR_UNTOUCHED);
}

static void make_droppable(void)
{
	char *want = map_place(4 * PAGE, PAGE);
	char *p = mmap(want, 4 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		skip("no MAP_DROPPABLE in this kernel");
	madvise(p, 4 * PAGE, MADV_NOHUGEPAGE);
	touch_write(p, 2);
	expect(p, 2, "anon", ATTR_OWN);
	expect(p + 2 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
}

static void make_dev_zero(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char *p;

	if (fd < 0)
		skip("/dev/zero cannot be opened");
	p = map_new(6, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	touch_read(p, 2);
	touch_write(p + 2 * PAGE, 2);
	expect(p, 2, "zero", ATTR_ZERO);
	expect(p + 2 * PAGE, 2, "anon", ATTR_OWN);
	expect(p + 4 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
}

const struct state anon_states[] = {
	{"anon-untouched", "private anonymous, never touched", "", make_untouched},
	{"anon-read", "private anonymous, read: the zero page", "", make_read},
	{"anon-written", "private anonymous, written", "", make_written},
	{"anon-read-written", "private anonymous, read, then half of it written", "",
	 make_read_written},
	{"anon-dontneed", "written, then given back by MADV_DONTNEED", "", make_dontneed},
	{"prot-none", "written, read and untouched, then PROT_NONE", "", make_prot_none},
	{"read-only", "written, read and untouched, then PROT_READ", "", make_read_only},
	{"jit-anon", "writable and executable anonymous memory", "", make_executable},
	{"guard-region", "guard region in the middle of written memory", "MADV_GUARD_INSTALL",
	 make_guard},
	{"mlock", "mlock of untouched memory", "", make_mlock},
	{"madv-free", "written, half of it MADV_FREE", "", make_free},
	{"mremap", "written, then moved", "", make_mremap},
	{"mremap-dontunmap", "written, then moved with the old VMA kept", "MREMAP_DONTUNMAP",
	 make_mremap_keep},
	{"droppable", "MAP_DROPPABLE, written and untouched", "MAP_DROPPABLE", make_droppable},
	{"dev-zero-private", "private mapping of /dev/zero", "", make_dev_zero},
	{0},
};
