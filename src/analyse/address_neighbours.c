// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

const struct name address_kind_names[] = {
	{ ADDRESS_USER, "user", "address of user space" },
	{ ADDRESS_KERNEL, "kernel", "address of the kernel: no process can map it" },
	{ ADDRESS_NON_CANONICAL, "non-canonical", "no address: its upper bits are not all equal" },
	{ 0, NULL, NULL },
};

/* Only x86-64 has the hole: with 4 levels bits 47 to 63 are equal, with 5 levels 56 to 63. */
enum address_kind address_kind_of(const struct geometry *g, const char *machine, uint64_t address)
{
	uint64_t upper = address >> g->user_bits;

	if (!upper)
		return ADDRESS_USER;
	if ((machine[0] && strcmp(machine, "x86_64")) || upper == UINT64_MAX >> g->user_bits)
		return ADDRESS_KERNEL;
	return ADDRESS_NON_CANONICAL;
}

void address_neighbours_find(struct address_context *ctx, struct address *address)
{
	const struct process *process = ctx->process;
	struct address_neighbours *near = &address->near;
	uint32_t above;

	address->vma = process_find(process, address->address, &above);
	near->above = above;
	near->below = VMA_NONE;
	if (address->vma != VMA_NONE)
		near->below = address->vma ? address->vma - 1 : VMA_NONE;
	else if (above != VMA_NONE)
		near->below = above ? above - 1 : VMA_NONE;
	else if (process->vma_count)
		near->below = (uint32_t)process->vma_count - 1;
	if (near->above != VMA_NONE)
		near->above_distance = process->vmas[above].start - address->address;
	if (near->below != VMA_NONE)
		near->below_distance = address->address - process->vmas[near->below].end + 1;
}
