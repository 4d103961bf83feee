// SPDX-License-Identifier: LGPL-2.1-or-later
/* The live provider on processes in every state that /proc knows. */
#include "config.h"

#include "../unit/test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmatlas/source/source.h"

#define PRESENT (1ULL << 63)
#define FRAME ((1ULL << 55) - 1)
#define SCAN_PRESENT_BIT 8u
#define NOBODY 65534

static uint64_t page;

/* A child that says "ready" through a pipe and waits until the other end is closed. */
struct child {
	pid_t pid;
	int ready;
	int go;
};

static void child_start(struct child *child, void (*run)(int up, int down))
{
	int up[2], down[2];
	char byte;

	if (pipe(up) || pipe(down))
		exit(99);
	child->pid = fork();
	if (!child->pid) {
		close(up[0]);
		close(down[1]);
		if (run)
			run(up[1], down[0]);
		if (write(up[1], "r", 1) != 1)
			_exit(98);
		while (read(down[0], &byte, 1) > 0)
			;
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	*child = (struct child) { child->pid, up[0], down[1] };
	if (child->pid < 0 || read(up[0], &byte, 1) != 1)
		exit(99);
}

static void child_end(struct child *child)
{
	close(child->go);
	close(child->ready);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

static bool maps_holds(struct source_process *process, const void *address, struct error *e)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(lines_done) struct lines lines;
	uint64_t start, end, want = (uintptr_t)address;
	struct span line;
	bool found = false;
	int rc;

	if (source_stream_open(process, SOURCE_MAPS, &stream, e) < 0)
		return false;
	lines_init(&lines, source_stream_read, stream, 65536);
	while ((rc = lines_next(&lines, &line, e)) > 0)
		found |= span_take_hex(&line, &start) && span_take_char(&line, '-') &&
			 span_take_hex(&line, &end) && start <= want && want < end;
	return !rc && found;
}

static void test_own(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP_FREE pid_t *pids = NULL, *tids = NULL;
	struct error e = ERROR_INIT;
	uint64_t word = 0, local = 0x1234567890abcdef, copy = 0;
	size_t count = 0, got = 0;
	bool listed = false;

	CHECK(source_host(source)->kind == SOURCE_KIND_LIVE && source_host(source)->kernel[0]);
	CHECK_U64(source_host(source)->page_size, page);
	CHECK(!source_process_open(source, getpid(), &self, &e));
	CHECK(source_process_pid(self) == getpid() && source_process_tid(self) == getpid());
	CHECK(source_access(self, ACCESS_PAGEMAP) == GAP_NOT_READ);
	CHECK(maps_holds(self, &local, &e) && maps_holds(self, test_own, &e));
	CHECK(source_access(self, ACCESS_MAPS) == GAP_NONE);
	CHECK(source_access(self, ACCESS_PAGEMAP) == GAP_NOT_READ);
	CHECK(!source_pagemap(self, (uintptr_t)&local / page, &word, 1, &got, &e) && got == 1);
	CHECK((word & PRESENT) && !!(word & FRAME) == source_host(source)->frames_visible);
	CHECK(source_access(self, ACCESS_PAGEMAP) == GAP_NONE);
	CHECK(!source_mem(self, (uintptr_t)&local, &copy, sizeof(copy), &got, &e));
	CHECK_U64(copy, local);
	CHECK(source_mem(self, 0, &copy, sizeof(copy), &got, &e) == -ERROR_CHANGED);
	CHECK(source_access(self, ACCESS_MEM) == GAP_NONE);
	CHECK(!source_exe(self, &text, &e) && strstr(buf_str(&text), "test_source"));
	CHECK(!source_threads(self, &tids, &count, &e) && count == 1 && tids[0] == getpid());
	CHECK(!source_text(self, tids[0], SOURCE_STAT, &text, &e));
	CHECK(!source_text(self, 0, SOURCE_CHILDREN, &text, &e));
	CHECK(!source_pids(source, &pids, &count, &e));
	for (size_t i = 0; i < count; i++) {
		listed |= pids[i] == getpid();
		CHECK(!i || pids[i - 1] < pids[i]);
	}
	CHECK(listed && !source_process_check(self, &e));
}

static void test_unopened(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT, opened = BUF_INIT, name = BUF_INIT;
	struct error e = ERROR_INIT;
	uint64_t uid = 1, other = 0;

	CHECK(!source_process_open(source, getpid(), &self, &e));
	CHECK(!source_text(self, 0, SOURCE_COMM, &opened, &e));
	CHECK(!source_pid_text(source, getpid(), SOURCE_COMM, &text, &e));
	CHECK_STR(buf_str(&text), buf_str(&opened));
	CHECK(source_pid_text(source, INT32_MAX, SOURCE_COMM, &text, &e) == -ERROR_NOT_FOUND);
	CHECK(!source_namespace(self, SOURCE_NAMESPACE_PID, &uid, &e) && uid > 1);
	CHECK(!source_namespace(self, SOURCE_NAMESPACE_MOUNT, &other, &e) && other != uid);
	CHECK(!source_user_id(source, "root", &uid, &e) && !uid);
	CHECK(!source_user_name(source, 0, &name, &e));
	CHECK_STR(buf_str(&name), "root");
	CHECK(source_user_id(source, "no such:user", &uid, &e) == -ERROR_NOT_FOUND);
	CHECK(source_user_name(source, 4123456789, &name, &e) == -ERROR_NOT_FOUND);
}

static void test_system(struct source *source)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	size_t before;

	for (int what = 0; what < SOURCE_SYSTEM_TEXT_MAX; what++) {
		before = text.len;
		if (source_system_text(source, what, &text, &e) < 0)
			CHECK((what == SOURCE_THP_SIZE || what == SOURCE_KSM_SHARED) &&
			      e.code == ERROR_NOT_IN_KERNEL);
		else
			CHECK(text.len > before);
	}
}

