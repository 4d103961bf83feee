// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/analyse/entry.h"
#include "vmatlas/parse/maps.h"

/* "P+" yes, "P-" no, "P?" unknown, in the order present writable user accessed dirty
 * no-execute; upper case where it was observed. */
static const char *judge_in(const char *geometry, uint8_t perms, struct page_run run)
{
	static const char letters[] = "pwuadx";
	static char text[2 * ENTRY_FLAG_MAX + 1];
	struct entry_flags flags;

	run.pages = 1;
	entry_judge(geometry_named(geometry), perms, &run, &flags);
	for (size_t i = 0; i < ENTRY_FLAG_MAX; i++) {
		const struct entry_claim *claim = &flags.claim[i];

		text[2 * i] = letters[i] - (claim->certainty == CERTAINTY_OBSERVED ? 32 : 0);
		text[2 * i + 1] = !claim->certainty ? '?' : claim->yes ? '+' : '-';
	}
	return text;
}

static const char *judge(uint8_t perms, struct page_run run)
{
	return judge_in("x86-64", perms, run);
}

#define RW (VMA_READ | VMA_WRITE)
#define RUN(...) ((struct page_run) { .kind = PAGE_PRESENT, .leaf = LEAF_BASE, __VA_ARGS__ })
#define RUN_PMD(...) ((struct page_run) { .kind = PAGE_PRESENT, .leaf = LEAF_PMD, __VA_ARGS__ })
#define FLAGS(bits) .flags = (bits), .flags_known = true, .mark_known = true

static void test_anonymous(void)
{
	/* Marked exclusive: writable. On a tail of a PTE-mapped folio the mark says nothing. */
	CHECK_STR(judge(RW, RUN(.entry = PAGEMAP_EXCLUSIVE,
				FLAGS(KPF_ANON | KPF_ANON_EXCLUSIVE))), "P+w+u+a?d?x+");
	CHECK_STR(judge(RW, RUN(.entry = PAGEMAP_EXCLUSIVE,
				FLAGS(KPF_ANON | KPF_ANON_EXCLUSIVE | KPF_COMPOUND_TAIL))),
		  "P+w?u+a?d?x+");
	CHECK_STR(judge(RW, RUN_PMD(.entry = PAGEMAP_EXCLUSIVE,
				    FLAGS(KPF_ANON | KPF_ANON_EXCLUSIVE | KPF_COMPOUND_HEAD))),
		  "P+w+u+a?d?x+");
	/* After fork: mapped twice, a write would copy. Then the child is gone: not known. */
	CHECK_STR(judge(RW, RUN(FLAGS(KPF_ANON), .mappings = 2, .count_known = true)),
		  "P+w-u+a?d?x+");
	CHECK_STR(judge(RW, RUN(FLAGS(KPF_ANON), .mappings = 1, .count_known = true)),
		  "P+w?u+a?d?x+");
	CHECK_STR(judge(RW, RUN(.entry = 0)), "P+w-u+a?d?x+");
	CHECK_STR(judge(RW, RUN(.entry = PAGEMAP_EXCLUSIVE)), "P+w?u+a?d?x+");
	/* KSM, read-only VMA, userfaultfd, idle, PROT_NONE. */
	CHECK_STR(judge(RW, RUN(FLAGS(KPF_ANON | KPF_KSM | KPF_ANON_EXCLUSIVE), .mappings = 1,
				.count_known = true)), "P+w-u+a?d?x+");
	CHECK_STR(judge(VMA_READ | VMA_EXEC, RUN(FLAGS(KPF_ANON | KPF_ANON_EXCLUSIVE))),
		  "P+w-u+a?d?x-");
	CHECK_STR(judge(RW, RUN(.entry = PAGEMAP_UFFD_WP, FLAGS(KPF_ANON | KPF_ANON_EXCLUSIVE))),
		  "P+w-u+a?d?x+");
	CHECK_STR(judge(RW, RUN(FLAGS(KPF_ANON | KPF_ANON_EXCLUSIVE | KPF_IDLE))),
		  "P+w+u+a?d?x+");
	CHECK_STR(judge(0, RUN(FLAGS(KPF_ANON | KPF_ANON_EXCLUSIVE))), "p+w-u?a?d?x+");
}

static void test_file(void)
{
	/* Private: never written through this entry. The huge zero page reads as a file page. */
	CHECK_STR(judge(RW, RUN(.entry = PAGEMAP_FILE)), "P+w-u+a?d-x+");
	CHECK_STR(judge(RW, RUN(.zero = true, .zero_known = true)), "P+w-u+a?d-x+");
	CHECK_STR(judge(RW, RUN_PMD(.entry = PAGEMAP_FILE, .zero = true,
				    .zero_known = true)), "P+w-u+a?d-x+");
	/* Shared: writable is unknown; a clean page of a file is clean in the entry too. */
	CHECK_STR(judge(RW | VMA_SHARED, RUN(.entry = PAGEMAP_FILE)), "P+w?u+a?d?x+");
	CHECK_STR(judge(RW | VMA_SHARED, RUN(.entry = PAGEMAP_FILE, FLAGS(KPF_LRU))),
		  "P+w?u+a?d-x+");
	CHECK_STR(judge(RW | VMA_SHARED, RUN(.entry = PAGEMAP_FILE, FLAGS(KPF_LRU | KPF_DIRTY))),
		  "P+w?u+a?d?x+");
	CHECK_STR(judge(RW | VMA_SHARED,
			RUN(.entry = PAGEMAP_FILE, FLAGS(KPF_LRU | KPF_SWAPBACKED))),
		  "P+w?u+a?d?x+");
	/* A ring, and ramfs or secretmem: written without the kernel's notice. */
	CHECK_STR(judge(RW | VMA_SHARED, RUN(.entry = PAGEMAP_FILE, FLAGS(0))), "P+w?u+a?d?x+");
	CHECK_STR(judge(RW | VMA_SHARED,
			RUN(.entry = PAGEMAP_FILE, FLAGS(KPF_LRU | KPF_UNEVICTABLE))),
		  "P+w?u+a?d?x+");
	CHECK_STR(judge(VMA_READ | VMA_SHARED, RUN(.entry = PAGEMAP_FILE)), "P+w-u+a?d?x+");
}

static void test_absent(void)
{
	CHECK_STR(judge(RW, (struct page_run) { .kind = PAGE_SWAP, .entry = PAGEMAP_SWAP }),
		  "P-w?u?a?d?x?");
}

/* Entries of 32 bits have no such bit, those of PAE have. */
static void test_no_execute(void)
{
	const struct geometry *narrow = geometry_named("x86"), *pae = geometry_named("x86-pae");

	CHECK_STR(judge_in("x86", RW, RUN(.entry = 0)), "P+w-u+a?d?x-");
	CHECK_STR(judge_in("x86", 0, RUN(.entry = 0)), "p+w-u?a?d?x-");
	CHECK_STR(judge_in("x86-pae", RW, RUN(.entry = 0)), "P+w-u+a?d?x+");
	CHECK_U64(geometry_rights(narrow, RW), RW | VMA_EXEC);
	CHECK_U64(geometry_rights(narrow, VMA_SHARED), VMA_SHARED);
	CHECK_U64(geometry_rights(pae, RW), RW);
}

int main(void)
{
	test_anonymous();
	test_file();
	test_absent();
	test_no_execute();
	TEST_END;
}
