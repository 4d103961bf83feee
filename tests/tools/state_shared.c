// SPDX-License-Identifier: LGPL-2.1-or-later
/* Shared objects without a disk file: memfd, POSIX and SysV shared memory, secretmem. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memstate.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static int memfd_new(size_t pages)
{
	int fd = memfd_create("memstate", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, pages * PAGE))
		die("memfd");
	return fd;
}

/* Written, read and untouched pages, each range a mapping of its own. */
static void describe_shared(int fd)
{
	char *p = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4 * PAGE);
	char *r = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 8 * PAGE);

	touch_write(p, 4);
	touch_read(q, 4);
	expect(p, 4, "object", ATTR_OBJECT);
	expect(q, 4, "object", ATTR_OBJECT);
	expect(r, 4, "untouched", ATTR_OBJECT_NEW);
}

static void make_memfd_shared(void)
{
	describe_shared(memfd_new(12));
}

static void make_memfd_private(void)
{
	int fd = memfd_new(12);
	char *p = map_new(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char *q = map_new(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4 * PAGE);
	char *r = map_new(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 8 * PAGE);

	touch_read(p, 4);
	touch_write(q, 4);
	expect(p, 4, "file", ATTR_FILE);
	expect(q, 4, "copy", ATTR_OWN);
	expect(r, 4, "untouched", ATTR_FILE_NEW);
}

static void make_anon_shared(void)
{
	char *p = map_new(8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	touch_write(p, 2);
	touch_read(p + 2 * PAGE, 2);
	expect_vma(p, 8 * PAGE, "D anon backing=shmem sharing=shared");
	expect(p, 4, "object", ATTR_OBJECT);
	expect(p + 4 * PAGE, 4, "untouched", ATTR_OBJECT_NEW);
}

static void make_posix_shm(void)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/memstate-%d", getpid());
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		skip("shm_open: %m");
	shm_unlink(name);
	if (ftruncate(fd, 12 * PAGE))
		die("ftruncate");
	describe_shared(fd);
}

static void make_sysv(void)
{
	int id = shmget(IPC_PRIVATE, 8 * PAGE, IPC_CREAT | 0600);
	char *p;

	if (id < 0)
		skip("shmget: %m");
	p = shmat(id, map_place(8 * PAGE, PAGE), 0);
	shmctl(id, IPC_RMID, NULL);
	if (p == (void *)-1)
		die("shmat");
	touch_write(p, 4);
	expect_vma(p, 8 * PAGE, "M sysv backing=shmem sharing=shared");
	expect(p, 4, "object", ATTR_OBJECT);
	expect(p + 4 * PAGE, 4, "untouched", ATTR_OBJECT_NEW);
}

static void make_secretmem(void)
{
	int fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	char *p;

	if (fd < 0 || ftruncate(fd, 4 * PAGE))
		skip("no secretmem: %m");
	p = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	touch_write(p, 2);
	expect_vma(p, 4 * PAGE, "M secretmem sharing=shared");
	expect(p, 2, "object", ATTR_OBJECT);
	expect(p + 2 * PAGE, 2, "untouched", ATTR_OBJECT_NEW);
}

/* Code written through one mapping and run through another of the same memfd. */
static void make_jit_twin(void)
{
	int fd = memfd_new(4);
	char *w = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *x = map_new(4, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);

	touch_write(w, 2);
	touch_read(x, 2);
	expect_vma(w, 4 * PAGE, "D jit backing=shmem sharing=shared");
	expect_vma(x, 4 * PAGE, "D jit backing=shmem sharing=shared");
	expect(w, 2, "object", ATTR_OBJECT2);
	expect(x, 2, "object",
	       "leaf=4K mappings=2 exclusive=null next_read=none next_write=segv-access "
	       "next_exec=none");
	expect(w + 2 * PAGE, 2, "untouched", ATTR_OBJECT_NEW);
	expect(x + 2 * PAGE, 2, "untouched",
	       "next_read=map next_write=segv-access next_exec=map");
}

static void make_memfd_past_end(void)
{
	int fd = memfd_new(2);
	char *p = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	touch_write(p, 2);
	expect(p, 2, "object", ATTR_OBJECT);
	expect(p + 2 * PAGE, 2, "untouched", "next_read=bus next_write=bus");
}

const struct state shared_states[] = {
	{"memfd-shared", "shared memfd: written, read, untouched", "", make_memfd_shared},
	{"memfd-private", "private memfd: read, written, untouched", "", make_memfd_private},
	{"memfd-past-end", "shared memfd, mapping longer than the object", "",
	 make_memfd_past_end},
	{"anon-shared", "shared anonymous memory", "", make_anon_shared},
	{"posix-shm", "POSIX shared memory", "/dev/shm", make_posix_shm},
	{"sysv-shm", "SysV shared memory", "", make_sysv},
	{"secretmem", "memfd_secret, written", "secretmem", make_secretmem},
	{"jit-memfd", "memfd mapped writable and executable at two places", "", make_jit_twin},
	{0},
};
