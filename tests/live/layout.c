// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Compiled by map_programs.sh in many ways. Prints what lies where, as the program itself knows
 * it: "KEY ADDRESS", for threads "KEY ADDRESS TID", then "ready", and sleeps.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096ul

int main(void);

static const char constants[20000] = "constant";
/* Pointers: in a position-independent program relocated, then closed. */
static void *const pointers[1500] = { (void *)main, (void *)constants, (void *)main };
static char data[20000] = "data";
static char bss[1 << 20];

static pthread_barrier_t barrier;

static void say(const char *key, const volatile void *at)
{
	printf("%s %#lx\n", key, (unsigned long)(uintptr_t)at);
}

static void *thread(void *arg)
{
	char local[64];
	void *block = malloc(1000);

	memset(block, 1, 1000);
	flockfile(stdout);
	printf("thread %#lx %ld\n", (unsigned long)(uintptr_t)local, syscall(SYS_gettid));
	say("arena", block);
	funlockfile(stdout);
	pthread_barrier_wait(&barrier);
	pause();
	return arg;
}

static void *map(size_t size, int prot, int flags, int fd)
{
	void *p = mmap(NULL, size, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static void say_objects(void)
{
	int plain = memfd_create("plain", 0), code = memfd_create("code", 0);
	int self = open("/proc/self/exe", O_RDONLY), id = shmget(IPC_PRIVATE, PAGE, 0600);
	/* Kept apart by closed pages, so that nothing merges. */
	char *apart = map(64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (ftruncate(plain, 4 * PAGE) || ftruncate(code, 4 * PAGE))
		exit(1);
	say("memfd", map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, plain));
	say("memfd", map(PAGE, PROT_READ, MAP_PRIVATE, plain));
	say("twin", map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, code));
	say("twin", map(PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, code));
	say("shared", map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1));
	say("wholefile", map(3 * PAGE, PROT_READ, MAP_PRIVATE, self));
	mprotect(apart + 8 * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	mprotect(apart + 16 * PAGE, PAGE, PROT_READ | PROT_WRITE);
	say("jit", apart + 8 * PAGE);
	say("anon", apart + 16 * PAGE);
	say("reserved", apart + 40 * PAGE);
	if (id >= 0) {
		say("sysv", shmat(id, NULL, 0));
		shmctl(id, IPC_RMID, NULL);
	}
	say("devzero", map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, open("/dev/zero", O_RDWR)));
}

static void say_mapped(const char *key, int fd, size_t size)
{
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		say(key, p);
}

/* What a kernel may refuse is left out. */
static void say_kernel(void)
{
	struct perf_event_attr clock = { .size = sizeof(clock), .type = PERF_TYPE_SOFTWARE,
					 .config = PERF_COUNT_SW_CPU_CLOCK };
	struct io_uring_params params = { 0 };
	aio_context_t aio = 0;
	char name[64];
	void *huge;
	int fd;

	if (!syscall(SYS_io_setup, 8, &aio))
		say("ring", (void *)aio);
	say_mapped("ring", (int)syscall(SYS_io_uring_setup, 4, &params), 2 * PAGE);
	say_mapped("ring", (int)syscall(SYS_perf_event_open, &clock, 0, -1, -1, 0), 3 * PAGE);
	fd = (int)syscall(447 /* memfd_secret */, 0);
	if (fd >= 0 && !ftruncate(fd, PAGE))
		say_mapped("secretmem", fd, PAGE);
	snprintf(name, sizeof(name), "/dev/shm/vmatlas-%d", (int)getpid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd >= 0 && !ftruncate(fd, PAGE))
		say_mapped("shm", fd, PAGE);
	unlink(name);
	huge = mmap(NULL, 2ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
		    MAP_NORESERVE, -1, 0);
	if (huge != MAP_FAILED)
		say("huge", huge);
}

int main(void)
{
	pthread_t threads[2];
	char local[64];
	/* Above the threshold for a mapping of its own. */
	char *volatile large = malloc(3 << 20), *volatile small = malloc(100);

	setvbuf(stdout, NULL, _IOLBF, 0);
	large[0] = small[0] = data[0] = bss[1 << 19] = 1;
	pthread_barrier_init(&barrier, NULL, 3);
	say("text", (void *)main);
	say("rodata", &constants[10000]);
	say("relro", &pointers[1000]);
	say("data", &data[10000]);
	say("bss", &bss[1 << 19]);
	say("heap", small);
	say("large", large);
	say("stack", local);
	say_objects();
	say_kernel();
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, thread, NULL))
			return 1;
	pthread_barrier_wait(&barrier);
	/* The threads go to sleep in pause(). */
	usleep(100000);
	printf("ready\n");
	pause();
	return 0;
}
