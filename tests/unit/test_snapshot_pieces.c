// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a snapshot holds of files and of memory, well formed and damaged. */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmatlas/source/difference.h"
#include "vmatlas/source/file_about.h"

static char folder[] = "/tmp/vmatlas-pieces-XXXXXX";

static const char *const folders[] = { "files", "files/1", "files/2", "memory" };
static const char *const names[] = {
	"maps", "differences", "malloc", "memory/ranges", "memory/bytes", "files/1/about",
	"files/1/ranges", "files/1/bytes", "files/2/about",
};

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");

	if (!file || fputs(text, file) < 0 || fclose(file)) {
		perror(name);
		exit(1);
	}
}

static void remove_all(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	for (size_t i = sizeof(folders) / sizeof(folders[0]); i--;)
		rmdir(in_folder(folders[i]));
}

#define ABOUT                                                                            \
	"path /lib/libx.so\ndevice 08:01\ninode 77\nmatch mapped\nopened 00:1b 78\nsize 4096\n" \
	"mtime -5\nlinks 0\nmapped_build_id differs\nsum 0badcafe\nlater key\nend\n"

static void put_all(void)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		mkdir(in_folder(folders[i]), 0700);
	put("maps", "7f0000000000-7f0000002000 r-xp 00000000 08:01 77      /lib/libx.so\n");
	put("differences", "7f0000000 8+6/8*4 3f8+8 unbound 18+18 cleared f00+80\n"
			   "7f0000001+2\nend\n");
	put("malloc", "7f3064000000 heap 21000\n7f3069a2f000 block 401000\nend\n");
	put("memory/ranges", "7f0000000000+4\nend\n");
	put("memory/bytes", "MEMO");
	put("files/1/about", ABOUT);
	put("files/1/ranges", "0+4\n10+3\nend\n");
	put("files/1/bytes", "ELF.xyz");
	put("files/2/about", "path /gone (deleted)\\012\\134\ndeleted yes\ndevice 08:01\ninode 9\n"
			     "failed denied its name is gone\nend\n");
}

static struct source_process *open_process(struct source **source, struct error *e)
{
	struct source_process *process = NULL;

	if (source_folder(source, folder, e) == 0)
		source_process_open(*source, 0, &process, e);
	return process;
}

static void check_file(struct source_process *process)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct source_file_key key = { .start = 1, .end = 2, .inode = 77, .major = 8, .minor = 1,
				       .path = SPAN_LITERAL("/lib/libx.so") };
	struct error e = ERROR_INIT;
	char data[8] = "";

	CHECK(!source_file_open(process, &key, &file, &e));
	CHECK(file->fd == -1 && file->match == FILE_MATCH_MAPPED && file->size == 4096);
	CHECK(file->inode == 78 && file->minor == 0x1b && file->mtime == -5 && !file->links);
	CHECK(file->mapped_build_id == BUILD_ID_DIFFERS && file->has_sum &&
	      file->sum == 0x0badcafe && !file->no_elf);
	CHECK(source_access(process, ACCESS_MAP_FILES) == GAP_NONE);
	CHECK(source_file_read(file, 0, data, 8, &e) == 4 && !memcmp(data, "ELF.", 4));
	CHECK(source_file_read(file, 4, data, 8, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_file_read(file, 15, data, 1, &e) == -ERROR_NOT_RECORDED);
	CHECK(source_file_read(file, 17, data, 1, &e) == 1 && data[0] == 'y');
	CHECK(source_file_read(file, 4096, data, 1, &e) == 0);
	key.inode++;
	CHECK(source_file_open(process, &key, &file, &e) == -ERROR_NOT_RECORDED);
}

/* Asked by the name alone it is not known to be what is mapped, only to be the same file. */
static void check_names(struct source_process *process)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL, *again = NULL;
	struct source_file_key key = { .inode = 77, .major = 8, .minor = 1,
				       .path = SPAN_LITERAL("/lib/libx.so") };
	struct error e = ERROR_INIT;

	CHECK(!source_file_open(process, &key, &file, &e) && file->match == FILE_MATCH_SAME);
	CHECK(!source_path_open(source_process_source(process), process, "/lib/libx.so", &again,
				&e));
	key = (struct source_file_key) { .start = 1, .end = 2, .inode = 9, .major = 8, .minor = 1,
					 .path = SPAN_LITERAL("/gone (deleted)\n\\"),
					 .deleted = true };
	CHECK(source_file_open(process, &key, &file, &e) == -ERROR_DENIED);
	CHECK_STR(e.text, "its name is gone");
}

