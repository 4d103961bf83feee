// SPDX-License-Identifier: LGPL-2.1-or-later
/* Ways to end, children that die with us, and our own maps. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memstate.h"

enum { CHILDREN_MAX = 8 };

static pid_t children[CHILDREN_MAX];
static size_t nchildren;
static int ready_fd; /* of a child: where it says that it is ready */

static void finish(int code)
{
	children_end();
	guardian_end();
	fflush(stdout);
	_exit(code);
}

void die(const char *what)
{
	fprintf(stderr, "memstate: %s: %s\n", what, strerror(errno));
	finish(EXIT_FRAMEWORK);
	__builtin_unreachable();
}

/*
 * A page that was written lately is referenced by the LRU batch of the CPU that
 * wrote it. Only the own batch is drained before the kernel decides whether the
 * last user of a page may keep it (wp_can_reuse_anon_folio, 6.18).
 */
void cpu_keep(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0)
		CPU_SET(cpu, &set);
	if (cpu < 0 || sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

void skip(const char *format, ...)
{
	va_list ap;

	fputs("skip ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	finish(EXIT_SKIP);
	__builtin_unreachable();
}

void child_ready(void)
{
	if (write(ready_fd, "", 1) != 1)
		_exit(EXIT_FRAMEWORK);
}

static void child_run(int ready, pid_t parent, void (*fn)(void *), void *arg)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FRAMEWORK);
	ready_fd = ready;
	nchildren = 0;
	if (fn)
		fn(arg);
	child_ready();
	for (;;)
		pause();
}

void child_adopt(pid_t pid)
{
	children[nchildren++] = pid;
}

pid_t child_start(void (*fn)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid;
	int fds[2];
	char byte;

	if (nchildren == CHILDREN_MAX || pipe(fds))
		die("child");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		child_run(fds[1], parent, fn, arg);
	child_adopt(pid);
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		die("child did not get ready");
	close(fds[0]);
	return pid;
}

void child_end(pid_t pid)
{
	for (size_t i = 0; i < nchildren; i++) {
		if (children[i] != pid)
			continue;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		children[i] = children[--nchildren];
		return;
	}
}

void children_end(void)
{
	while (nchildren)
		child_end(children[0]);
}

/* "559a...000-559a...000 r-xp 00000000 fe:00 1234   /usr/bin/cat" */
static bool vma_parse(const char *line, struct vma_line *out)
{
	int name = 0;

	memset(out, 0, sizeof(*out));
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", &out->start, &out->end,
		   out->perms, &name) < 3)
		return false;
	snprintf(out->name, sizeof(out->name), "%s", line + name);
	out->name[strcspn(out->name, "\n")] = '\0';
	return true;
}

static bool vma_search(uint64_t addr, const char *name, struct vma_line *out)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[512];
	struct vma_line vma;

	if (!maps)
		die("/proc/self/maps");
	while (!found && fgets(line, sizeof(line), maps)) {
		if (!vma_parse(line, &vma))
			continue;
		found = name ? !strcmp(vma.name, name) : addr >= vma.start && addr < vma.end;
	}
	fclose(maps);
	if (found)
		*out = vma;
	return found;
}

bool vma_at(uint64_t addr, struct vma_line *out)
{
	return vma_search(addr, NULL, out);
}

bool vma_named(const char *name, struct vma_line *out)
{
	return vma_search(0, name, out);
}
