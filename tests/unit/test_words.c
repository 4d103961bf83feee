// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/kpageflags.h"
#include "vmatlas/parse/pagemap.h"

static uint64_t swap_word(unsigned type, uint64_t offset)
{
	return PAGEMAP_SWAP | offset << 5 | type;
}

static void test_swap_kinds(void)
{
	static const struct {
		unsigned type;
		uint64_t offset;
		uint64_t bits;
		enum swap_kind kind;
	} cases[] = {
		{ 0, 0x1234, 0, SWAP_SLOT },
		{ 21, 1, 0, SWAP_SLOT },
		{ 22, 1, 0, SWAP_SPECIAL },
		{ 29, 0x3ffffffffffff, PAGEMAP_FILE, SWAP_SPECIAL },
		{ 30, 1, 0, SWAP_SPECIAL },
		{ 30, 1, PAGEMAP_UFFD_WP, SWAP_MARKER_UFFD_WP },
		{ 31, 4, PAGEMAP_GUARD, SWAP_MARKER_GUARD },
		{ 31, 4, 0, SWAP_MARKER_GUARD },
		{ 31, 1, PAGEMAP_UFFD_WP, SWAP_MARKER_UFFD_WP },
		{ 31, 2, 0, SWAP_MARKER_POISON },
		{ 31, 3, 0, SWAP_MARKER_POISON },
		{ 31, 0, 0, SWAP_MARKER_OTHER },
		{ 31, 8, 0, SWAP_MARKER_OTHER },
		{ 5, 77, PAGEMAP_UFFD_WP, SWAP_SLOT },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t word = swap_word(cases[i].type, cases[i].offset) | cases[i].bits;
		struct swap_entry entry = pagemap_swap(word, true);

		CHECK_U64(entry.kind, cases[i].kind);
		CHECK_U64(entry.type, cases[i].type);
		CHECK_U64(entry.offset, cases[i].offset);
	}
}

/* Without privilege type and offset read as zero, which is no slot 0. */
static void test_swap_hidden(void)
{
	CHECK_U64(pagemap_swap(PAGEMAP_SWAP, false).kind, SWAP_UNKNOWN);
	CHECK_U64(pagemap_swap(PAGEMAP_SWAP | PAGEMAP_UFFD_WP, false).kind, SWAP_UNKNOWN);
	CHECK_U64(pagemap_swap(PAGEMAP_SWAP | PAGEMAP_GUARD, false).kind, SWAP_MARKER_GUARD);
	CHECK_U64(pagemap_swap(PAGEMAP_SWAP, true).kind, SWAP_SLOT);
}

static void check_bits(const struct name *table, uint64_t bits, const char *want)
{
	CLEANUP(buf_done) struct buf buf = BUF_INIT;

	CHECK(names_add_bits(&buf, table, bits, " ") == 0);
	CHECK_STR(buf_str(&buf), want);
}

static void test_names(void)
{
	check_bits(pagemap_flag_names, 0x8100000000000000, "present exclusive");
	check_bits(pagemap_flag_names, PAGEMAP_SWAP | PAGEMAP_GUARD | 1ULL << 60,
		   "swap guard 0x1000000000000000");
	check_bits(kpageflag_names, 0x400401000, "anon thp owner-2");
	check_bits(kpageflag_names, KPF_ZERO_PAGE | KPF_RESERVED, "zero-page reserved");
	check_bits(kpageflag_names, 1ULL << 63 | KPF_KSM, "ksm 0x8000000000000000");
	CHECK_STR(name_of(kpageflag_names, KPF(1)), "error");
	CHECK_U64(pagemap_frame(0x8180000000012345), 0x12345);
}

/* No bit twice, no name twice, one bit each. */
static void check_table(const struct name *table)
{
	const struct name *a, *b;

	for (a = table; a->name; a++) {
		CHECK_U64((uint64_t)__builtin_popcountll(a->value), 1);
		CHECK(a->meaning && *a->meaning);
		for (b = a + 1; b->name; b++)
			CHECK(a->value != b->value && strcmp(a->name, b->name));
	}
}

int main(void)
{
	test_swap_kinds();
	test_swap_hidden();
	test_names();
	check_table(pagemap_flag_names);
	check_table(kpageflag_names);
	TEST_END;
}