/* Beyond user space there are no words, and that is no failure. */
static void test_ends(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	struct error e = ERROR_INIT;
	uint64_t words[64], walked = 0;
	struct source_region region;
	struct source_scan scan = { .start = 0xffffffffff600000, .end = 0xffffffffff601000,
				    .anyof = SCAN_PRESENT_BIT, .report = SCAN_PRESENT_BIT };
	size_t got = 77;

	CHECK(!source_process_open(source, getpid(), &self, &e));
	CHECK(!source_pagemap(self, 0xffffffffff600000 / page, words, 1, &got, &e) && !got);
	CHECK(!source_pagemap(self, UINT64_MAX / page, words, 64, &got, &e) && !got);
	CHECK(!source_pagemap(self, UINT64_MAX, words, 64, &got, &e) && !got);
	CHECK(!source_pagemap(self, 0, words, 64, &got, &e) && got == 64);
	got = 77;
	if (source_pagemap_scan(self, &scan, &region, 1, &got, &walked, &e) < 0)
		CHECK(e.code == ERROR_NOT_IN_KERNEL && got == 77);
	else
		CHECK(!got && walked == scan.end);
	scan.start = 0;
	got = 77;
	CHECK(source_pagemap_scan(self, &scan, &region, 1, &got, &walked, &e) < 0 && got == 77);
	CHECK(e.code == ERROR_USAGE || e.code == ERROR_NOT_IN_KERNEL);
}

static void test_scan(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	char *area = mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct source_scan scan = { .start = (uintptr_t)area, .end = (uintptr_t)area + 64 * page,
				    .anyof = SCAN_PRESENT_BIT, .report = SCAN_PRESENT_BIT };
	struct source_region regions[3];
	struct error e = ERROR_INIT;
	uint64_t words[64], scanned = 0, seen = 0, walked;
	size_t got;

	madvise(area, 64 * page, MADV_NOHUGEPAGE);
	for (int i = 0; i < 64; i += i % 3 + 1)
		area[i * page] = 1;
	CHECK(!source_process_open(source, getpid(), &self, &e));
	CHECK(!source_pagemap(self, scan.start / page, words, 64, &got, &e) && got == 64);
	for (int i = 0; i < 64; i++)
		seen |= (uint64_t)!!(words[i] & PRESENT) << i;
	for (; scan.start < scan.end; scan.start = walked) {
		if (source_pagemap_scan(self, &scan, regions, 3, &got, &walked, &e) < 0) {
			CHECK(e.code == ERROR_NOT_IN_KERNEL);
			CHECK(source_access(self, ACCESS_PAGEMAP_SCAN) == GAP_NOT_IN_KERNEL);
			munmap(area, 64 * page);
			return;
		}
		for (size_t r = 0; r < got; r++)
			for (uint64_t a = regions[r].start; a < regions[r].end; a += page)
				scanned |= 1ULL << (a - (uintptr_t)area) / page;
	}
	CHECK(seen && seen != UINT64_MAX);
	CHECK_U64(scanned, seen);
	scan.start = (uintptr_t)area;
	scan.anyof = 1ULL << 60;
	CHECK(source_pagemap_scan(self, &scan, regions, 3, &got, &walked, &e) ==
	      -ERROR_NOT_IN_KERNEL);
	CHECK(source_access(self, ACCESS_PAGEMAP_SCAN) == GAP_NONE);
	munmap(area, 64 * page);
}

