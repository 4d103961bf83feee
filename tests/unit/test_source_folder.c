// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmatlas/source/source.h"

/* A folder of our own, with paths in it. */
static char folder[] = "/tmp/vmatlas-source-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[4][128];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");

	if (!file || fputs(text, file) < 0 || fclose(file)) {
		perror(name);
		exit(1);
	}
}

static void remove_all(void)
{
	static const char *const names[] = { "maps", "smaps", "stat", "status", "comm", "auxv",
					     "limits", "exe", "syscall", "copy.maps", "fifo",
					     "cgroup", "empty" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unlink(in_folder(names[i]));
		rmdir(in_folder(names[i]));
	}
	rmdir(folder);
}

static const char maps_text[] =
	"08048000-0804c000 r-xp 00000000 03:01 12345      /sbin/init\n"
	"bfffe000-c0000000 rwxp fffff000 00:00 0\n";

static void test_whole_folder(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(lines_done) struct lines lines;
	CLEANUP_FREE pid_t *pids = NULL;
	struct error e = ERROR_INIT;
	struct span line;
	size_t count = 0;

	CHECK(!source_folder(&source, folder, &e));
	CHECK(source_host(source)->kind == SOURCE_KIND_SNAPSHOT);
	CHECK(!source_host(source)->page_size_known && source_host(source)->page_size == 4096);
	CHECK(!source_host(source)->frames_visible && !source_host(source)->kernel[0]);
	CHECK(!source_pids(source, &pids, &count, &e) && count == 1 && pids[0] == 4242);
	CHECK(source_process_open(source, 7, &process, &e) == -ERROR_NOT_RECORDED);
	CHECK(!source_process_open(source, 0, &process, &e));
	CHECK(source_process_pid(process) == 4242 && source_process_tid(process) == 4242);
	CHECK(source_access(process, ACCESS_MAPS) == GAP_NOT_READ);
	CHECK(!source_stream_open(process, SOURCE_MAPS, &stream, &e));
	CHECK(source_access(process, ACCESS_MAPS) == GAP_NONE);
	lines_init(&lines, source_stream_read, stream, 7);
	CHECK(lines_next(&lines, &line, &e) == 1 && span_ends(line, " /sbin/init"));
	CHECK(lines_next(&lines, &line, &e) == 1 && span_ends(line, " 0"));
	CHECK(lines_next(&lines, &line, &e) == 0);
	CHECK(!buf_add_str(&text, "before ") &&
	      !source_text(process, 0, SOURCE_COMM, &text, &e));
	CHECK_STR(buf_str(&text), "before init\n");
	CHECK(!source_process_check(process, &e));
	CHECK(source_cost(source)->bytes >= strlen(maps_text) && source_cost(source)->calls > 4);
}

