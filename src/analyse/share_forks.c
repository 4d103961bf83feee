// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"

/* Comparing costs some 0.3 us a page: this much, over all pairs, is done unasked. */
#define FORK_PAGES (1u << 18)

static int find_forks(struct share *share, struct error *error)
{
	size_t count, cap = 0;
	const struct tally_process *list = tally_processes(share->tally, &count);

	for (uint32_t child = 0; child < count; child++)
		for (uint32_t parent = 0; parent < count; parent++) {
			if (!share->processes[child].ppid || parent == child ||
			    list[parent].pid != share->processes[child].ppid)
				continue;
			if (array_grow((void **)&share->forks, &cap, share->fork_count,
				       sizeof(*share->forks)) < 0)
				return error_nomem(error);
			share->forks[share->fork_count++] = (struct share_fork) {
				.parent = parent, .child = child,
			};
		}
	return 0;
}

static int load_parent(struct source *source, pid_t pid, struct source_process **opened,
		       struct process **process, struct error *error)
{
	if (source_process_open(source, pid, opened, error) < 0 ||
	    process_load(*opened, 0, process, error) < 0)
		return -(int)error->code;
	return classify_process(*process, error);
}

static bool is_open(const struct share_fork *fork, uint32_t parent)
{
	return fork->parent == parent && fork->gap == GAP_NOT_READ;
}

/* Compared is what the parent has mapped; anonymous memory that the child has elsewhere is its
 * alone. Hugetlb pages are compared, but are not in that sum. */
static void add_elsewhere(struct share_fork *fork, const struct tally_process *child,
			  uint32_t page_size)
{
	struct family_pages *pages = &fork->pages;
	uint64_t common = pages->shared + family_diverged(pages);
	uint64_t anon = child->sum.anon / page_size;

	if (!fork->same_mm && !child->sum.hugetlb && anon > common + pages->only_there)
		pages->only_there = anon - common;
}

static int compare_with(struct process *process, const struct tally_process *list,
			struct share *share, size_t first, struct error *error)
{
	uint32_t parent = share->forks[first].parent;
	struct family family;
	size_t at = 0;
	int rc = 0;

	family_init(&family);
	for (size_t i = first; i < share->fork_count && rc >= 0; i++)
		if (is_open(&share->forks[i], parent))
			rc = family_add(&family, list[share->forks[i].child].pid, FAMILY_CHILD,
					error);
	if (rc >= 0)
		rc = family_compare(process, &family, error);
	for (size_t i = first; i < share->fork_count && rc >= 0; i++) {
		struct share_fork *fork = &share->forks[i];

		if (!is_open(fork, parent))
			continue;
		fork->gap = family.members[at].gap;
		fork->same_mm = family.members[at].same_mm;
		fork->pages = family.members[at++].total;
		if (fork->gap == GAP_NONE)
			add_elsewhere(fork, &list[fork->child], tally_page_size(share->tally));
	}
	family_done(&family);
	return rc;
}

/* All children of one parent: it is loaded and read once. */
static int compare_children(struct source *source, const struct tally_process *list,
			    struct share *share, size_t first, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *opened = NULL;
	CLEANUP(process_freep) struct process *process = NULL;
	uint32_t parent = share->forks[first].parent;
	struct error local = ERROR_INIT;

	if (load_parent(source, list[parent].pid, &opened, &process, &local) >= 0)
		return compare_with(process, list, share, first, error);
	for (size_t i = first; i < share->fork_count; i++)
		if (is_open(&share->forks[i], parent))
			share->forks[i].gap = gap_from_error(&local);
	return local.code == ERROR_NOMEM ? error_nomem(error) : 0;
}

/* Which pairs are compared at all? */
static void choose(const struct share_request *request, struct share *share,
		   const struct tally_process *list)
{
	uint64_t left = (uint64_t)FORK_PAGES * tally_page_size(share->tally);

	for (size_t i = 0; i < share->fork_count; i++) {
		struct share_fork *fork = &share->forks[i];
		const struct tally_process *parent = &list[fork->parent];
		const struct tally_process *child = &list[fork->child];
		uint64_t bytes = parent->sum.anon + child->sum.anon;

		fork->same_mm = parent->space == child->space && parent->space != TALLY_NONE;
		fork->executed = parent->image && child->image && parent->image != child->image;
		if (parent->state != TALLY_COUNTED || child->state != TALLY_COUNTED)
			fork->gap = parent->gap != GAP_NONE ? parent->gap : child->gap;
		else if (fork->same_mm || fork->executed)
			continue;
		else if (!request->all_forks && bytes > left)
			fork->gap = GAP_LIMIT;
		else
			fork->gap = GAP_NOT_READ;
		if (fork->gap == GAP_NOT_READ && !request->all_forks)
			left -= bytes;
	}
}

int share_forks(struct source *source, const struct share_request *request, struct share *share,
		struct error *error)
{
	size_t count;
	const struct tally_process *list = tally_processes(share->tally, &count);
	int rc = find_forks(share, error);

	if (rc >= 0)
		choose(request, share, list);
	for (size_t i = 0; i < share->fork_count && rc >= 0; i++)
		if (share->forks[i].gap == GAP_NOT_READ)
			rc = compare_children(source, list, share, i, error);
	return rc;
}
