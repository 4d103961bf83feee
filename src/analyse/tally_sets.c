// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"

/* Down the tree of sets, counting who is on the way. */
struct walk {
	struct tally *tally;
	uint32_t *child;	/* of each set its last child, and the brother before */
	uint32_t *brother;
	uint32_t *spaces;	/* how often each is on the way */
	uint32_t *groups;
	uint32_t last;		/* that was entered */
};

static int walk_init(struct walk *walk, struct tally *tally)
{
	size_t sets = tally->set_count, groups = 1;

	for (size_t i = 0; i < tally->member_count; i++)
		if (tally->members[i].group >= groups)
			groups = (size_t)tally->members[i].group + 1;
	walk->tally = tally;
	walk->child = calloc(sets, sizeof(*walk->child));
	walk->brother = calloc(sets, sizeof(*walk->brother));
	walk->spaces = calloc(tally->request.count + 1, sizeof(*walk->spaces));
	walk->groups = calloc(groups, sizeof(*walk->groups));
	if (!walk->child || !walk->brother || !walk->spaces || !walk->groups)
		return error_nomem(&tally->error);
	for (uint32_t i = TALLY_KIND_MAX; i < sets; i++) {
		walk->brother[i] = walk->child[tally->sets[i].parent];
		walk->child[tally->sets[i].parent] = i;
	}
	return 0;
}

static void walk_done(struct walk *walk)
{
	free(walk->child);
	free(walk->brother);
	free(walk->spaces);
	free(walk->groups);
}

static void enter(struct walk *walk, uint32_t at)
{
	struct tally_set *set = &walk->tally->sets[at];
	const struct tally_member *member;

	walk->tally->sets[walk->last].next = at;
	walk->last = at;
	if (set->member == TALLY_NONE)
		return;
	member = &walk->tally->members[set->member];
	set->first_of_space = !walk->spaces[member->space]++;
	set->first_of_group = !walk->groups[member->group]++;
}

static void leave(struct walk *walk, uint32_t at)
{
	const struct tally_set *set = &walk->tally->sets[at];

	if (set->member == TALLY_NONE)
		return;
	walk->spaces[walk->tally->members[set->member].space]--;
	walk->groups[walk->tally->members[set->member].group]--;
}

static void walk_from(struct walk *walk, uint32_t root)
{
	uint32_t at = walk->child[root];

	while (at && at != root) {
		enter(walk, at);
		if (walk->child[at]) {
			at = walk->child[at];
			continue;
		}
		while (at != root) {
			leave(walk, at);
			if (walk->brother[at]) {
				at = walk->brother[at];
				break;
			}
			at = walk->tally->sets[at].parent;
		}
	}
}

static void fill_sets(struct tally *tally, const uint64_t *frames)
{
	for (uint32_t i = 0; i < tally->set_count; i++) {
		const struct tally_node *node = &tally->nodes.items[i];
		const struct tally_size *size = &tally->sizes[i];

		tally->sets[i] = (struct tally_set) {
			.parent = node->parent,
			.member = tally_member_counts(tally, node->member) ? node->member :
				TALLY_NONE,
			.mappings = size->found + size->outside, .outside = size->outside,
			.frames = frames[i], .below = frames[i],
			.kind = size->kind, .ksm = size->ksm, .crowd = size->crowd,
		};
	}
	for (uint32_t i = (uint32_t)tally->set_count - 1; i >= TALLY_KIND_MAX; i--)
		tally->sets[tally->sets[i].parent].below += tally->sets[i].below;
}

int tally_sets_make(struct tally *tally, const uint64_t *frames)
{
	CLEANUP(walk_done) struct walk walk = { NULL };

	tally->set_count = tally->nodes.count;
	tally->sets = malloc(tally->set_count * sizeof(*tally->sets));
	if (!tally->sets)
		return error_nomem(&tally->error);
	fill_sets(tally, frames);
	if (walk_init(&walk, tally) < 0)
		return -ERROR_NOMEM;
	for (uint32_t kind = 0; kind < TALLY_KIND_MAX; kind++) {
		enter(&walk, kind);
		walk_from(&walk, kind);
	}
	tally->sets[walk.last].next = 0;
	return 0;
}
