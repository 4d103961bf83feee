// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"

/* Beyond this many processes the table of pairs takes more than 64 MiB. */
#define PAIRS_MAX 4096u

/* What all frames of a set have in common, gathered from its members. */
struct set_facts {
	uint32_t spaces;	/* different ones */
	uint32_t space;		/* the first of them */
	uint32_t group;		/* the one it counts in */
	bool kept;		/* by a process outside that has the space of one of them */
};

struct summing {
	struct share *share;
	const struct share_groups *groups;
	const struct tally_set *sets;
	size_t count;
	const struct tally_member *members;
	size_t member_count;
	struct set_facts *facts;
	uint64_t page;
};

static size_t pair_at(const struct share *share, size_t a, size_t b)
{
	return a < b ? a * share->count + b : b * share->count + a;
}

uint64_t share_pair(const struct share *share, size_t a, size_t b)
{
	size_t count;
	const struct tally_process *list = tally_processes(share->tally, &count);

	if (list[a].space == TALLY_NONE || list[b].space == TALLY_NONE || !share->pairs)
		return 0;
	if (list[a].space == list[b].space)
		return list[a].sum.rss;
	return (uint64_t)share->pairs[pair_at(share, list[a].space, list[b].space)] *
		tally_page_size(share->tally);
}

/* Of several groups the first role, so that no order of reading shows. */
static uint64_t group_order(const struct share_group *group)
{
	return (uint64_t)group->role << 40 | (uint64_t)group->vma_class << 32 | group->object;
}

static void gather_facts(struct summing *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct tally_set *set = &s->sets[i];
		struct set_facts *facts = &s->facts[i];
		const struct tally_member *member;

		if (i < TALLY_KIND_MAX) {
			*facts = (struct set_facts) { 0, TALLY_NONE, TALLY_NONE, false };
			continue;
		}
		*facts = s->facts[set->parent];
		if (set->member == TALLY_NONE)
			continue;
		member = &s->members[set->member];
		if (!facts->spaces || set->first_of_space)
			facts->spaces++;
		if (facts->space == TALLY_NONE)
			facts->space = member->space;
		facts->kept |= s->share->processes[member->space].keeper != 0;
		if (facts->group == TALLY_NONE ||
		    group_order(&s->groups->items[member->group]) <
			    group_order(&s->groups->items[facts->group]))
			facts->group = member->group;
	}
}

/* Every two different spaces of a set; a set counts for all sets made from it. */
static int sum_pairs(struct summing *s, struct error *error)
{
	CLEANUP_FREE uint32_t *spaces = calloc(s->share->count + 1, sizeof(*spaces));
	uint32_t *pairs = s->share->pairs;

	if (!spaces)
		return error_nomem(error);
	for (uint32_t i = s->sets[0].next; i; i = s->sets[i].next) {
		const struct tally_set *set = &s->sets[i];
		uint32_t before, space;

		if (!set->first_of_space)
			continue;
		/* Those before are still the spaces of the sets that this one was made from. */
		before = s->facts[i].spaces - 1;
		space = spaces[before] = s->members[set->member].space;
		if (!set->below || set->kind > TALLY_FILE)
			continue;
		for (uint32_t at = 0; at < before; at++)
			pairs[pair_at(s->share, space, spaces[at])] += (uint32_t)set->below;
	}
	return 0;
}

static enum share_cause cause_of(const struct share_object *object, const struct tally_set *set)
{
	if (set->ksm)
		return SHARE_KSM;
	if (set->kind == TALLY_ANON)
		return SHARE_FORK;
	if (!object || object->object_kind == KIND_FILE)
		return SHARE_PAGE_CACHE;
	return object->object_kind == KIND_NAME ? SHARE_KERNEL : SHARE_OBJECT;
}

static uint64_t *fate_of_file(const struct share_object *object, struct share_freed *freed)
{
	switch ((enum object_kind)object->object_kind) {
	case KIND_FILE:
		return object->deleted ? &freed->objects : &freed->cache;
	case KIND_TMPFS_FILE:
	case KIND_POSIX_SHM:
	case KIND_HUGETLB_FILE:
		return object->deleted ? &freed->objects : &freed->kept;
	case KIND_SYSV:
		return object->deleted_gap == GAP_NONE && object->deleted &&
		       object->attached <= object->vmas ? &freed->objects : &freed->kept;
	case KIND_NAME:
		return &freed->kept;
	default:
		return &freed->objects;
	}
}

