// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mapped files in every state of their names, and what an unprivileged reader gets. */
#include "config.h"

#include "../unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmatlas/source/source.h"

#define NOBODY 65534

static char folder[] = "/tmp/vmatlas-files-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[4][256];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

/* A file of one page with `text` in it, mapped; its key is what maps would say. */
struct mapped {
	char *address;
	struct source_file_key key;
	char path[256];
};

static void map_file(struct mapped *m, const char *name, const char *text)
{
	int fd = open(in_folder(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct stat st;

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fstat(fd, &st))
		exit(99);
	m->address = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	snprintf(m->path, sizeof(m->path), "%s", in_folder(name));
	m->key = (struct source_file_key) {
		.start = (uintptr_t)m->address,
		.end = (uintptr_t)m->address + (uint64_t)sysconf(_SC_PAGESIZE),
		.inode = st.st_ino,
		.major = major(st.st_dev),
		.minor = minor(st.st_dev),
		.path = span_of(m->path),
	};
}

static void unmap_file(struct mapped *m)
{
	munmap(m->address, 4096);
}

/* Opens, compares the match and the content, closes. NULL: not opened at all. */
static int opens_as(struct source_process *process, const struct source_file_key *key,
		    enum source_file_match match, const char *text)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct error e = ERROR_INIT;
	char data[64] = "";
	int rc = source_file_open(process, key, &file, &e);

	if (rc < 0)
		return rc;
	CHECK(file->match == match);
	CHECK(source_file_read(file, 0, data, sizeof(data) - 1, &e) == (ssize_t)strlen(text));
	CHECK_STR(data, text);
	CHECK(file->size == strlen(text) && file->mtime > 0);
	CHECK((fcntl(file->fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK(fcntl(file->fd, F_GETFD) & FD_CLOEXEC);
	return 0;
}

/* Without the range no map_files link can be found: only the name is left. */
static struct source_file_key by_name(struct source_file_key key)
{
	key.start = key.end = 0;
	return key;
}

static void test_names(struct source_process *self)
{
	static const char *const names[] = { "plain", "new\nline", "four\\012 signs ",
					     "is not (deleted)" };
	static const char *const shown[] = { "plain", "new\\012line", "four\\012 signs ",
					     "is not (deleted)" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct source_file_key key;
		struct mapped m;

		map_file(&m, names[i], names[i]);
		snprintf(m.path, sizeof(m.path), "%s", in_folder(shown[i]));
		m.key.path = span_of(m.path);
		CHECK(!opens_as(self, &m.key, geteuid() ? FILE_MATCH_SAME : FILE_MATCH_MAPPED,
				names[i]));
		key = by_name(m.key);
		CHECK(!opens_as(self, &key, FILE_MATCH_SAME, names[i]));
		key.minor ^= 1;
		CHECK(!opens_as(self, &key, FILE_MATCH_INODE, names[i]));
		if (span_ends(key.path, " (deleted)")) {
			key.path.len -= strlen(" (deleted)");
			key.deleted = true;
			CHECK(!opens_as(self, &key, FILE_MATCH_INODE, names[i]));
		}
		unmap_file(&m);
		unlink(in_folder(names[i]));
	}
}

/* The name goes, then another file, a FIFO and a folder take it. */
static void test_replaced(struct source_process *self)
{
	bool root = !geteuid();
	struct source_file_key key;
	struct mapped m;

	map_file(&m, "old", "old");
	key = by_name(m.key);
	unlink(m.path);
	m.key.deleted = key.deleted = true;
	CHECK(opens_as(self, &m.key, FILE_MATCH_MAPPED, "old") == (root ? 0 : -ERROR_DENIED));
	CHECK(opens_as(self, &key, FILE_MATCH_MAPPED, "old") == -ERROR_GONE);
	CHECK(!mkfifo(m.path, 0600));
	CHECK(opens_as(self, &m.key, FILE_MATCH_MAPPED, "old") == (root ? 0 : -ERROR_USAGE));
	CHECK(opens_as(self, &key, FILE_MATCH_MAPPED, "old") == -ERROR_USAGE);
	unlink(m.path);
	CHECK(!mkdir(m.path, 0700));
	CHECK(opens_as(self, &key, FILE_MATCH_MAPPED, "old") == -ERROR_USAGE);
	rmdir(m.path);
	CHECK(!symlink("/dev/zero", m.path));
	CHECK(opens_as(self, &key, FILE_MATCH_MAPPED, "old") == -ERROR_USAGE);
	unlink(m.path);
	{
		struct mapped other;

		map_file(&other, "old", "new");
		CHECK(opens_as(self, &m.key, root ? FILE_MATCH_MAPPED : FILE_MATCH_OTHER,
			       root ? "old" : "new") == 0);
		CHECK(opens_as(self, &key, FILE_MATCH_OTHER, "new") == 0);
		unmap_file(&other);
	}
	/* The range maps another file by now. */
	m.key.inode++;
	CHECK(!root || opens_as(self, &m.key, FILE_MATCH_MAPPED, "") == -ERROR_CHANGED);
	unlink(m.path);
	unmap_file(&m);
}

static void test_odd_paths(struct source *source, struct source_process *self)
{
	static const char *const odd[] = { "[heap]", "", "anon_inode:[perf_event]", "socket:[7]" };
	struct source_file_key key = { .inode = 1 };
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		key.path = span_of(odd[i]);
		CHECK(source_file_open(self, &key, &file, &e) == -ERROR_USAGE);
	}
	key.path = SPAN_LITERAL("/etc/pass\0wd");
	CHECK(source_file_open(self, &key, &file, &e) == -ERROR_USAGE);
	CHECK(source_path_open(source, NULL, "/dev/zero", &file, &e) == -ERROR_USAGE);
	CHECK(source_path_open(source, NULL, "/tmp", &file, &e) == -ERROR_USAGE);
	CHECK(source_path_open(source, self, "/nowhere/at/all", &file, &e) == -ERROR_NOT_FOUND);
	CHECK(source_path_open(source, NULL, "/etc/passwd/x", &file, &e) == -ERROR_NOT_FOUND);
	CHECK(!file);
	CHECK(!source_path_open(source, self, "/etc/passwd", &file, &e) && file->size > 0);
}

/* In the chroot, another file under the name that `inside` has for us. */
static void decoy(bool make)
{
	char path[3][256];
	int fd;

	snprintf(path[0], sizeof(path[0]), "%s/tmp", folder);
	snprintf(path[1], sizeof(path[1]), "%s%s", folder, folder);
	snprintf(path[2], sizeof(path[2]), "%s%s/inside", folder, folder);
	if (make) {
		CHECK(!mkdir(path[0], 0700) && !mkdir(path[1], 0700));
		fd = open(path[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		CHECK(fd >= 0);
		close(fd);
	} else {
		CHECK(!unlink(path[2]) && !rmdir(path[1]) && !rmdir(path[0]));
	}
}

/* An absolute link of another root leads inside that root, not into ours. */
static void test_foreign_root(struct source *source)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct error e = ERROR_INIT;
	char data[8] = "";
	int up[2], down[2], fd;
	pid_t pid;

	CHECK(!pipe(up) && !pipe(down));
	fd = open(in_folder("inside"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, "inside", 6) == 6);
	close(fd);
	decoy(true);
	CHECK(!symlink("/inside", in_folder("link")) && !symlink("/etc/passwd", in_folder("trap")));
	pid = fork();
	if (!pid) {
		close(down[1]);
		if (chroot(folder) || chdir("/") || write(up[1], "r", 1) != 1)
			_exit(99);
		_exit(read(down[0], data, 1) > 0);
	}
	close(down[0]);
	CHECK(read(up[0], data, 1) == 1 && !source_process_open(source, pid, &process, &e));
	CHECK(!source_path_open(source, process, "/link", &file, &e));
	CHECK(source_file_read(file, 0, data, 7, &e) == 6 && !strncmp(data, "inside", 6));
	/* maps shows the name as we see it. */
	CHECK(!opens_as(process, &(struct source_file_key) {
		.inode = file->inode, .major = file->major, .minor = file->minor,
		.path = span_of(in_folder("inside")) }, FILE_MATCH_SAME, "inside"));
	CHECK(source_path_open(source, process, "/trap", &file, &e) == -ERROR_NOT_FOUND);
	CHECK(source_path_open(source, process, "/../../../etc/passwd", &file, &e) ==
	      -ERROR_NOT_FOUND);
	close(down[1]);
	close(up[0]);
	close(up[1]);
	waitpid(pid, NULL, 0);
	decoy(false);
	unlink(in_folder("inside"));
	unlink(in_folder("link"));
	unlink(in_folder("trap"));
}

static void test_refusals(struct source *source, pid_t parent)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error e = ERROR_INIT;
	uint64_t word;
	size_t got;

	CHECK(!source_host(source)->frames_visible);
	CHECK(!source_process_open(source, parent, &process, &e));
	CHECK(!source_text(process, 0, SOURCE_STATUS, &text, &e) && text.len);
	buf_clear(&text);
	CHECK(source_text(process, 0, SOURCE_MAPS, &text, &e) == -ERROR_DENIED && !text.len);
	CHECK(strstr(e.text, "maps") && strstr(e.text, "root") && e.errnum == EACCES);
	CHECK(source_text(process, 0, SOURCE_SMAPS_ROLLUP, &text, &e) == -ERROR_DENIED);
	CHECK(source_pagemap(process, 0, &word, 1, &got, &e) == -ERROR_DENIED);
	CHECK(source_mem(process, (uintptr_t)&word, &word, 8, &got, &e) == -ERROR_DENIED);
	CHECK(source_exe(process, &text, &e) == -ERROR_DENIED && !text.len);
	CHECK(source_frames(source, SOURCE_KPAGECOUNT, 0, &word, 1, &got, &e) == -ERROR_DENIED);
	CHECK(source_frames_end(source) == 0);
	CHECK(source_access(process, ACCESS_STATUS) == GAP_NONE);
	CHECK(source_access(process, ACCESS_MAPS) == GAP_NEEDS_PRIVILEGE);
	CHECK(source_access(process, ACCESS_SMAPS) == GAP_NOT_READ);
	CHECK(source_access(process, ACCESS_PAGEMAP) == GAP_NEEDS_PRIVILEGE);
	CHECK(source_access(process, ACCESS_MEM) == GAP_NEEDS_PRIVILEGE);
	CHECK(source_access(process, ACCESS_KPAGECOUNT) == GAP_NEEDS_PRIVILEGE);
	CHECK(source_access(process, ACCESS_KPAGECGROUP) == GAP_NOT_READ);
	CHECK(!source_process_check(process, &e));
}

static void test_all(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	struct error e = ERROR_INIT;

	if (source_live(&source, &e) < 0 ||
	    source_process_open(source, getpid(), &self, &e) < 0) {
		printf("%s\n", e.text);
		exit(1);
	}
	test_names(self);
	test_replaced(self);
	test_odd_paths(source, self);
	CHECK(source_access(self, ACCESS_MAP_FILES) ==
	      (geteuid() ? GAP_NEEDS_PRIVILEGE : GAP_NONE));
	if (!geteuid())
		test_foreign_root(source);
	else if (getppid() > 1)
		test_refusals(source, getppid());
}

/* The same once more as somebody else, in a child; a changed uid hides our own /proc files from
 * us until the process is made dumpable again. */
static int test_as_nobody(void)
{
	int status = 1;
	pid_t pid = fork();

	if (!pid) {
		test_failures = 0;
		if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ||
		    prctl(PR_SET_DUMPABLE, 1))
			_exit(99);
		test_all();
		fflush(stdout);
		_exit(test_failures ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

int main(void)
{
	int free_fd = next_descriptor();

	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	chmod(folder, 0777);
	test_all();
	fflush(stdout);
	CHECK(geteuid() || !test_as_nobody());
	CHECK(next_descriptor() == free_fd);
	rmdir(folder);
	TEST_END;
}
