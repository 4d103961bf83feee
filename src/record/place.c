// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vmatlas/source/archive_write.h"

#define TRIES 16
#define DEPTH_MAX 8
#define RENAME_KEEP 1	/* RENAME_NOREPLACE of linux/fs.h, 3.15 */

static const struct place closed = { .parent = -1, .outer = -1, .root = -1 };

int place_folder(int dir, const char *name, struct error *error)
{
	int fd;

	if (mkdirat(dir, name, 0700) < 0)
		return error_errno(error, errno, name, "making the folder");
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_errno(error, errno, name, "opening the folder") : fd;
}

static int remove_contents(int dir, unsigned depth)
{
	DIR *folder = fdopendir(dir);
	struct dirent *entry;

	if (!folder) {
		close(dir);
		return -1;
	}
	while ((entry = readdir(folder))) {
		int inner;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !unlinkat(dirfd(folder), entry->d_name, 0))
			continue;
		inner = depth ? openat(dirfd(folder), entry->d_name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
		if (inner >= 0)
			remove_contents(inner, depth - 1);
		unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	closedir(folder);
	return 0;
}

void place_remove(int dir, const char *name)
{
	int inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (inner >= 0)
		remove_contents(inner, DEPTH_MAX);
	unlinkat(dir, name, AT_REMOVEDIR);
}

void place_done(struct place *place)
{
	if (place->outer >= 0) {
		close(place->root);
		close(place->outer);
		place_remove(place->parent, place->temporary);
	}
	if (place->parent >= 0)
		close(place->parent);
	free(place->target);
	free(place->name);
	free(place->temporary);
	*place = closed;
}

/* "a/b/" is b in a. */
static int place_parse(struct place *place, struct error *error)
{
	CLEANUP_FREE char *path = strdup(place->target);
	size_t len = strlen(place->target);
	char *slash;

	if (!path)
		return error_nomem(error);
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	place->name = strdup(slash ? slash + 1 : path);
	if (!place->name)
		return error_nomem(error);
	if (!place->name[0] || !strcmp(place->name, ".") || !strcmp(place->name, ".."))
		return error_errno(error, EEXIST, place->target, "making the snapshot");
	if (slash)
		slash[slash == path] = '\0';
	place->parent = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->parent < 0)
		return error_errno(error, errno, slash ? path : ".", "opening the folder");
	return 0;
}

static int refuse_existing(const struct place *place, struct error *error)
{
	struct stat st;

	if (fstatat(place->parent, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	error_set(error, ERROR_SYSTEM, place->target,
		  "there is something of this name already; a snapshot replaces nothing");
	if (error)
		error->errnum = EEXIST;
	return -ERROR_SYSTEM;
}

/* A folder of such a name is not what was wanted. */
static int refuse_packing(const struct place *place, struct error *error)
{
	static const char *const packed[] = { ".zip", ".7z", ".gz", ".zst", ".xz", ".bz2", ".txz",
					      ".tbz2" };
	bool refused = strstr(place->name, ".tar.");

	for (size_t i = 0; i < ARRAY_SIZE(packed); i++)
		refused |= span_ends(span_of(place->name), packed[i]);
	if (!refused || archive_named(place->name, NULL))
		return 0;
	return error_set(error, ERROR_USAGE, place->target, "no archive is packed like that; "
			 ".tar, .tar.zst, .tar.gz, .tar.xz and .tar.bz2 are known; "
			 "another name makes a folder");
}

static int make_temporary(struct place *place, struct error *error)
{
	uint32_t number = (uint32_t)getpid();

	for (int i = 0; i < TRIES; i++) {
		/* Any number does; a random one is seldom taken. */
		if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
			number++;
		free(place->temporary);
		if (asprintf(&place->temporary, ".%.200s.%08x", place->name, number) < 0) {
			place->temporary = NULL;
			return error_nomem(error);
		}
		if (!mkdirat(place->parent, place->temporary, 0700))
			return 0;
		if (errno != EEXIST)
			break;
	}
	return error_errno(error, errno, place->target, "making the snapshot");
}

int place_begin(struct place *place, const char *target, struct error *error)
{
	int rc;

	*place = closed;
	place->target = strdup(target);
	if (!place->target)
		return error_nomem(error);
	rc = place_parse(place, error);
	if (rc >= 0)
		rc = refuse_packing(place, error);
	if (rc >= 0)
		rc = refuse_existing(place, error);
	if (rc >= 0)
		rc = make_temporary(place, error);
	if (rc < 0)
		return rc;
	place->outer = openat(place->parent, place->temporary,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place->outer < 0)
		return error_errno(error, errno, place->target, "making the snapshot");
	place->root = rc = place_folder(place->outer, PLACE_SNAPSHOT, error);
	return rc < 0 ? rc : 0;
}

/* File systems that cannot rename so get the check again, right before. */
static int rename_kept(const struct place *place, const char *what, struct error *error)
{
	if (!syscall(SYS_renameat2, place->outer, what, place->parent, place->name, RENAME_KEEP))
		return 0;
	if (errno == EEXIST)
		return refuse_existing(place, error);
	if (errno != EINVAL && errno != ENOSYS)
		return error_errno(error, errno, place->target, "naming the snapshot");
	if (refuse_existing(place, error) < 0)
		return -ERROR_SYSTEM;
	if (renameat(place->outer, what, place->parent, place->name) < 0)
		return error_errno(error, errno, place->target, "naming the snapshot");
	return 0;
}

static int sync_contents(int dir, unsigned depth);

/* A file, or a folder with all that is in it. */
static int sync_entry(int dir, const char *name, unsigned depth)
{
	CLEANUP_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode) && depth && sync_contents(fd, depth - 1) < 0)
		return -1;
	return fsync(fd);
}

static int sync_contents(int dir, unsigned depth)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0), rc = 0;
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!folder) {
		if (copy >= 0)
			close(copy);
		return -1;
	}
	while (rc >= 0 && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			rc = sync_entry(dir, entry->d_name, depth);
	closedir(folder);
	return rc;
}

/* A crash leaves all of it or nothing: contents first, then the name. Never syncfs(): it would
 * clean pages of the recorded processes' files, which are to stay as they are. */
int place_publish(struct place *place, const char *what, struct error *error)
{
	int rc;

	if (sync_entry(place->outer, what, DEPTH_MAX) < 0)
		return error_errno(error, errno, place->target, "writing it to the disk");
	rc = rename_kept(place, what, error);
	if (rc >= 0)
		fsync(place->parent);
	return rc;
}
