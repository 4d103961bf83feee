// SPDX-License-Identifier: LGPL-2.1-or-later
/* The decision table: kernel words of one page in, state and next accesses out. */
#include "vmatlas/analyse/state.h"

#include "test.h"

#define P PAGEMAP_PRESENT
#define F PAGEMAP_FILE
#define X PAGEMAP_EXCLUSIVE
#define W PAGEMAP_UFFD_WP
#define RW (VMA_READ | VMA_WRITE)
#define HEAD KPF_COMPOUND_HEAD
#define TAIL KPF_COMPOUND_TAIL
#define EXCL KPF_ANON_EXCLUSIVE

enum facts { ANON, RO_ANON, NONE_ANON, FILE_RW, FILE_RO, OBJECT, RO_OBJECT, HUGE_ANON, HUGE_FILE,
	   HUGE_OBJECT, VDSO, VDSO_RW, PFN, VSYSCALL, UFFD, ASYNC, DEVICE };

static const struct state_facts vmas[] = {
	[ANON] = { .perms = RW, .flags_known = true },
	[RO_ANON] = { .perms = VMA_READ },
	[NONE_ANON] = { .perms = 0 },
	[FILE_RW] = { .perms = RW, .has_file = true },
	[FILE_RO] = { .perms = VMA_READ | VMA_EXEC, .has_file = true },
	[OBJECT] = { .perms = RW | VMA_SHARED, .has_file = true },
	[RO_OBJECT] = { .perms = VMA_READ | VMA_SHARED, .has_file = true },
	[HUGE_ANON] = { .perms = RW, .hugetlb = true },
	[HUGE_FILE] = { .perms = RW, .hugetlb = true, .has_file = true },
	[HUGE_OBJECT] = { .perms = RW | VMA_SHARED, .hugetlb = true, .has_file = true },
	[VDSO] = { .perms = VMA_READ | VMA_EXEC, .has_file = true, .kernel = true },
	[VDSO_RW] = { .perms = RW, .has_file = true, .kernel = true },
	[PFN] = { .perms = VMA_READ, .hidden = true, .kernel = true },
	[VSYSCALL] = { .perms = VMA_EXEC, .hidden = true, .kernel = true, .vsyscall = true },
	[UFFD] = { .perms = RW, .flags_known = true, .uffd_missing = true },
	[ASYNC] = { .perms = RW, .flags_known = true, .uffd_async = true },
	[DEVICE] = { .perms = RW | VMA_SHARED, .has_file = true, .device = true },
};

struct row {
	const char *what;
	enum facts vma;
	enum page_kind kind;
	uint64_t entry;
	uint64_t flags;			/* NO_FLAGS: not readable */
	int count;			/* -1: not readable */
	enum page_leaf leaf;
	enum swap_kind swap;
	int folio;			/* 1 partial, 2 shared */
	const char *want;		/* state exclusive read write certainty */
};

#define NO_FLAGS UINT64_MAX

