// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/state.h"

const struct name page_state_names[] = {
	{ STATE_UNTOUCHED, "untouched", "no page-table entry" },
	{ STATE_ZERO, "zero", "the shared zero page" },
	{ STATE_ANON, "anon", "anonymous page, mapped once" },
	{ STATE_ANON_SHARED, "anon-shared", "anonymous page, mapped more than once (after fork)" },
	{ STATE_FILE, "file", "page of the file, never copied" },
	{ STATE_COPY, "copy", "private copy of a file page, mapped once" },
	{ STATE_COPY_SHARED, "copy-shared", "private copy of a file page, mapped more than once" },
	{ STATE_OBJECT, "object", "page of a shared object" },
	{ STATE_KSM, "ksm", "merged by KSM" },
	{ STATE_SWAP, "swap", "in a swap slot" },
	{ STATE_GUARD, "guard", "guard region inside a VMA" },
	{ STATE_MARKER, "marker", "userfaultfd write-protect or poison marker" },
	{ STATE_MIGRATING, "migrating", "migration, device or hwpoison entry" },
	{ STATE_KERNEL, "kernel", "page provided by the kernel" },
	{ STATE_OPAQUE, "opaque", "pagemap cannot see it" },
	{ 0, NULL, NULL },
};

static void not_present(struct page_verdict *verdict, enum page_state state)
{
	verdict->state = state;
	verdict->certainty = CERTAINTY_OBSERVED;
}

/* A driver's mapping is most often a PFN map, but only VmFlags can tell. */
static void decide_none(const struct state_facts *facts, struct page_verdict *verdict)
{
	bool maybe = facts->device && !facts->flags_known;

	not_present(verdict, facts->hidden || maybe ? STATE_OPAQUE : STATE_UNTOUCHED);
	if (maybe)
		verdict->certainty = CERTAINTY_INFERRED;
}

static void decide_swap(const struct page_run *run, struct page_verdict *verdict)
{
	static const enum page_state states[] = {
		[SWAP_SLOT] = STATE_SWAP,
		[SWAP_MARKER_UFFD_WP] = STATE_MARKER,
		[SWAP_MARKER_POISON] = STATE_MARKER,
		[SWAP_MARKER_GUARD] = STATE_GUARD,
		[SWAP_MARKER_OTHER] = STATE_MARKER,
		[SWAP_SPECIAL] = STATE_MIGRATING,
		[SWAP_UNKNOWN] = STATE_SWAP,
	};

	not_present(verdict, states[run->swap.kind]);
	if (run->entry & PAGEMAP_GUARD)
		verdict->state = STATE_GUARD;
	else if (run->swap.kind == SWAP_UNKNOWN)
		verdict->certainty = CERTAINTY_INFERRED;
	/* Type and offset hidden: a write-protected entry is more often a marker than a slot. */
	if (run->swap.kind == SWAP_UNKNOWN && run->entry & PAGEMAP_UFFD_WP)
		verdict->state = STATE_MARKER;
}

/* 1 GiB-aligned shared hugetlb mappings may share a PMD table: the count is then of tables. */
static bool count_lies(const struct state_facts *facts, const struct page_run *run)
{
	return facts->hugetlb && run->entry & PAGEMAP_FILE && run->mappings == 1 &&
	       !(run->entry & PAGEMAP_EXCLUSIVE);
}

static void decide_mappings(const struct state_facts *facts, const struct page_run *run,
			    struct page_verdict *verdict)
{
	if (run->zero_known && run->zero) {
		verdict->mappings_known = true;
	} else if (count_lies(facts, run)) {
		verdict->mappings_gap = GAP_NOT_IN_KERNEL;
	} else if (run->count_known) {
		verdict->mappings_known = true;
		verdict->mappings = run->mappings;
	} else if (run->entry & PAGEMAP_EXCLUSIVE) {
		verdict->mappings_known = true;
		verdict->mappings = 1;
	} else {
		verdict->mappings_gap = run->gap != GAP_NONE ? run->gap : GAP_NEEDS_PRIVILEGE;
	}
}

/* Not the file's page: private memory of one or several processes. */
static void decide_anon(const struct state_facts *facts, const struct page_run *run,
			struct page_verdict *verdict)
{
	bool shared = verdict->mappings_known ? verdict->mappings > 1 :
		!(run->entry & PAGEMAP_EXCLUSIVE);

