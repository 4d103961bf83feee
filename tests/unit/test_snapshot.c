// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE
#include "snapshot_folder.h"
#include "test.h"

#include "vmatlas/parse/auxv.h"
#include "vmatlas/source/source.h"

#define MANIFEST                                                                  \
	"vmatlas-snapshot 1\ntool vmatlas 9.9\ntime 2026-11-21T13:05:00Z\n"       \
	"kernel 6.1.2-test\nmachine aarch64\npage_size 65536\nframes yes\n"       \
	"frames_end 1000\nexclusive_mark yes\nweather fine\nprocess 41\n"         \
	"process 42 44\n"

static void put_two(void)
{
	snapshot_put("manifest", MANIFEST);
	snapshot_put("missing", "43 ESRCH\nframes/kpagecgroup EACCES\nhost/swaps ENOENT\n");
	snapshot_put("host/meminfo", "MemTotal: 1 kB\n");
	snapshot_put("41/maps", "10000-20000 rw-p 00000000 00:00 0\n");
	snapshot_put("41/comm", "one\n");
	snapshot_put("41/exe", "/bin/one (deleted)");
	snapshot_put("41/task/41/comm", "one\n");
	snapshot_put("41/auxv", "word_size 8\n3 400040\n6 1000\n5 9\n0 0\n");
	snapshot_put("41/map_files", "10000-20000 /a\\012b\\134c\n30000-40000 /x\n");
	snapshot_put("42/comm", "two\n");
	snapshot_put("42/task/43/comm", "two\n");
	snapshot_put("42/task/44/comm", "third\n");
	snapshot_put("42/task/44/children", "7 8 ");
	snapshot_put("42/auxv", "word_size 4\n6 1000 more\n0 0\n");
	snapshot_put("42/missing", "maps ESTALE\nnuma_maps ENOSYS\nsmaps EACCES\n"
				   "smaps_rollup EFBIG\nstat EBADMSG\nstatus EXYZZY\n"
				   "syscall EPERM\ntask/44/syscall EPERM\n");
}

static void test_host(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP_FREE pid_t *pids = NULL;
	struct error e = ERROR_INIT;
	size_t count = 0;

	CHECK(!source_folder(&source, snapshot_folder, &e));
	CHECK_STR(source_host(source)->kernel, "6.1.2-test");
	CHECK_STR(source_host(source)->machine, "aarch64");
	CHECK(source_host(source)->page_size_known && source_host(source)->frames_visible);
	CHECK_U64(source_host(source)->page_size, 65536);
	CHECK_U64((uint64_t)source_host(source)->time, 1795266300);
	CHECK_U64(source_frames_end(source), 0x1000);
	CHECK(source_exclusive_mark(source));
	CHECK(!source_pids(source, &pids, &count, &e) && count == 2);
	CHECK(pids && pids[0] == 41 && pids[1] == 42);
	CHECK(!source_system_text(source, SOURCE_MEMINFO, &text, &e));
	CHECK_STR(buf_str(&text), "MemTotal: 1 kB\n");
	CHECK(source_system_text(source, SOURCE_SWAPS, &text, &e) == -ERROR_NOT_FOUND);
	CHECK(source_system_text(source, SOURCE_MOUNTS, &text, &e) == -ERROR_NOT_RECORDED);
}

