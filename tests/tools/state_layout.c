// SPDX-License-Identifier: LGPL-2.1-or-later
/* Kinds of VMA more than states of pages: thread stacks, arenas, rings. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memstate.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define ARENA ((size_t)64 << 20) /* glibc HEAP_MAX_SIZE of 64-bit systems */

enum { THREADS = 3 };

struct thread {
	pthread_barrier_t *ready;
	pid_t tid;
	void *block; /* what malloc gave */
};

static void *thread_run(void *arg)
{
	struct thread *thread = arg;

	thread->tid = syscall(SYS_gettid);
	thread->block = malloc(1000);
	if (thread->block)
		memset(thread->block, 1, 1000);
	pthread_barrier_wait(thread->ready);
	for (;;)
		pause();
	return NULL;
}

static pthread_t thread_start(struct thread *thread, const pthread_attr_t *attr)
{
	pthread_barrier_t ready;
	pthread_t id;

	pthread_barrier_init(&ready, NULL, 2);
	thread->ready = &ready;
	errno = pthread_create(&id, attr, thread_run, thread);
	if (errno)
		die("pthread_create");
	pthread_barrier_wait(&ready);
	pthread_barrier_destroy(&ready);
	return id;
}

/* glibc to 2.41 guards a stack with a PROT_NONE VMA; later versions with a guard region. */
static void expect_stack(pthread_t id, pid_t tid)
{
	pthread_attr_t attr;
	struct vma_line below;
	size_t size, guard;
	void *start;

	pthread_getattr_np(id, &attr);
	pthread_attr_getstack(&attr, &start, &size);
	pthread_attr_getguardsize(&attr, &guard);
	pthread_attr_destroy(&attr);
	expect_vma(start, size, "T thread-stack tid=%d backing=anon sharing=private", tid);
	if (vma_at((uintptr_t)start - 1, &below) && !strcmp(below.perms, "---p"))
		expect_vma((char *)start - guard, guard, "G guard owner=%p", start);
}

static void make_threads(void)
{
	static struct thread threads[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		pthread_t id = thread_start(&threads[i], NULL);

		expect_stack(id, threads[i].tid);
	}
}

/* A guard VMA whatever the C library does */
static void make_thread_guard_vma(void)
{
	static struct thread thread;
	char *p = map_anon(65);
	pthread_attr_t attr;

	mprotect(p, PAGE, PROT_NONE);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, p + PAGE, 64 * PAGE);
	thread_start(&thread, &attr);
	expect_vma(p + PAGE, 64 * PAGE, "T thread-stack tid=%d backing=anon sharing=private",
		   thread.tid);
	expect_vma(p, PAGE, "G guard owner=%p", p + PAGE);
	expect(p, 1, "untouched", "next_read=segv-access next_write=segv-access");
}

static void make_thread_guard_region(void)
{
	static struct thread thread;
	char *p = map_anon(65);
	pthread_attr_t attr;

	if (madvise(p, PAGE, MADV_GUARD_INSTALL))
		skip("no guard regions in this kernel");
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, p + PAGE, 64 * PAGE);
	thread_start(&thread, &attr);
	expect_vma(p, 65 * PAGE, "T thread-stack tid=%d backing=anon sharing=private",
		   thread.tid);
	expect(p, 1, "guard", ATTR_UNMAPPED);
}

static void make_arenas(void)
{
	static struct thread threads[THREADS];
	struct vma_line vma;

	mallopt(M_ARENA_MAX, THREADS + 1);
	for (size_t i = 0; i < THREADS; i++) {
		uintptr_t base;

		thread_start(&threads[i], NULL);
		base = (uintptr_t)threads[i].block & ~(ARENA - 1);
		if (!vma_at(base, &vma) || vma.start != base || vma.end >= base + ARENA)
			skip("this C library makes no arenas of 64 MiB");
		expect_vma((void *)base, vma.end - base, "D arena backing=anon sharing=private");
		expect_vma((void *)(uintptr_t)vma.end, base + ARENA - vma.end, "G reserved");
		expect((void *)base, 1, "anon", ATTR_OWN);
	}
}

