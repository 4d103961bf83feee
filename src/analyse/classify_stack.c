// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

#include "vmatlas/base/search.h"

#define STACK_DEFAULT (8ull << 20)	/* RLIMIT_STACK of most systems */
#define STACK_UNLIMITED (2ull << 20)	/* glibc's size then: ARCH_STACK_DEFAULT_SIZE */
#define STACK_MERGED (512ull << 10)	/* what may have merged above a stack */
#define STACK_GUARD_MAX (64ull << 10)
#define GUARD_BELOW_MAX (64ull << 20)	/* closed space below a stack that is still its guard */

/* Pieces below [stack] that an mprotect split off keep VM_GROWSDOWN. */
bool classify_stack(struct classify *c, struct vma *vma)
{
	const struct vma *above;

	if (!vma_has_flag(vma, "gd"))
		return false;
	for (above = vma_behind(c, vma); above; above = vma_behind(c, above)) {
		if (!span_is(vma_name(c->process, above), "[stack]"))
			continue;
		vma_set(vma, VMA_CLASS_STACK, ROLE_STACK, RULE_GROWS_DOWN, CERTAINTY_INFERRED);
		vma->owner = vma_index(c, above);
		return true;
	}
	return false;
}

/* The first thread but the main one whose stack pointer lies in the VMA. */
static const struct thread_info *stack_holder(const struct classify *c, const struct vma *vma)
{
	size_t low = SEARCH_FIRST(i, c->stack_count, c->stacks[i]->sp < vma->start);

	for (; low < c->stack_count && c->stacks[low]->sp < vma->end; low++)
		if (c->stacks[low]->tid != c->process->pid)
			return c->stacks[low];
	return NULL;
}

static uint64_t stack_size_usual(const struct process *process)
{
	uint64_t soft;

	if (!process->has_limits || !(process->limits.present >> LIMIT_STACK & 1))
		return STACK_DEFAULT;
	soft = process->limits.soft[LIMIT_STACK];
	return soft == LIMIT_UNLIMITED ? STACK_UNLIMITED : soft & -(uint64_t)process->page_size;
}

/* A closed page below, or (glibc 2.42, MADV_GUARD_INSTALL) guard regions inside. */
static uint64_t size_with_guard(const struct classify *c, const struct vma *vma)
{
	const struct vma *guard = vma_before(c, vma);

	if (guard && vma_is_anon(guard) && !vma_is_accessible(guard) &&
	    guard->end - guard->start <= STACK_GUARD_MAX)
		return vma->end - guard->start;
	return vma_has_flag(vma, "gu") ? vma->end - vma->start : 0;
}

/* Guard page and stack together are what pthread_create asks for by default. */
static bool has_stack_size(const struct classify *c, const struct vma *vma)
{
	uint64_t usual = stack_size_usual(c->process), size = size_with_guard(c, vma);

	if ((vma->perms & (VMA_READ | VMA_WRITE)) != (VMA_READ | VMA_WRITE))
		return false;
	/* glibc 2.34 and later put the guard below the size that was asked for. */
	return (size >= usual && size <= usual + STACK_MERGED) ||
	       (c->process->has_limits && size >= STACK_DEFAULT &&
		size <= STACK_DEFAULT + STACK_GUARD_MAX);
}

bool classify_thread_stack(struct classify *c, struct vma *vma)
{
	const struct thread_info *holder;

	if (vma->perms & VMA_SHARED || !(vma->perms & VMA_WRITE))
		return false;
	holder = stack_holder(c, vma);
	if (holder) {
		vma_set(vma, VMA_CLASS_THREAD, ROLE_THREAD_STACK, RULE_THREAD_SP,
			CERTAINTY_INFERRED);
		vma->tid = holder->tid;
		return true;
	}
	if (vma->role_second != ROLE_MAX || !has_stack_size(c, vma))
		return false;
	vma_set(vma, VMA_CLASS_THREAD, ROLE_THREAD_STACK, RULE_THREAD_SIZE,
		c->process->has_limits ? CERTAINTY_INFERRED : CERTAINTY_GUESS);
	return true;
}

static bool is_stack(const struct vma *vma)
{
	return vma && (vma->role == ROLE_STACK || vma->role == ROLE_THREAD_STACK ||
		       vma->role == ROLE_SHADOW_STACK);
}

static void set_guard(const struct classify *c, struct vma *vma, const struct vma *owner,
		      enum classify_rule rule, enum certainty certainty)
{
	vma_set(vma, VMA_CLASS_GUARD, ROLE_GUARD, rule, certainty);
	vma->owner = vma_index(c, owner);
}

/* Anonymous memory that nothing may touch. */
bool classify_guard(struct classify *c, struct vma *vma)
{
	const struct vma *above = vma_behind(c, vma), *below = vma_before(c, vma);
	uint64_t size = vma->end - vma->start;

	if (is_stack(above) && size <= GUARD_BELOW_MAX)
		set_guard(c, vma, above, RULE_GUARD_STACK, CERTAINTY_INFERRED);
	else if (size <= STACK_GUARD_MAX && above && vma_is_accessible(above))
		set_guard(c, vma, above, RULE_GUARD_NEAR, CERTAINTY_GUESS);
	else if (size <= STACK_GUARD_MAX && below && vma_is_accessible(below))
		set_guard(c, vma, below, RULE_GUARD_NEAR, CERTAINTY_GUESS);
	else
		vma_set(vma, VMA_CLASS_GUARD, ROLE_RESERVED, RULE_RESERVED, CERTAINTY_INFERRED);
	return true;
}