static void add_freed(struct share_freed *freed, const struct share_object *object,
		      const struct tally_set *set, uint64_t bytes)
{
	uint64_t *fate = object ? fate_of_file(object, freed) : &freed->cache;

	/* Private ones are of no object that others could keep. */
	if (object && object->mapped_outside &&
	    (set->kind != TALLY_HUGETLB || object->maps_shared))
		fate = &freed->kept;
	if (set->kind == TALLY_SWAP)
		fate = &freed->swap;
	else if (set->kind == TALLY_ANON)
		fate = &freed->anon;
	else if (set->kind == TALLY_HUGETLB && fate != &freed->kept)
		fate = &freed->hugetlb;
	*fate += bytes;
}

/* An object that others map, too, stays when this one ends, though they never touched these pages.
 * Its private copies go: they are not the object's. */
static bool goes_alone(const struct share_object *object, const struct tally_set *set,
		       uint32_t space)
{
	if (!object || !object->vmas || object->user == space || set->kind == TALLY_ANON ||
	    set->kind == TALLY_SWAP)
		return true;
	return set->kind == TALLY_HUGETLB && !object->maps_shared;
}

static void sum_object(struct share_object *object, const struct tally_set *set, uint64_t bytes)
{
	uint32_t found = set->mappings - set->outside;

	if (set->kind == TALLY_SWAP)
		return;
	if (set->kind == TALLY_HUGETLB) {
		object->hugetlb += bytes;
		return;
	}
	*(set->kind == TALLY_ANON ? &object->copied : &object->once) += bytes;
	object->saved += (found - 1) * bytes;
	if (set->outside)
		object->outside += bytes;
}

static struct share_class *class_of(struct share *share, const struct share_group *group)
{
	for (size_t i = 0; i < share->class_count; i++)
		if (share->classes[i].vma_class == group->vma_class &&
		    share->classes[i].role == group->role)
			return &share->classes[i];
	return NULL;
}

static void sum_shared(struct summing *s, const struct tally_set *set,
		       const struct share_object *object, const struct share_group *group,
		       uint64_t bytes)
{
	uint32_t found = set->mappings - set->outside;
	struct share_class *class = class_of(s->share, group);
	struct share_bytes *cause = &s->share->causes[cause_of(object, set)];

	if (class) {
		class->once += bytes;
		class->saved += (found - 1) * bytes;
	}
	if (found < 2)
		return;
	cause->once += bytes;
	cause->saved += (found - 1) * bytes;
}

static void sum_set(struct summing *s, uint32_t at)
{
	const struct tally_set *set = &s->sets[at];
	const struct set_facts *facts = &s->facts[at];
	const struct share_group *group;
	struct share_object *object;
	uint64_t bytes = set->frames * s->page;

	if (!bytes || !facts->spaces)
		return;
	group = &s->groups->items[facts->group];
	object = group->object == OBJECT_NONE ? NULL : &s->share->objects[group->object];
	if (!set->outside && !facts->kept) {
		add_freed(&s->share->freed, object, set, bytes);
		if (facts->spaces == 1 && goes_alone(object, set, facts->space))
			add_freed(&s->share->processes[facts->space].freed, object, set, bytes);
	}
	if (object)
		sum_object(object, set, bytes);
	if (set->kind == TALLY_SWAP && set->mappings > 1)
		s->share->swap_shared += bytes;
	if (set->kind <= TALLY_FILE)
		sum_shared(s, set, object, group, bytes);
}

/* For each space: frames of sets that it is in, and others too. From the end, what a set and
 * those below it have goes up; a space takes it where it comes in first. */
static int sum_company(struct summing *s, struct error *error)
{
	CLEANUP_FREE uint64_t *shared = calloc(s->count, sizeof(*shared));
	CLEANUP_FREE uint64_t *outside = calloc(s->count, sizeof(*outside));

	if (!shared || !outside)
		return error_nomem(error);
	for (uint32_t i = (uint32_t)s->count - 1; i >= TALLY_KIND_MAX; i--) {
		const struct tally_set *set = &s->sets[i];
		struct share_process *process;

		if (set->kind > TALLY_FILE)
			continue;
		shared[i] += s->facts[i].spaces > 1 ? set->frames : 0;
		outside[i] += set->outside ? set->frames : 0;
		shared[set->parent] += shared[i];
		outside[set->parent] += outside[i];
		if (set->member == TALLY_NONE || !set->first_of_space)
			continue;
		process = &s->share->processes[s->members[set->member].space];
		process->shared += shared[i] * s->page;
		process->outside += outside[i] * s->page;
	}
	return 0;
}

static int list_classes(struct summing *s, struct error *error)
{
	struct share *share = s->share;
	size_t cap = 0;

	for (size_t i = 0; i < s->groups->count; i++) {
		const struct share_group *group = &s->groups->items[i];

		if (class_of(share, group))
			continue;
		if (array_grow((void **)&share->classes, &cap, share->class_count,
			       sizeof(*share->classes)) < 0)
			return error_nomem(error);
		share->classes[share->class_count++] = (struct share_class) {
			.vma_class = group->vma_class, .role = group->role,
		};
	}
	return 0;
}

