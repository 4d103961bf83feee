// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

/* Go's runtime/malloc.go: the arenas of linux/amd64 and arm64 begin at 0xc000000000. */
#define GO_ARENA_START 0xc000000000ull
#define GO_ARENA_END 0xe000000000ull

static bool classify_go(struct classify *c, struct vma *vma)
{
	if (!c->program_is_go || vma->start < GO_ARENA_START || vma->end > GO_ARENA_END)
		return false;
	vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_ANON, RULE_GO_HEAP, CERTAINTY_INFERRED);
	return true;
}

static bool classify_shadow_stack(struct classify *c, struct vma *vma)
{
	bool threads = c->process->thread_count > 1;

	if (!vma_has_flag(vma, "ss"))
		return false;
	vma_set(vma, threads ? VMA_CLASS_THREAD : VMA_CLASS_STACK, ROLE_SHADOW_STACK,
		RULE_SHADOW_STACK, threads ? CERTAINTY_GUESS : CERTAINTY_INFERRED);
	return true;
}

static bool classify_jit(struct vma *vma)
{
	if (!(vma->perms & VMA_EXEC))
		return false;
	vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_JIT, RULE_JIT, CERTAINTY_INFERRED);
	return true;
}

/* Position beats permission: bss, stacks and arenas come before executable memory. */
void classify_anon(struct classify *c, struct vma *vma)
{
	vma->backing = BACKING_ANON;
	if (classify_elf_gap(c, vma) || !vma_is_accessible(vma))
		return;
	if (classify_elf_bss(c, vma) || classify_stack(c, vma) || classify_shadow_stack(c, vma) ||
	    classify_go(c, vma) || classify_thread_stack(c, vma) || classify_behind_data(c, vma) ||
	    classify_top_stack(c, vma) || classify_arena(c, vma) || classify_jit(vma) ||
	    classify_malloc_large(c, vma))
		return;
	vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_ANON, RULE_ANON, CERTAINTY_GUESS);
}