static const struct row rows[] = {
	{ "untouched", ANON, PAGE_NONE, .want = "untouched null zero allocate observed" },
	{ "untouched, no right", NONE_ANON, PAGE_NONE,
	  .want = "untouched null segv-access segv-access observed" },
	{ "untouched file", FILE_RW, PAGE_NONE, .want = "untouched null map copy observed" },
	{ "untouched object", OBJECT, PAGE_NONE, .want = "untouched null map map observed" },
	{ "untouched hugetlb", HUGE_ANON, PAGE_NONE,
	  .want = "untouched null allocate allocate observed" },
	{ "uffd missing", UFFD, PAGE_NONE, .want = "untouched null monitor monitor observed" },
	{ "driver", DEVICE, PAGE_NONE, .want = "opaque null unknown unknown inferred" },
	{ "PFN map", PFN, PAGE_UNREADABLE, .want = "opaque null unknown segv-access observed" },
	{ "vsyscall", VSYSCALL, PAGE_UNREADABLE,
	  .want = "opaque null segv-unmapped segv-unmapped observed" },
	{ "no pagemap", ANON, PAGE_UNREADABLE, .want = "- null unknown unknown unknown" },
	{ "zero page", ANON, PAGE_PRESENT, P, KPF_ZERO_PAGE | KPF_RESERVED, 0, LEAF_BASE,
	  .want = "zero null none allocate observed" },
	{ "huge zero page with its false file bit", ANON, PAGE_PRESENT, P | F,
	  KPF_ZERO_PAGE | KPF_THP | HEAD, 0, LEAF_PMD, .want = "zero null none allocate observed" },
	{ "own page", ANON, PAGE_PRESENT, P | X, KPF_ANON | EXCL, 1, LEAF_BASE,
	  .want = "anon true none in-place observed" },
	{ "own page, read-only", RO_ANON, PAGE_PRESENT, P | X, KPF_ANON | EXCL, 1, LEAF_BASE,
	  .want = "anon true none segv-access observed" },
	{ "own page, no right", NONE_ANON, PAGE_PRESENT, P | X, KPF_ANON | EXCL, 1, LEAF_BASE,
	  .want = "anon true segv-access segv-access observed" },
	{ "after fork", ANON, PAGE_PRESENT, P, KPF_ANON, 2, LEAF_BASE,
	  .want = "anon-shared false none copy observed" },
	{ "the other is gone", ANON, PAGE_PRESENT, P | X, KPF_ANON, 1, LEAF_BASE,
	  .want = "anon false none in-place observed" },
	{ "the other is swapped", ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_SWAPCACHE, 1,
	  LEAF_BASE, .want = "anon false none copy observed" },
	{ "file page", FILE_RW, PAGE_PRESENT, P | F | X, 0, 1, LEAF_BASE,
	  .want = "file null none copy observed" },
	{ "file page with the owner bit", FILE_RO, PAGE_PRESENT, P | F | X, EXCL, 1, LEAF_BASE,
	  .want = "file null none segv-access observed" },
	{ "copy", FILE_RW, PAGE_PRESENT, P | X, KPF_ANON | EXCL, 1, LEAF_BASE,
	  .want = "copy true none in-place observed" },
	{ "copy in a read-only VMA", FILE_RO, PAGE_PRESENT, P | X, KPF_ANON | EXCL, 1, LEAF_BASE,
	  .want = "copy true none segv-access observed" },
	{ "copy after fork", FILE_RW, PAGE_PRESENT, P, KPF_ANON, 3, LEAF_BASE,
	  .want = "copy-shared false none copy observed" },
	{ "object", OBJECT, PAGE_PRESENT, P | F, KPF_SWAPBACKED, 2, LEAF_BASE,
	  .want = "object null none in-place observed" },
	{ "read-only object", RO_OBJECT, PAGE_PRESENT, P | F | X, 0, 1, LEAF_BASE,
	  .want = "object null none segv-access observed" },
	{ "KSM", ANON, PAGE_PRESENT, P, KPF_ANON | KPF_KSM, 4, LEAF_BASE,
	  .want = "ksm false none copy observed" },
	{ "KSM, last mapping", ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_KSM, 1, LEAF_BASE,
	  .want = "ksm false none copy observed" },
	{ "hugetlb", HUGE_ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_HUGE | HEAD | TAIL | EXCL, 1,
	  LEAF_PMD, .want = "anon true none in-place observed" },
	{ "hugetlb after fork", HUGE_ANON, PAGE_PRESENT, P, KPF_ANON | KPF_HUGE | HEAD | TAIL, 2,
	  LEAF_PMD, .want = "anon-shared false none copy observed" },
	{ "hugetlb, last mapper", HUGE_ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_HUGE | HEAD, 1,
	  LEAF_PMD, .want = "anon false none in-place observed" },
	{ "hugetlb file page", HUGE_FILE, PAGE_PRESENT, P | F | X, KPF_HUGE | HEAD | TAIL, 1,
	  LEAF_PMD, .want = "file null none copy observed" },
	{ "hugetlb copy", HUGE_FILE, PAGE_PRESENT, P | X, KPF_ANON | KPF_HUGE | HEAD | EXCL, 1,
	  LEAF_PMD, .want = "copy true none in-place observed" },
	{ "whole THP", ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_THP | HEAD | TAIL | EXCL, 1,
	  LEAF_PMD, .want = "anon true none in-place observed" },
	{ "THP after fork", ANON, PAGE_PRESENT, P, KPF_ANON | KPF_THP | HEAD | TAIL, 2, LEAF_PMD,
	  .want = "anon-shared false none copy observed" },
	{ "page of a THP that the other copied", ANON, PAGE_PRESENT, P, KPF_ANON | KPF_THP | TAIL,
	  1, LEAF_PMD, .folio = 2, .want = "anon false none copy observed" },
	{ "head mapped by a PTE", ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_THP | HEAD | EXCL, 1,
	  LEAF_BASE, .want = "anon true none in-place observed" },
	{ "tail mapped by a PTE", ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_THP | TAIL | EXCL, 1,
	  LEAF_BASE, .folio = 1, .want = "anon null none in-place observed" },
	{ "tail, folio shared", ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_THP | TAIL, 1,
	  LEAF_BASE, .folio = 2, .want = "anon null none copy observed" },
	{ "tail, rest of the folio unknown", ANON, PAGE_PRESENT, P | X, KPF_ANON | KPF_THP | TAIL,
	  1, LEAF_BASE, .folio = 1, .want = "anon null none unknown observed" },
	{ "vDSO", VDSO, PAGE_PRESENT, P | F, KPF_RESERVED, 9, LEAF_BASE,
	  .want = "kernel null none segv-access observed" },
	{ "vDSO made writable", VDSO_RW, PAGE_PRESENT, P | F, KPF_RESERVED, 9, LEAF_BASE,
	  .want = "kernel null none copy observed" },
	{ "vDSO made writable, untouched", VDSO_RW, PAGE_NONE,
	  .want = "untouched null map copy observed" },
	{ "write-protected", ANON, PAGE_PRESENT, P | X | W, KPF_ANON | EXCL, 1, LEAF_BASE,
	  .want = "anon true none monitor observed" },
	{ "write-protected, the kernel resolves", ASYNC, PAGE_PRESENT, P | X | W, KPF_ANON | EXCL,
	  1, LEAF_BASE, .want = "anon true none in-place observed" },
	{ "swap", ANON, PAGE_SWAP, .swap = SWAP_SLOT,
	  .want = "swap null read-in read-in observed" },
	{ "swap, details hidden", ANON, PAGE_SWAP, .swap = SWAP_UNKNOWN,
	  .want = "swap null read-in read-in inferred" },
	{ "guard region", ANON, PAGE_SWAP, PAGEMAP_SWAP | PAGEMAP_GUARD, .swap = SWAP_UNKNOWN,
	  .want = "guard null segv-unmapped segv-unmapped observed" },
	{ "guard region, read-only", RO_ANON, PAGE_SWAP, PAGEMAP_SWAP | PAGEMAP_GUARD,
	  .swap = SWAP_UNKNOWN, .want = "guard null segv-unmapped segv-access observed" },
	{ "guard region, no right", NONE_ANON, PAGE_SWAP, PAGEMAP_SWAP | PAGEMAP_GUARD,
	  .swap = SWAP_UNKNOWN, .want = "guard null segv-access segv-access observed" },
	{ "marker", ANON, PAGE_SWAP, PAGEMAP_SWAP | W, .swap = SWAP_MARKER_UFFD_WP,
	  .want = "marker null zero monitor observed" },
	{ "marker, the kernel resolves", ASYNC, PAGE_SWAP, PAGEMAP_SWAP | W,
	  .swap = SWAP_MARKER_UFFD_WP, .want = "marker null zero allocate observed" },
	{ "poison", ANON, PAGE_SWAP, .swap = SWAP_MARKER_POISON,
	  .want = "marker null bus bus observed" },
	{ "migration", ANON, PAGE_SWAP, .swap = SWAP_SPECIAL,
	  .want = "migrating null unknown unknown observed" },
	{ "without frames: once", ANON, PAGE_PRESENT, P | X, NO_FLAGS, -1,
	  .want = "anon null none in-place observed" },
	{ "without frames: not once", ANON, PAGE_PRESENT, P, NO_FLAGS, -1,
	  .want = "anon-shared null none copy inferred" },
	{ "without frames: copy", FILE_RW, PAGE_PRESENT, P | X, NO_FLAGS, -1,
	  .want = "copy null none in-place observed" },
	{ "without frames: file", FILE_RW, PAGE_PRESENT, P | F, NO_FLAGS, -1,
	  .want = "file null none copy observed" },
};