/* Sums of members per object and class; members of one space stand together. */
static int sum_groups(struct summing *s, struct error *error)
{
	struct share *share = s->share;
	size_t last = share->object_count + share->class_count;
	CLEANUP_FREE uint32_t *seen = malloc((last + 1) * sizeof(*seen));

	if (!seen)
		return error_nomem(error);
	memset(seen, 0xff, (last + 1) * sizeof(*seen));
	for (size_t i = 0; i < s->member_count; i++) {
		const struct tally_member *member = &s->members[i];
		const struct share_group *group = &s->groups->items[member->group];
		struct share_class *class = class_of(share, group);
		struct share_object *object = group->object == OBJECT_NONE ? NULL :
			&share->objects[group->object];
		uint32_t *stamp = object ? &seen[group->object] : NULL;

		if (!member->sum.rss && !member->sum.hugetlb)
			continue;
		if (object) {
			object->rss += member->sum.rss;
			object->pss += member->sum.pss;
			object->processes += *stamp != member->space;
			*stamp = member->space;
		}
		if (!class)
			continue;
		stamp = &seen[share->object_count + (size_t)(class - share->classes)];
		class->rss += member->sum.rss;
		class->pss += member->sum.pss;
		class->processes += *stamp != member->space;
		*stamp = member->space;
	}
	return 0;
}

/* Tasks with one space show the same, and free nothing alone. */
static void copy_same(struct share *share)
{
	size_t count;
	const struct tally_process *list = tally_processes(share->tally, &count);

	for (size_t i = 0; i < count; i++) {
		const struct share_process *root;

		if (list[i].space == TALLY_NONE)
			continue;
		root = &share->processes[list[i].space];
		if (list[i].same_as == TALLY_NONE) {
			share->zero += list[i].zero - list[i].huge_zero;
			share->huge_zero += list[i].huge_zero;
			continue;
		}
		share->processes[i].shared = root->shared;
		share->processes[i].outside = root->outside;
		share->processes[i].freed = (struct share_freed) { 0 };
		share->processes[list[i].space].freed = (struct share_freed) { 0 };
	}
}

/* What saves most comes first. */
static int object_compare(const void *a, const void *b)
{
	const struct share_object *x = a, *y = b;

	if (x->saved != y->saved)
		return x->saved < y->saved ? 1 : -1;
	if (x->rss != y->rss)
		return x->rss < y->rss ? 1 : -1;
	return span_compare(buf_span(&x->name), buf_span(&y->name));
}

static int class_compare(const void *a, const void *b)
{
	const struct share_class *x = a, *y = b;

	return x->vma_class != y->vma_class ? (x->vma_class > y->vma_class ? 1 : -1) :
		(x->role > y->role) - (x->role < y->role);
}

static void put_in_order(struct share *share)
{
	if (share->object_count)
		qsort(share->objects, share->object_count, sizeof(*share->objects),
		      object_compare);
	if (share->class_count)
		qsort(share->classes, share->class_count, sizeof(*share->classes),
		      class_compare);
}

int share_sum(struct share_load *load, struct error *error)
{
	CLEANUP_FREE struct set_facts *facts = NULL;
	struct share *share = load->share;
	struct summing s = { .share = share, .groups = &load->groups };
	int rc;

	s.sets = tally_sets(share->tally, &s.count);
	s.members = tally_members(share->tally, &s.member_count);
	s.page = tally_page_size(share->tally);
	if (!s.count)
		return 0;
	share->pairs_gap = share->count > PAIRS_MAX || tally_totals(share->tally)->crowd ?
		GAP_LIMIT : GAP_NONE;
	if (share->pairs_gap == GAP_NONE)
		share->pairs = calloc(share->count * share->count, sizeof(*share->pairs));
	s.facts = facts = malloc(s.count * sizeof(*facts));
	if (!facts || (share->pairs_gap == GAP_NONE && !share->pairs))
		return error_nomem(error);
	rc = load->vmas ? list_classes(&s, error) : 0;
	if (rc >= 0)
		rc = sum_groups(&s, error);
	if (rc < 0)
		return rc;
	gather_facts(&s);
	rc = share->pairs ? sum_pairs(&s, error) : 0;
	if (rc < 0)
		return rc;
	for (uint32_t i = TALLY_KIND_MAX; i < s.count; i++)
		sum_set(&s, i);
	rc = sum_company(&s, error);
	copy_same(share);
	put_in_order(share);
	return rc;
}
