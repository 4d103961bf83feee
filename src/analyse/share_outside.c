// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"

/*
 * What processes outside of the set keep, though no frame tells of them:
 *
 * - their own address space, if one of the set has it too (vfork, CLONE_VM);
 * - objects that go with their last mapping and that they map as well, also where they never
 *   touched the same pages. Only maps of all other processes tells that; it is read where the set
 *   has pages of such an object.
 */
#define MAPS_CHUNK (64u << 10)

struct outside_search {
	struct source *source;
	struct share_load *load;
	size_t left;		/* objects nobody outside was found for */
};

static bool is_wanted(const struct share_object *object)
{
	return object->vmas && object->object_kind != KIND_SYSV && !object->mapped_outside;
}

/* Of which the set has pages that are not private copies. */
static void find_wanted(struct outside_search *search)
{
	const struct share_groups *groups = &search->load->groups;
	struct share *share = search->load->share;
	size_t count;
	const struct tally_member *members = tally_members(share->tally, &count);

	for (size_t i = 0; i < count; i++) {
		const struct tally_sum *sum = &members[i].sum;
		uint32_t object = groups->items[members[i].group].object;

		if (object == OBJECT_NONE || !is_wanted(&share->objects[object]) ||
		    share->objects[object].searched || (sum->rss <= sum->anon && !sum->hugetlb))
			continue;
		share->objects[object].searched = true;
		search->left++;
	}
}

static void look_at(struct outside_search *search, struct span text)
{
	struct share_object *object;
	struct maps_line line;
	uint32_t number;

	if (!span_ends(text, " (deleted)") || maps_parse_line(text, &line, NULL) < 0)
		return;
	number = share_object_find(&search->load->groups, &line);
	if (number == OBJECT_NONE)
		return;
	object = &search->load->share->objects[number];
	if (!object->searched || !is_wanted(object))
		return;
	object->mapped_outside = true;
	search->left--;
}

static void look_at_space(struct outside_search *search, const struct source_process *process)
{
	struct share *share = search->load->share;
	uint32_t same = tally_with_space(share->tally, process);
	size_t count;

	if (same != TALLY_NONE)
		same = tally_processes(share->tally, &count)[same].space;
	if (same != TALLY_NONE && !share->processes[same].keeper)
		share->processes[same].keeper = source_process_pid(process);
}

static void look_at_maps(struct outside_search *search, struct source_process *process)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(lines_done) struct lines lines;
	struct span text;

	lines_init(&lines, source_stream_read, NULL, MAPS_CHUNK);
	if (source_stream_open(process, SOURCE_MAPS, &stream, NULL) < 0)
		return;
	lines.ctx = stream;
	while (search->left && lines_next(&lines, &text, NULL) > 0)
		look_at(search, text);
}

/* One that ended or may not be read tells nothing. */
static void look_through(struct outside_search *search, pid_t pid)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;

	if (source_process_open(search->source, pid, &process, NULL) < 0)
		return;
	look_at_space(search, process);
	if (search->left)
		look_at_maps(search, process);
}

static bool is_of_set(const struct share *share, pid_t pid)
{
	size_t count;
	const struct tally_process *list = tally_processes(share->tally, &count);

	for (size_t i = 0; i < count; i++)
		if (list[i].pid == pid)
			return true;
	return false;
}

void share_outside_find(struct source *source, struct share_load *load)
{
	struct outside_search search = { .source = source, .load = load };
	CLEANUP_FREE pid_t *pids = NULL;
	size_t count = 0;

	if (!load->request->outside)
		return;
	find_wanted(&search);
	if (source_pids(source, &pids, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (!is_of_set(load->share, pids[i]))
			look_through(&search, pids[i]);
}
