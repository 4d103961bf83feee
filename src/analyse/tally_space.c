// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"

/* So many may have ended while one is looked for. More, and pages have to tell; see is_twin(). */
#define LOST_MOST 16

static void spaces_remove(struct tally *tally, size_t at)
{
	tally->space_count--;
	memmove(tally->spaces + at, tally->spaces + at + 1,
		(tally->space_count - at) * sizeof(*tally->spaces));
}

static void spaces_insert(struct tally *tally, size_t at, uint32_t process)
{
	memmove(tally->spaces + at + 1, tally->spaces + at,
		(tally->space_count - at) * sizeof(*tally->spaces));
	tally->spaces[at] = process;
	tally->space_count++;
}

/* Who has this space already (or TALLY_NONE), and where it stands or would stand. Those that have
 * ended are taken out on the way; false when there were too many. */
static bool spaces_search(struct tally *tally, const struct source_space *space, size_t *at,
			  uint32_t *same)
{
	size_t low = 0, high = tally->space_count, lost = 0;

	*same = TALLY_NONE;
	while (low < high && *same == TALLY_NONE) {
		size_t middle = low + (high - low) / 2;
		uint32_t other = tally->spaces[middle];
		enum source_order order = !tally->works[other].registered ? SOURCE_ORDER_UNKNOWN :
			source_order_spaces(tally->source, space, &tally->works[other].space);

		if (order == SOURCE_ORDER_SAME) {
			*same = other;
		} else if (order == SOURCE_ORDER_BEFORE) {
			high = middle;
		} else if (order == SOURCE_ORDER_BEHIND) {
			low = middle + 1;
		} else {
			if (++lost > LOST_MOST)
				return false;
			spaces_remove(tally, middle);
			high--;
		}
	}
	*at = low;
	return true;
}

uint32_t tally_space_enter(struct tally *tally, size_t process)
{
	uint32_t same;
	size_t at;

	if (!spaces_search(tally, &tally->works[process].space, &at, &same))
		return (uint32_t)process;
	if (same != TALLY_NONE)
		return same;
	spaces_insert(tally, at, (uint32_t)process);
	return (uint32_t)process;
}

uint32_t tally_with_space(struct tally *tally, const struct source_process *process)
{
	struct source_space space;
	uint32_t same;
	size_t at;

	source_process_space(process, &space);
	spaces_search(tally, &space, &at, &same);
	return same != TALLY_NONE && tally->processes[same].state == TALLY_COUNTED ? same :
		TALLY_NONE;
}

/*
 * An entry says "mapped once", and was seen already: the same entry of the same page table under
 * another PID. One such page may also have moved meanwhile, or be part of a huge page whose head
 * alone is mapped once (6.18: pagemap gives the head's bit to all 512 entries).
 */
void tally_space_note(struct tally *tally, size_t process, uint32_t set)
{
	struct tally_work *work = &tally->works[process];
	const struct tally_node *node = &tally->nodes.items[set];
	uint32_t other;

	/* Of a crowd nobody knows who came last. */
	if (tally_is_crowd(node))
		return;
	other = tally->members[node->member].space;
	if (other == process)
		return;
	if (!work->twin_pages)
		work->twin = other;
	if (work->twin == other)
		work->twin_pages++;
}

static bool nearly(uint64_t pages, uint64_t exclusive)
{
	return pages <= exclusive && pages >= exclusive - exclusive / 8;
}

/* Where nothing else tells: pages of both that are mapped once were all seen twice. Which of the
 * two came first differs from page to page when two threads read them at a time. */
static bool is_twin(const struct tally *tally, size_t process)
{
	const struct tally_work *work = &tally->works[process], *other;
	uint64_t pages = work->twin_pages;
	enum source_order order;

	if (!pages)
		return false;
	other = &tally->works[work->twin];
	order = source_order_spaces(tally->source, &work->space, &other->space);
	if (order != SOURCE_ORDER_UNKNOWN)
		return order == SOURCE_ORDER_SAME;
	if (other->twin_pages && other->twin == process)
		pages += other->twin_pages;
	return nearly(pages, work->exclusive) && nearly(pages, other->exclusive);
}

static bool is_counted(const struct tally *tally, size_t process)
{
	return tally->processes[process].state == TALLY_COUNTED;
}

/* Whose pages stand for this process: its own, or those of an equal one. */
static uint32_t root_of(const struct tally *tally, uint32_t at)
{
	while (tally->processes[at].space != at)
		at = tally->processes[at].space;
	return at;
}

static void join_twins(struct tally *tally)
{
	for (uint32_t i = 0; i < tally->request.count; i++) {
		uint32_t a, b;

		if (!is_counted(tally, i) || !is_twin(tally, i) ||
		    !is_counted(tally, tally->works[i].twin))
			continue;
		a = root_of(tally, i);
		b = root_of(tally, tally->works[i].twin);
		if (a == b)
			continue;
		tally->processes[a > b ? a : b].space = a > b ? b : a;
		tally->works[a > b ? a : b].dropped = true;
	}
}

/* Once all are read: each space is named by the first of its processes. */
void tally_spaces_settle(struct tally *tally)
{
	size_t count = tally->request.count;

	join_twins(tally);
	for (uint32_t i = 0; i < count; i++) {
		struct tally_work *work = &tally->works[i];

		if (!is_counted(tally, i)) {
			work->dropped = true;
			continue;
		}
		work->root = root_of(tally, i);
		if (tally->works[work->root].first == TALLY_NONE)
			tally->works[work->root].first = i;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct tally_process *process = &tally->processes[i];

		if (!is_counted(tally, i))
			continue;
		process->space = tally->works[tally->works[i].root].first;
		process->same_as = process->space == i ? TALLY_NONE : process->space;
	}
}
