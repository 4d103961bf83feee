// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the kernel or the loader makes: vDSO, vvar, the zero-filled tail, stack, nothing. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "memstate.h"

extern char edata;

static void make_vdso(void)
{
	struct vma_line vma;
	size_t pages;
	char *p;

	if (!vma_named("[vdso]", &vma))
		skip("this process has no vDSO");
	p = (char *)(uintptr_t)vma.start;
	pages = (vma.end - vma.start) / PAGE;
	touch_read(p, pages);
	expect_vma(p, pages * PAGE, "X vdso");
	expect(p, pages, "kernel", "next_read=none next_write=segv-access");
}

/* Its owner may make it writable; a write copies the page like one of a file. */
static void make_vdso_written(void)
{
	struct vma_line vma;
	char *p;

	if (!vma_named("[vdso]", &vma))
		skip("this process has no vDSO");
	p = (char *)(uintptr_t)vma.start;
	if (vma.end - vma.start < 2 * PAGE)
		skip("the vDSO has a single page");
	if (mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
		skip("the vDSO cannot be made writable");
	touch_read(p, 2);
	*(volatile char *)(p + PAGE) = p[PAGE];
	expect(p, 1, "kernel", "next_read=none next_write=copy");
	expect(p + PAGE, 1, "copy", "exclusive=true next_read=none next_write=in-place");
}

static void make_vvar(void)
{
	struct vma_line vma;
	struct timespec now;
	char *p;

	if (!vma_named("[vvar]", &vma))
		skip("this process has no vvar pages");
	clock_gettime(CLOCK_MONOTONIC, &now);
	p = (char *)(uintptr_t)vma.start;
	expect_vma(p, vma.end - vma.start, "X vvar");
	expect(p, (vma.end - vma.start) / PAGE, "opaque", "next_write=segv-access");
}

static void make_vsyscall(void)
{
	struct vma_line vma;

	if (!vma_named("[vsyscall]", &vma))
		skip("this process has no vsyscall page");
	expect_vma((void *)(uintptr_t)vma.start, PAGE, "X vsyscall");
	expect((void *)(uintptr_t)vma.start, 1, "opaque",
	       "next_read=segv-unmapped next_write=segv-unmapped");
}

/* execve wrote zeros behind the data of our file, in the page that holds its end. */
static void make_zero_tail(void)
{
	static volatile char zeros[16 * PAGE];
	uintptr_t page = (uintptr_t)&edata & ~(PAGE - 1);

	if (!((uintptr_t)&edata & (PAGE - 1)))
		skip("the data of this program ends at the end of a page");
	zeros[8 * PAGE] = zeros[0];
	expect((void *)page, 1, "copy", ATTR_OWN);
}

/* Stack growth needs a free range, the rlimit and the gap of 256 pages to the next VMA. */
static void make_stack(void)
{
	struct rlimit limit = {8 << 20, 8 << 20};
	struct vma_line vma;
	char *start;

	if (setrlimit(RLIMIT_STACK, &limit) || !vma_named("[stack]", &vma))
		die("stack");
	start = (char *)(uintptr_t)vma.start;
	expect_vma(start, vma.end - vma.start, "P stack backing=anon sharing=private");
	expect(start - 32 * PAGE, 32, "unmapped",
	       "next_read=grow next_write=grow next_exec=segv-access");
	expect((char *)(uintptr_t)vma.end - (9 << 20), 1, "unmapped", ATTR_UNMAPPED);
}

static void make_unmapped(void)
{
	char *p = map_anon(4);

	munmap(p + PAGE, PAGE);
	expect(p + PAGE, 1, "unmapped", ATTR_UNMAPPED);
	expect((void *)0, 1, "unmapped", ATTR_UNMAPPED);
	expect((void *)0xffff888000000000, 1, "unmapped", ATTR_UNMAPPED);
}

const struct state special_states[] = {
	{"vdso", "all pages of the vDSO touched", "", make_vdso},
	{"vdso-written", "the vDSO made writable, one page written", "", make_vdso_written},
	{"vvar", "pages the kernel maps by frame number", "", make_vvar},
	{"vsyscall", "the vsyscall page", "vsyscall=xonly", make_vsyscall},
	{"zero-tail", "the page where the program's data ends and zeros begin", "",
	 make_zero_tail},
	{"stack", "main stack, and the room it can grow into", "", make_stack},
	{"unmapped", "no VMA: a hole, the null page, a kernel address", "", make_unmapped},
	{0},
};