static void test_frames(struct source *source)
{
	struct error e = ERROR_INIT;
	uint64_t end = source_frames_end(source), words[4];
	size_t got = 0;

	if (source_frames_access(source, SOURCE_KPAGEFLAGS) != GAP_NONE) {
		CHECK(geteuid() != 0);
		return;
	}
	CHECK(end > 1000);
	CHECK(!source_frames(source, SOURCE_KPAGEFLAGS, end - 2, words, 4, &got, &e) && got == 2);
	CHECK(!source_frames(source, SOURCE_KPAGECOUNT, end, words, 4, &got, &e) && !got);
	CHECK(!source_frames(source, SOURCE_KPAGECOUNT, UINT64_MAX, words, 4, &got, &e) && !got);
	CHECK_U64(source_frames_end(source), end);
}

static void test_child_end(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL, *zombie = NULL;
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	struct child child;
	uint64_t word;
	size_t got;
	siginfo_t info;
	char data[64];
	ssize_t n;

	child_start(&child, NULL);
	CHECK(!source_process_open(source, child.pid, &process, &e));
	CHECK(maps_holds(process, test_child_end, &e) && !source_process_check(process, &e));
	CHECK(!source_stream_open(process, SOURCE_MAPS, &stream, &e));
	kill(child.pid, SIGKILL);
	waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT);
	while ((n = source_stream_read(stream, data, sizeof(data), &e)) > 0)
		;
	CHECK(n == -ERROR_GONE && strstr(e.text, "zombie"));
	CHECK(source_process_check(process, &e) == -ERROR_GONE && strstr(e.text, "zombie"));
	CHECK(source_pagemap(process, 0, &word, 1, &got, &e) == -ERROR_GONE);
	CHECK(!source_process_open(source, child.pid, &zombie, &e));
	CHECK(source_text(zombie, 0, SOURCE_MAPS, &text, &e) == -ERROR_GONE && !text.len);
	CHECK(source_text(zombie, 0, SOURCE_SMAPS_ROLLUP, &text, &e) == -ERROR_GONE);
	CHECK(source_access(zombie, ACCESS_SMAPS_ROLLUP) == GAP_GONE);
	CHECK(!source_text(zombie, 0, SOURCE_STATUS, &text, &e) && text.len);
	child_end(&child);
	source_process_free(zombie);
	zombie = NULL;
	CHECK(source_process_check(process, &e) == -ERROR_GONE && strstr(e.text, "has ended"));
	CHECK(source_text(process, 0, SOURCE_STATUS, &text, &e) == -ERROR_GONE);
	CHECK(source_process_open(source, child.pid, &zombie, &e) == -ERROR_NOT_FOUND && !zombie);
	CHECK(source_process_open(source, 0, &zombie, &e) == -ERROR_NOT_FOUND);
	CHECK(source_process_open(source, -1, &zombie, &e) == -ERROR_NOT_FOUND);
}

/* The same program at the same addresses: only the address space tells. */
static void test_exec(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	int up[2], down[2];
	char byte, fds[2][16];
	pid_t pid;

	CHECK(!pipe(up) && !pipe(down));
	snprintf(fds[0], sizeof(fds[0]), "%d", up[1]);
	snprintf(fds[1], sizeof(fds[1]), "%d", down[0]);
	pid = fork();
	if (!pid) {
		close(down[1]);
		personality(ADDR_NO_RANDOMIZE);
		execl("/proc/self/exe", "test_source", fds[0], fds[1], "2", NULL);
		_exit(97);
	}
	close(up[1]);
	CHECK(read(up[0], &byte, 1) == 1);
	CHECK(!source_process_open(source, pid, &process, &e));
	CHECK(!source_text(process, 0, SOURCE_MAPS, &text, &e) && text.len);
	CHECK(!source_process_check(process, &e));
	CHECK(write(down[1], "g", 1) == 1 && read(up[0], &byte, 1) == 1);
	CHECK(source_process_check(process, &e) == -ERROR_CHANGED);
	CHECK(gap_from_error(&e) == GAP_CHANGED);
	close(down[1]);
	close(down[0]);
	close(up[0]);
	waitpid(pid, NULL, 0);
}

/* The program of test_exec: says so, and at a byte executes itself once more. */
static int exec_main(char **argv)
{
	int up = atoi(argv[1]), down = atoi(argv[2]);
	char byte;

	if (write(up, "r", 1) != 1)
		return 1;
	if (read(down, &byte, 1) == 1)
		execl("/proc/self/exe", "test_source", argv[1], argv[2], "1", NULL);
	return 0;
}

