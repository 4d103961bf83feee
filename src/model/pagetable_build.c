// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/pagetable.h"

#include <stdlib.h>

uint64_t pagetable_bytes(const struct pagetable *pagetable)
{
	return table_counts_bytes(pagetable->geometry, &pagetable->counts);
}

uint64_t vma_tables_bytes(const struct geometry *g, const struct vma_tables *tables)
{
	uint64_t bytes = tables->deposited * geometry_table_bytes(g, LEVEL_PTE);

	for (enum table_level level = LEVEL_PTE; level <= LEVEL_PUD; level++)
		bytes += tables->tables[level] * geometry_table_bytes(g, level);
	return bytes;
}

const struct geometry *pagetable_geometry(const struct process *process,
					  enum certainty *certainty)
{
	struct source *source = source_process_source(process->source);
	const struct source_host *host = source_host(source);
	CLEANUP(buf_done) struct buf cpuinfo = BUF_INIT;
	const struct geometry *found;
	uint64_t highest = 0;

	for (size_t i = process->vma_count; i && !highest; i--)
		if (process->vmas[i - 1].end <= 1ULL << 56)	/* above: [vsyscall] */
			highest = process->vmas[i - 1].end;
	if (source_system_text(source, SOURCE_CPUINFO, &cpuinfo, NULL) < 0)
		buf_clear(&cpuinfo);
	found = geometry_detect(host->machine, process->page_size, buf_span(&cpuinfo), highest);
	*certainty = found ? CERTAINTY_INFERRED : CERTAINTY_GUESS;
	return found ? found : &geometries[0];
}

/* Memory without a file; private /dev/zero too (drivers/char/mem.c mmap_zero()). Huge anonymous
 * pages of any other mapping are hugetlb: its anonymous kind maps an unlinked file as well. */
static bool vma_is_anonymous(const struct process *process, const struct vma *vma)
{
	const struct object *object = vma_object(process, vma);

	return !object || !object->inode || span_is(vma_name(process, vma), "/dev/zero");
}

/* Private memory that holds nothing but anonymous pages: without a name, or with one that the
 * kernel gives to heap, stack and named areas; "[vdso]" and the like are mapped pages. */
static bool vma_is_private_memory(const struct process *process, const struct vma *vma)
{
	struct span name = vma_name(process, vma);

	if (vma->perms & VMA_SHARED)
		return false;
	return !name.len || span_is(name, "[heap]") || span_is(name, "[stack]") ||
		span_starts(name, "[anon:");
}

static int range_next(void *ctx, struct page_range *range)
{
	struct table_ranges *ranges = ctx;
	const struct table_filter *filter = &ranges->filter;
	const struct process *process = ranges->process;

	while (ranges->next < process->vma_count) {
		uint32_t index = (uint32_t)ranges->next++;
		const struct vma *vma = &process->vmas[index];
		uint64_t start = vma->start > filter->start ? vma->start : filter->start;
		uint64_t end = vma->end < filter->end ? vma->end : filter->end;

		if (start >= end || (filter->wants && !filter->wants(filter->ctx, process, vma)))
			continue;
		*range = (struct page_range) {
			.start = start, .end = end, .index = index,
			.hidden = vma->has_vm_flags && vma->vm_flags & vm_flag("pf"),
			.anonymous = vma_is_private_memory(process, vma),
		};
		return 1;
	}
	return 0;
}

struct page_ranges table_ranges_init(struct table_ranges *ranges, const struct process *process,
				     const struct geometry *geometry,
				     const struct table_filter *filter)
{
	struct page_range range;
	uint64_t size = 0;

	*ranges = (struct table_ranges) { .process = process, .filter.end = UINT64_MAX };
	if (filter)
		ranges->filter = *filter;
	if (ranges->filter.end > geometry->user_end)	/* [vsyscall] is the kernel's */
		ranges->filter.end = geometry->user_end;
	while (range_next(ranges, &range))
		size += range.end - range.start;
	ranges->next = 0;
	return (struct page_ranges) {
		.next = range_next, .ctx = ranges, .sparse = process_is_sparse(process, size),
	};
}