static void check_memory(struct source_process *process)
{
	uint8_t marks[4096];
	struct error e = ERROR_INIT;
	uint64_t size = 0;
	char data[8];
	size_t got = 0;

	CHECK(!source_difference(process, 0x7f0000000, marks, &e));
	CHECK(marks[7] == 0 && marks[8] == PAGE_DIFFERS && marks[0x15] == PAGE_DIFFERS);
	CHECK(marks[0x18] == (PAGE_DIFFERS | PAGE_UNBOUND) && marks[0x2f] == PAGE_UNBOUND);
	CHECK(marks[0xf7f] == PAGE_CLEARED && marks[0xf80] == 0);
	CHECK(!source_difference(process, 0x7f0000002, marks, &e) && !marks[8]);
	CHECK(source_difference(process, 0x7f0000003, marks, &e) == -ERROR_NOT_FOUND);
	CHECK(!source_malloc_size(process, SOURCE_MALLOC_BLOCK, 0x7f3069a2f000, &size, &e) &&
	      size == 0x401000);
	CHECK(source_malloc_size(process, SOURCE_MALLOC_BLOCK, 0x7f3064000000, &size, &e) ==
	      -ERROR_NOT_FOUND);
	CHECK(!source_mem(process, 0x7f0000000001, data, 8, &got, &e) && got == 3 &&
	      !memcmp(data, "EMO", 3));
	CHECK(source_mem(process, 0x7f0000000004, data, 8, &got, &e) == -ERROR_NOT_RECORDED);
}

static void test_whole(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	struct error e = ERROR_INIT;

	process = open_process(&source, &e);
	CHECK(process);
	if (!process)
		return;
	check_file(process);
	check_names(process);
	check_memory(process);
}

/* With that text the snapshot is refused, for a reason that names the file and the line. */
static const struct {
	const char *name;
	const char *text;
	unsigned line;		/* 0: the file as a whole */
} damaged[] = {
	{ "files/1/ranges", "0+4\n3+4\nend\n", 2 },
	{ "files/1/ranges", "0+4\n4+3\nend\n", 2 },
	{ "files/1/ranges", "10+3\n0+4\nend\n", 2 },
	{ "files/1/ranges", "0+4\nff0+11\nend\n", 2 },
	{ "files/1/ranges", "0+4\nfffffffffffffff0+20\nend\n", 2 },
	{ "files/1/ranges", "0+0\nend\n", 1 },
	{ "files/1/ranges", "0+4 \nend\n", 1 },
	{ "files/1/ranges", "0+10000000000000000\nend\n", 1 },
	{ "files/1/ranges", "0+4\n10+3\n", 2 },
	{ "files/1/ranges", "0+4\nend\n10+3\n", 3 },
	{ "files/1/ranges", "", 0 },
	{ "files/1/bytes", "ELF.xy", 0 },
	{ "files/1/bytes", "ELF.xyzz", 0 },
	{ "files/1/about", "", 0 },
	{ "files/1/about", "end\n", 0 },
	{ "files/1/about", "path /a\ndevice 08\nend\n", 2 },
	{ "files/1/about", "path /a\\01\nend\n", 1 },
	{ "files/1/about", "path /a\\000\nend\n", 1 },
	{ "files/1/about", "path /a\nmatch maybe\nend\n", 2 },
	{ "files/1/about", "path /a\nsize -1\nend\n", 2 },
	{ "files/1/about", "path /a\nsum 100000000\nend\n", 2 },
	{ "files/1/about", "path /a\npids\nend\n", 2 },
	{ "files/1/about", "path /a\nbuild_id XX\nend\n", 2 },
	{ "differences", "7f0000000 ff8+9\nend\n", 1 },
	{ "differences", "7f0000000 8+8/8*2\nend\n", 1 },
	{ "differences", "7f0000000 8+1/2*ffffffffffffffff\nend\n", 1 },
	{ "differences", "7f0000000 8+1 8+1\nend\n", 1 },
	{ "differences", "7f0000000 cleared 8+1 unbound 8+1\nend\n", 1 },
	{ "differences", "7f0000000+3\n7f0000002\nend\n", 2 },
	{ "differences", "ffffffffffffffff+2\nend\n", 1 },
	{ "differences", "7f0000000+0\nend\n", 1 },
	{ "differences", "7f0000000", 1 },
	{ "malloc", "7f3064000000 heap\nend\n", 1 },
	{ "malloc", "2000 block 1000\n1000 block 1000\nend\n", 2 },
	{ "memory/ranges", "7f0000000000+5\nend\n", 0 },
};