	if (facts->has_file)
		verdict->state = shared ? STATE_COPY_SHARED : STATE_COPY;
	else
		verdict->state = shared ? STATE_ANON_SHARED : STATE_ANON;
	if (run->flags_known && run->flags & KPF_KSM)
		verdict->state = STATE_KSM;
	/* Without flags a KSM page and (without a scan) the zero page look like a shared one. */
	if (!run->flags_known && shared)
		verdict->certainty = run->zero_known ? CERTAINTY_INFERRED : CERTAINTY_GUESS;
}

static bool is_anon(const struct page_run *run)
{
	return run->flags_known ? run->flags & KPF_ANON : !(run->entry & PAGEMAP_FILE);
}

/* Up to 7.2 the huge zero page has bit 61. With neither flags nor scan that gives it away: no
 * other page of plain private memory is a file's. */
static bool is_hidden_zero(const struct state_facts *facts, const struct page_run *run)
{
	return !run->zero_known && !facts->has_file && !facts->kernel &&
	       run->entry & PAGEMAP_FILE;
}

static void decide_present(const struct state_facts *facts, const struct page_run *run,
			   struct page_verdict *verdict)
{
	verdict->certainty = CERTAINTY_OBSERVED;
	if (run->zero_known && run->zero) {
		verdict->state = STATE_ZERO;
	} else if (is_hidden_zero(facts, run)) {
		verdict->state = STATE_ZERO;
		verdict->certainty = CERTAINTY_INFERRED;
	} else if (is_anon(run)) {
		decide_anon(facts, run, verdict);
	} else if (facts->kernel || !facts->has_file) {
		verdict->state = STATE_KERNEL;
	} else if (facts->perms & VMA_SHARED) {
		verdict->state = STATE_OBJECT;
	} else {
		verdict->state = STATE_FILE;
	}
}

/* kpageflags bit 34. A tail of a large folio that is mapped by PTEs shows its head's bit (6.12
 * and later, fs/proc/page.c); a PMD or hugetlb leaf has only the head's. */
static void decide_exclusive(const struct page_run *run, struct page_verdict *verdict)
{
	bool large = run->flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL);
	bool whole = run->leaf == LEAF_PMD || run->leaf == LEAF_PUD || run->flags & KPF_HUGE;

	verdict->exclusive = EXCLUSIVE_NULL;
	verdict->exclusive_gap = GAP_NOT_APPLICABLE;
	if (run->kind != PAGE_PRESENT || verdict->state == STATE_ZERO || !is_anon(run))
		return;
	if (!run->flags_known)
		verdict->exclusive_gap = run->gap != GAP_NONE ? run->gap : GAP_NEEDS_PRIVILEGE;
	else if (!run->mark_known || (large && !whole && !(run->flags & KPF_COMPOUND_HEAD)))
		verdict->exclusive_gap = GAP_NOT_IN_KERNEL;
	else
		verdict->exclusive = run->flags & KPF_ANON_EXCLUSIVE && !(run->flags & KPF_KSM) ?
			EXCLUSIVE_YES : EXCLUSIVE_NO;
}

void state_decide(const struct state_facts *facts, const struct page_run *run,
		  struct page_verdict *verdict)
{
	*verdict = (struct page_verdict) { .mappings_gap = GAP_NOT_APPLICABLE };
	switch (run->kind) {
	case PAGE_NONE:
		decide_none(facts, verdict);
		break;
	case PAGE_SWAP:
		decide_swap(run, verdict);
		break;
	case PAGE_PRESENT:
		decide_mappings(facts, run, verdict);
		decide_present(facts, run, verdict);
		break;
	case PAGE_UNREADABLE:
		not_present(verdict, facts->hidden ? STATE_OPAQUE : STATE_UNKNOWN);
		verdict->gap = facts->hidden ? GAP_NONE : run->gap;
		break;
	}
	decide_exclusive(run, verdict);
	if (verdict->state == STATE_UNKNOWN || run->changed)
		verdict->certainty = CERTAINTY_UNKNOWN;
	predict_page(facts, run, verdict);
}

bool state_is_resident(const struct state_facts *facts, const struct page_run *run)
{
	if (run->kind != PAGE_PRESENT || facts->hugetlb || (run->zero_known && run->zero) ||
	    is_hidden_zero(facts, run))
		return false;
	return run->entry & PAGEMAP_FILE || !run->flags_known || run->flags & KPF_ANON;
}
