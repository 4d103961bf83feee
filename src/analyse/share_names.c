// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"
#include "vmatlas/model/file_name.h"

/*
 * Names of objects as they are, and whether what maps calls deleted has one: it may be called so,
 * or have another link. Few objects need that look.
 */
static bool may_have_name(const struct share_object *object)
{
	switch ((enum object_kind)object->object_kind) {
	case KIND_FILE:
	case KIND_TMPFS_FILE:
	case KIND_POSIX_SHM:
	case KIND_HUGETLB_FILE:
		return true;
	default:
		return false;
	}
}

static struct source_file_key key_of(const struct share_object *object)
{
	return (struct source_file_key) {
		.start = object->start, .end = object->end, .inode = object->inode,
		.major = object->major, .minor = object->minor,
		.path = buf_span(&object->name), .deleted = object->deleted,
	};
}

static bool has_link(struct source_process *process, const struct source_file_key *key)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;

	return source_file_open(process, key, &file, NULL) == 0 &&
	       file->match == FILE_MATCH_MAPPED && file->links;
}

static int settle(struct source_process *process, struct share_object *object)
{
	struct source_file_key key = key_of(object);
	int rc = object->newline_escape ? file_name_newline(process, &key, &object->name) : 0;

	if (rc < 0 || !object->deleted)
		return rc;
	key = key_of(object);
	rc = file_name_deleted(process, &key, &object->name);
	object->deleted = !rc && !has_link(process, &key);
	return rc;
}

int share_names_settle(struct source *source, struct share *share, struct error *error)
{
	size_t count;
	const struct tally_process *list = tally_processes(share->tally, &count);

	for (size_t i = 0; i < share->object_count; i++) {
		CLEANUP(source_process_freep) struct source_process *process = NULL;
		struct share_object *object = &share->objects[i];

		if (!may_have_name(object) || !(object->deleted || object->newline_escape) ||
		    source_process_open(source, list[object->process].pid, &process, NULL) < 0)
			continue;
		if (settle(process, object) < 0)
			return error_nomem(error);
	}
	return 0;
}
