// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"
#include "vmatlas/parse/sysv_shm.h"

/*
 * maps calls every SysV segment deleted. In truth one stays until IPC_RMID, and from then on until
 * its last VMA goes: the kernel's table of segments tells that, and how many VMAs there are.
 */
static int segment_read(struct source *source, pid_t pid, uint64_t id,
			struct sysv_shm_line *segment, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct span rest;

	if (source_process_open(source, pid, &process, error) < 0 ||
	    source_text(process, 0, SOURCE_SYSV_SHM, &text, error) < 0)
		return -1;
	rest = buf_span(&text);
	while (sysv_shm_take_line(&rest, segment))
		if (segment->id == id)
			return 0;
	return error_set(error, ERROR_CHANGED, "sysv_shm", "there is no segment %llu",
			 (unsigned long long)id);
}

/* Segments of two IPC namespaces may have one number: nothing is claimed of such. */
static void settle_one(struct source *source, struct share_object *object, pid_t pid)
{
	struct error error = ERROR_INIT;
	struct sysv_shm_line segment;

	if (object->deleted_gap != GAP_NONE && object->deleted_gap != GAP_NOT_READ)
		return;
	if (segment_read(source, pid, object->inode, &segment, &error) < 0) {
		object->deleted_gap = gap_from_error(&error);
		return;
	}
	object->deleted_gap = GAP_NONE;
	object->deleted = segment.destroyed;
	object->attached = segment.attached;
}

void share_sysv_settle(struct source *source, struct share_load *load)
{
	const struct share_users *users = &load->users;
	size_t count;
	const struct tally_process *list = tally_processes(load->share->tally, &count);

	for (size_t i = 0; i < users->count; i++) {
		const struct share_user *user = &users->items[i];
		struct share_object *object = &load->share->objects[user->object];

		if (object->object_kind == KIND_SYSV && share_user_counts(load->share, user))
			settle_one(source, object, list[user->process].pid);
	}
}
