// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define DELETED " (deleted)"

static int live_file_new(int fd, const struct stat *st, struct source_file **file,
			 struct error *error)
{
	struct source_file *made = malloc(sizeof(*made));

	if (!made)
		return error_nomem(error);
	*made = (struct source_file) {
		.fd = fd,
		.match = FILE_MATCH_SAME,
		.size = (uint64_t)st->st_size,
		.inode = st->st_ino,
		.major = major(st->st_dev),
		.minor = minor(st->st_dev),
		.mtime = st->st_mtime,
		.links = st->st_nlink,
	};
	*file = made;
	return 0;
}

/* From an O_PATH descriptor, which opened nothing yet, to one that can be read. */
static int live_file_reopen(struct source *source, int path_fd, const char *item,
			    struct source_file **file, struct error *error)
{
	CLEANUP_CLOSE int fd = -1;
	char name[32];
	struct stat st;
	int rc = live_refuse_remote_fd(source, path_fd, item, error);

	if (rc < 0)
		return rc;
	if (fstat(path_fd, &st) < 0)
		return error_errno(error, errno, item, "stat");
	if (!S_ISREG(st.st_mode))
		return error_set(error, ERROR_USAGE, item, "not a regular file; not opened");
	snprintf(name, sizeof(name), "self/fd/%d", path_fd);
	fd = source_openat(source, live_of(source)->proc, name, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return error_errno(error, -fd, item, "open");
	/* What is looked at must not pull in its neighbours: they may be what is asked about. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	rc = live_file_new(fd, &st, file, error);
	if (!rc)
		fd = -1;
	return rc;
}

/* Looks a path up as the owner of that root would: symbolic links, also absolute ones, and ".."
 * stay inside. A descriptor (O_PATH) or -errno. */
static int live_path_below(struct source *source, int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	for (int tries = 0; tries < 8; tries++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		source_count(source, 0);
		/* EAGAIN: something was renamed meanwhile. */
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	if (fd >= 0)
		return (int)fd;
	/* ENOSYS before 5.6; seccomp filters that do not know the call answer EPERM. */
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
	while (*path == '/')
		path++;
	return source_openat(source, root, path, O_PATH | O_NOFOLLOW);
}

static enum source_file_match live_file_match(const struct source_file_key *key,
					      const struct stat *st)
{
	if (st->st_ino != key->inode)
		return FILE_MATCH_OTHER;
	return major(st->st_dev) == key->major && minor(st->st_dev) == key->minor ?
		FILE_MATCH_SAME : FILE_MATCH_INODE;
}

/* The mapped file itself (O_PATH), or -errno: EPERM without privilege; ESTALE when the range maps
 * another file by now. Overlayfs before file_user_inode() (6.12) shows an inode of the layer in
 * maps, so there the number need not agree. */
static int live_mapped_fd(struct live_process *p, const struct source_file_key *key)
{
	char name[64];
	struct stat st;
	struct statfs fs;
	int fd;

	if (key->start >= key->end)
		return -ENOENT;
	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, key->start, key->end);
	fd = source_openat(p->base.source, p->dir, name, O_PATH);
	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && st.st_ino == key->inode)
		return fd;
	if (!fstatfs(fd, &fs) && (uint32_t)fs.f_type == OVERLAYFS_SUPER_MAGIC)
		return fd;
	close(fd);
	return -ESTALE;
}

/* The best of several candidates by path; fd -1 when there is none yet. */
struct live_candidate {
	int fd;
	enum source_file_match match;
};

static void live_try(struct source *source, int root, const char *path,
		     const struct source_file_key *key, struct live_candidate *best)
{
	struct stat st;
	int fd;

	if (root < 0 || (best->fd >= 0 && best->match == FILE_MATCH_SAME))
		return;
	fd = live_path_below(source, root, path);
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || (best->fd >= 0 && live_file_match(key, &st) >= best->match)) {
		close(fd);
		return;
	}
	if (best->fd >= 0)
		close(best->fd);
	*best = (struct live_candidate) { fd, live_file_match(key, &st) };
}

/* maps escapes only newlines, as \012, and leaves such four characters of a name as they are
 * (seq_path with "\n"): both spellings may be meant. */
static int live_unescape(const char *path, struct buf *out)
{
	while (*path) {
		bool newline = !strncmp(path, "\\012", 4);

		if (buf_add_char(out, newline ? '\n' : *path) < 0)
			return -ERROR_NOMEM;
		path += newline ? 4 : 1;
	}
	return 0;
}

static int live_try_spellings(struct source *source, int root, const char *path,
			      const struct source_file_key *key, struct live_candidate *best)
{
	CLEANUP(buf_done) struct buf plain = BUF_INIT;

	live_try(source, root, path, key, best);
	if (!strstr(path, "\\012"))
		return 0;
	if (live_unescape(path, &plain) < 0)
		return -ERROR_NOMEM;
	live_try(source, root, buf_str(&plain), key, best);
	return 0;
}

