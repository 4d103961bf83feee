// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"

#define PSS_SHIFT 12	/* fs/proc/task_mmu.c */
#define CROWD_FOUND 2	/* at least; a frame that one maps needs no new set */

static bool is_member(uint32_t member)
{
	return !(member & TALLY_OUTSIDE);
}

bool tally_member_counts(const struct tally *tally, uint32_t member)
{
	return is_member(member) && !tally->works[tally->members[member].space].dropped;
}

int tally_sizes(struct tally *tally)
{
	const struct tally_nodes *nodes = &tally->nodes;
	struct tally_size *sizes = realloc(tally->sizes, nodes->count * sizeof(*sizes));

	if (!sizes)
		return error_nomem(&tally->error);
	tally->sizes = sizes;
	for (uint32_t i = 0; i < nodes->count; i++) {
		uint32_t member = nodes->items[i].member;

		if (i < TALLY_KIND_MAX) {
			sizes[i] = (struct tally_size) { .kind = (uint8_t)i };
			continue;
		}
		sizes[i] = sizes[nodes->items[i].parent];
		if (member == TALLY_MARK_KSM)
			sizes[i].ksm = true;
		else if (member == TALLY_MARK_CROWD)
			sizes[i] = (struct tally_size) {
				.kind = sizes[i].kind, .found = CROWD_FOUND, .crowd = true,
			};
		else if (!is_member(member))
			sizes[i].outside += member & TALLY_OUTSIDE_MAX;
		else
			sizes[i].found += tally_member_counts(tally, member);
	}
	return 0;
}

/* Neighbours mostly have the same set, and much of a block is empty: adding to the same number
 * again and again would wait for itself. */
static void count_slots(const struct tally_slots *slots, uint64_t *frames)
{
	const uint32_t *at = slots->words + TALLY_BLOCK;
	const uint32_t *end = at + (uint64_t)slots->used * TALLY_BLOCK;

	if (!slots->used)
		return;
	while (at < end) {
		const uint32_t *first = at;

		while (++at < end && *at == *first)
			;
		frames[*first & TALLY_SET_MASK] += (uint64_t)(at - first);
	}
}

/* What goes to every member of a set, for all sets below it. */
struct share {
	uint64_t frames;
	uint64_t pss;		/* bytes << PSS_SHIFT */
};

static void credit(const struct tally *tally, struct tally_sum *sum, enum tally_kind kind,
		   const struct share *share)
{
	uint64_t bytes = share->frames * tally->page_size;

	switch (kind) {
	case TALLY_ANON:
		sum->anon += bytes;
		/* fall through */
	case TALLY_FILE:
		sum->rss += bytes;
		sum->pss += share->pss;
		break;
	case TALLY_SWAP:
		sum->swap += bytes;
		sum->swap_pss += share->pss;
		break;
	default:
		sum->hugetlb += bytes;
	}
}

/* The only one that maps a frame once. */
static void credit_alone(struct tally *tally, uint32_t set, uint64_t frames)
{
	const struct tally_node *nodes = tally->nodes.items;
	uint64_t bytes = frames * tally->page_size;
	enum tally_kind kind = tally->sizes[set].kind;
	struct tally_sum *sum;

	while (!tally_member_counts(tally, nodes[set].member))
		set = nodes[set].parent;
	sum = &tally->members[nodes[set].member].sum;
	if (kind == TALLY_SWAP)
		sum->swap_once += bytes;
	else if (kind != TALLY_HUGETLB)
		sum->uss += bytes;
}

static void total_set(struct tally *tally, const struct tally_size *size, uint64_t frames)
{
	struct tally_totals *totals = &tally->totals;
	uint64_t bytes = frames * tally->page_size;

	if (!size->found)
		return;
	if (size->kind == TALLY_SWAP) {
		totals->swap_once += bytes;
		return;
	}
	if (size->kind == TALLY_HUGETLB) {
		totals->hugetlb_once += bytes;
		return;
	}
	totals->frames += frames;
	totals->bytes_once += bytes;
	*(size->kind == TALLY_ANON ? &totals->anon_once : &totals->file_once) += bytes;
	if (size->outside)
		totals->outside += bytes;
	if (size->crowd)
		totals->crowd += bytes;
}

/* From the end: what a set has goes to its own last member, and to its parent. */
static void sum_members(struct tally *tally, struct share *shares)
{
	const struct tally_nodes *nodes = &tally->nodes;

	for (uint32_t i = (uint32_t)nodes->count - 1; i >= TALLY_KIND_MAX; i--) {
		const struct tally_node *node = &nodes->items[i];
		const struct tally_size *size = &tally->sizes[i];

		if (tally_member_counts(tally, node->member))
			credit(tally, &tally->members[node->member].sum, size->kind, &shares[i]);
		shares[node->parent].frames += shares[i].frames;
		shares[node->parent].pss += shares[i].pss;
	}
}

