// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"
#include "vmatlas/analyse/state.h"

#define PSS_SHIFT 12	/* fs/proc/task_mmu.c */

/* Sums of pages; PSS with the fraction of the kernel. */
struct sums {
	struct process *process;
	struct ledger_facts *facts;
	struct ledger_sharers *sharers;
	uint64_t value[LEDGER_NUMBERS];
	enum gap gap;			/* why `unread` are missing */
	uint64_t unread;		/* pages that could not be read at all */
	enum gap count_gap;
	uint64_t uncounted;		/* resident pages whose mappings are not known */
	enum gap flags_gap;
	uint64_t unflagged;
	uint64_t unsized;		/* pages that nothing tells the leaf of */
	uint64_t unslotted;		/* swap entries that may be markers */
	size_t next;
};

static const struct {
	enum ledger_pages rss, pss, huge;
} of_kind[LEDGER_KIND_MAX] = {
	[LEDGER_KIND_ANON] = { PAGES_ANON, PAGES_PSS_ANON, PAGES_ANON_HUGE },
	[LEDGER_KIND_FILE] = { PAGES_FILE, PAGES_PSS_FILE, PAGES_FILE_HUGE },
	[LEDGER_KIND_SHMEM] = { PAGES_SHMEM, PAGES_PSS_SHMEM, PAGES_SHMEM_HUGE },
};

static enum ledger_kind kind_of(const struct page_run *run)
{
	if (!run->flags_known)
		return run->entry & PAGEMAP_FILE ? LEDGER_KIND_FILE : LEDGER_KIND_ANON;
	if (run->flags & KPF_ANON)
		return LEDGER_KIND_ANON;
	return run->flags & KPF_SWAPBACKED ? LEDGER_KIND_SHMEM : LEDGER_KIND_FILE;
}

/* 0: not known. */
static uint32_t mappings_of(const struct page_run *run)
{
	if (run->count_known)
		return run->mappings ? run->mappings : 1;
	return run->entry & PAGEMAP_EXCLUSIVE ? 1 : 0;
}

/* smaps_account(): the quotient of each page is cut at 2^-12 of a byte. */
static int add_share(struct sums *sums, const struct page_run *run, enum ledger_kind kind,
		     uint64_t bytes)
{
	uint64_t share = (uint64_t)sums->process->page_size << PSS_SHIFT;
	uint32_t mappings = mappings_of(run);

	if (!mappings) {
		sums->uncounted += run->pages;
		sums->count_gap = run->gap != GAP_NONE ? run->gap : GAP_NEEDS_PRIVILEGE;
		return 0;
	}
	sums->value[mappings > 1 ? PAGES_SHARED : PAGES_PRIVATE] += bytes;
	share = share / mappings * run->pages;
	sums->value[PAGES_PSS] += share;
	sums->value[of_kind[kind].pss] += share;
	return ledger_sharers_add(sums->sharers, mappings, kind, bytes);
}

/* Neither flags nor a scan: the zero page is present, no file's, and not mapped once. */
static bool may_be_zero(const struct page_run *run)
{
	return !run->zero_known && !(run->entry & (PAGEMAP_FILE | PAGEMAP_EXCLUSIVE));
}

static int add_resident(struct sums *sums, const struct page_run *run, uint64_t bytes)
{
	enum ledger_kind kind = kind_of(run);

	sums->value[PAGES_RSS] += bytes;
	if (may_be_zero(run))
		sums->facts->maybe_zero += bytes;
	sums->value[of_kind[kind].rss] += bytes;
	if (kind != LEDGER_KIND_ANON)
		sums->value[PAGES_OBJECTS] += bytes;
	if (run->leaf == LEAF_PMD || run->leaf == LEAF_PUD)
		sums->value[of_kind[kind].huge] += bytes;
	if (run->leaf == LEAF_UNKNOWN)
		sums->unsized += run->pages;
	if (run->flags_known && run->flags & KPF_KSM)
		sums->value[PAGES_KSM] += bytes;
	if (!run->flags_known) {
		sums->unflagged += run->pages;
		sums->flags_gap = run->gap != GAP_NONE ? run->gap : GAP_NEEDS_PRIVILEGE;
	}
	return add_share(sums, run, kind, bytes);
}

static void add_swap(struct sums *sums, const struct page_run *run, uint64_t bytes)
{
	switch (run->swap.kind) {
	case SWAP_SLOT:
		sums->value[PAGES_SWAP] += bytes;
		break;
	case SWAP_SPECIAL:
		sums->facts->special += bytes;
		break;
	case SWAP_UNKNOWN:
		sums->unslotted += run->entry & PAGEMAP_GUARD ? 0 : run->pages;
		break;
	default:
		break;
	}
}

