// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/entry.h"

#include "vmatlas/parse/maps.h"

const struct name entry_flag_names[] = {
	{ ENTRY_PRESENT, "present", "told by pagemap" },
	{ ENTRY_WRITABLE, "writable", "inferred from the VMA, the page and its exclusive mark" },
	{ ENTRY_USER, "user", "inferred: every page of a VMA with any access is a user page" },
	{ ENTRY_ACCESSED, "accessed", "unknown: the kernel shows it for no entry" },
	{ ENTRY_DIRTY, "dirty", "inferred where no write can have reached the page, else unknown" },
	{ ENTRY_NO_EXECUTE, "no_execute", "inferred from the VMA" },
	{ 0, NULL, NULL },
};

static const struct entry_claim unknown = { false, CERTAINTY_UNKNOWN };
static const struct entry_claim inferred_yes = { true, CERTAINTY_INFERRED };
static const struct entry_claim inferred_no = { false, CERTAINTY_INFERRED };

static bool is_zero(const struct page_run *run)
{
	return run->zero_known && run->zero;
}

static bool is_anonymous(const struct page_run *run)
{
	return !(run->entry & PAGEMAP_FILE) && !is_zero(run);
}

/* An unmodified page of a file or the zero page in private memory: a write goes to a copy, so
 * the entry is never writable and never dirty (mm/memory.c do_wp_page()). */
static bool copies_for_sure(uint8_t perms, const struct page_run *run)
{
	return !(perms & VMA_SHARED) && !is_anonymous(run);
}

/* Bit 34 of an anonymous page is PageAnonExclusive, but the head's on the tails of a large folio
 * that is mapped by PTEs. */
static bool is_exclusive(const struct page_run *run)
{
	if (!run->flags_known || !(run->flags & KPF_ANON) || run->flags & KPF_KSM)
		return false;
	if (run->leaf == LEAF_BASE && run->flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL))
		return false;
	return run->flags & KPF_ANON_EXCLUSIVE;
}

/* An anonymous page that others map as well, or that was merged: a write copies it. */
static bool is_shared_copy(const struct page_run *run)
{
	if (run->flags_known && run->flags & KPF_KSM)
		return true;
	if (run->count_known)
		return run->mappings > 1;
	return run->leaf == LEAF_BASE && !(run->entry & PAGEMAP_EXCLUSIVE);
}

static struct entry_claim judge_writable(uint8_t perms, const struct page_run *run)
{
	if (!(perms & VMA_WRITE) || run->entry & PAGEMAP_UFFD_WP || copies_for_sure(perms, run))
		return inferred_no;
	if (perms & VMA_SHARED)
		return unknown;		/* file systems write-protect clean pages */
	if (is_exclusive(run))
		return inferred_yes;
	return is_shared_copy(run) ? inferred_no : unknown;
}

/* Only where the kernel writes back does it follow who dirties a page (vma_wants_writenotify()):
 * not in shared memory, nor in ramfs and secretmem, whose pages cannot be evicted, nor in rings,
 * which are on no LRU list. */
static bool is_written_back(const struct page_run *run)
{
	return run->flags_known && run->flags & KPF_LRU &&
	       !(run->flags & (KPF_SWAPBACKED | KPF_UNEVICTABLE | KPF_HUGE));
}

/* A clean page of a file cannot be dirty in an entry: the write fault marks the page first
 * (fault_dirty_shared_page()), write-back cleans both. */
static struct entry_claim judge_dirty(uint8_t perms, const struct page_run *run)
{
	if (copies_for_sure(perms, run))
		return inferred_no;
	if (perms & VMA_SHARED && is_written_back(run) && !(run->flags & KPF_DIRTY))
		return inferred_no;
	return unknown;
}

void entry_judge(const struct geometry *g, uint8_t perms, const struct page_run *run,
		 struct entry_flags *flags)
{
	bool access = perms & (VMA_READ | VMA_WRITE | VMA_EXEC);

	*flags = (struct entry_flags) { 0 };
	/* x86 keeps PROT_NONE pages in entries whose hardware present bit is clear. */
	flags->claim[ENTRY_PRESENT] = (struct entry_claim) {
		run->kind == PAGE_PRESENT,
		run->kind == PAGE_PRESENT && !access ? CERTAINTY_INFERRED : CERTAINTY_OBSERVED,
	};
	if (run->kind != PAGE_PRESENT)
		return;
	flags->claim[ENTRY_WRITABLE] = judge_writable(perms, run);
	flags->claim[ENTRY_USER] = access ? inferred_yes : unknown;
	/* KPF_IDLE says nothing: it stays after an access (admin-guide/mm/pagemap.rst). */
	flags->claim[ENTRY_ACCESSED] = unknown;
	flags->claim[ENTRY_DIRTY] = judge_dirty(perms, run);
	flags->claim[ENTRY_NO_EXECUTE] = perms & VMA_EXEC || g->executes_all ?
						inferred_no : inferred_yes;
}