/* Only smaps tells 2 MiB from 1 GiB hugetlb where frames are not looked at. */
static enum page_leaf run_leaf(const struct process *process, const struct vma *vma,
			       const struct page_run *pages)
{
	uint64_t value[SMAPS_KEY_MAX], present;

	if (pages->leaf != LEAF_PMD || !vma->smaps || vma_is_anonymous(process, vma) ||
	    !vma_smaps(process, vma, &present, value) ||
	    !(present >> SMAPS_KERNEL_PAGE_SIZE & 1))
		return pages->leaf;
	return value[SMAPS_KERNEL_PAGE_SIZE] >= 1ULL << 30 ? LEAF_PUD : LEAF_PMD;
}

/*
 * Does this entry prove that the VMA has an anon_vma? The zero page does not (do_anonymous_page()
 * maps it without), guard regions do (mm/madvise.c), and write-protection by userfaultfd makes
 * fork copy as well.
 */
static bool proves_anonymous(const struct vma *vma, const struct page_run *pages)
{
	if (vma->perms & VMA_SHARED)
		return false;
	if (pages->entry & PAGEMAP_UFFD_WP)
		return true;
	return !(pages->entry & PAGEMAP_FILE) && !(pages->zero_known && pages->zero);
}

bool table_run_from_pages(const struct process *process, uint32_t index,
			  const struct page_run *pages, struct table_run *run)
{
	const struct vma *vma = &process->vmas[index];
	bool thp, zero = pages->zero_known && pages->zero, file;

	if (pages->kind != PAGE_PRESENT && pages->kind != PAGE_SWAP)
		return false;
	/* Before 7.3 bit 61 is set for the huge zero page although it counts as anonymous. */
	file = pages->entry & PAGEMAP_FILE && !zero;
	*run = (struct table_run) {
		.start = pages->start, .pages = pages->pages, .vma = index,
		.leaf = run_leaf(process, vma, pages),
		.present = pages->kind == PAGE_PRESENT,
		.anonymous = proves_anonymous(vma, pages),
	};
	thp = run->leaf == LEAF_PMD && vma_is_anonymous(process, vma);
	run->deposit = thp && !file && !(vma->perms & VMA_SHARED);
	run->fork_skips = run->leaf == LEAF_PMD && file && !(vma->perms & VMA_SHARED);
	return true;
}

const struct name entry_kind_names[] = {
	{ ENTRY_KIND_ANON, "anon", "anonymous page" },
	{ ENTRY_KIND_FILE, "file", "page of a file or shared object" },
	{ ENTRY_KIND_ZERO, "zero", "the shared zero page" },
	{ ENTRY_KIND_SWAP, "swap", "in a swap slot" },
	{ ENTRY_KIND_GUARD, "guard", "guard marker" },
	{ ENTRY_KIND_MARKER, "marker", "userfaultfd or poison marker" },
	{ ENTRY_KIND_SPECIAL, "special", "migration, device or hwpoison entry" },
	{ ENTRY_KIND_ABSENT, "absent", "swap or a marker: telling which needs privilege" },
	{ 0, NULL, NULL },
};

static enum entry_kind absent_kind(const struct page_run *pages)
{
	if (pages->entry & PAGEMAP_GUARD)
		return ENTRY_KIND_GUARD;
	switch (pages->swap.kind) {
	case SWAP_SLOT:
		return ENTRY_KIND_SWAP;
	case SWAP_MARKER_GUARD:
		return ENTRY_KIND_GUARD;
	case SWAP_MARKER_UFFD_WP:
	case SWAP_MARKER_POISON:
	case SWAP_MARKER_OTHER:
		return ENTRY_KIND_MARKER;
	case SWAP_SPECIAL:
		return ENTRY_KIND_SPECIAL;
	case SWAP_UNKNOWN:
		break;
	}
	return ENTRY_KIND_ABSENT;
}

