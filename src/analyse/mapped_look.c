// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/analyse/mapped.h"

#include <errno.h>

#include "vmatlas/model/file_name.h"

const struct name mapped_state_names[] = {
	{ MAPPED_UNKNOWN, "unknown", "nobody can say" },
	{ MAPPED_NAMED, "named", "its name leads to it" },
	{ MAPPED_DELETED, "deleted", "its name is gone" },
	{ MAPPED_REPLACED, "replaced", "another file has its name" },
	{ 0, NULL, NULL }
};

static struct mapped_number missing(const struct error *error)
{
	/* Devices and rings are no regular files: they have no size. hugetlbfs has no page cache
	 * that could be asked. */
	bool none = error->code == ERROR_USAGE || error->errnum == EOPNOTSUPP;

	return (struct mapped_number) { 0, none ? GAP_NOT_APPLICABLE : gap_from_error(error) };
}

static void look_inside(struct source *source, struct source_process *process,
			const struct source_file_key *key, struct mapped_object *object)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct error error = ERROR_INIT;
	struct source_cached cached;
	uint64_t page = source_host(source)->page_size;
	int rc = source_file_open(process, key, &file, &error);

	if (rc >= 0 && file->match == FILE_MATCH_OTHER)
		rc = error_set(&error, ERROR_GONE, NULL, "another file has its name");
	object->size = object->cached = object->evicted = missing(&error);
	if (rc < 0)
		return;
	object->size = (struct mapped_number) { file->size, GAP_NONE };
	if (source_file_cached(source, file, 0, 0, &cached, &error) < 0) {
		object->cached = object->evicted = missing(&error);
		return;
	}
	object->cached = (struct mapped_number) { cached.pages * page, GAP_NONE };
	object->evicted = (struct mapped_number) { cached.evicted * page, GAP_NONE };
}

/* Who has the name that it had? */
static void look_at_name(struct source_process *process, struct source_file_key key,
			 struct mapped_object *object)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	struct error error = ERROR_INIT;

	object->state_gap = GAP_NONE;
	if (!object->named) {
		object->state_gap = GAP_NOT_APPLICABLE;
		return;
	}
	if (!object->deleted) {
		object->state = MAPPED_NAMED;
		return;
	}
	key.start = key.end = 0;
	if (source_file_open(process, &key, &file, &error) >= 0)
		object->state = file->match == FILE_MATCH_OTHER ? MAPPED_REPLACED : MAPPED_NAMED;
	else if (error.code == ERROR_USAGE)	/* a folder, or a device */
		object->state = MAPPED_REPLACED;
	else if (error.code == ERROR_GONE)
		object->state = MAPPED_DELETED;
	else
		object->state_gap = gap_from_error(&error);
}

static struct source_file_key key_of(const struct mapped_user *user,
				     const struct mapped_object *object)
{
	return (struct source_file_key) {
		.start = user->start, .end = user->end, .inode = object->inode,
		.major = object->major, .minor = object->minor,
		.path = buf_span(user->name.len ? &user->name : &object->name),
		.deleted = object->deleted,
	};
}

/* The name as it is, if it is this user's. */
static void settle_name(struct source_process *process, const struct mapped_user *user,
			struct mapped_object *object)
{
	struct source_file_key key = key_of(user, object);

	if (user->name.len || !object->named)
		return;
	if (object->newline_escape && file_name_newline(process, &key, &object->name) > 0) {
		object->newline_escape = false;
		key = key_of(user, object);
	}
	if (object->deleted && file_name_deleted(process, &key, &object->name) > 0)
		object->deleted = false;
}

/* False: it is no longer mapped there; another user may know more. */
static bool look_at(struct source *source, struct source_process *process,
		    const struct mapped_user *user, struct mapped_object *object)
{
	struct source_file_key key;

	settle_name(process, user, object);
	key = key_of(user, object);
	look_inside(source, process, &key, object);
	look_at_name(process, key, object);
	return object->size.gap != GAP_GONE && object->size.gap != GAP_CHANGED;
}

struct looking {
	struct source *source;
	struct mapped *mapped;
	const struct tally_process *processes;
	struct source_process *process;		/* the one opened last */
	uint32_t opened;			/* its index */
};

static bool look_as(struct looking *l, const struct mapped_user *user,
		    struct mapped_object *object)
{
	struct error error = ERROR_INIT;

	if (user->process != l->opened) {
		source_process_free(l->process);
		l->process = NULL;
		l->opened = user->process;
		source_process_open(l->source, l->processes[l->opened].pid, &l->process, &error);
	}
	if (l->process)
		return look_at(l->source, l->process, user, object);
	object->size = object->cached = object->evicted = missing(&error);
	object->state_gap = object->size.gap;
	return false;
}

/* So many users are asked when the first ones end. */
#define LOOK_TRIES 8

static void look_object(struct looking *l, struct mapped_object *object)
{
	const struct mapped_user *users = &l->mapped->users[object->first_user];

	/* Opening a process costs more than anything else here. */
	for (size_t i = 0; l->process && i < object->user_count; i++)
		if (users[i].process == l->opened && look_as(l, &users[i], object))
			return;
	for (size_t i = 0; i < object->user_count && i < LOOK_TRIES; i++)
		if (look_as(l, &users[i], object))
			return;
}

void mapped_look(struct source *source, struct mapped *mapped)
{
	size_t count;
	struct looking looking = {
		.source = source, .mapped = mapped, .opened = UINT32_MAX,
		.processes = tally_processes(mapped->tally, &count),
	};

	for (size_t i = 0; i < mapped->object_count; i++)
		if (mapped->objects[i].kind && mapped->objects[i].user_count)
			look_object(&looking, &mapped->objects[i]);
	source_process_free(looking.process);
}
