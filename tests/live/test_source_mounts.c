// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mounts that matter: FUSE that never answers, overlayfs, /proc that hides processes. Each in a
 * mount namespace of a child. */
#include "config.h"

#include "../unit/test.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmatlas/source/source.h"

static char folder[] = "/tmp/vmatlas-mounts-XXXXXX";

/* Runs in a child with its own mounts; what cannot be mounted here is not tested. */
static void in_namespace(void (*run)(void))
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		test_failures = 0;
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			_exit(77);
		run();
		fflush(stdout);
		_exit(test_failures ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		printf("no mount namespaces here\n");
	else
		CHECK_U64((uint64_t)status, 0);
}

static struct source_process *open_self(struct source **source)
{
	struct source_process *process = NULL;
	struct error e = ERROR_INIT;

	CHECK(!source_live(source, &e) &&
	      !source_process_open(*source, getpid(), &process, &e));
	if (!process) {
		printf("%s\n", e.text);
		exit(1);
	}
	return process;
}

/* A FUSE mount that nobody serves: whatever touches it sleeps until the descriptor is closed. */
static int mount_mute(const char *where)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[96];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (fd < 0 || mount("mute", where, "fuse.mute", 0, options)) {
		printf("no FUSE here\n");
		return -1;
	}
	return fd;
}

static bool mount_device(const char *mountinfo, const char *type, struct source_file_key *key)
{
	FILE *file = fopen(mountinfo, "r");
	char line[4096];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, type) &&
			sscanf(line, "%*d %*d %u:%u", &key->major, &key->minor) == 2;
	if (file)
		fclose(file);
	return found;
}

static void check_mute(struct source_process *process, const struct source_file_key *key)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct error e = ERROR_INIT;

	CHECK(source_file_open(process, key, &file, &e) == -ERROR_DENIED);
	CHECK(strstr(e.text, "FUSE") && !file);
	CHECK_STR(e.item, key->path.ptr);
}

static void run_mute(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	struct source_file_key key = { .inode = 2 };
	char path[128];
	int fuse = mount_mute(folder);

	if (fuse < 0)
		return;
	snprintf(path, sizeof(path), "%s/file", folder);
	key.path = span_of(path);
	CHECK(mount_device("/proc/self/mountinfo", " - fuse.mute ", &key));
	self = open_self(&source);
	check_mute(self, &key);
	close(fuse);
}

/* The mount is known only in the namespace of the target. */
static void test_foreign_mute(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	struct source_file_key key = { .inode = 2, .path = SPAN_LITERAL("/mute") };
	struct error e = ERROR_INIT;
	char path[64], byte = 0;
	int up[2];
	pid_t pid;

	CHECK(!pipe(up));
	pid = fork();
	if (!pid) {
		if (!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			byte = mount_mute(folder) >= 0;
		if (write(up[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	CHECK(read(up[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	if (byte) {
		CHECK(mount_device(path, " - fuse.mute ", &key));
		CHECK(!source_live(&source, &e) &&
		      !source_process_open(source, pid, &process, &e));
		check_mute(process, &key);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(up[0]);
	close(up[1]);
}

/* What maps says of the VMA at an address. */
static void key_of(const void *address, struct source_file_key *key, char path[256])
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%lx-%lx %*s %*s %x:%x %lu %255s", &key->start, &key->end,
			   &key->major, &key->minor, &key->inode, path) == 6 &&
		    key->start == (uintptr_t)address)
			break;
	if (file)
		fclose(file);
	key->path = span_of(path);
}

static void run_overlay(void)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	struct source_file_key key = { .start = 0 };
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct error e = ERROR_INIT;
	char path[256] = "";
	void *address;
	int fd;

	if (mount("none", folder, "overlay", 0, "lowerdir=/usr/bin:/etc")) {
		printf("no overlayfs here\n");
		return;
	}
	snprintf(path, sizeof(path), "%s/passwd", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	address = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(fd >= 0 && address != MAP_FAILED);
	close(fd);
	key_of(address, &key, path);
	self = open_self(&source);
	CHECK(!source_file_open(self, &key, &file, &e) && file->match == FILE_MATCH_MAPPED);
	source_file_free(file);
	file = NULL;
	key.start = key.end = 0;
	CHECK(!source_file_open(self, &key, &file, &e) &&
	      (file->match == FILE_MATCH_SAME || file->match == FILE_MATCH_INODE));
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(65534) || setuid(65534) || prctl(PR_SET_DUMPABLE, 1))
		exit(99);
}

/* hidepid=1 lists other users' processes but refuses to enter; 2 hides them. */
static void run_hidepid(const char *options, int want, const char *word)
{
	CLEANUP(source_freep) struct source *source = NULL;
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	struct error e = ERROR_INIT;
	pid_t parent = getppid();

	if (mount("proc", "/proc", "proc", 0, options)) {
		printf("no %s here\n", options);
		return;
	}
	become_nobody();
	CHECK(!source_live(&source, &e));
	if (!source)
		return;
	CHECK(source_process_open(source, parent, &process, &e) == want && !process);
	CHECK(strstr(e.text, word));
	CHECK(!source_process_open(source, getpid(), &process, &e));
}

static void run_hidepid_1(void)
{
	run_hidepid("hidepid=1", -ERROR_DENIED, "root");
}

static void run_hidepid_2(void)
{
	run_hidepid("hidepid=2", -ERROR_NOT_FOUND, "hidepid");
}

static void run_no_proc(void)
{
	struct source *source = NULL;
	struct error e = ERROR_INIT;

	CHECK(!mount("none", "/proc", "tmpfs", 0, NULL));
	CHECK(source_live(&source, &e) == -ERROR_NOT_FOUND && !source);
}

int main(void)
{
	if (geteuid())
		TEST_SKIP("mounting needs root");
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	/* A read of the mute file system would never end. */
	alarm(60);
	in_namespace(run_mute);
	test_foreign_mute();
	in_namespace(run_overlay);
	in_namespace(run_hidepid_1);
	in_namespace(run_hidepid_2);
	in_namespace(run_no_proc);
	rmdir(folder);
	TEST_END;
}
