// SPDX-License-Identifier: LGPL-2.1-or-later
/* userfaultfd: missing pages, write protection, poison. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memstate.h"

/* Newer than the headers of the oldest system we build on */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

struct poison_request {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define POISON_IOCTL _IOWR(UFFDIO, 0x08, struct poison_request)

#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif

int uffd_descriptor = -1;

static void uffd_open(uint64_t features)
{
	struct uffdio_api api = {.api = UFFD_API, .features = features};

	uffd_descriptor = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd_descriptor < 0)
		skip("no userfaultfd: %m");
	if (ioctl(uffd_descriptor, UFFDIO_API, &api))
		skip("userfaultfd lacks a feature: %m");
}

static void uffd_register(void *start, size_t pages, uint64_t mode)
{
	struct uffdio_register request = {
		.range = {(uintptr_t)start, pages * PAGE}, .mode = mode,
	};

	if (ioctl(uffd_descriptor, UFFDIO_REGISTER, &request))
		skip("userfaultfd does not take the mode: %m");
}

static void uffd_protect(void *start, size_t pages)
{
	struct uffdio_writeprotect request = {
		.range = {(uintptr_t)start, pages * PAGE}, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	if (ioctl(uffd_descriptor, UFFDIO_WRITEPROTECT, &request))
		die("UFFDIO_WRITEPROTECT");
}

static void make_missing(void)
{
	char *p = map_anon(4);

	uffd_open(0);
	touch_write(p, 2);
	uffd_register(p, 4, UFFDIO_REGISTER_MODE_MISSING);
	expect(p, 2, "anon", ATTR_OWN);
	expect(p + 2 * PAGE, 2, "untouched", "next_read=monitor next_write=monitor");
}

static void make_protected(void)
{
	char *p = map_anon(8);

	uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_UNPOPULATED);
	touch_write(p, 4);
	uffd_register(p, 8, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(p, 2);
	uffd_protect(p + 4 * PAGE, 2);
	expect(p, 2, "anon",
	       "leaf=4K mappings=1 exclusive=true next_read=none next_write=monitor");
	expect(p + 2 * PAGE, 2, "anon", ATTR_OWN);
	expect(p + 4 * PAGE, 2, "marker", "next_read=zero next_write=monitor");
	expect(p + 6 * PAGE, 2, "untouched", ATTR_UNTOUCHED);
}

/* The kernel takes the protection away itself on the first write. */
static void make_async(void)
{
	char *p = map_anon(4);

	uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_UNPOPULATED |
		  UFFD_FEATURE_WP_ASYNC);
	touch_write(p, 2);
	uffd_register(p, 4, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(p, 4);
	expect(p, 2, "anon", ATTR_OWN);
	expect(p + 2 * PAGE, 2, "marker", "next_read=zero next_write=allocate");
}

static void make_poison(void)
{
	struct poison_request request;
	char *p = map_anon(4);

	uffd_open(UFFD_FEATURE_POISON);
	touch_write(p, 2);
	uffd_register(p, 4, UFFDIO_REGISTER_MODE_MISSING);
	request = (struct poison_request){.range = {(uintptr_t)p + 2 * PAGE, PAGE}};
	if (ioctl(uffd_descriptor, POISON_IOCTL, &request))
		skip("no UFFDIO_POISON: %m");
	expect(p, 2, "anon", ATTR_OWN);
	expect(p + 2 * PAGE, 1, "marker", "next_read=bus next_write=bus");
	expect(p + 3 * PAGE, 1, "untouched", "next_read=monitor next_write=monitor");
}

/* Protection of an object's pages outlives the entry: a marker keeps it. */
static void make_protected_shared(void)
{
	char *p = map_new(8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM);
	touch_write(p, 4);
	uffd_register(p, 8, UFFDIO_REGISTER_MODE_WP);
	uffd_protect(p, 4);
	if (madvise(p + 2 * PAGE, 2 * PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED");
	expect(p, 2, "object",
	       "leaf=4K mappings=1 exclusive=null next_read=none next_write=monitor");
	expect(p + 2 * PAGE, 2, "marker", "next_read=map next_write=monitor");
	expect(p + 4 * PAGE, 4, "untouched", ATTR_OBJECT_NEW);
}

static void make_missing_executable(void)
{
	char *p = map_anon(2);

	uffd_open(0);
	if (mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		skip("writable and executable memory is refused");
	uffd_register(p, 2, UFFDIO_REGISTER_MODE_MISSING);
	expect(p, 2, "untouched", "next_read=monitor next_write=monitor next_exec=monitor");
}

const struct state uffd_states[] = {
	{"uffd-missing", "userfaultfd for missing pages", "userfaultfd", make_missing},
	{"uffd-wp", "userfaultfd write protection: present pages and markers", "userfaultfd",
	 make_protected},
	{"uffd-wp-async", "write protection that the kernel resolves itself", "userfaultfd",
	 make_async},
	{"uffd-wp-shared", "write protection of shared memory", "userfaultfd",
	 make_protected_shared},
	{"uffd-missing-exec", "userfaultfd for missing executable pages", "userfaultfd",
	 make_missing_executable},
	{"uffd-poison", "page poisoned by UFFDIO_POISON", "userfaultfd", make_poison},
	{0},
};
