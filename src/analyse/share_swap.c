// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"
#include "tally.h"

/*
 * The kernel shows no counts of swap slots, but SwapPss of smaps_rollup has each slot divided by
 * all its users (fs/proc/task_mmu.c smaps_pte_entry, swp_swapcount()). Where that is less than what
 * the set alone makes of it, others use slots too. What a slot with `f` entries in the set and `x`
 * outside takes off the sum is x / (f + x) pages: at least 1 / (f + 1), and less than 1. So the sum
 * bounds the number of such slots from both sides. The kernel cuts its sum to KiB.
 */

/* Slots with so many entries, all of them in the set. */
struct swap_slots {
	uint32_t entries;
	uint64_t slots;
};

struct swap_check {
	struct share *share;
	struct swap_slots *items;	/* most entries first */
	size_t count;
	uint64_t page;
};

static int compare_slots(const void *a, const void *b)
{
	const struct swap_slots *x = a, *y = b;

	return (x->entries < y->entries) - (x->entries > y->entries);
}

/* The only space that a set has; TALLY_NONE if there are several. */
static uint32_t space_of(const struct tally_set *sets, const struct tally_member *members,
			 uint32_t at)
{
	uint32_t space = TALLY_NONE;

	for (; at >= TALLY_KIND_MAX; at = sets[at].parent) {
		if (sets[at].member == TALLY_NONE)
			continue;
		if (space != TALLY_NONE && members[sets[at].member].space != space)
			return TALLY_NONE;
		space = members[sets[at].member].space;
	}
	return space;
}

/* Of all slots, or those that only `space` uses. */
static int list_slots(struct swap_check *check, uint32_t space, struct error *error)
{
	size_t count, cap = 0, member_count;
	const struct tally_set *sets = tally_sets(check->share->tally, &count);
	const struct tally_member *members = tally_members(check->share->tally, &member_count);

	for (uint32_t i = TALLY_KIND_MAX; i < count; i++) {
		if (sets[i].kind != TALLY_SWAP || !sets[i].frames ||
		    (space != TALLY_NONE && space_of(sets, members, i) != space))
			continue;
		if (array_grow((void **)&check->items, &cap, check->count,
			       sizeof(*check->items)) < 0)
			return error_nomem(error);
		check->items[check->count++] = (struct swap_slots) {
			sets[i].mappings, sets[i].frames,
		};
	}
	if (check->count)
		qsort(check->items, check->count, sizeof(*check->items), compare_slots);
	return 0;
}

static void check_done(struct swap_check *check)
{
	free(check->items);
}

/* How many slots others may use at most, if they take `missing` bytes off: those first of which
 * each takes least. */
static uint64_t most_outside(const struct swap_check *check, uint64_t missing)
{
	uint64_t most = 0;

	for (size_t i = 0; i < check->count && missing; i++) {
		const struct swap_slots *item = &check->items[i];
		uint64_t cost = check->page / (item->entries + 1u);
		uint64_t slots = cost ? missing / cost : item->slots;

		if (slots > item->slots)
			slots = item->slots;
		most += slots;
		missing -= slots * cost < missing ? slots * cost : missing;
	}
	return most;
}

/* What others take off SwapPss: between these, of one process or of several. */
struct swap_missing {
	uint64_t least;
	uint64_t most;
	bool unknown;
};

static int bound(struct share *share, uint32_t space, const struct swap_missing *missing,
		 uint64_t slots, struct share_swap *swap, struct error *error)
{
	CLEANUP(check_done) struct swap_check check = {
		.share = share, .page = tally_page_size(share->tally),
	};
	uint64_t most;

	if (list_slots(&check, space, error) < 0)
		return -ERROR_NOMEM;
	most = most_outside(&check, missing->most) * check.page;
	swap->certainty = missing->unknown ? CERTAINTY_UNKNOWN :
		most ? CERTAINTY_INFERRED : CERTAINTY_OBSERVED;
	swap->freed_least = missing->unknown || most > slots ? 0 : slots - most;
	return 0;
}