static void sum_sets(struct tally *tally, const uint64_t *frames, struct share *shares)
{
	uint64_t page = (uint64_t)tally->page_size << PSS_SHIFT;

	for (uint32_t i = TALLY_KIND_MAX; i < tally->nodes.count; i++) {
		const struct tally_size *size = &tally->sizes[i];
		uint32_t mappings = size->found + size->outside;

		shares[i] = (struct share) { frames[i],
					     mappings ? frames[i] * (page / mappings) : 0 };
		if (!frames[i])
			continue;
		total_set(tally, size, frames[i]);
		if (size->found == 1 && mappings == 1)
			credit_alone(tally, i, frames[i]);
	}
	sum_members(tally, shares);
}

static void sum_add(struct tally_sum *sum, const struct tally_sum *more)
{
	sum->rss += more->rss;
	sum->anon += more->anon;
	sum->pss += more->pss;
	sum->uss += more->uss;
	sum->swap += more->swap;
	sum->swap_pss += more->swap_pss;
	sum->swap_once += more->swap_once;
	sum->hugetlb += more->hugetlb;
}

/* Parts of a byte are cut only once everything is added up, as the kernel does. */
static void sum_cut(struct tally_sum *sum)
{
	sum->pss >>= PSS_SHIFT;
	sum->swap_pss >>= PSS_SHIFT;
}

static void sum_processes(struct tally *tally)
{
	for (size_t i = 0; i < tally->member_count; i++) {
		struct tally_member *member = &tally->members[i];

		if (tally->works[member->space].dropped)
			continue;
		member->space = tally->processes[member->space].space;
		if (!tally->processes[member->space].from_rollup)
			sum_add(&tally->processes[member->space].sum, &member->sum);
		sum_cut(&member->sum);
	}
	for (size_t i = 0; i < tally->request.count; i++)
		if (!tally->processes[i].from_rollup)
			sum_cut(&tally->processes[i].sum);
}

/* Those with one space show the same. */
static void copy_same(struct tally *tally)
{
	for (size_t i = 0; i < tally->request.count; i++) {
		struct tally_process *process = &tally->processes[i];
		const struct tally_process *root = &tally->processes[tally->works[i].root];

		if (process->state != TALLY_COUNTED)
			continue;
		process->zero = root->zero;
		process->huge_zero = root->huge_zero;
		process->special = root->special;
		if (process->from_rollup)
			continue;
		process->from_rollup = root->from_rollup;
		process->swap_pss_known = !root->from_rollup || root->swap_pss_known;
		process->sum = root->from_rollup ? root->sum :
			tally->processes[process->space].sum;
	}
}

static void total_processes(struct tally *tally)
{
	struct tally_totals *totals = &tally->totals;

	for (size_t i = 0; i < tally->request.count; i++) {
		const struct tally_process *process = &tally->processes[i];

		totals->counted += process->state == TALLY_COUNTED;
		totals->no_space += process->state == TALLY_NO_SPACE;
		totals->gone += process->state == TALLY_GONE;
		totals->refused += process->state == TALLY_REFUSED;
		totals->failed += process->state == TALLY_FAILED;
		if (process->state != TALLY_COUNTED)
			continue;
		if (process->same_as != TALLY_NONE) {
			totals->same_space++;
			continue;
		}
		totals->sum_rss += process->sum.rss;
		totals->sum_pss += process->sum.pss;
		totals->sum_uss += process->sum.uss;
		totals->sum_swap += process->sum.swap;
	}
}

static int sum_frames(struct tally *tally)
{
	size_t count = tally->nodes.count;
	CLEANUP_FREE uint64_t *frames = calloc(count, sizeof(*frames));
	CLEANUP_FREE struct share *shares = calloc(count, sizeof(*shares));

	if (!frames || !shares || tally_sizes(tally) < 0)
		return error_nomem(&tally->error);
	count_slots(&tally->frames, frames);
	for (size_t i = 0; i < ARRAY_SIZE(tally->swap); i++)
		count_slots(&tally->swap[i], frames);
	frames[0] = 0;
	sum_sets(tally, frames, shares);
	if (!(tally->request.needs & TALLY_NEED_SETS))
		return 0;
	return tally_sets_make(tally, frames);
}

int tally_sum_up(struct tally *tally)
{
	if (tally->totals.frames_visible && sum_frames(tally) < 0)
		return tally->error.code ? -(int)tally->error.code : -ERROR_NOMEM;
	if (tally->totals.frames_visible)
		sum_processes(tally);
	copy_same(tally);
	total_processes(tally);
	return 0;
}
