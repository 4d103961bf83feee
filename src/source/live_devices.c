// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/vfs.h>

/* f_type of file systems whose answers come from another machine or another process: reading
 * there can block for ever. include/uapi/linux/magic.h and each file system's own source. */
static const uint32_t remote_magics[] = {
	0x65735546,	/* fuse, virtiofs */
	0x00006969,	/* nfs */
	0xff534d42,	/* cifs */
	0xfe534d42,	/* smb2 */
	0x0000517b,	/* smbfs */
	0x01021997,	/* 9p */
	0x00c36400,	/* ceph */
	0x5346414f,	/* afs */
	0x6b414653,	/* afs of older kernels */
	0x73757245,	/* coda */
	0x0000564c,	/* ncpfs */
	0x00000187,	/* autofs: opening mounts something */
	0x0bd00bd0,	/* lustre */
	0x19830326,	/* beegfs */
	0x47504653,	/* gpfs */
	0xaad7aaea,	/* panfs */
	0x20030528,	/* orangefs */
	0x786f4256,	/* vboxsf */
	0xbacbacbc,	/* vmhgfs */
};

/* The same by name, as mountinfo gives it; "fuse.sshfs" counts as "fuse". */
static const char *const remote_names[] = {
	"fuse", "fuseblk", "virtiofs", "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs",
	"coda", "ncpfs", "autofs", "lustre", "beegfs", "gpfs", "panfs", "pvfs2", "vboxsf", "vmhgfs",
};

static bool live_type_remote(struct span type)
{
	struct span family = span_take_until(&type, '.');

	for (size_t i = 0; i < ARRAY_SIZE(remote_names); i++)
		if (span_is(family, remote_names[i]))
			return true;
	return false;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static bool live_mount_parse(struct span line, struct live_device *device)
{
	struct span word;
	uint64_t major, minor;

	if (!span_take_word(&line, &word) || !span_take_word(&line, &word) ||
	    !span_take_word(&line, &word))
		return false;
	if (!span_take_dec(&word, &major) || !span_take_char(&word, ':') ||
	    !span_take_dec(&word, &minor))
		return false;
	do {
		if (!span_take_word(&line, &word))
			return false;
	} while (!span_is(word, "-"));
	if (!span_take_word(&line, &word))
		return false;
	*device = (struct live_device) { (uint32_t)major, (uint32_t)minor, live_type_remote(word) };
	return true;
}

/* A mountinfo text being read. */
struct live_mounts {
	struct source *source;
	int fd;
};

static ssize_t live_mounts_read(void *ctx, void *data, size_t len, struct error *error)
{
	const struct live_mounts *mounts = ctx;
	ssize_t got = source_read(mounts->source, mounts->fd, data, len);

	return got < 0 ? error_errno(error, -(int)got, "mountinfo", "read") : got;
}

/* What cannot be read or parsed leaves devices unknown, and the open file is asked then. */
static void live_devices_load(struct live_devices *devices, struct source *source, int dir,
			      const char *name)
{
	CLEANUP_CLOSE int fd = source_openat(source, dir, name, O_RDONLY);
	struct live_mounts mounts = { source, fd };
	CLEANUP(lines_done) struct lines lines;
	struct live_device device;
	struct span line;

	devices->loaded = true;
	lines_init(&lines, live_mounts_read, &mounts, 16384);
	while (fd >= 0 && lines_next(&lines, &line, NULL) > 0) {
		if (!live_mount_parse(line, &device))
			continue;
		if (array_grow((void **)&devices->list, &devices->cap, devices->count,
			       sizeof(*devices->list)) < 0)
			return;
		devices->list[devices->count++] = device;
	}
}

void live_devices_done(struct live_devices *devices)
{
	free(devices->list);
}

static const struct live_device *live_devices_find(const struct live_devices *devices,
						   const struct source_file_key *key)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->list[i].major == key->major && devices->list[i].minor == key->minor)
			return &devices->list[i];
	return NULL;
}

static int live_remote(const char *item, struct error *error)
{
	return error_set(error, ERROR_DENIED, item,
			 "on a FUSE or network file system, read only with --remote-files");
}

/* Even stat can block on a FUSE file, so its device is looked up before anything touches it:
 * in our mounts, and if it is not among them in those of the process. */
int live_refuse_remote_key(struct live_process *p, const struct source_file_key *key,
			   const char *item, struct error *error)
{
	struct source *source = p->base.source;
	struct live *live = live_of(source);
	const struct live_device *device;
	bool remote;

	if (source->remote_files)
		return 0;
	pthread_mutex_lock(&live->lock);
	if (!live->devices.loaded)
		live_devices_load(&live->devices, source, live->proc, "self/mountinfo");
	device = live_devices_find(&live->devices, key);
	remote = device && device->remote;
	pthread_mutex_unlock(&live->lock);
	if (device)
		return remote ? live_remote(item, error) : 0;
	if (!p->devices.loaded)
		live_devices_load(&p->devices, source, p->dir, "mountinfo");
	device = live_devices_find(&p->devices, key);
	return device && device->remote ? live_remote(item, error) : 0;
}

/* The same for an open file: internal mounts (shmem) and what was found by name only. */
int live_refuse_remote_fd(struct source *source, int fd, const char *item, struct error *error)
{
	struct statfs fs;

	if (source->remote_files)
		return 0;
	if (fstatfs(fd, &fs) < 0)
		return error_errno(error, errno, item, "statfs");
	for (size_t i = 0; i < ARRAY_SIZE(remote_magics); i++)
		if ((uint32_t)fs.f_type == remote_magics[i])
			return live_remote(item, error);
	return 0;
}
