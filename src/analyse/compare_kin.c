// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "compare.h"

#include <string.h>

const struct name compare_kin_names[] = {
	{ KIN_SAME, "same", "one process at two times" },
	{ KIN_FORK, "fork", "laid out alike: a fork, or a program without address randomisation" },
	{ KIN_OTHER, "other", "another run: addresses are not comparable" },
	{ 0, NULL, NULL }
};

/* The kernel writes them once, at exec; fork keeps them. */
static bool same_exec(const struct stat_record *a, const struct stat_record *b)
{
	return a->start_code == b->start_code && a->end_code == b->end_code &&
	       a->start_stack == b->start_stack;
}

static const struct object *anchor_object(const struct process *process, size_t index)
{
	const struct object *object = vma_object(process, &process->vmas[index]);

	return object && object->name[0] == '/' ? object : NULL;
}

/* Without the addresses of exec: do most mappings of files lie where they lay? */
static bool alike(const struct process *before, const struct process *after)
{
	size_t same = 0, all = 0;

	for (size_t i = 0; i < before->vma_count; i++) {
		const struct vma *vma = &before->vmas[i];
		const struct object *x = anchor_object(before, i), *y;
		uint32_t next, at;

		if (!x)
			continue;
		all++;
		at = process_find(after, vma->start, &next);
		y = at == VMA_NONE ? NULL : anchor_object(after, at);
		same += y && y->name_len == x->name_len && !memcmp(x->name, y->name, x->name_len);
	}
	return 2 * same > all;
}

enum compare_kin compare_kin_of(const struct process *before, const struct process *after)
{
	const struct stat_record *a = &before->stat, *b = &after->stat;
	bool known = before->has_stat && after->has_stat;
	bool same = known && a->addresses_known && b->addresses_known ? same_exec(a, b) :
		alike(before, after);

	if (!same)
		return KIN_OTHER;
	return known && before->pid == after->pid && a->start_time == b->start_time ? KIN_SAME :
										      KIN_FORK;
}