static int add_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct sums *sums = ctx;
	uint64_t bytes = run->pages * sums->process->page_size;
	struct state_facts facts;

	if (run->changed)
		sums->facts->unsure += bytes;
	if (run->kind == PAGE_UNREADABLE && run->gap != GAP_NOT_APPLICABLE) {
		sums->unread += run->pages;
		sums->gap = run->gap;
	}
	if (run->kind == PAGE_SWAP)
		add_swap(sums, run, bytes);
	if (run->kind != PAGE_PRESENT)
		return 0;
	state_facts_of(sums->process, &sums->process->vmas[index], &facts);
	if (facts.hugetlb)
		sums->value[PAGES_HUGETLB] += bytes;
	else if (state_is_resident(&facts, run))
		return add_resident(sums, run, bytes);
	return 0;
}

static int next_range(void *ctx, struct page_range *range)
{
	struct sums *sums = ctx;
	const struct process *process = sums->process;
	const struct vma *vma;
	struct state_facts facts;

	if (sums->next == process->vma_count)
		return 0;
	vma = &process->vmas[sums->next];
	state_facts_of(process, vma, &facts);
	*range = (struct page_range) {
		.start = vma->start, .end = vma->end, .index = (uint32_t)sums->next++,
		.hidden = facts.hidden, .sums = true,
	};
	return 1;
}

static bool is_sparse(const struct process *process)
{
	uint64_t size = 0, resident = process->has_stat ? process->stat.rss : 0;

	for (size_t i = 0; i < process->vma_count; i++)
		size += process->vmas[i].end - process->vmas[i].start;
	return size > 8 * resident * process->page_size + (1ULL << 30);
}

#define BIT(n) (1ULL << (n))
#define NEEDS_COUNT (BIT(PAGES_PSS) | BIT(PAGES_PSS_ANON) | BIT(PAGES_PSS_FILE) | \
		     BIT(PAGES_PSS_SHMEM) | BIT(PAGES_SHARED) | BIT(PAGES_PRIVATE))
#define NEEDS_FLAGS (BIT(PAGES_FILE) | BIT(PAGES_SHMEM) | BIT(PAGES_PSS_FILE) | \
		     BIT(PAGES_PSS_SHMEM) | BIT(PAGES_SHMEM_HUGE) | BIT(PAGES_FILE_HUGE) | \
		     BIT(PAGES_KSM))
#define NEEDS_LEAF (BIT(PAGES_ANON_HUGE) | BIT(PAGES_SHMEM_HUGE) | BIT(PAGES_FILE_HUGE))

/* A sum that a page is missing from is no sum. */
static void take_sums(const struct sums *sums, struct ledger_numbers *numbers)
{
	for (int i = PAGES_RSS; i <= PAGES_SWAP; i++)
		numbers_set(numbers, i, sums->value[i]);
	for (int i = PAGES_PSS; i <= PAGES_PSS_SHMEM; i++)
		numbers->value[i] >>= PSS_SHIFT;
	if (sums->unslotted) {
		numbers->present &= ~BIT(PAGES_SWAP);
		numbers->gap = GAP_NEEDS_PRIVILEGE;
	}
	if (sums->unsized) {
		numbers->present &= ~NEEDS_LEAF;
		numbers->gap = GAP_NOT_IN_KERNEL;
	}
	if (sums->unflagged) {
		numbers->present &= ~NEEDS_FLAGS;
		numbers->gap = sums->flags_gap;
	}
	if (sums->uncounted) {
		numbers->present &= ~NEEDS_COUNT;
		numbers->gap = sums->count_gap;
	}
	if (sums->unread) {
		numbers->present = 0;
		numbers->gap = sums->gap;
	}
}

int ledger_sum_pages(struct process *process, struct ledger_numbers *numbers,
		     struct ledger_sharers *sharers, struct ledger_facts *facts,
		     struct error *error)
{
	CLEANUP(pages_freep) struct pages *pages = NULL;
	struct sums sums = { .process = process, .facts = facts, .sharers = sharers };
	struct page_ranges ranges = { next_range, &sums, is_sparse(process) };
	unsigned needs = PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_LEAF | PAGE_JOIN_FRAMES;
	int rc = pages_new(process->source, needs, &pages, error);

	if (rc >= 0)
		rc = pages_walk(pages, &ranges, add_run, &sums, error);
	if (rc < 0)
		return rc == -ERROR_NOMEM ? error_nomem(error) : rc;
	*numbers = (struct ledger_numbers) { .gap = GAP_NONE };
	take_sums(&sums, numbers);
	return 0;
}
