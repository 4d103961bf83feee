// SPDX-License-Identifier: LGPL-2.1-or-later
/* Processes that are odd as a whole: zombies, a leader that is gone, one address space for two. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memstate.h"

enum { TRIES = 500 };

/* State letter of /proc/PID/stat, "4242 (memstate) Z 4241 ..."; our own names hold no ')' */
static char process_letter(pid_t pid)
{
	char path[64], letter = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%*d (%*[^)]) %c", &letter) != 1)
		die(path);
	fclose(file);
	return letter;
}

static void wait_for_zombie(pid_t pid)
{
	for (int i = 0; i < TRIES; i++) {
		if (process_letter(pid) == 'Z')
			return;
		usleep(10000);
	}
	errno = ETIMEDOUT;
	die("the process does not end");
}

static void child_ends(void *arg)
{
	(void)arg;
	child_ready();
	_exit(0);
}

static void make_zombie(void)
{
	pid_t pid = child_start(child_ends, NULL);

	wait_for_zombie(pid);
	expect_line(NULL, 0, "process", "%d zombie", pid);
}

static void *thread_pauses(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Ends the main thread alone; the other one keeps the process. */
static void child_leader_ends(void *arg)
{
	pthread_t id;

	(void)arg;
	if (pthread_create(&id, NULL, thread_pauses, NULL))
		_exit(EXIT_FRAMEWORK);
	child_ready();
	syscall(SYS_exit, 0);
}

static void make_leader_gone(void)
{
	pid_t pid = child_start(child_leader_ends, NULL);

	wait_for_zombie(pid);
	expect_line(NULL, 0, "process", "%d leader-gone", pid);
}

static int clone_run(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

/* As after vfork: two processes, one address space, so nothing is mapped twice. */
static void make_same_space(void)
{
	char *p = map_anon(4), *stack = map_anon(16);
	pid_t pid;

	touch_write(p, 4);
	pid = clone(clone_run, stack + 16 * PAGE, CLONE_VM | SIGCHLD, NULL);
	if (pid < 0)
		die("clone");
	child_adopt(pid);
	expect(p, 4, "anon", ATTR_OWN);
	expect_in(pid, p, 4, "anon", ATTR_OWN);
	expect_line(NULL, 0, "process", "%d same-space", pid);
}

static void child_forks(void *arg)
{
	pid_t *grandchild = arg;

	*grandchild = child_start(NULL, NULL);
}

static void make_grandchild(void)
{
	static const char attrs[] =
		"leaf=4K mappings=3 exclusive=false next_read=none next_write=copy";
	pid_t *grandchild = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);
	char *p = map_anon(4);
	pid_t child;

	if (grandchild == MAP_FAILED)
		die("mmap");
	touch_write(p, 4);
	child = child_start(child_forks, grandchild);
	expect(p, 4, "anon-shared", attrs);
	expect_in(child, p, 4, "anon-shared", attrs);
	expect_in(*grandchild, p, 4, "anon-shared", attrs);
}

const struct state process_states[] = {
	{"zombie", "a child that has ended and is not waited for", "", make_zombie},
	{"leader-gone", "a child whose main thread has ended and another one lives", "",
	 make_leader_gone},
	{"same-space", "two processes with one address space", "", make_same_space},
	{"grandchild", "written memory, a child and its child", "", make_grandchild},
	{0},
};
