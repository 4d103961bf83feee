// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guardian: this program with --guardian, at the other end of a socket. It changes
 * system settings when told to, remembers what they were, and puts them back
 * when the socket closes, so also after SIGKILL of the process that asked.
 * It locks the setting's folder as long as it lives, shared if the value was
 * right and exclusive if it changes it: two programs never save each other's
 * changes as "the old value", and none loses a setting it relies on.
 *
 * Requests and answers are single messages: "set PATH VALUE", "add PATH N",
 * "remove PATH", "swap PATH"; "ok" or an errno as a number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memstate.h"

enum { UNDO_MAX = 16, MESSAGE_MAX = 4400, LOCK_TRIES = 600, GUARDIAN_FD = 9 };

struct undo {
	void (*run)(const struct undo *undo);
	char path[4096];
	char value[64];
};

struct lock {
	char folder[4096];
	int fd;
	int mode;
};

static struct undo undos[UNDO_MAX];
static size_t nundos;
static struct lock locks[UNDO_MAX];
static size_t nlocks;
static int channel = -1;
extern char **environ;

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = errno;
	close(fd);
	return rc;
}

static void undo_set(const struct undo *undo)
{
	write_text(undo->path, undo->value);
}

static void undo_file(const struct undo *undo)
{
	unlink(undo->path);
}

static void undo_swap(const struct undo *undo)
{
	swapoff(undo->path);
}

static struct undo *undo_push(void (*run)(const struct undo *), const char *path)
{
	struct undo *undo = &undos[nundos];

	if (nundos == UNDO_MAX)
		return NULL;
	nundos++;
	undo->run = run;
	snprintf(undo->path, sizeof(undo->path), "%s", path);
	return undo;
}

static struct lock *lock_of(const char *path)
{
	char copy[4096], *folder;
	struct lock *lock;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	for (size_t i = 0; i < nlocks; i++)
		if (!strcmp(locks[i].folder, folder))
			return &locks[i];
	if (nlocks == UNDO_MAX)
		return NULL;
	lock = &locks[nlocks];
	snprintf(lock->folder, sizeof(lock->folder), "%s", folder);
	lock->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock->fd < 0)
		return NULL;
	nlocks++;
	return lock;
}

/* The descriptors are never closed: the locks end with the guardian. */
static int lock_folder(const char *path, int mode)
{
	struct lock *lock = lock_of(path);

	if (!lock)
		return ENOENT;
	if (lock->mode == LOCK_EX || lock->mode == mode)
		return 0;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(lock->fd, mode | LOCK_NB)) {
			lock->mode = mode;
			return 0;
		}
		usleep(100000);
	}
	return EBUSY;
}

/* "always [madvise] never" is restored as "madvise" */
static int read_setting(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[256] = "", *start, *end;
	ssize_t n;

	if (fd < 0)
		return errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return EIO;
	start = strchr(text, '[');
	start = start ? start + 1 : text;
	end = start + strcspn(start, "]\n");
	*end = '\0';
	snprintf(value, size, "%s", start);
	return 0;
}

static int change(const char *path, const char *value, long more)
{
	static char old[64], text[64];
	struct undo *undo;
	int rc = lock_folder(path, LOCK_SH);

	rc = rc ? rc : read_setting(path, old, sizeof(old));
	if (rc || (value && !strcmp(old, value)))
		return rc;
	rc = lock_folder(path, LOCK_EX);
	rc = rc ? rc : read_setting(path, old, sizeof(old));
	if (rc)
		return rc;
	if (!value) {
		snprintf(text, sizeof(text), "%ld", atol(old) + more);
		value = text;
	}
	undo = undo_push(undo_set, path);
	if (!undo)
		return ENOSPC;
	memcpy(undo->value, old, sizeof(old));
	return write_text(path, value);
}

/* One at a time: the end of a swap area brings the pages of everybody back from it. */
static int add_swap(const char *path)
{
	int rc = lock_folder("/sys/kernel/mm/swap/vma_ra_enabled", LOCK_EX);

	if (rc)
		return rc;
	if (swapon(path, 0))
		return errno;
	return undo_push(undo_swap, path) ? 0 : ENOSPC;
}

static int obey(char *message)
{
	char *verb = strtok(message, " "), *path = strtok(NULL, " "), *value = strtok(NULL, "");

	if (!verb || !path)
		return EINVAL;
	if (!strcmp(verb, "set"))
		return value ? change(path, value, 0) : EINVAL;
	if (!strcmp(verb, "add"))
		return value ? change(path, NULL, atol(value)) : EINVAL;
	if (!strcmp(verb, "remove"))
		return undo_push(undo_file, path) ? 0 : ENOSPC;
	return strcmp(verb, "swap") ? EINVAL : add_swap(path);
}

/* Leave the parent, so that the process with the state has no child it did not fork. */
static void detach(void)
{
	sigset_t set;
	pid_t pid = fork();

	if (pid)
		_exit(pid < 0 ? EXIT_FRAMEWORK : 0);
	setsid();
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int guardian_main(void)
{
	char message[MESSAGE_MAX], answer[16];
	ssize_t n;

	detach();
	while ((n = recv(GUARDIAN_FD, message, sizeof(message) - 1, 0)) > 0) {
		message[n] = '\0';
		n = snprintf(answer, sizeof(answer), "%d", obey(message));
		if (send(GUARDIAN_FD, answer, n, MSG_NOSIGNAL) < 0)
			break;
	}
	while (nundos) {
		nundos--;
		undos[nundos].run(&undos[nundos]);
	}
	return 0;
}

/*
 * Starts us again instead of forking: a fork would leave every page of ours shared.
 * Output goes nowhere: a reader of our output must not wait for the guardian.
 */
static void guardian_start(void)
{
	char name[] = "memstate", option[] = "--guardian", *argv[] = {name, option, NULL};
	posix_spawn_file_actions_t actions;
	int fds[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		die("socketpair");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], GUARDIAN_FD);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ))
		die("start guardian");
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	channel = fds[0];
	if (waitpid(pid, &status, 0) != pid || status)
		die("guardian");
}

static void ask(const char *verb, const char *path, const char *value)
{
	char message[MESSAGE_MAX], answer[16] = "";
	ssize_t n;

	if (channel < 0)
		guardian_start();
	n = snprintf(message, sizeof(message), "%s %s %s", verb, path, value);
	if (send(channel, message, n, MSG_NOSIGNAL) != n ||
	    recv(channel, answer, sizeof(answer) - 1, 0) <= 0)
		die("guardian");
	errno = atoi(answer);
	if (errno)
		skip("cannot %s %s: %s", verb, path, strerror(errno));
}

void guardian_set(const char *path, const char *value)
{
	ask("set", path, value);
}

void guardian_add(const char *path, long more)
{
	char number[32];

	snprintf(number, sizeof(number), "%ld", more);
	ask("add", path, number);
}

void guardian_remove(const char *path)
{
	ask("remove", path, "");
}

void guardian_swap(const char *path)
{
	ask("swap", path, "");
}

/* Waits until everything is undone: the answer is the end of the socket. */
void guardian_end(void)
{
	char byte;

	if (channel < 0)
		return;
	shutdown(channel, SHUT_WR);
	(void)!recv(channel, &byte, 1, 0);
	close(channel);
	channel = -1;
}