static void test_processes(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *one = NULL;
	CLEANUP(source_process_freep) struct source_process *two = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP_FREE pid_t *tids = NULL;
	struct source_process *none = NULL;
	struct error e = ERROR_INIT;
	size_t count = 0;

	CHECK(!source_folder(&source, snapshot_folder, &e));
	CHECK(source_process_open(source, 0, &none, &e) == -ERROR_NOT_FOUND);
	CHECK(source_process_open(source, 7, &none, &e) == -ERROR_NOT_RECORDED && !none);
	CHECK(!source_process_open(source, 41, &one, &e));
	CHECK(!source_process_open(source, 43, &two, &e));
	CHECK(source_process_pid(two) == 42 && source_process_tid(two) == 44);
	CHECK(!source_text(two, 0, SOURCE_COMM, &text, &e));
	CHECK(!source_text(two, 44, SOURCE_COMM, &text, &e));
	CHECK(!source_text(two, 0, SOURCE_CHILDREN, &text, &e));
	CHECK_STR(buf_str(&text), "two\nthird\n7 8 ");
	CHECK(!source_threads(two, &tids, &count, &e) && count == 2);
	CHECK(tids && tids[0] == 43 && tids[1] == 44);
	buf_clear(&text);
	CHECK(!source_exe(one, &text, &e));
	CHECK_STR(buf_str(&text), "/bin/one (deleted)");
	buf_clear(&text);
	CHECK(!source_mapped_name(one, 0x10000, 0x20000, &text, &e));
	CHECK_STR(buf_str(&text), "/a\nb\\c");
	CHECK(source_mapped_name(one, 0x20000, 0x30000, &text, &e) == -ERROR_NOT_FOUND);
	CHECK(!source_mapped_name(one, 0x30000, 0x40000, &text, &e));
	CHECK(source_mapped_name(one, 0x50000, 0x60000, &text, &e) == -ERROR_NOT_FOUND);
	CHECK(!source_mapped_name(one, 0x10000, 0x20000, &text, &e));
	CHECK_STR(buf_str(&text), "/a\nb\\c/x/a\nb\\c");
	snapshot_put("41/map_files", "30000-40000 /x\n10000-20000 /y\n");
	source_process_free(one);
	CHECK(!source_process_open(source, 41, &one, &e));
	CHECK(source_mapped_name(one, 0x40000, 0x50000, &text, &e) == -ERROR_DAMAGED);
	CHECK_STR(e.item, "41/map_files");
	CHECK(e.line == 2);
	snapshot_put("41/map_files", "10000-20000 /a\\9\n");
	source_process_free(one);
	CHECK(!source_process_open(source, 41, &one, &e));
	buf_clear(&text);
	CHECK(source_mapped_name(one, 0x10000, 0x20000, &text, &e) == -ERROR_DAMAGED);
	CHECK(e.line == 1 && !text.len);
}

/* Each error of `missing` is the gap that it was. */
static void test_gaps(void)
{
	static const struct {
		enum source_text what;
		enum source_access access;
		enum error_code code;
		enum gap gap;
	} cases[] = {
		{ SOURCE_MAPS, ACCESS_MAPS, ERROR_CHANGED, GAP_CHANGED },
		{ SOURCE_SMAPS, ACCESS_SMAPS, ERROR_DENIED, GAP_NEEDS_PRIVILEGE },
		{ SOURCE_SMAPS_ROLLUP, ACCESS_SMAPS_ROLLUP, ERROR_LIMIT, GAP_LIMIT },
		{ SOURCE_STAT, ACCESS_STAT, ERROR_DAMAGED, GAP_DAMAGED },
		{ SOURCE_STATUS, ACCESS_STATUS, ERROR_SYSTEM, GAP_DAMAGED },
		{ SOURCE_NUMA_MAPS, ACCESS_MAX, ERROR_NOT_IN_KERNEL, GAP_NOT_IN_KERNEL },
		{ SOURCE_LIMITS, ACCESS_MAX, ERROR_NOT_RECORDED, GAP_NOT_RECORDED },
	};
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;

	CHECK(!source_folder(&source, snapshot_folder, &e));
	CHECK(!source_process_open(source, 42, &process, &e));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK(source_text(process, 0, cases[i].what, &text, &e) == -(int)cases[i].code);
		CHECK(gap_from_error(&e) == cases[i].gap);
		CHECK(cases[i].access == ACCESS_MAX ||
		      source_access(process, cases[i].access) == cases[i].gap);
	}
	CHECK(source_text(process, 44, SOURCE_SYSCALL, &text, &e) == -ERROR_DENIED);
	CHECK(source_text(process, 43, SOURCE_SYSCALL, &text, &e) == -ERROR_NOT_RECORDED);
}

