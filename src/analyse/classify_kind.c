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

static bool name_matches(struct span text, bool deleted, const struct kind_name *name)
{
	if (name->deleted && !deleted)
		return false;
	return name->exact ? span_is(text, name->prefix) : span_starts(text, name->prefix);
}

/*
 * Device numbers of file systems that are memory, from mountinfo:
 * 31 24 0:26 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw
 */
struct kind_mount {
	uint32_t major;
	uint32_t minor;
	bool tmpfs;
	bool hugetlbfs;
};

void kind_mounts_done(struct kind_mounts *mounts)
{
	free(mounts->items);
}

static bool mount_parse(struct span line, struct kind_mount *mount)
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
	*mount = (struct kind_mount) { (uint32_t)major, (uint32_t)minor,
				  span_is(word, "tmpfs") || span_is(word, "ramfs"),
				  span_is(word, "hugetlbfs") };
	return mount->tmpfs || mount->hugetlbfs;
}

void kind_mounts_read(struct source *source, struct kind_mounts *mounts)
{
	struct buf CLEANUP(buf_done) text = BUF_INIT;
	struct span rest;

	*mounts = (struct kind_mounts) { NULL, 0, 0 };
	if (source_system_text(source, SOURCE_MOUNTS, &text, NULL) < 0)
		return;
	rest = buf_span(&text);
	while (rest.len) {
		struct span line = span_take_until(&rest, '\n');
		struct kind_mount mount;

		span_take_char(&rest, '\n');
		if (!mount_parse(line, &mount))
			continue;
		if (array_grow((void **)&mounts->items, &mounts->cap, mounts->count,
			       sizeof(mount)) < 0)
			return;
		mounts->items[mounts->count++] = mount;
	}
}

static enum object_kind file_kind(const struct kind_mounts *mounts, uint32_t major,
				  uint32_t minor)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct kind_mount *mount = &mounts->items[i];

		if (mount->major == major && mount->minor == minor)
			return mount->hugetlbfs ? KIND_HUGETLB_FILE : KIND_TMPFS_FILE;
	}
	return KIND_FILE;
}

enum object_kind kind_of(const struct kind_mounts *mounts, const struct maps_line *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (name_matches(line->name, line->deleted, &kind_names[i]))
			return kind_names[i].kind;
	return file_kind(mounts, line->major, line->minor);
}

int kinds_find(struct classify *c)
{
	struct kind_mounts CLEANUP(kind_mounts_done) mounts;

	kind_mounts_read(source_process_source(c->process->source), &mounts);
	for (size_t i = 0; i < c->process->object_count; i++) {
		const struct object *object = &c->process->objects[i];

		c->kinds[i] = kind_of(&mounts, &(struct maps_line) {
			.major = object->major, .minor = object->minor,
			.deleted = object->deleted,
			.name = object_name(object),
		});
	}
	return 0;
}