static void *thread_wait(void *arg)
{
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

/* Waits for the end of `down` in a thread while the leader leaves. */
static void *thread_answer(void *arg)
{
	const int *fds = arg;
	char byte;

	if (write(fds[0], "r", 1) == 1)
		while (read(fds[1], &byte, 1) > 0)
			;
	_exit(0);
}

static void leader_leaves(int up, int down)
{
	static int fds[2];
	pthread_t thread;

	fds[0] = up;
	fds[1] = down;
	if (!pthread_create(&thread, NULL, thread_answer, fds))
		pthread_exit(NULL);
	_exit(96);
}

static void test_leader_exited(struct source *source)
{
	struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP_FREE pid_t *tids = NULL;
	struct error e = ERROR_INIT;
	struct child child;
	size_t count = 0, got = 0;
	uint64_t word;

	child_start(&child, leader_leaves);
	for (int i = 0; i < 5000; i++) {
		CHECK(!source_process_open(source, child.pid, &process, &e));
		if (!process || source_process_tid(process) != child.pid)
			break;
		source_process_free(process);
		process = NULL;
		usleep(1000);
	}
	CHECK(process);
	if (process) {
		CHECK(source_process_pid(process) == child.pid);
		CHECK(maps_holds(process, test_leader_exited, &e));
		CHECK(!source_pagemap(process, (uintptr_t)&child / page, &word, 1, &got, &e));
		CHECK(got == 1 && (word & PRESENT));
		CHECK(!source_text(process, 0, SOURCE_SMAPS_ROLLUP, &text, &e) && text.len);
		CHECK(!source_threads(process, &tids, &count, &e) && count == 2);
		CHECK(count == 2 && tids[1] == source_process_tid(process));
		CHECK(!source_process_check(process, &e));
	}
	child_end(&child);
	source_process_free(process);
}

/* The leader leaves at the first byte. */
static void leader_leaves_later(int up, int down)
{
	static pid_t tid;
	pthread_t thread;
	char byte;

	if (!pthread_create(&thread, NULL, thread_wait, &tid) && write(up, "r", 1) == 1 &&
	    read(down, &byte, 1) == 1)
		pthread_exit(NULL);
	_exit(96);
}

/* Not gone: the process lives on, but the files that were open show nothing any more. */
static void test_leader_exits_later(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	struct error e = ERROR_INIT;
	struct child child;
	int rc = 0;

	child_start(&child, leader_leaves_later);
	CHECK(!source_process_open(source, child.pid, &process, &e));
	CHECK(maps_holds(process, test_leader_exits_later, &e));
	CHECK(!source_process_check(process, &e));
	CHECK(write(child.go, "g", 1) == 1);
	for (int i = 0; i < 5000 && !rc; i++) {
		rc = source_process_check(process, &e);
		usleep(1000);
	}
	CHECK(rc == -ERROR_CHANGED && strstr(e.text, "thread"));
	child_end(&child);
}

static void test_thread(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	volatile pid_t tid = 0;
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, thread_wait, (void *)&tid));
	while (!tid)
		usleep(100);
	CHECK(!source_process_open(source, tid, &process, &e));
	CHECK(source_process_pid(process) == getpid() && source_process_tid(process) == getpid());
	CHECK(!source_text(process, 0, SOURCE_STAT, &text, &e) &&
	      atoi(buf_str(&text)) == getpid());
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void test_kernel_thread(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	uint64_t word;
	size_t got;

	if (source_process_open(source, 2, &process, &e) < 0)
		return;		/* a PID namespace without kernel threads */
	CHECK(!source_text(process, 0, SOURCE_COMM, &text, &e));
	if (strcmp(buf_str(&text), "kthreadd\n"))
		return;
	buf_clear(&text);
	CHECK(source_text(process, 0, SOURCE_MAPS, &text, &e) == -ERROR_NOT_FOUND && !text.len);
	CHECK(strstr(e.text, "kernel thread"));
	CHECK(source_pagemap(process, 0, &word, 1, &got, &e) == -ERROR_NOT_FOUND);
	CHECK(source_exe(process, &text, &e) == -ERROR_NOT_FOUND);
	CHECK(!source_text(process, 0, SOURCE_STATUS, &text, &e) && text.len);
	CHECK(!source_process_check(process, &e));
}

/* Everything that was opened is closed, on the ways of failure too. */
static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

int main(int argc, char **argv)
{
	struct source *source = NULL;
	struct error e = ERROR_INIT;
	int free_fd = next_descriptor();

	if (argc == 4)
		return exec_main(argv);
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	if (source_live(&source, &e) < 0) {
		printf("source_live: %s\n", e.text);
		return 1;
	}
	CHECK(source_host(source)->frames_visible || geteuid());
	test_own(source);
	test_unopened(source);
	test_system(source);
	test_ends(source);
	test_scan(source);
	test_frames(source);
	test_child_end(source);
	test_exec(source);
	test_leader_exited(source);
	test_leader_exits_later(source);
	test_kernel_thread(source);
	test_thread(source);
	source_free(source);
	CHECK(next_descriptor() == free_fd);
	TEST_END;
}
