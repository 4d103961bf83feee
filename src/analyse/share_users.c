// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"

/*
 * Which address spaces map an object at all. Memory that goes with its last mapping (unlinked
 * files, memfds, shared anonymous memory) stays while anybody maps the object, also one who never
 * touched these pages.
 */
static bool goes_with_mappings(const struct share_object *object)
{
	return object->deleted || object->object_kind == KIND_SHARED_ANON;
}

int share_users_note(struct share_load *load, size_t process, uint32_t number,
		     const struct maps_line *line)
{
	struct share_users *users = &load->users;
	struct share_object *object;
	uint32_t last;

	if (number == OBJECT_NONE)
		return 0;
	object = &load->share->objects[number];
	if (!object->end) {
		object->process = (uint32_t)process;
		object->start = line->start;
		object->end = line->end;
	}
	object->maps_shared |= (line->perms & VMA_SHARED) != 0;
	if (!goes_with_mappings(object))
		return 0;
	last = users->last[process];
	if (last && users->items[last - 1].object == number) {
		users->items[last - 1].vmas++;
		return 0;
	}
	if (array_grow((void **)&users->items, &users->cap, users->count,
		       sizeof(*users->items)) < 0)
		return -ERROR_NOMEM;
	users->items[users->count] = (struct share_user) { number, (uint32_t)process, 1 };
	users->last[process] = (uint32_t)++users->count;
	return 0;
}

/* Those of a process that ended, or that has the space of another, count nothing. */
bool share_user_counts(const struct share *share, const struct share_user *user)
{
	size_t count;
	const struct tally_process *process = &tally_processes(share->tally, &count)[user->process];

	return process->state == TALLY_COUNTED && process->same_as == TALLY_NONE;
}

void share_users_settle(struct share_load *load)
{
	const struct share_users *users = &load->users;
	struct share *share = load->share;

	for (size_t i = 0; i < users->count; i++) {
		const struct share_user *user = &users->items[i];
		struct share_object *object = &share->objects[user->object];

		if (!goes_with_mappings(object) || !share_user_counts(share, user))
			continue;
		if (!object->vmas)
			object->user = user->process;
		else if (object->user != user->process)
			object->user = TALLY_NONE;
		object->vmas += user->vmas;
	}
}

void share_users_done(struct share_users *users)
{
	free(users->items);
	free(users->last);
}
