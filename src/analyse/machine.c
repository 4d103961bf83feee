// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/analyse/machine.h"

const struct name machine_item_names[] = {
	{ MACHINE_ANON, "anon", "anonymous, mapped" },
	{ MACHINE_MAPPED, "mapped", "page cache, mapped" },
	{ MACHINE_CACHE, "cache", "page cache, not mapped" },
	{ MACHINE_HUGETLB, "hugetlb", "pools of huge pages" },
	{ MACHINE_SLAB_CACHES, "slab_caches", "kernel: caches" },
	{ MACHINE_SLAB, "slab", "kernel: objects" },
	{ MACHINE_PAGE_TABLES, "page_tables", "kernel: page tables" },
	{ MACHINE_STACKS, "stacks", "kernel: stacks" },
	{ MACHINE_VMALLOC, "vmalloc", "kernel: vmalloc" },
	{ MACHINE_PERCPU, "percpu", "kernel: per CPU" },
	{ MACHINE_ZSWAP, "zswap", "compressed swap" },
	{ MACHINE_FREE, "free", "free" },
	{ MACHINE_REST, "rest", "not accounted for" },
	{ 0, NULL, NULL }
};

#define NO_KEY MEMINFO_KEY_MAX

/* What meminfo says: the sum of `plus` less `minus`. The first one must be there, the others are
 * 0 where the kernel does not have them. */
static const struct {
	enum meminfo_key plus[2];
	enum meminfo_key minus;
	enum certainty certainty;
	const char *from;
} sums[MACHINE_ITEM_MAX] = {
	[MACHINE_ANON] = { { MEMINFO_ANON_PAGES, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED,
			   "AnonPages" },
	[MACHINE_MAPPED] = { { MEMINFO_MAPPED, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED, "Mapped" },
	/* SwapCached is left out: most of it is mapped, and is in AnonPages. */
	[MACHINE_CACHE] = { { MEMINFO_CACHED, MEMINFO_BUFFERS }, MEMINFO_MAPPED,
			    CERTAINTY_INFERRED, "Cached + Buffers - mapped" },
	[MACHINE_HUGETLB] = { { MEMINFO_HUGETLB, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED,
			      "Hugetlb" },
	[MACHINE_SLAB_CACHES] = { { MEMINFO_S_RECLAIMABLE, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED,
				  "SReclaimable" },
	[MACHINE_SLAB] = { { MEMINFO_S_UNRECLAIM, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED,
			   "SUnreclaim" },
	[MACHINE_PAGE_TABLES] = { { MEMINFO_PAGE_TABLES, MEMINFO_SEC_PAGE_TABLES }, NO_KEY,
				  CERTAINTY_OBSERVED, "PageTables + SecPageTables" },
	[MACHINE_STACKS] = { { MEMINFO_KERNEL_STACK, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED,
			     "KernelStack" },
	/* With CONFIG_VMAP_STACK, the rule on 64-bit machines, stacks come from vmalloc
	 * (kernel/fork.c alloc_thread_stack_node). */
	[MACHINE_VMALLOC] = { { MEMINFO_VMALLOC_USED, NO_KEY }, MEMINFO_KERNEL_STACK,
			      CERTAINTY_INFERRED, "VmallocUsed - KernelStack" },
	[MACHINE_PERCPU] = { { MEMINFO_PERCPU, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED, "Percpu" },
	[MACHINE_ZSWAP] = { { MEMINFO_ZSWAP, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED, "Zswap" },
	[MACHINE_FREE] = { { MEMINFO_FREE, NO_KEY }, NO_KEY, CERTAINTY_OBSERVED, "MemFree" },
	[MACHINE_REST] = { { MEMINFO_TOTAL, NO_KEY }, NO_KEY, CERTAINTY_UNKNOWN,
			   "MemTotal - all above" },
};

static uint64_t value_of(const struct meminfo *meminfo, enum meminfo_key key)
{
	return key != NO_KEY && meminfo_has(meminfo, key) ? meminfo->value[key] : 0;
}

static void fill_row(struct machine_row *row, enum machine_item item,
		     const struct meminfo *meminfo)
{
	uint64_t plus = value_of(meminfo, sums[item].plus[0]) +
		value_of(meminfo, sums[item].plus[1]);
	uint64_t minus = value_of(meminfo, sums[item].minus);

	*row = (struct machine_row) { .from = sums[item].from };
	if (!meminfo_has(meminfo, sums[item].plus[0])) {
		row->gap = GAP_NOT_IN_KERNEL;
		return;
	}
	row->bytes = plus > minus ? (int64_t)(plus - minus) : 0;
	row->certainty = sums[item].certainty;
}

/* Frames that were counted take the place of what the kernel's counters say, which trail behind
 * by what each CPU keeps for itself (mm/vmstat.c). */
static void put_counted(struct machine_row *row, uint64_t bytes)
{
	row->has_counter = row->gap == GAP_NONE;
	row->counter = (uint64_t)row->bytes;
	row->bytes = (int64_t)bytes;
	row->gap = GAP_NONE;
	row->counted = true;
	row->certainty = CERTAINTY_OBSERVED;
}

static void count_frames(struct machine *machine, const struct meminfo *meminfo,
			 const struct tally_totals *totals)
{
	struct machine_row *rows = machine->rows, *cache = &rows[MACHINE_CACHE];
	uint64_t pages = value_of(meminfo, MEMINFO_CACHED) + value_of(meminfo, MEMINFO_BUFFERS);

	put_counted(&rows[MACHINE_ANON], totals->anon_once);
	put_counted(&rows[MACHINE_MAPPED], totals->file_once);
	if (cache->gap == GAP_NONE)
		cache->bytes = pages > totals->file_once ?
			(int64_t)(pages - totals->file_once) : 0;
	if (rows[MACHINE_ANON].has_counter && rows[MACHINE_ANON].counter > totals->anon_once)
		machine->unseen = rows[MACHINE_ANON].counter - totals->anon_once;
}

static void fill_rest(struct machine *machine)
{
	struct machine_row *rest = &machine->rows[MACHINE_REST];

	for (int i = 0; i < MACHINE_REST; i++)
		if (machine->rows[i].gap == GAP_NONE)
			rest->bytes -= machine->rows[i].bytes;
}

int machine_read(struct source *source, const struct tally *tally, struct machine *machine,
		 struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct machine found = { 0 };
	struct meminfo meminfo;
	int rc = source_system_text(source, SOURCE_MEMINFO, &text, error);

	if (rc < 0)
		return rc;
	meminfo_parse(buf_span(&text), &meminfo);
	if (!meminfo_has(&meminfo, MEMINFO_TOTAL))
		return error_set(error, ERROR_PARSE, "meminfo", "there is no MemTotal in it");
	found.total = meminfo.value[MEMINFO_TOTAL];
	for (int i = 0; i < MACHINE_ITEM_MAX; i++)
		fill_row(&found.rows[i], i, &meminfo);
	if (tally && tally_totals(tally)->frames_visible)
		count_frames(&found, &meminfo, tally_totals(tally));
	fill_rest(&found);
	found.has_swap = meminfo_has(&meminfo, MEMINFO_SWAP_TOTAL) &&
		meminfo_has(&meminfo, MEMINFO_SWAP_FREE);
	found.swap_total = value_of(&meminfo, MEMINFO_SWAP_TOTAL);
	found.swap_free = value_of(&meminfo, MEMINFO_SWAP_FREE);
	*machine = found;
	return 0;
}