static void test_auxv(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *one = NULL;
	CLEANUP(source_process_freep) struct source_process *two = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	struct auxv auxv;

	CHECK(!source_folder(&source, snapshot_folder, &e));
	CHECK(!source_process_open(source, 41, &one, &e));
	CHECK(!source_process_open(source, 42, &two, &e));
	CHECK(!source_text(one, 0, SOURCE_AUXV, &text, &e) && text.len == 64);
	CHECK(!auxv_parse(buf_span(&text), &auxv, &e) && auxv.word_size == 8);
	CHECK(auxv.phdr == 0x400040 && auxv.phnum == 9 && auxv.page_size == 4096);
	buf_clear(&text);
	CHECK(!source_text(two, 0, SOURCE_AUXV, &text, &e) && text.len == 16);
	CHECK(!auxv_parse(buf_span(&text), &auxv, &e) && auxv.word_size == 4);
	snapshot_put("42/auxv", "word_size 4\n6 100000000\n0 0\n");
	CHECK(source_text(two, 0, SOURCE_AUXV, &text, &e) == -ERROR_DAMAGED && e.line == 2);
	snapshot_put("42/auxv", "word_size 4\n6 1000");
	CHECK(source_text(two, 0, SOURCE_AUXV, &text, &e) == -ERROR_DAMAGED && e.line == 2);
	snapshot_put("42/auxv", "6 1000\n0 0\n");
	CHECK(source_text(two, 0, SOURCE_AUXV, &text, &e) == -ERROR_DAMAGED && e.line == 1);
}

#define HEAD "vmatlas-snapshot 1\ntime 2026-11-21T13:05:00Z\n"