/* Above the threshold malloc maps the block on its own. */
static void make_malloc_large(void)
{
	size_t size = (size_t)96 << 20;
	char *block = malloc(size);

	if (!block)
		die("malloc");
	touch_write(block, 1);
	block = (char *)((uintptr_t)block & ~(PAGE - 1));
	expect_vma(block, size + PAGE, "D malloc-large backing=anon sharing=private");
	expect(block, 1, "anon", ATTR_OWN);
}

static void make_heap(void)
{
	struct vma_line vma;
	char *start = sbrk(0);

	if (sbrk(16 * PAGE) == (void *)-1)
		die("sbrk");
	start = (char *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1));
	touch_write(start, 4);
	if (!vma_at((uintptr_t)start, &vma))
		die("heap");
	expect_vma((void *)(uintptr_t)vma.start, vma.end - vma.start,
		   "D heap backing=anon sharing=private");
	expect(start, 4, "anon", ATTR_OWN);
	expect(start + 4 * PAGE, 8, "untouched", ATTR_UNTOUCHED);
}

static void make_io_uring(void)
{
	struct io_uring_params params = {0};
	int fd = syscall(SYS_io_uring_setup, 8, &params);
	char *ring, *entries;

	if (fd < 0)
		skip("no io_uring: %m");
	/* the kernel chooses the address (io_uring_get_unmapped_area) */
	ring = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	entries = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || entries == MAP_FAILED)
		skip("no io_uring rings: %m");
	touch_read(ring, 1);
	touch_read(entries, 1);
	expect_vma(ring, PAGE, "X ring sharing=shared");
	expect_vma(entries, PAGE, "X ring sharing=shared");
	expect(ring, 1, "kernel", "next_read=none");
	expect(entries, 1, "kernel", "next_read=none");
}

static void make_perf_ring(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .size = sizeof(attr),
		.exclude_kernel = 1, .sample_period = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	char *want = map_place(3 * PAGE, PAGE), *ring;

	if (fd < 0)
		skip("no perf events: %m");
	ring = mmap(want, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
		    fd, 0);
	if (ring == MAP_FAILED)
		skip("no perf ring: %m");
	touch_read(ring, 3);
	expect_vma(ring, 3 * PAGE, "X ring sharing=shared");
	expect(ring, 3, page_entry(ring) ? "kernel" : "opaque", NULL);
}

static void make_packet_ring(void)
{
	struct tpacket_req request = {
		.tp_block_size = 4 * PAGE, .tp_block_nr = 1, .tp_frame_size = PAGE,
		.tp_frame_nr = 4,
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	char *ring;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)))
		skip("no packet sockets: %m");
	ring = map_new(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	touch_read(ring, 4);
	expect_vma(ring, 4 * PAGE, "X ring sharing=shared");
	expect(ring, 4, "kernel", "next_read=none");
}

const struct state layout_states[] = {
	{"threads", "threads with the C library's stacks", "", make_threads},
	{"thread-guard-vma", "thread stack with a PROT_NONE VMA below", "",
	 make_thread_guard_vma},
	{"thread-guard-region", "thread stack with a guard region inside its VMA",
	 "MADV_GUARD_INSTALL", make_thread_guard_region},
	{"arenas", "malloc arenas of threads", "glibc", make_arenas},
	{"malloc-large", "a block that malloc maps on its own", "glibc", make_malloc_large},
	{"heap", "brk heap, partly written", "", make_heap},
	{"io-uring", "rings of io_uring", "io_uring", make_io_uring},
	{"packet-ring", "receive ring of a packet socket", "root, packet sockets",
	 make_packet_ring},
	{"perf-ring", "ring buffer of a perf event", "perf events", make_perf_ring},
	{0},
};
