// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#define PAGE_NEEDS (PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_LEAF | PAGE_NEED_HOLES)

/* One range for the walk, and the run of it that holds the page. */
struct page_pick {
	struct page_range range;
	bool handed;
	uint64_t page;		/* address */
	uint64_t page_size;
	struct page_run run;
	bool found;
};

static int next_range(void *ctx, struct page_range *range)
{
	struct page_pick *pick = ctx;

	if (pick->handed)
		return 0;
	pick->handed = true;
	*range = pick->range;
	return 1;
}

/* Cuts the run to the one page. */
static int pick_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct page_pick *pick = ctx;
	uint64_t skip;

	(void)index;
	if (pick->page < run->start || (pick->page - run->start) / pick->page_size >= run->pages)
		return 0;
	skip = (pick->page - run->start) / pick->page_size;
	pick->found = true;
	pick->run = *run;
	pick->run.start = pick->page;
	pick->run.pages = 1;
	if (run->frame_known)
		pick->run.frame += skip;
	if (run->kind == PAGE_SWAP && run->swap.kind == SWAP_SLOT)
		pick->run.swap.offset += skip;
	return 0;
}

static int walk(struct address_context *ctx, struct address *address, uint64_t start,
		uint64_t end, bool hidden, struct error *error)
{
	struct page_pick pick = {
		.range = { .start = start, .end = end, .hidden = hidden },
		.page = address_page_start(ctx, address->address),
		.page_size = ctx->process->page_size,
	};
	struct page_ranges ranges = { .next = next_range, .ctx = &pick };
	int rc = pages_walk(ctx->pages, &ranges, pick_run, &pick, error);

	if (rc < 0)
		return rc;
	if (pick.found)
		address->page.run = pick.run;
	else
		address->page.run = (struct page_run) { .start = pick.page, .pages = 1,
							.kind = PAGE_UNREADABLE,
							.gap = GAP_CHANGED };
	return 0;
}

/* Whether a huge entry maps the page, and what else its folio is mapped by, shows only in the
 * whole block around it. */
static bool needs_block(const struct page_run *run)
{
	return run->kind == PAGE_PRESENT && run->flags_known && !(run->zero_known && run->zero) &&
		run->flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL);
}

static uint64_t block_bytes(const struct address_context *ctx)
{
	return (uint64_t)ctx->process->page_size / 8 * ctx->process->page_size;
}

int address_page_read(struct address_context *ctx, struct address *address, struct error *error)
{
	const struct vma *vma = address_vma(ctx, address);
	struct address_page *page = &address->page;
	uint64_t start = address_page_start(ctx, address->address);
	uint64_t size = ctx->process->page_size, block = block_bytes(ctx), from, to;
	int rc;

	if (!ctx->pages && (rc = pages_new(ctx->process->source, PAGE_NEEDS, &ctx->pages,
					   error)) < 0)
		return rc;
	state_facts_of(ctx->process, vma, &page->facts);
	page->facts.perms = geometry_rights(ctx->geometry, page->facts.perms);
	rc = walk(ctx, address, start, start + size, page->facts.hidden, error);
	if (rc < 0)
		return rc;
	if (needs_block(&page->run) || (page->run.zero_known && page->run.zero)) {
		from = start & ~(block - 1);
		to = from + block;
		rc = walk(ctx, address, from > vma->start ? from : vma->start,
			  to < vma->end ? to : vma->end, false, error);
	}
	if (rc < 0)
		return rc;
	page->known = true;
	if (page->run.entry & PAGEMAP_UFFD_WP)
		state_facts_async(ctx->process, vma, &page->facts);
	state_decide(&page->facts, &page->run, &page->verdict);
	return 0;
}
