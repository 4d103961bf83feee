// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mappings of files of a disk file system. Each range is a mapping of its own
 * where a neighbour must not be mapped by fault-around (64 KiB windows).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memstate.h"

static char *map_private(int fd, size_t pages, size_t first, int prot)
{
	return map_new(pages, prot, MAP_PRIVATE, fd, first * PAGE);
}

static void make_private_untouched(void)
{
	expect(map_private(file_new(8), 8, 0, PROT_READ | PROT_WRITE), 8, "untouched",
	       ATTR_FILE_NEW " next_exec=segv-access");
}

static void make_private_read(void)
{
	char *p = map_private(file_new(8), 8, 0, PROT_READ | PROT_WRITE);

	touch_read(p, 8);
	expect(p, 8, "file", ATTR_FILE " next_exec=segv-access");
}

static void make_private_written(void)
{
	char *p = map_private(file_new(8), 8, 0, PROT_READ | PROT_WRITE);

	touch_write(p, 3);
	expect(p, 3, "copy", ATTR_OWN_EXEC);
	expect(p + 3 * PAGE, 5, "untouched", ATTR_FILE_NEW);
}

static void make_private_read_written(void)
{
	char *p = map_private(file_new(8), 8, 0, PROT_READ | PROT_WRITE);

	touch_read(p, 8);
	touch_write(p + 2 * PAGE, 3);
	expect(p, 2, "file", ATTR_FILE);
	expect(p + 2 * PAGE, 3, "copy", ATTR_OWN);
	expect(p + 5 * PAGE, 3, "file", ATTR_FILE);
}

/* What a loader does with relocated constants: write, then take the right away. */
static void make_relro(void)
{
	char *p = map_private(file_new(4), 4, 0, PROT_READ | PROT_WRITE);

	touch_read(p, 4);
	touch_write(p, 2);
	mprotect(p, 4 * PAGE, PROT_READ);
	expect(p, 2, "copy",
	       "leaf=4K mappings=1 exclusive=true next_read=none next_write=segv-access");
	expect(p + 2 * PAGE, 2, "file",
	       "leaf=4K mappings=1 exclusive=null next_read=none next_write=segv-access");
}

/* The way debuggers set breakpoints: a write through /proc/self/mem copies a page of code. */
static void make_text_poked(void)
{
	char *p = map_private(file_new(4), 4, 0, PROT_READ | PROT_EXEC);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char code = (char)CODE;

	touch_read(p, 4);
	if (mem < 0 || pwrite(mem, &code, 1, (uintptr_t)p + PAGE) != 1)
		skip("no write through /proc/self/mem: %m");
	close(mem);
	expect(p, 1, "file",
	       "leaf=4K mappings=1 exclusive=null next_read=none next_write=segv-access "
	       "next_exec=none");
	expect(p + PAGE, 1, "copy",
	       "leaf=4K mappings=1 exclusive=true next_read=none next_write=segv-access "
	       "next_exec=none");
	expect(p + 2 * PAGE, 2, "file",
	       "leaf=4K mappings=1 exclusive=null next_read=none next_write=segv-access "
	       "next_exec=none");
}

static void make_text_untouched(void)
{
	expect(map_private(file_new(4), 4, 0, PROT_READ | PROT_EXEC), 4, "untouched",
	       "next_read=map next_write=segv-access next_exec=map");
}