static void test_damaged(void)
{
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		CLEANUP(source_freep) struct source *source = NULL;
		CLEANUP(source_process_freep) struct source_process *process = NULL;
		struct error e = ERROR_INIT;

		put_all();
		put(damaged[i].name, damaged[i].text);
		process = open_process(&source, &e);
		CHECK(!process && e.code == ERROR_DAMAGED);
		if (damaged[i].line && e.line != damaged[i].line) {
			printf("%s, case %zu: line %lu, not %u: %s\n", e.item, i, e.line,
			       damaged[i].line, e.text);
			test_failures++;
		}
		if (strncmp(e.item, damaged[i].name, 6)) {
			printf("case %zu names %s, not %s\n", i, e.item, damaged[i].name);
			test_failures++;
		}
	}
	put_all();
}

/* Neither links out of the folder nor what is no file. */
static void test_hostile(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	struct error e = ERROR_INIT;

	unlink(in_folder("files/1/bytes"));
	CHECK(!symlink("/etc/passwd", in_folder("files/1/bytes")));
	CHECK(source_folder(&source, folder, &e) == -ERROR_DAMAGED);
	unlink(in_folder("files/1/bytes"));
	CHECK(!mkfifo(in_folder("files/1/bytes"), 0600));
	CHECK(source_folder(&source, folder, &e) == -ERROR_DAMAGED);
	unlink(in_folder("files/1/bytes"));
}

static void check_written(const char *text)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	uint8_t marks[4096];

	CHECK(difference_parse(span_of(text), sizeof(marks), marks));
	CHECK(!difference_write(marks, sizeof(marks), &out));
	CHECK_STR(buf_str(&out), text);
}

static void test_written(void)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	uint8_t marks[64] = { 0 };

	check_written("");
	check_written(" 0+1000");
	check_written(" 8+6/8*4 3f8+8 unbound 18+18 cleared f00+80");
	check_written(" 0+1/2*800");
	check_written(" cleared fff+1");
	check_written(" 0+1 8+1 20+1/8*3 unbound 0+8");
	/* Two alike are written one by one. */
	CHECK(difference_parse(span_of(" 8+4/10*2"), sizeof(marks), marks));
	CHECK(!difference_write(marks, sizeof(marks), &out));
	CHECK_STR(buf_str(&out), " 8+4 18+4");
}

static void test_about(void)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct file_about about;

	file_about_init(&about);
	CHECK(!file_about_take(&about, span_of("path /a\\134b\\012c")));
	CHECK(!file_about_take(&about, span_of("device fd:100")));
	CHECK(!file_about_take(&about, span_of("inode 18446744073709551615")));
	CHECK(!file_about_take(&about, span_of("pids 7 12")));
	CHECK(!file_about_take(&about, span_of("match inode")));
	CHECK(!file_about_write(&about, &out));
	CHECK_STR(buf_str(&out), "path /a\\134b\\012c\ndevice fd:100\ninode 18446744073709551615\n"
		  "pids 7 12\nmatch inode\nopened 00:00 0\nsize 0\nmtime 0\nlinks 0\nend\n");
	file_about_done(&about);
}

int main(void)
{
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	put_all();
	test_whole();
	test_damaged();
	test_hostile();
	test_written();
	test_about();
	remove_all();
	rmdir(folder);
	TEST_END;
}
