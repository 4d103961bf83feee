// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/state.h"

const struct name effect_names[] = {
	{ EFFECT_SEGV_UNMAPPED, "segv-unmapped", "SIGSEGV: nothing is mapped there" },
	{ EFFECT_SEGV_ACCESS, "segv-access", "SIGSEGV: the VMA does not allow it" },
	{ EFFECT_BUS, "bus", "SIGBUS" },
	{ EFFECT_MONITOR, "monitor", "goes to a userfaultfd monitor" },
	{ EFFECT_GROW, "grow", "the stack grows" },
	{ EFFECT_READ_IN, "read-in", "major fault: read from a file or from swap" },
	{ EFFECT_COPY, "copy", "the page is copied into private memory" },
	{ EFFECT_ZERO, "zero", "the zero page is mapped" },
	{ EFFECT_ALLOCATE, "allocate", "a new zeroed page" },
	{ EFFECT_MAP, "map", "a page of the object is mapped" },
	{ EFFECT_IN_PLACE, "in-place", "at most a minor fault, no copy" },
	{ EFFECT_NONE, "none", "no fault" },
	{ EFFECT_UNKNOWN, "unknown", "nothing can say" },
	{ 0, NULL, NULL },
};

const struct name effect_reason_names[] = {
	{ REASON_PRESENT, "present", "the page is mapped" },
	{ REASON_NO_RIGHT, "no-right", "the VMA lacks the permission" },
	{ REASON_GUARD_REGION, "guard-region", "a guard region was installed there" },
	{ REASON_VSYSCALL, "vsyscall", "the page can only be called, not read or written" },
	{ REASON_POISON, "poison", "the page was poisoned" },
	{ REASON_UFFD_MISSING, "uffd-missing", "userfaultfd waits for missing pages" },
	{ REASON_UFFD_WP, "uffd-wp", "userfaultfd write-protects it" },
	{ REASON_SWAP, "swap", "it is in a swap slot" },
	{ REASON_SPECIAL_ENTRY, "special-entry", "migration, device or hwpoison entry" },
	{ REASON_PFN_MAP, "pfn-map", "a map of frame numbers, which pagemap cannot see" },
	{ REASON_ANON_READ, "anon-read", "untouched anonymous memory reads as the zero page" },
	{ REASON_ANON_WRITE, "anon-write", "untouched anonymous memory gets a fresh page" },
	{ REASON_HUGETLB_FAULT, "hugetlb-fault", "hugetlb memory has no zero page" },
	{ REASON_FILE_READ, "file-read", "the page cache was not asked" },
	{ REASON_FILE_WRITE, "file-write", "the first write copies the file's page" },
	{ REASON_OBJECT_FAULT, "object-fault", "first touch of a page of a shared object" },
	{ REASON_ZERO_PAGE, "zero-page", "the zero page is never written" },
	{ REASON_SHARED_OBJECT, "shared-object", "the write goes to the shared object" },
	{ REASON_FILE_PAGE, "file-page", "a page of the file is never written privately" },
	{ REASON_KSM, "ksm", "a merged page is always copied" },
	{ REASON_EXCLUSIVE, "exclusive", "the kernel marks the page as exclusive" },
	{ REASON_MAPPED_MORE, "mapped-more", "another page table maps it too" },
	{ REASON_LAST_MAPPER, "last-mapper", "the other mappers are gone; reused unless pinned" },
	{ REASON_SWAP_CACHE, "swap-cache", "a swap entry elsewhere may still use its slot" },
	{ REASON_FOLIO_SHARED, "folio-shared", "other pages of its large folio are shared" },
	{ REASON_FOLIO_PARTIAL, "folio-partial", "its large folio may be mapped elsewhere" },
	{ REASON_MAPPED_ONCE, "mapped-once", "only one page table maps it" },
	{ REASON_NOT_ONCE, "not-once", "pagemap does not call it mapped once" },
	{ REASON_UNREADABLE, "unreadable", "the page could not be read" },
	{ 0, NULL, NULL },
};

static struct effect_verdict verdict_of(enum effect effect, enum effect_reason reason,
					enum certainty certainty)
{
	return (struct effect_verdict) { effect, reason, certainty };
}

/* x86 and most others grant reading with any right; a protection key can make execute-only
 * memory of it, which maps does not show. */
static bool allowed(const struct state_facts *facts, enum touch touch)
{
	if (touch == TOUCH_WRITE)
		return facts->perms & VMA_WRITE;
	if (touch == TOUCH_EXEC)
		return facts->perms & VMA_EXEC;
	return facts->perms & (VMA_READ | VMA_WRITE | VMA_EXEC);
}