static void make_shared(void)
{
	int fd = file_new(24);
	char *p = map_new(8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = map_new(8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 8 * PAGE);
	char *r = map_new(8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 16 * PAGE);

	touch_read(p, 8);
	touch_write(q, 8);
	expect(p, 8, "object", ATTR_OBJECT " next_exec=segv-access");
	expect(q, 8, "object", ATTR_OBJECT);
	expect(r, 8, "untouched", ATTR_OBJECT_NEW);
}

static void make_shared_read_only(void)
{
	char *p = map_new(4, PROT_READ, MAP_SHARED, file_new(4), 0);

	touch_read(p, 4);
	expect(p, 4, "object",
	       "leaf=4K mappings=1 exclusive=null next_read=none next_write=segv-access");
}

static void make_twice(void)
{
	int fd = file_new(4);
	char *p = map_private(fd, 4, 0, PROT_READ | PROT_WRITE);
	char *q = map_private(fd, 4, 0, PROT_READ | PROT_WRITE);

	touch_read(p, 4);
	touch_read(q, 4);
	expect(p, 4, "file", ATTR_FILE2);
	expect(q, 4, "file", ATTR_FILE2);
}

static void make_twice_shared(void)
{
	int fd = file_new(4);
	char *p = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = map_private(fd, 4, 0, PROT_READ | PROT_WRITE);

	touch_write(p, 4);
	touch_read(q, 4);
	expect(p, 4, "object", ATTR_OBJECT2);
	expect(q, 4, "file", ATTR_FILE2);
}

/* The file ends in the third page; the fourth and later ones are beyond it. */
static void make_past_end(int flags, const char *state, const char *attrs)
{
	int fd = file_new(3);
	char *p;

	if (ftruncate(fd, 2 * PAGE + 100))
		die("ftruncate");
	p = map_new(8, PROT_READ | PROT_WRITE, flags, fd, 0);
	touch_read(p, 3);
	expect(p, 3, state, attrs);
	expect(p + 3 * PAGE, 5, "untouched", "next_read=bus next_write=bus next_exec=bus");
}

static void make_past_end_private(void)
{
	make_past_end(MAP_PRIVATE, "file", ATTR_FILE);
}

static void make_past_end_shared(void)
{
	make_past_end(MAP_SHARED, "object", ATTR_OBJECT);
}

static void make_truncated(void)
{
	int fd = file_new(8);
	char *p = map_private(fd, 8, 0, PROT_READ | PROT_WRITE);

	touch_read(p, 8);
	touch_write(p + 6 * PAGE, 1);
	if (ftruncate(fd, 4 * PAGE))
		die("ftruncate");
	expect(p, 4, "file", ATTR_FILE);
	expect(p + 4 * PAGE, 4, "untouched", "next_read=bus next_write=bus");
}

static void make_deleted(void)
{
	const char *path = file_named(4);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *p;

	if (fd < 0)
		die(path);
	p = map_private(fd, 4, 0, PROT_READ | PROT_WRITE);
	touch_read(p, 4);
	touch_write(p, 1);
	unlink(path);
	expect_vma(p, 4 * PAGE, "M file backing=file sharing=private deleted=true path=%s", path);
	expect(p, 1, "copy", ATTR_OWN);
	expect(p + PAGE, 3, "file", ATTR_FILE);
}

/* On disk and nowhere else: the first access must read. */
static void make_cold(void)
{
	int fd = file_new(64);
	char *p, *q;

	fsync(fd);
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("POSIX_FADV_DONTNEED");
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	p = map_private(fd, 8, 0, PROT_READ | PROT_WRITE);
	q = map_new(8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 32 * PAGE);
	madvise(p, 8 * PAGE, MADV_RANDOM);
	madvise(q, 8 * PAGE, MADV_RANDOM);
	expect(p, 8, "untouched", "next_read=read-in next_write=read-in");
	expect(q, 8, "untouched", "next_read=read-in next_write=read-in");
}

static void make_text_cold(void)
{
	int fd = file_new(8);
	char *p;

	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	p = map_private(fd, 8, 0, PROT_READ | PROT_EXEC);
	expect(p, 8, "untouched", "next_read=read-in next_write=segv-access next_exec=read-in");
}

static void make_text_past_end(void)
{
	char *p = map_private(file_new(2), 4, 0, PROT_READ | PROT_EXEC);

	expect(p + 2 * PAGE, 2, "untouched",
	       "next_read=bus next_write=segv-access next_exec=bus");
}

/* x86 grants reading with either right. */
static void make_write_only(void)
{
	char *p = map_private(file_new(4), 4, 0, PROT_WRITE);

	expect(p, 4, "untouched", "next_read=map next_write=copy next_exec=segv-access");
}

const struct state file_states[] = {
	{"file-untouched", "private file mapping, never touched", "", make_private_untouched},
	{"file-read", "private file mapping, read", "", make_private_read},
	{"file-written", "private file mapping, written without a read before", "",
	 make_private_written},
	{"file-read-written", "private file mapping, read, then some pages written", "",
	 make_private_read_written},
	{"file-relro", "private file mapping, written, then read-only", "", make_relro},
	{"text-poked", "code of a private mapping written through /proc/self/mem", "",
	 make_text_poked},
	{"text-untouched", "private executable file mapping, never touched", "",
	 make_text_untouched},
	{"file-shared", "shared file mapping: read, written, untouched", "", make_shared},
	{"file-shared-read-only", "shared read-only file mapping, read", "",
	 make_shared_read_only},
	{"file-twice", "the same file pages mapped twice by the process", "", make_twice},
	{"file-twice-shared", "the same file pages mapped shared and private", "",
	 make_twice_shared},
	{"past-end", "private mapping beyond the end of the file", "", make_past_end_private},
	{"past-end-shared", "shared mapping beyond the end of the file", "",
	 make_past_end_shared},
	{"truncated", "file truncated after its pages were mapped and copied", "",
	 make_truncated},
	{"file-deleted", "mapped file whose name is gone", "", make_deleted},
	{"file-cold", "file that is not in the page cache", "disk file system", make_cold},
	{"text-cold", "private executable mapping of a file that is not cached",
	 "disk file system", make_text_cold},
	{"text-past-end", "private executable mapping beyond the end of the file", "",
	 make_text_past_end},
	{"file-write-only", "private file mapping with PROT_WRITE only", "", make_write_only},
	{0},
};
