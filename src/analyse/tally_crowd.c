// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"

static void note_member(struct tally *tally, uint32_t member)
{
	const struct tally_process *list = tally->processes;

	if (tally_member_counts(tally, member))
		tally->works[list[tally->members[member].space].space].crowd = true;
}

/* Whoever was in a set when a frame left it, and whoever joined the crowd. From the end: what
 * left a set left those above it as well. */
static bool note_crowd(struct tally *tally)
{
	struct tally_node *nodes = tally->nodes.items;
	bool any = false;

	for (size_t i = tally->nodes.count - 1; i >= TALLY_KIND_MAX; i--) {
		bool joined = tally_is_crowd(&nodes[nodes[i].parent]);

		if (!nodes[i].left && !joined)
			continue;
		note_member(tally, nodes[i].member);
		nodes[nodes[i].parent].left |= !joined;
		any = true;
	}
	return any;
}

static int read_again(struct tally *tally, struct tally_process *record, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *source = NULL;
	struct source_space space;
	int rc = source_process_open(tally->source, record->pid, &source, error);

	if (rc < 0)
		return rc;
	source_process_space(source, &space);
	if (space.key != record->image)
		return error_set(error, ERROR_CHANGED, NULL, "process %d executed another program "
				 "meanwhile", record->pid);
	return tally_rollup(source, &record->sum, &record->swap_pss_known, error);
}

static void ask_kernel(struct tally_reader *reader, struct tally_process *record)
{
	struct error error = ERROR_INIT;

	record->from_rollup = true;
	if (read_again(reader->tally, record, &error) >= 0)
		return;
	if (error.code == ERROR_NOMEM)
		tally_fail(reader->tally, &error);
	record->state = tally_state_of(error.code, true);
	record->gap = record->state == TALLY_GONE ? GAP_GONE : gap_from_error(&error);
}

/* A process of each thread in turn. */
static void ask_of_crowd(struct tally_reader *reader)
{
	struct tally *tally = reader->tally;

	for (;;) {
		size_t next;

		pthread_mutex_lock(&tally->lock);
		next = tally->rc < 0 ? tally->request.count : tally->next++;
		pthread_mutex_unlock(&tally->lock);
		if (next >= tally->request.count)
			return;
		if (tally->processes[next].state == TALLY_COUNTED &&
		    tally->works[tally->processes[next].space].crowd)
			ask_kernel(reader, &tally->processes[next]);
	}
}

int tally_crowd(struct tally *tally)
{
	if (!tally->totals.frames_visible || !note_crowd(tally))
		return 0;
	tally->next = 0;
	return tally_each_thread(tally, tally->request.count, ask_of_crowd);
}