/* maps shows paths from the reader's root, so a chrooted target's name is found from ours; one
 * of another mount namespace from its own (d_path in fs/d_path.c). */
static int live_try_roots(struct live_process *p, const struct source_file_key *key,
			  struct live_candidate *best)
{
	struct source *source = p->base.source;
	CLEANUP_CLOSE int root = source_openat(source, p->dir, "root", O_PATH | O_DIRECTORY);
	CLEANUP_CLOSE int ours = -1;
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int rc = buf_add_span(&path, key->path);

	/* A file may be called "x (deleted)". */
	if (!rc && key->deleted)
		rc = buf_add_str(&path, DELETED);
	if (!rc)
		rc = live_try_spellings(source, root, buf_str(&path), key, best);
	if (!rc && key->deleted) {
		path.data[key->path.len] = '\0';
		path.len = key->path.len;
		rc = live_try_spellings(source, root, buf_str(&path), key, best);
	}
	if (rc < 0 || (best->fd >= 0 && best->match != FILE_MATCH_OTHER))
		return rc;
	ours = source_openat(source, AT_FDCWD, "/", O_PATH | O_DIRECTORY);
	return live_try_spellings(source, ours, buf_str(&path), key, best);
}

static int live_file_by_path(struct live_process *p, const struct source_file_key *key,
			     int map_files_rc, const char *item, struct source_file **file,
			     struct error *error)
{
	struct live_candidate best = { .fd = -1 };
	int rc;

	if (!key->path.len || key->path.ptr[0] != '/' ||
	    memchr(key->path.ptr, '\0', key->path.len))
		return error_set(error, ERROR_USAGE, item, "not a file that has a path");
	if (live_try_roots(p, key, &best) < 0) {
		if (best.fd >= 0)
			close(best.fd);
		return error_nomem(error);
	}
	if (best.fd < 0 && (map_files_rc == -EPERM || map_files_rc == -EACCES))
		return error_set(error, ERROR_DENIED, item,
				 "its name is gone or out of reach%s",
				 geteuid() ? "; run as root to open it" : LIVE_ROOT_REFUSED);
	if (best.fd < 0)
		return error_set(error, ERROR_GONE, item, "the file cannot be found any more");
	rc = live_file_reopen(p->base.source, best.fd, item, file, error);
	close(best.fd);
	if (!rc)
		(*file)->match = best.match;
	return rc;
}

/* The mapped file through its map_files link, or why not; a refusal sends to the name. */
static int live_file_mapped(struct live_process *p, const struct source_file_key *key,
			    const char *item, int fd, struct source_file **file,
			    struct error *error)
{
	struct error local = ERROR_INIT;
	bool worked = p->base.access[ACCESS_MAP_FILES] == GAP_NONE;
	int rc;

	if (fd == -ESTALE || (fd == -ENOENT && worked && key->start < key->end))
		return error_set(error, ERROR_CHANGED, item,
				 "it is not mapped at 0x%" PRIx64 " any more", key->start);
	if (fd < 0) {
		rc = error_errno(&local, -fd, NULL, "open");
		if (key->start < key->end)
			source_note(&p->base, ACCESS_MAP_FILES, rc, &local);
		return live_file_by_path(p, key, fd, item, file, error);
	}
	source_note(&p->base, ACCESS_MAP_FILES, 0, NULL);
	rc = live_file_reopen(p->base.source, fd, item, file, error);
	if (!rc)
		(*file)->match = FILE_MATCH_MAPPED;
	return rc;
}

int live_file_open(struct source_process *process, const struct source_file_key *key,
		   struct source_file **file, struct error *error)
{
	struct live_process *p = live_process_of(process);
	CLEANUP_CLOSE int fd = -1;
	char item[256];
	int rc;

	snprintf(item, sizeof(item), "%.*s", (int)(key->path.len < 256 ? key->path.len : 255),
		 key->path.len ? key->path.ptr : "");
	rc = live_refuse_remote_key(p, key, item, error);
	if (rc < 0)
		return rc;
	fd = live_mapped_fd(p, key);
	return live_file_mapped(p, key, item, fd, file, error);
}

int live_path_open(struct source *source, struct source_process *process, const char *path,
		   struct source_file **file, struct error *error)
{
	CLEANUP_CLOSE int root = -1;
	CLEANUP_CLOSE int fd = -1;

	if (process) {
		struct live_process *p = live_process_of(process);

		root = source_openat(source, p->dir, "root", O_PATH | O_DIRECTORY);
		if (root < 0)
			return live_refusal(p, "root", -root, error);
		fd = live_path_below(source, root, path);
	} else {
		fd = source_openat(source, AT_FDCWD, path, O_PATH);
	}
	if (fd == -ENOENT || fd == -ENOTDIR)
		return error_set(error, ERROR_NOT_FOUND, path, "no such file");
	if (fd < 0)
		return error_errno(error, -fd, path, "open");
	return live_file_reopen(source, fd, path, file, error);
}
