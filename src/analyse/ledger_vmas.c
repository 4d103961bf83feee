// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"

#define GIB (1ULL << 30)

/* Not accounted to anybody: it lies above user space. */
static bool is_gate(const struct vma *vma)
{
	return vma->role == ROLE_VSYSCALL;
}

static bool has(const struct vma *vma, const char *code)
{
	return vma->has_vm_flags && vma->vm_flags & vm_flag(code);
}

/*
 * fs/proc/task_mmu.c smap_gather_stats(): Swap of a mapping of shared memory holds the swapped
 * pages of the object, for which there are no entries; of a private writable one, slots of its own
 * copies as well.
 */
static void add_object_swap(const struct vma *vma, uint64_t swap, struct ledger_facts *facts)
{
	if (vma->backing != BACKING_SHMEM)
		return;
	facts->object_swap_most += swap;
	if (vma->perms & VMA_SHARED)
		facts->object_swap_least += swap;
}

/* mm/hugetlb.c want_pmd_share(): tables of shared mappings that cover 1 GiB in one piece. Who they
 * were shared with may be gone by now. */
static bool shares_tables(const struct vma *vma)
{
	uint64_t start = (vma->start + GIB - 1) & ~(GIB - 1);

	return vma->perms & VMA_SHARED && start + GIB <= vma->end;
}

static void add_facts(const struct vma *vma, const uint64_t value[SMAPS_KEY_MAX],
		      struct ledger_facts *facts)
{
	if (is_gate(vma))
		facts->gate += vma->end - vma->start;
	facts->shared_vmas += value[SMAPS_SHARED_CLEAN] || value[SMAPS_SHARED_DIRTY];
	facts->swap_vmas += value[SMAPS_SWAP_PSS] > 0;
	facts->locked_vmas += value[SMAPS_LOCKED] > 0;
	add_object_swap(vma, value[SMAPS_SWAP], facts);
	if (shares_tables(vma))
		facts->shareable_hugetlb += value[SMAPS_SHARED_HUGETLB] +
			value[SMAPS_PRIVATE_HUGETLB];
}

void ledger_sum_smaps(const struct process *process, struct ledger_numbers *numbers,
		      struct ledger_facts *facts)
{
	uint64_t value[SMAPS_KEY_MAX], present;

	*numbers = (struct ledger_numbers) { .gap = process->smaps_gap };
	if (process->smaps_gap != GAP_NONE)
		return;
	numbers->present = process->smaps_present;
	for (size_t i = 0; i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];

		if (!vma_smaps(process, vma, &present, value))
			continue;
		for (int key = 0; key < SMAPS_KEY_MAX; key++)
			numbers->value[key] += value[key];
		add_facts(vma, value, facts);
	}
}

/* include/linux/mm.h is_exec_mapping() and its like, as vm_stat_account() asks them. 's' of maps
 * is VM_MAYSHARE; VM_SHARED, which counts here, needs VmFlags. */
static void add_vma(const struct vma *vma, struct ledger_numbers *numbers)
{
	uint64_t size = vma->end - vma->start;
	bool stack = has(vma, "gd") || has(vma, "ss"), write = vma->perms & VMA_WRITE;

	numbers->value[MODEL_VSS] += size;
	if (vma->perms & VMA_EXEC && !write && !stack)
		numbers->value[MODEL_LIB] += size;
	else if (stack)
		numbers->value[MODEL_STACK] += size;
	else if (write && !has(vma, "sh"))
		numbers->value[MODEL_DATA] += size;
	if (has(vma, "lo"))
		numbers->value[MODEL_LOCKED] += size;
}

/* task_mem(): text of the program is what exec noted, as far as there is executable memory. */
static void split_text(const struct process *process, struct ledger_numbers *numbers,
		       struct ledger_facts *facts)
{
	uint64_t mask = process->page_size - 1, all = numbers->value[MODEL_LIB], text;

	if (!process->has_stat || !process->stat.addresses_known)
		return;
	text = ((process->stat.end_code + mask) & ~mask) - (process->stat.start_code & ~mask);
	if (text > all) {
		facts->text_cut = text - all;
		text = all;
	}
	numbers_set(numbers, MODEL_EXE, text);
	numbers_set(numbers, MODEL_LIB, all - text);
}

void ledger_sum_vmas(const struct process *process, struct ledger_numbers *numbers,
		     struct ledger_facts *facts)
{
	bool flags = process->smaps_gap == GAP_NONE;

	*numbers = (struct ledger_numbers) { .gap = process->smaps_gap };
	numbers->present = 1ULL << MODEL_VSS;
	for (size_t i = 0; i < process->vma_count; i++) {
		if (is_gate(&process->vmas[i]))
			continue;
		flags = flags && process->vmas[i].has_vm_flags;
		add_vma(&process->vmas[i], numbers);
	}
	if (!flags)
		return;
	numbers->present |= 1ULL << MODEL_DATA | 1ULL << MODEL_STACK | 1ULL << MODEL_LOCKED;
	split_text(process, numbers, facts);
	if (!(numbers->present >> MODEL_LIB & 1))
		numbers->gap = process->has_stat ? GAP_NEEDS_PRIVILEGE : process->stat_gap;
}