/* access_error() of x86 checks the right to write before anything looks at the page; the right to
 * execute only once a page is there. */
static bool reaches_page(const struct state_facts *facts, enum touch touch)
{
	return allowed(facts, touch == TOUCH_EXEC ? TOUCH_READ : touch);
}

/* Only if VmFlags were read is it certain that no userfaultfd waits. */
static enum certainty first_touch(const struct state_facts *facts)
{
	return facts->flags_known ? CERTAINTY_OBSERVED : CERTAINTY_INFERRED;
}

/* No page-table entry: do_anonymous_page(), do_fault(), hugetlb_no_page(). Whether the page
 * cache has the page, and where the file ends, is not asked here. */
static struct effect_verdict untouched(const struct state_facts *facts, enum touch touch)
{
	bool write = touch == TOUCH_WRITE;

	if (facts->uffd_missing)
		return verdict_of(EFFECT_MONITOR, REASON_UFFD_MISSING, CERTAINTY_OBSERVED);
	if (facts->perms & VMA_SHARED || (facts->kernel && !write))
		return verdict_of(EFFECT_MAP, REASON_OBJECT_FAULT, CERTAINTY_INFERRED);
	if (facts->hugetlb && (write || !facts->has_file))
		return verdict_of(facts->has_file ? EFFECT_COPY : EFFECT_ALLOCATE,
				  REASON_HUGETLB_FAULT, CERTAINTY_INFERRED);
	if (facts->has_file)
		return verdict_of(write ? EFFECT_COPY : EFFECT_MAP,
				  write ? REASON_FILE_WRITE : REASON_FILE_READ, CERTAINTY_INFERRED);
	return verdict_of(write ? EFFECT_ALLOCATE : EFFECT_ZERO,
			  write ? REASON_ANON_WRITE : REASON_ANON_READ, first_touch(facts));
}

static struct effect_verdict swapped(const struct state_facts *facts,
				     const struct page_run *run, enum touch touch)
{
	bool protected = run->entry & PAGEMAP_UFFD_WP && touch == TOUCH_WRITE &&
			 !facts->uffd_async;
	bool known = run->swap.kind != SWAP_UNKNOWN;

	if (run->entry & PAGEMAP_GUARD || run->swap.kind == SWAP_MARKER_GUARD)
		return verdict_of(EFFECT_SEGV_UNMAPPED, REASON_GUARD_REGION, CERTAINTY_OBSERVED);
	if (run->swap.kind == SWAP_MARKER_POISON)
		return verdict_of(EFFECT_BUS, REASON_POISON, CERTAINTY_OBSERVED);
	if (protected)
		return verdict_of(EFFECT_MONITOR, REASON_UFFD_WP, first_touch(facts));
	if (run->swap.kind == SWAP_MARKER_UFFD_WP || (!known && run->entry & PAGEMAP_UFFD_WP))
		return untouched(facts, touch);
	if (run->swap.kind == SWAP_SPECIAL || run->swap.kind == SWAP_MARKER_OTHER)
		return verdict_of(EFFECT_UNKNOWN, REASON_SPECIAL_ENTRY, CERTAINTY_UNKNOWN);
	return verdict_of(EFFECT_READ_IN, REASON_SWAP, CERTAINTY_INFERRED);
}

/* wp_can_reuse_anon_folio(): refcounts and pins are hidden, so only the exclusive mark and a
 * second mapping make certain. */
static struct effect_verdict write_base_page(const struct page_run *run,
					     const struct page_verdict *verdict)
{
	if (!verdict->mappings_known)
		return verdict_of(EFFECT_COPY, REASON_NOT_ONCE, CERTAINTY_INFERRED);
	if (verdict->mappings > 1)
		return verdict_of(EFFECT_COPY, REASON_MAPPED_MORE, CERTAINTY_OBSERVED);
	if (!run->flags_known)
		return verdict_of(EFFECT_IN_PLACE, REASON_MAPPED_ONCE, CERTAINTY_INFERRED);
	if (run->flags & KPF_SWAPCACHE)
		return verdict_of(EFFECT_COPY, REASON_SWAP_CACHE, CERTAINTY_INFERRED);
	return verdict_of(EFFECT_IN_PLACE, REASON_LAST_MAPPER, CERTAINTY_INFERRED);
}

/* A large folio without a trustworthy mark: __wp_can_reuse_large_anon_folio() (6.15) looks at
 * all its pages; before, it was always copied. */
