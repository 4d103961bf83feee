// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

/*
 * Names without a file: fs/proc/task_mmu.c get_vma_name(), and what glibc (2.39 with
 * glibc.mem.decorate_maps=1) and bionic give their memory through PR_SET_VMA_ANON_NAME.
 */
struct vma_name_rule {
	const char *name;
	bool exact;
	uint8_t vma_class;
	uint8_t role;
	uint8_t rule;
	uint8_t backing;
	bool tid;		/* a thread id follows */
};

#define ANON_DECORATION(text, c, r, rule_, tid_) \
	{ "[anon:" text, false, VMA_CLASS_##c, ROLE_##r, rule_, BACKING_ANON, tid_ }
#define KERNEL_NAME(text, r) \
	{ text, true, VMA_CLASS_KERNEL, ROLE_##r, RULE_KERNEL_NAME, BACKING_KERNEL, false }

static const struct vma_name_rule name_rules[] = {
	{ "[heap]", true, VMA_CLASS_DYNAMIC, ROLE_HEAP, RULE_HEAP_NAME, BACKING_ANON, false },
	{ "[stack]", true, VMA_CLASS_STACK, ROLE_STACK, RULE_STACK_NAME, BACKING_ANON, false },
	{ "[stack:", false, VMA_CLASS_THREAD, ROLE_THREAD_STACK, RULE_THREAD_NAME, BACKING_ANON,
	  true },
	KERNEL_NAME("[vdso]", VDSO),
	KERNEL_NAME("[vvar]", VVAR),
	KERNEL_NAME("[vvar_vclock]", VVAR),
	KERNEL_NAME("[vsyscall]", VSYSCALL),
	KERNEL_NAME("[uprobes]", UPROBES),
	KERNEL_NAME("[uprobes-trampoline]", UPROBES),
	KERNEL_NAME("[vectors]", KERNEL),
	KERNEL_NAME("[sigpage]", KERNEL),
	KERNEL_NAME("[gic]", KERNEL),
	KERNEL_NAME("[mpx]", KERNEL),
	ANON_DECORATION(" glibc: pthread stack: ", THREAD, THREAD_STACK, RULE_THREAD_NAME, true),
	ANON_DECORATION(" glibc: pthread user stack: ", THREAD, THREAD_STACK, RULE_THREAD_NAME,
			true),
	ANON_DECORATION(" glibc: unused stack", THREAD, THREAD_STACK, RULE_THREAD_NAME, false),
	ANON_DECORATION("stack_and_tls:", THREAD, THREAD_STACK, RULE_THREAD_NAME, true),
	ANON_DECORATION(" glibc: malloc arena", DYNAMIC, ARENA, RULE_ARENA_NAME, false),
	ANON_DECORATION(" glibc: malloc", DYNAMIC, MALLOC_LARGE, RULE_MALLOC_NAME, false),
	ANON_DECORATION(" glibc: .bss ", MAPPED, BSS, RULE_BSS_NAME, false),
	ANON_DECORATION(".bss", MAPPED, BSS, RULE_BSS_NAME, false),
	ANON_DECORATION("thread stack guard", GUARD, GUARD, RULE_GUARD_NAME, false),
	ANON_DECORATION("", DYNAMIC, ANON, RULE_ANON_NAME, false),
	{ "[anon_shmem:", false, VMA_CLASS_DYNAMIC, ROLE_ANON, RULE_ANON_SHMEM_NAME,
	  BACKING_SHMEM, false },
	/* A name that a later kernel made up. */
	{ "[", false, VMA_CLASS_KERNEL, ROLE_KERNEL, RULE_KERNEL_NAME, BACKING_KERNEL, false },
};

static const struct vma_name_rule *name_rule(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_rules); i++) {
		const struct vma_name_rule *rule = &name_rules[i];

		if (rule->exact ? span_is(name, rule->name) : span_starts(name, rule->name))
			return rule;
	}
	return NULL;
}

static int32_t name_tid(struct span name, const char *prefix)
{
	uint64_t tid;

	name.ptr += strlen(prefix);
	name.len -= strlen(prefix);
	return span_take_dec(&name, &tid) && tid <= INT32_MAX ? (int32_t)tid : 0;
}

/* The nearest VMA below with a file that the given text ends in. */
static uint32_t bss_owner(const struct classify *c, const struct vma *vma)
{
	for (const struct vma *v = vma; v-- > c->process->vmas;)
		if (v->segment || (v->object != OBJECT_NONE && v->perms & VMA_WRITE &&
				   c->kinds[v->object] == KIND_FILE))
			return vma_index(c, v);
	return VMA_NONE;
}

/* Named memory that nothing may touch, or that holds code. */
static void anon_name_settle(struct vma *vma)
{
	if (!vma_is_accessible(vma)) {
		vma->vma_class = VMA_CLASS_GUARD;
		vma->role = ROLE_RESERVED;
	} else if (vma->perms & VMA_EXEC && vma->role == ROLE_ANON) {
		vma->role = ROLE_JIT;
	}
}

bool classify_by_name(struct classify *c, struct vma *vma)
{
	const struct vma_name_rule *rule;
	struct span name;

	if (vma->object == OBJECT_NONE || c->kinds[vma->object] != KIND_NAME)
		return false;
	/* The kernel calls bss [heap] where brk begins inside it. */
	name = vma_name(c->process, vma);
	if (span_is(name, "[heap]") && classify_elf_bss(c, vma))
		return true;
	rule = name_rule(name);
	vma_set(vma, rule->vma_class, rule->role, rule->rule, CERTAINTY_OBSERVED);
	vma->backing = rule->backing;
	if (rule->tid)
		vma->tid = name_tid(name, rule->name);
	if (rule->rule == RULE_BSS_NAME)
		vma->owner = bss_owner(c, vma);
	if (rule->backing != BACKING_KERNEL)
		anon_name_settle(vma);
	if (rule->rule == RULE_KERNEL_NAME && rule->role == ROLE_KERNEL)
		vma->certainty = CERTAINTY_INFERRED;
	return true;
}