enum entry_kind entry_kind_of(const struct page_run *pages)
{
	if (pages->kind != PAGE_PRESENT)
		return absent_kind(pages);
	if (pages->zero_known && pages->zero)
		return ENTRY_KIND_ZERO;
	return pages->entry & PAGEMAP_FILE ? ENTRY_KIND_FILE : ENTRY_KIND_ANON;
}

struct build {
	struct process *process;
	struct pagetable *pagetable;
	struct table_builder builder;
};

static int build_vma(void *ctx, uint32_t vma, const struct table_counts *counts)
{
	struct build *build = ctx;
	struct pagetable *table = build->pagetable;
	const struct geometry *g = table->geometry;
	struct vma_tables *out;

	if (array_grow((void **)&table->vmas, &table->vma_cap, table->vma_count,
		       sizeof(*table->vmas)) < 0)
		return -ERROR_NOMEM;
	out = &table->vmas[table->vma_count++];
	*out = (struct vma_tables) {
		.vma = vma, .bases = counts->leaves[LEVEL_PTE], .absent = counts->absent,
		.deposited = (uint32_t)counts->deposited,
		.pmd_leaves = (uint32_t)counts->leaves[table_leaf_level(g, LEAF_PMD)],
	};
	if (table_leaf_level(g, LEAF_PUD) != table_leaf_level(g, LEAF_PMD))
		out->pud_leaves = (uint32_t)counts->leaves[table_leaf_level(g, LEAF_PUD)];
	for (enum table_level level = LEVEL_PTE; level < LEVEL_PGD; level++)
		out->tables[level] = (uint32_t)counts->tables[level];
	return 0;
}

static void note_gap(struct pagetable *table, const struct page_run *pages)
{
	if (pages->kind == PAGE_UNREADABLE) {
		if (pages->gap == GAP_NOT_APPLICABLE) {
			table->hidden_pages += pages->pages;
		} else {
			table->unread_pages += pages->pages;
			table->gap = pages->gap;
		}
	}
	if (pages->changed)
		table->changed_pages += pages->pages;
	if (pages->kind == PAGE_PRESENT && pages->leaf == LEAF_UNKNOWN)
		table->unknown_leaf_pages += pages->pages;
}

static int build_run(void *ctx, uint32_t vma, const struct page_run *pages)
{
	struct build *build = ctx;
	struct table_run run;

	note_gap(build->pagetable, pages);
	if (!table_run_from_pages(build->process, vma, pages, &run))
		return 0;
	return table_builder_add(&build->builder, &run);
}

static int build_walk(struct build *build, const struct table_filter *filter,
		      struct error *error)
{
	const struct geometry *g = build->pagetable->geometry;
	struct pages *CLEANUP(pages_freep) pages = NULL;
	struct table_ranges state;
	struct page_ranges ranges;
	int err;

	err = pages_new(build->process->source, PAGE_NEED_LEAF | PAGE_JOIN_FRAMES, &pages, error);
	if (err < 0)
		return err;
	ranges = table_ranges_init(&state, build->process, g, filter);
	table_builder_init(&build->builder, g, build_vma, build);
	err = pages_walk(pages, &ranges, build_run, build, error);
	if (err >= 0)
		err = table_builder_finish(&build->builder);
	return err == -ERROR_NOMEM ? error_nomem(error) : err;
}

int pagetable_build(struct process *process, const struct geometry *geometry,
		    const struct table_filter *filter, struct pagetable **pagetable,
		    struct error *error)
{
	struct build build = { .process = process };
	struct pagetable *CLEANUP(pagetable_freep) table = calloc(1, sizeof(*table));
	int err;

	if (!table)
		return error_nomem(error);
	table->geometry = geometry;
	build.pagetable = table;
	err = build_walk(&build, filter, error);
	if (err < 0)
		return err;
	table->counts = build.builder.walk.counts;
	table->preallocated = build.builder.preallocated;
	table->fill = build.builder.fill;
	table->fork = build.builder.fork;
	*pagetable = table;
	table = NULL;
	return 0;
}

void pagetable_free(struct pagetable *pagetable)
{
	if (!pagetable)
		return;
	free(pagetable->vmas);
	free(pagetable);
}