/* Manifests that are not good, and the line that is blamed. */
static void test_bad_manifests(void)
{
	static const struct {
		struct span text;
		unsigned long line;
	} cases[] = {
		{ SPAN_LITERAL(""), 1 },
		{ SPAN_LITERAL("vmatlas-snapshot 2\n"), 1 },
		{ SPAN_LITERAL("vmatlas-snapshot 18446744073709551617\n"), 1 },
		{ SPAN_LITERAL("vmatlas-snapshot 1 \n"), 1 },
		{ SPAN_LITERAL("vmatlas-snapshot 0\n"), 1 },
		{ SPAN_LITERAL("08048000-0804c000 r-xp 00000000 03:01 12345 /sbin/init\n"), 1 },
		{ SPAN_LITERAL("vmatlas-snapshot 1\n"), 0 },
		{ SPAN_LITERAL(HEAD "page_size 4096\n"), 0 },
		{ SPAN_LITERAL(HEAD "page_size 4096\nframes yes"), 4 },
		{ SPAN_LITERAL(HEAD "page_size 4096\nframes perhaps\n"), 4 },
		{ SPAN_LITERAL(HEAD "page_size 4095\n"), 3 },
		{ SPAN_LITERAL(HEAD "page_size 0\n"), 3 },
		{ SPAN_LITERAL(HEAD "page_size 99999999999999999999\n"), 3 },
		{ SPAN_LITERAL(HEAD "page_size 4096\npage_size 4096\n"), 4 },
		{ SPAN_LITERAL(HEAD "frames_end 10000000000000000\n"), 3 },
		{ SPAN_LITERAL(HEAD "frames_end ffffffffff\n"), 3 },
		{ SPAN_LITERAL(HEAD "kernel 6\0" "1\n"), 3 },
		{ SPAN_LITERAL(HEAD "process 0\n"), 3 },
		{ SPAN_LITERAL(HEAD "process -1\n"), 3 },
		{ SPAN_LITERAL(HEAD "process 2147483648\n"), 3 },
		{ SPAN_LITERAL(HEAD "process 5\nprocess 5\n"), 4 },
		{ SPAN_LITERAL(HEAD "process 5\nprocess 4\n"), 4 },
		{ SPAN_LITERAL(HEAD "process 5 6 7\n"), 3 },
		{ SPAN_LITERAL(HEAD "process ../5\n"), 3 },
		{ SPAN_LITERAL(HEAD "\n"), 3 },
		{ SPAN_LITERAL("vmatlas-snapshot 1\ntime yesterday\n"), 2 },
		{ SPAN_LITERAL("vmatlas-snapshot 1\ntime 2026-13-01T00:00:00Z\n"), 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct source *source = NULL;
		struct error e = ERROR_INIT;

		snapshot_put_bytes("manifest", cases[i].text.ptr, cases[i].text.len);
		CHECK(source_folder(&source, snapshot_folder, &e) == -ERROR_DAMAGED && !source);
		CHECK_STR(e.item, "manifest");
		CHECK_U64(e.line, cases[i].line);
	}
	snapshot_put("manifest", MANIFEST);
}

/* As date -u -d TIME +%s says. */
static void test_times(void)
{
	static const struct {
		const char *time;
		int64_t seconds;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T12:00:00Z", 951825600 },
		{ "2024-12-31T23:59:59Z", 1735689599 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "1969-12-31T23:59:59Z", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(source_freep) struct source *source = NULL;
		struct error e = ERROR_INIT;
		char text[128];

		snprintf(text, sizeof(text), "vmatlas-snapshot 1\ntime %s\npage_size 4096\n"
			 "frames no\n", cases[i].time);
		snapshot_put("manifest", text);
		CHECK(!source_folder(&source, snapshot_folder, &e));
		CHECK(source && source_host(source)->time == cases[i].seconds);
	}
	snapshot_put("manifest", MANIFEST);
}

static void test_bad_missing(void)
{
	static const struct {
		const char *text;
		unsigned long line;
	} cases[] = {
		{ "maps EACCES", 1 }, { "maps\n", 1 }, { " EACCES\n", 1 }, { "maps \n", 1 },
		{ "smaps EACCES\nmaps EACCES\n", 2 }, { "maps EACCES\nmaps EACCES\n", 2 },
	};
	CLEANUP(source_freep) struct source *source = NULL;
	struct source_process *process = NULL;
	struct error e = ERROR_INIT;

	CHECK(!source_folder(&source, snapshot_folder, &e));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snapshot_put("42/missing", cases[i].text);
		CHECK(source_process_open(source, 42, &process, &e) == -ERROR_DAMAGED);
		CHECK_STR(e.item, "42/missing");
		CHECK_U64(e.line, cases[i].line);
	}
}

/* What a folder may hold that nobody recorded. */
static void test_hostile(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct source_process *none = NULL;
	struct source *other = NULL;
	struct error e = ERROR_INIT;

	CHECK(!source_folder(&source, snapshot_folder, &e));
	CHECK(!source_process_open(source, 41, &process, &e));
	snapshot_remove("42");
	CHECK(source_process_open(source, 42, &none, &e) == -ERROR_DAMAGED && !none);
	CHECK(!symlink("41", snapshot_path("42")));
	CHECK(source_process_open(source, 42, &none, &e) == -ERROR_DAMAGED && !none);
	snapshot_remove("host");
	CHECK(!symlink("/proc", snapshot_path("host")));
	CHECK(source_system_text(source, SOURCE_MEMINFO, &text, &e) == -ERROR_DAMAGED);
	snapshot_remove("41/comm");
	CHECK(!mkfifo(snapshot_path("41/comm"), 0600));
	CHECK(source_text(process, 0, SOURCE_COMM, &text, &e) == -ERROR_DAMAGED);
	snapshot_remove("manifest");
	CHECK(!symlink("/etc/passwd", snapshot_path("manifest")));
	CHECK(source_folder(&other, snapshot_folder, &e) == -ERROR_DAMAGED && !other);
}

int main(void)
{
	snapshot_make();
	put_two();
	test_host();
	test_processes();
	test_gaps();
	test_auxv();
	test_bad_manifests();
	test_times();
	test_bad_missing();
	test_hostile();
	snapshot_remove("");
	TEST_END;
}
