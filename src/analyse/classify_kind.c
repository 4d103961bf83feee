// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "classify.h"

/* Objects by the names the kernel gives them, and by the file system they lie on. */
struct kind_name {
	const char *prefix;
	uint8_t kind;
	bool exact;
	bool deleted;		/* only with the kernel's " (deleted)" */
};

static const struct kind_name kind_names[] = {
	{ "[", KIND_NAME, false, false },
	{ "/memfd:", KIND_MEMFD, false, true },
	{ "/SYSV", KIND_SYSV, false, true },
	{ "/dev/zero", KIND_SHARED_ANON, true, true },
	{ "/dev/zero", KIND_DEV_ZERO, true, false },
	{ "/anon_hugepage", KIND_ANON_HUGETLB, true, true },
	{ "/secretmem", KIND_SECRETMEM, true, true },
	{ "/[aio]", KIND_RING, true, false },
	{ "anon_inode:[perf_event]", KIND_RING, true, false },
	{ "anon_inode:[io_uring]", KIND_RING, true, false },
	{ "anon_inode:bpf-map", KIND_RING, true, false },
	{ "anon_inode:", KIND_ANON_INODE, false, false },
	{ "socket:[", KIND_RING, false, false },
	{ "/dev/shm/", KIND_POSIX_SHM, false, false },
	{ "/dev/ashmem/", KIND_POSIX_SHM, false, false },
	{ "/dev/hugepages/", KIND_HUGETLB_FILE, false, false },
	{ "/dmabuf:", KIND_DEVICE, false, false },
	{ "/drm mm object", KIND_DEVICE, true, true },
	{ "/i915", KIND_DEVICE, true, true },
	{ "/dev/", KIND_DEVICE, false, false },
};

static bool name_matches(const struct object *object, const struct kind_name *name)
{
	struct span text = { object->name, object->name_len };

	if (name->deleted && !object->deleted)
		return false;
	return name->exact ? span_is(text, name->prefix) : span_starts(text, name->prefix);
}

/*
 * Device numbers of file systems that are memory, from mountinfo:
 * 31 24 0:26 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw
 */
struct mount {
	uint32_t major;
	uint32_t minor;
	bool tmpfs;
	bool hugetlbfs;
};

struct mounts {
	struct mount *items;
	size_t count;
	size_t cap;
};

static void mounts_done(struct mounts *mounts)
{
	free(mounts->items);
}

static bool mount_parse(struct span line, struct mount *mount)
{
	struct span word = { NULL, 0 };
	uint64_t major, minor;

	if (!span_take_word(&line, &word) || !span_take_word(&line, &word) ||
	    !span_take_word(&line, &word) || !span_take_dec(&word, &major) ||
	    !span_take_char(&word, ':') || !span_take_dec(&word, &minor))
		return false;
	while (span_take_word(&line, &word) && !span_is(word, "-"))
		continue;
	if (!span_take_word(&line, &word))
		return false;
	*mount = (struct mount) { (uint32_t)major, (uint32_t)minor,
				  span_is(word, "tmpfs") || span_is(word, "ramfs"),
				  span_is(word, "hugetlbfs") };
	return mount->tmpfs || mount->hugetlbfs;
}

static void mounts_read(struct classify *c, struct mounts *mounts)
{
	struct buf CLEANUP(buf_done) text = BUF_INIT;
	struct span rest;

	if (source_system_text(source_process_source(c->process->source), SOURCE_MOUNTS, &text,
			       NULL) < 0)
		return;
	rest = buf_span(&text);
	while (rest.len) {
		struct span line = span_take_until(&rest, '\n');
		struct mount mount;

		span_take_char(&rest, '\n');
		if (!mount_parse(line, &mount))
			continue;
		if (array_grow((void **)&mounts->items, &mounts->cap, mounts->count,
			       sizeof(mount)) < 0)
			return;
		mounts->items[mounts->count++] = mount;
	}
}

static enum object_kind file_kind(const struct mounts *mounts, const struct object *object)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *mount = &mounts->items[i];

		if (mount->major == object->major && mount->minor == object->minor)
			return mount->hugetlbfs ? KIND_HUGETLB_FILE : KIND_TMPFS_FILE;
	}
	return KIND_FILE;
}

static enum object_kind object_kind(const struct mounts *mounts, const struct object *object)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (name_matches(object, &kind_names[i]))
			return kind_names[i].kind;
	return file_kind(mounts, object);
}

int kinds_find(struct classify *c)
{
	struct mounts CLEANUP(mounts_done) mounts = { 0 };

	mounts_read(c, &mounts);
	for (size_t i = 0; i < c->process->object_count; i++)
		c->kinds[i] = object_kind(&mounts, &c->process->objects[i]);
	return 0;
}