static void test_not_recorded(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct source_file_key key = { .path = SPAN_LITERAL("/etc/passwd") };
	struct source_file *file = NULL;
	struct source_scan scan = { .end = 4096 };
	struct source_region region;
	struct error e = ERROR_INIT;
	CLEANUP_FREE pid_t *tids = NULL;
	uint64_t word, walked;
	size_t got = 77;

	CHECK(!source_folder(&source, folder, &e) &&
	      !source_process_open(source, 4242, &process, &e));
	CHECK(source_text(process, 0, SOURCE_NUMA_MAPS, &text, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_text(process, 0, SOURCE_AUXV, &text, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_access(process, ACCESS_AUXV) == GAP_NOT_RECORDED);
	CHECK(source_text(process, 9, SOURCE_STAT, &text, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_system_text(source, SOURCE_SWAPS, &text, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_threads(process, &tids, &got, &e) == -ERROR_NOT_RECORDED && got == 77);
	CHECK(source_pagemap(process, 0, &word, 1, &got, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_pagemap_scan(process, &scan, &region, 1, &got, &walked, &e) ==
	      -ERROR_NOT_RECORDED);
	CHECK(source_access(process, ACCESS_PAGEMAP_SCAN) == GAP_NOT_RECORDED);
	CHECK(source_frames(source, SOURCE_KPAGEFLAGS, 0, &word, 1, &got, &e) ==
	      -ERROR_NOT_RECORDED);
	CHECK(source_frames_access(source, SOURCE_KPAGECOUNT) == GAP_NOT_RECORDED);
	CHECK(source_access(process, ACCESS_KPAGECOUNT) == GAP_NOT_RECORDED);
	CHECK(source_frames_end(source) == 0);
	CHECK(source_mem(process, 0x1000, &word, 8, &got, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_file_open(process, &key, &file, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_path_open(source, process, "/etc/passwd", &file, &e) ==
	      -ERROR_NOT_RECORDED && !file);
	CHECK(source_exe(process, &text, &e) == -ERROR_NOT_RECORDED && !text.len);
	CHECK(e.code == ERROR_NOT_RECORDED && gap_from_error(&e) == GAP_NOT_RECORDED);
}

/* What a hostile folder may hold instead of a text. */
static void test_hostile_folder(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	int fd;

	CHECK(!symlink("/etc/passwd", in_folder("limits")));
	CHECK(!mkfifo(in_folder("syscall"), 0600));
	CHECK(!mkdir(in_folder("cgroup"), 0700));
	fd = open(in_folder("auxv"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, 64 << 20));
	close(fd);
	CHECK(!source_folder(&source, folder, &e) &&
	      !source_process_open(source, 0, &process, &e));
	CHECK(source_text(process, 0, SOURCE_SMAPS, &text, &e) == -ERROR_NOT_RECORDED);
	CHECK(!mkfifo(in_folder("smaps"), 0600));
	CHECK(source_text(process, 0, SOURCE_SMAPS, &text, &e) == -ERROR_DAMAGED);
	CHECK(source_access(process, ACCESS_SMAPS) == GAP_NOT_RECORDED);
	CHECK(source_text(process, 0, SOURCE_LIMITS, &text, &e) == -ERROR_DAMAGED);
	CHECK_STR(e.item, "limits");
	CHECK(source_text(process, 0, SOURCE_SYSCALL, &text, &e) == -ERROR_DAMAGED);
	CHECK(source_text(process, 0, SOURCE_CGROUP, &text, &e) == -ERROR_DAMAGED);
	CHECK(source_text(process, 0, SOURCE_AUXV, &text, &e) == -ERROR_LIMIT && !text.len);
	CHECK(truncate(in_folder("auxv"), 5LL << 30) ||
	      source_text(process, 0, SOURCE_AUXV, &text, &e) == -ERROR_LIMIT);
}

static void test_maps_text(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;

	write_file("copy.maps", maps_text);
	CHECK(!source_folder(&source, in_folder("copy.maps"), &e));
	CHECK(!source_process_open(source, 0, &process, &e) && !source_process_pid(process));
	CHECK(!source_text(process, 0, SOURCE_MAPS, &text, &e));
	CHECK_STR(buf_str(&text), maps_text);
	CHECK(source_text(process, 0, SOURCE_STAT, &text, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_exe(process, &text, &e) == -ERROR_NOT_RECORDED);
	CHECK_STR(buf_str(&text), maps_text);
}

static void test_no_snapshot(void)
{
	struct source *source = NULL;
	struct error e = ERROR_INIT;

	CHECK(source_folder(&source, in_folder("absent"), &e) == -ERROR_NOT_FOUND);
	CHECK(!mkfifo(in_folder("fifo"), 0600));
	CHECK(source_folder(&source, in_folder("fifo"), &e) == -ERROR_DAMAGED);
	CHECK(!mkdir(in_folder("empty"), 0700));
	CHECK(source_folder(&source, in_folder("empty"), &e) == -ERROR_NOT_RECORDED);
	CHECK(source_folder(&source, "/dev/null", &e) == -ERROR_DAMAGED && !source);
}

int main(void)
{
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	write_file("maps", maps_text);
	write_file("stat", "4242 (na) me) S 1 1 1\n");
	write_file("comm", "init\n");
	test_whole_folder();
	test_not_recorded();
	test_hostile_folder();
	test_maps_text();
	test_no_snapshot();
	remove_all();
	TEST_END;
}