static struct page_run run_of(const struct row *row)
{
	return (struct page_run) {
		.start = 0x1000, .pages = 1, .kind = row->kind, .entry = row->entry,
		.flags = row->flags == NO_FLAGS ? 0 : row->flags,
		.flags_known = row->flags != NO_FLAGS, .mark_known = row->flags != NO_FLAGS,
		.frame_known = row->flags != NO_FLAGS,
		.mappings = row->count < 0 ? 0 : (uint32_t)row->count,
		.count_known = row->count >= 0, .leaf = row->leaf, .swap = { .kind = row->swap },
		.zero = row->flags != NO_FLAGS && row->flags & KPF_ZERO_PAGE, .zero_known = true,
		.gap = row->flags == NO_FLAGS || row->kind == PAGE_UNREADABLE ?
			GAP_NEEDS_PRIVILEGE : GAP_NONE,
		.folio_order = -1, .folio_partial = row->folio == 1,
		.folio_shared = row->folio == 2,
	};
}

static void test_table(void)
{
	static const char *const exclusive[] = { "false", "true", "null" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page_run run = run_of(&rows[i]);
		struct page_verdict v;
		char got[128];
		const char *state;

		state_decide(&vmas[rows[i].vma], &run, &v);
		state = name_of(page_state_names, v.state);
		snprintf(got, sizeof(got), "%s %s %s %s %s", state ? state : "-",
			 exclusive[v.exclusive], name_of(effect_names, v.next[TOUCH_READ].effect),
			 name_of(effect_names, v.next[TOUCH_WRITE].effect),
			 certainty_name(v.certainty));
		if (strcmp(got, rows[i].want))
			printf("%s:\n", rows[i].what);
		CHECK_STR(got, rows[i].want);
	}
}