static struct effect_verdict write_large_folio(const struct page_run *run,
					       const struct page_verdict *verdict)
{
	if (run->folio_shared)
		return verdict_of(EFFECT_COPY, REASON_FOLIO_SHARED, CERTAINTY_INFERRED);
	if (run->flags & KPF_ANON_EXCLUSIVE)
		return verdict_of(EFFECT_IN_PLACE, REASON_EXCLUSIVE, CERTAINTY_INFERRED);
	if (run->folio_partial)
		return verdict_of(EFFECT_UNKNOWN, REASON_FOLIO_PARTIAL, CERTAINTY_UNKNOWN);
	return write_base_page(run, verdict);
}

static struct effect_verdict write_anon(const struct page_run *run,
					const struct page_verdict *verdict)
{
	bool large = run->flags_known && run->flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL) &&
		     !(run->flags & KPF_HUGE);

	if (verdict->state == STATE_KSM)
		return verdict_of(EFFECT_COPY, REASON_KSM, CERTAINTY_OBSERVED);
	if (verdict->exclusive == EXCLUSIVE_YES)
		return verdict_of(EFFECT_IN_PLACE, REASON_EXCLUSIVE, CERTAINTY_OBSERVED);
	if (verdict->mappings_known && verdict->mappings > 1)
		return verdict_of(EFFECT_COPY, REASON_MAPPED_MORE, CERTAINTY_OBSERVED);
	return large ? write_large_folio(run, verdict) : write_base_page(run, verdict);
}

static struct effect_verdict write_present(const struct state_facts *facts,
					   const struct page_run *run,
					   const struct page_verdict *verdict)
{
	if (run->entry & PAGEMAP_UFFD_WP && !facts->uffd_async)
		return verdict_of(EFFECT_MONITOR, REASON_UFFD_WP, first_touch(facts));
	switch (verdict->state) {
	case STATE_ZERO:
		return verdict_of(EFFECT_ALLOCATE, REASON_ZERO_PAGE, CERTAINTY_OBSERVED);
	case STATE_FILE:
		return verdict_of(EFFECT_COPY, REASON_FILE_PAGE, CERTAINTY_OBSERVED);
	case STATE_KERNEL:	/* of a vDSO made writable: copied as a file's (do_wp_page()) */
		if (!(facts->perms & VMA_SHARED))
			return verdict_of(EFFECT_COPY, REASON_FILE_PAGE, CERTAINTY_OBSERVED);
		/* fallthrough */
	case STATE_OBJECT:
		return verdict_of(EFFECT_IN_PLACE, REASON_SHARED_OBJECT, CERTAINTY_OBSERVED);
	default:
		return write_anon(run, verdict);
	}
}

static struct effect_verdict predict(const struct state_facts *facts, const struct page_run *run,
				     const struct page_verdict *verdict, enum touch touch)
{
	if (run->kind == PAGE_SWAP && verdict->state == STATE_GUARD && reaches_page(facts, touch))
		return verdict_of(EFFECT_SEGV_UNMAPPED, REASON_GUARD_REGION, CERTAINTY_OBSERVED);
	if (facts->vsyscall && touch != TOUCH_EXEC)
		return verdict_of(EFFECT_SEGV_UNMAPPED, REASON_VSYSCALL, CERTAINTY_INFERRED);
	if (!allowed(facts, touch))
		return verdict_of(EFFECT_SEGV_ACCESS, REASON_NO_RIGHT, CERTAINTY_OBSERVED);
	if (verdict->state == STATE_OPAQUE)
		return verdict_of(EFFECT_UNKNOWN, REASON_PFN_MAP, CERTAINTY_UNKNOWN);
	if (verdict->state == STATE_UNKNOWN)
		return verdict_of(EFFECT_UNKNOWN, REASON_UNREADABLE, CERTAINTY_UNKNOWN);
	if (run->kind == PAGE_NONE)
		return untouched(facts, touch);
	if (run->kind == PAGE_SWAP)
		return swapped(facts, run, touch);
	if (touch == TOUCH_WRITE)
		return write_present(facts, run, verdict);
	return verdict_of(EFFECT_NONE, REASON_PRESENT, CERTAINTY_OBSERVED);
}

void predict_page(const struct state_facts *facts, const struct page_run *run,
		  struct page_verdict *verdict)
{
	for (int touch = 0; touch < TOUCH_MAX; touch++)
		verdict->next[touch] = predict(facts, run, verdict, (enum touch)touch);
}
