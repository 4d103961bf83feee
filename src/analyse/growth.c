// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/access.h"
#include "vmatlas/parse/limits.h"

const struct name growth_names[] = {
	{ GROWTH_NO_VMA, "no-vma", "nothing is mapped above it" },
	{ GROWTH_NOT_STACK, "not-stack", "the mapping above it does not grow" },
	{ GROWTH_UNKNOWN, "unknown", "whether the mapping above it grows is not known" },
	{ GROWTH_LIMIT, "stack-limit", "the stack would be larger than its limit" },
	{ GROWTH_ADDRESS_SPACE, "space-limit", "the address space would be larger than its limit" },
	{ GROWTH_GAP, "guard-gap", "the guard gap to the mapping below would be violated" },
	{ GROWTH_YES, "grows", "the stack grows to it" },
	{ 0, NULL, NULL },
};

/* mm/vma.c expand_downwards() and acct_stack_growth(), in their order: the gap to what lies
 * below counts only if that can be accessed and is no stack itself. */
enum growth growth_decide(const struct growth_facts *facts)
{
	uint64_t page = facts->address & ~(facts->page_size - 1);
	uint64_t more = facts->stack_start - page;

	if (facts->below_end && facts->below_accessible && !facts->below_grows &&
	    page - facts->below_end < facts->gap)
		return GROWTH_GAP;
	if (facts->space_limit != LIMIT_UNLIMITED && facts->space_size + more > facts->space_limit)
		return GROWTH_ADDRESS_SPACE;
	if (facts->stack_limit != LIMIT_UNLIMITED &&
	    facts->stack_end - page > facts->stack_limit)
		return GROWTH_LIMIT;
	return GROWTH_YES;
}