/* What cannot be known is missing with a reason, and each word has a sentence. */
static void test_gaps(void)
{
	struct page_run run = { .kind = PAGE_PRESENT, .pages = 1, .entry = P | F, .mappings = 1,
				.flags = KPF_HUGE, .flags_known = true, .count_known = true };
	struct page_verdict v;

	state_decide(&vmas[HUGE_OBJECT], &run, &v);
	CHECK(!v.mappings_known);
	CHECK_U64(v.mappings_gap, GAP_NOT_IN_KERNEL);
	run.entry |= X;
	state_decide(&vmas[HUGE_OBJECT], &run, &v);
	CHECK(v.mappings_known);
	run = (struct page_run) { .kind = PAGE_PRESENT, .pages = 1, .entry = P,
				  .gap = GAP_NEEDS_PRIVILEGE };
	state_decide(&vmas[ANON], &run, &v);
	CHECK(!v.mappings_known);
	CHECK_U64(v.mappings_gap, GAP_NEEDS_PRIVILEGE);
	CHECK_U64(v.exclusive_gap, GAP_NEEDS_PRIVILEGE);
	CHECK_U64(v.certainty, CERTAINTY_GUESS);
	/* The huge zero page with its false file bit, where neither flags nor a scan tell it. */
	run.entry = P | F;
	state_decide(&vmas[ANON], &run, &v);
	CHECK_U64(v.state, STATE_ZERO);
	CHECK_U64(v.certainty, CERTAINTY_INFERRED);
	CHECK_U64(v.next[TOUCH_WRITE].effect, EFFECT_ALLOCATE);
	CHECK(!state_is_resident(&vmas[ANON], &run));
	state_decide(&vmas[FILE_RW], &run, &v);
	CHECK_U64(v.state, STATE_FILE);
	CHECK(state_is_resident(&vmas[FILE_RW], &run));
	/* Before 5.19: flags without the mark. */
	run = (struct page_run) { .kind = PAGE_PRESENT, .pages = 1, .entry = P | X, .mappings = 1,
				  .flags = KPF_ANON, .flags_known = true, .count_known = true };
	state_decide(&vmas[ANON], &run, &v);
	CHECK_U64(v.exclusive, EXCLUSIVE_NULL);
	CHECK_U64(v.exclusive_gap, GAP_NOT_IN_KERNEL);
	for (uint64_t i = 0; i < EFFECT_MAX; i++)
		CHECK(name_of(effect_names, i));
	for (uint64_t i = 0; i < REASON_MAX; i++)
		CHECK(name_of(effect_reason_names, i));
	for (uint64_t i = 0; i < STATE_UNKNOWN; i++)
		CHECK(name_of(page_state_names, i));
}

int main(void)
{
	test_table();
	test_gaps();
	TEST_END;
}
