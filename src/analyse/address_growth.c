// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

/* Beyond this distance nobody expects a stack to grow: its VmFlags are not worth reading. */
#define GROWTH_NEAR (1ull << 40)

/* The main stack grows; of other VMAs only VmFlags tell (MAP_GROWSDOWN). */
static enum growth may_grow(struct address_context *ctx, uint32_t index, enum certainty *certainty)
{
	struct vma *vma = &ctx->process->vmas[index];

	*certainty = CERTAINTY_INFERRED;
	if (vma->vma_class == VMA_CLASS_STACK && span_is(vma_name(ctx->process, vma), "[stack]"))
		return GROWTH_YES;
	*certainty = CERTAINTY_OBSERVED;
	if (vma->object != OBJECT_NONE || vma->perms & VMA_SHARED)
		return GROWTH_NOT_STACK;
	if (!vma->has_vm_flags &&
	    process_flags_cost(ctx->process, index) <= ctx->flags_budget)
		process_read_flags(ctx->process, index, NULL);
	if (!vma->has_vm_flags)
		return GROWTH_UNKNOWN;
	return vma->vm_flags & vm_flag("gd") ? GROWTH_YES : GROWTH_NOT_STACK;
}

static uint64_t limit_of(const struct process *process, enum limit_key key)
{
	if (!process->has_limits || !(process->limits.present >> key & 1))
		return LIMIT_UNLIMITED;
	return process->limits.soft[key];
}

static struct growth_facts facts_of(const struct address_context *ctx,
				    const struct address *address, const struct vma *stack)
{
	const struct process *process = ctx->process;
	const struct vma *below = address->near.below == VMA_NONE ? NULL :
		&process->vmas[address->near.below];
	struct growth_facts facts = {
		.address = address->address,
		.page_size = process->page_size,
		.stack_start = stack->start,
		.stack_end = stack->end,
		.stack_limit = limit_of(process, LIMIT_STACK),
		.space_limit = limit_of(process, LIMIT_AS),
		.gap = ctx->stack_gap,
	};

	if (below) {
		facts.below_end = below->end;
		facts.below_accessible = below->perms & (VMA_READ | VMA_WRITE | VMA_EXEC);
		facts.below_grows = below->has_vm_flags && below->vm_flags & vm_flag("gd");
	}
	if (process->has_status && status_has(&process->status, STATUS_VM_SIZE))
		facts.space_size = process->status.value[STATUS_VM_SIZE];
	return facts;
}

void address_growth_read(struct address_context *ctx, struct address *address)
{
	struct growth_verdict *verdict = &address->evidence.growth;
	uint32_t above = address->near.above;
	const struct vma *stack;
	struct growth_facts facts;

	verdict->growth = GROWTH_NO_VMA;
	verdict->certainty = CERTAINTY_OBSERVED;
	if (above == VMA_NONE)
		return;
	stack = &ctx->process->vmas[above];
	verdict->growth = GROWTH_NOT_STACK;
	if (stack->start - address->address > GROWTH_NEAR)
		return;
	verdict->growth = may_grow(ctx, above, &verdict->certainty);
	if (verdict->growth != GROWTH_YES)
		return;
	facts = facts_of(ctx, address, stack);
	verdict->growth = growth_decide(&facts);
	verdict->size = stack->end - address_page_start(ctx, address->address);
	verdict->limit = ctx->process->has_limits ? facts.stack_limit : 0;
	verdict->gap = facts.gap;
	/* Locked memory and overcommit may still refuse it. */
	verdict->certainty = CERTAINTY_INFERRED;
	address->evidence.above_perms = geometry_rights(ctx->geometry, stack->perms);
}