/* Its SwapPss from the kernel; what was counted where that is finer and says the same. */
static void read_process(struct source *source, const struct tally_process *process,
			 struct share_swap *swap, struct swap_missing *missing)
{
	uint64_t counted = process->sum.swap_pss, kernels;

	swap->pss = counted;
	if (tally_kernels_swap_pss(source, process, &kernels, NULL) < 0) {
		missing->unknown = true;
		return;
	}
	if (kernels + TALLY_ROLLUP_UNIT <= counted) {
		swap->pss = kernels;
		missing->least = counted - kernels - (TALLY_ROLLUP_UNIT - 1);
	}
	/* Ours has no parts of a byte. */
	missing->most = counted + 1 > kernels ? counted + 1 - kernels : 0;
}

/* So many slots at least others use: each takes less than a page off. */
static void drop_outside(const struct share *share, uint64_t missing, struct share_freed *freed)
{
	uint64_t page = tally_page_size(share->tally);
	uint64_t slots = (missing + page - 1) / page * page;

	freed->swap -= slots < freed->swap ? slots : freed->swap;
}

static int check_process(struct source *source, struct share *share, uint32_t space,
			 const struct tally_process *process, struct swap_missing *all,
			 struct error *error)
{
	struct share_process *record = &share->processes[space];
	struct swap_missing missing = { 0 };

	read_process(source, process, &record->swap, &missing);
	all->least += missing.least;
	all->most += missing.most;
	all->unknown |= missing.unknown;
	if (bound(share, space, &missing, record->freed.swap, &record->swap, error) < 0)
		return -ERROR_NOMEM;
	/* Slots of others of the set may be what it misses. */
	if (record->freed.swap == process->sum.swap)
		drop_outside(share, missing.least, &record->freed);
	return 0;
}

static bool has_slots(const struct tally_process *process)
{
	return process->state == TALLY_COUNTED && process->same_as == TALLY_NONE &&
	       !process->from_rollup && process->sum.swap;
}

/* As if all users were in the set. */
static void take_counted(struct share *share, const struct tally_process *list)
{
	for (size_t i = 0; i < share->count; i++) {
		struct share_process *process = &share->processes[i];

		process->swap = (struct share_swap) { list[i].sum.swap_pss, process->freed.swap,
						      CERTAINTY_OBSERVED };
	}
	share->swap = (struct share_swap) { 0, share->freed.swap, CERTAINTY_OBSERVED };
}

/* Tasks with one space show the same, and free nothing alone. */
static void sum_up(struct share *share, const struct tally_process *list)
{
	for (size_t i = 0; i < share->count; i++) {
		if (list[i].state != TALLY_COUNTED)
			continue;
		if (list[i].same_as == TALLY_NONE)
			share->swap.pss += share->processes[i].swap.pss;
		else
			share->processes[i].swap = share->processes[list[i].space].swap;
		if (share->processes[i].swap.freed_least > share->processes[i].freed.swap)
			share->processes[i].swap.freed_least = share->processes[i].freed.swap;
	}
}

int share_swap_check(struct source *source, const struct share_request *request,
		     struct share *share, struct error *error)
{
	size_t count;
	const struct tally_process *list = tally_processes(share->tally, &count);
	const struct tally_totals *totals = tally_totals(share->tally);
	struct swap_missing all = { 0 };
	int rc = 0;

	take_counted(share, list);
	if (request->outside || totals->refused || totals->failed) {
		for (uint32_t i = 0; i < count && rc >= 0; i++)
			if (has_slots(&list[i]))
				rc = check_process(source, share, i, &list[i], &all, error);
		if (rc >= 0)
			rc = bound(share, TALLY_NONE, &all, share->freed.swap, &share->swap,
				   error);
		drop_outside(share, all.least, &share->freed);
	}
	sum_up(share, list);
	return rc;
}
