// SPDX-License-Identifier: LGPL-2.1-or-later
/* What an access would do: evidence that a live test cannot easily make, and stack growth. */
#include "vmatlas/analyse/access.h"
#include "vmatlas/analyse/address.h"
#include "vmatlas/parse/limits.h"

#include "test.h"

#define STACK 0x7ffffffde000
#define TOP 0x7ffffffff000
#define KIB 1024ull

static enum growth grow(uint64_t address, uint64_t limit, uint64_t below_end, bool accessible)
{
	struct growth_facts facts = {
		.address = address, .page_size = 4096, .stack_start = STACK, .stack_end = TOP,
		.below_end = below_end, .below_accessible = accessible, .stack_limit = limit,
		.space_limit = LIMIT_UNLIMITED, .gap = 256 * 4096,
	};

	return growth_decide(&facts);
}

static void test_growth(void)
{
	struct growth_facts space = {
		.address = STACK - 1,
		.page_size = 4096,
		.stack_start = STACK,
		.stack_end = TOP,
		.stack_limit = LIMIT_UNLIMITED,
		.space_limit = 1 << 20,
		.space_size = (1 << 20) - 4096,
		.gap = 256 * 4096,
	};
	uint64_t lowest = TOP - 8192 * KIB;

	CHECK(grow(STACK - 1, 8192 * KIB, 0, false) == GROWTH_YES);
	/* The limit counts from the end of the VMA to the page that holds the address. */
	CHECK(grow(lowest, 8192 * KIB, 0, false) == GROWTH_YES);
	CHECK(grow(lowest - 1, 8192 * KIB, 0, false) == GROWTH_LIMIT);
	CHECK(grow(lowest - 1, LIMIT_UNLIMITED, 0, false) == GROWTH_YES);
	/* 256 pages must stay free above what can be accessed. */
	CHECK(grow(STACK - 4096, LIMIT_UNLIMITED, STACK - 4096 - 256 * 4096, true) == GROWTH_YES);
	CHECK(grow(STACK - 4096, LIMIT_UNLIMITED, STACK - 256 * 4096, true) == GROWTH_GAP);
	CHECK(grow(STACK - 4096, LIMIT_UNLIMITED, STACK - 256 * 4096, false) == GROWTH_YES);
	CHECK(growth_decide(&space) == GROWTH_YES);
	space.address = STACK - 4097;
	CHECK(growth_decide(&space) == GROWTH_ADDRESS_SPACE);
}

static const struct state_facts shared = { .perms = VMA_READ | VMA_WRITE | VMA_SHARED,
					   .has_file = true, .flags_known = true };
static const struct state_facts private = { .perms = VMA_READ | VMA_WRITE, .has_file = true,
					    .flags_known = true };

/* An untouched page of a file with this evidence. */
static struct access_verdict touch_file(const struct state_facts *facts,
					const struct access_evidence *evidence, enum touch touch)
{
	struct page_run run = { .pages = 1, .kind = PAGE_NONE };
	struct page_verdict page;
	struct access_verdict verdict;

	state_decide(facts, &run, &page);
	access_predict(evidence, facts, &page, touch, &verdict);
	return verdict;
}

static void check_file(const struct state_facts *facts, enum file_cached cached, bool shmem,
		       enum touch touch, enum effect effect, enum certainty certainty)
{
	struct access_evidence evidence = {
		.mapped = true, .shmem = shmem,
		.file = { .applies = true, .size_known = true, .cached = cached },
	};
	struct access_verdict verdict = touch_file(facts, &evidence, touch);

	CHECK_U64(verdict.effect, effect);
	CHECK_U64(verdict.certainty, certainty);
	evidence.file.past_end = true;
	verdict = touch_file(facts, &evidence, touch);
	CHECK_U64(verdict.effect, EFFECT_BUS);
}

static void test_cache(void)
{
	const enum certainty yes = CERTAINTY_OBSERVED, maybe = CERTAINTY_INFERRED;

	check_file(&private, FILE_CACHED_YES, false, TOUCH_READ, EFFECT_MAP, yes);
	check_file(&private, FILE_CACHED_YES, false, TOUCH_WRITE, EFFECT_COPY, yes);
	check_file(&private, FILE_CACHED_NO, false, TOUCH_READ, EFFECT_READ_IN, maybe);
	check_file(&private, FILE_CACHED_NO, false, TOUCH_WRITE, EFFECT_READ_IN, maybe);
	check_file(&private, FILE_CACHED_UNKNOWN, false, TOUCH_READ, EFFECT_MAP, CERTAINTY_GUESS);
	/* Shared memory has no disk: a page that is nowhere is made, one in swap is read. */
	check_file(&shared, FILE_CACHED_NO, true, TOUCH_WRITE, EFFECT_MAP, yes);
	check_file(&shared, FILE_CACHED_SWAPPED, true, TOUCH_READ, EFFECT_READ_IN, maybe);
}

/* The page is sought before the right to execute is checked, but after that to write. */
static void test_past_end(void)
{
	struct access_evidence evidence = {
		.mapped = true,
		.file = { .applies = true, .size_known = true, .past_end = true },
	};
	struct state_facts facts = private;

	CHECK_U64(touch_file(&facts, &evidence, TOUCH_EXEC).effect, EFFECT_BUS);
	facts.perms = VMA_READ;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_EXEC).effect, EFFECT_BUS);
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_WRITE).effect, EFFECT_SEGV_ACCESS);
	facts.perms = 0;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_EXEC).effect, EFFECT_SEGV_ACCESS);
	evidence.file.past_end = false;
	CHECK_U64(touch_file(&private, &evidence, TOUCH_EXEC).effect, EFFECT_SEGV_ACCESS);
}

static void test_monitor(void)
{
	struct state_facts facts = shared;
	struct access_evidence evidence = {
		.mapped = true, .shmem = true,
		.file = { .applies = true, .size_known = true, .cached = FILE_CACHED_NO },
	};

	/* A page of shmem that is in the page cache is no missing one. */
	facts.uffd_missing = true;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_READ).effect, EFFECT_MONITOR);
	evidence.file.cached = FILE_CACHED_YES;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_READ).effect, EFFECT_MAP);
	evidence.minor_monitor = true;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_READ).effect, EFFECT_MONITOR);
	facts.uffd_missing = false;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_WRITE).effect, EFFECT_MONITOR);
}

static void test_pool(void)
{
	struct state_facts facts = { .perms = VMA_READ | VMA_WRITE, .hugetlb = true };
	struct access_evidence evidence = { .mapped = true, .no_reserve = true,
					    .pool_known = true };

	CHECK_U64(touch_file(&facts, &evidence, TOUCH_READ).effect, EFFECT_BUS);
	evidence.pool_free = 1;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_READ).effect, EFFECT_ALLOCATE);
	evidence.pool_free = 0;
	evidence.no_reserve = false;
	CHECK_U64(touch_file(&facts, &evidence, TOUCH_WRITE).effect, EFFECT_ALLOCATE);
}

static void test_kind(void)
{
	const struct geometry *four = geometry_named("x86-64");
	const struct geometry *five = geometry_named("x86-64-la57");

	CHECK_U64(address_kind_of(four, "x86_64", 0x7fffffffffff), ADDRESS_USER);
	CHECK_U64(address_kind_of(four, "x86_64", 0x800000000000), ADDRESS_NON_CANONICAL);
	CHECK_U64(address_kind_of(four, "x86_64", 0xffff7fffffffffff), ADDRESS_NON_CANONICAL);
	CHECK_U64(address_kind_of(four, "x86_64", 0xffff800000000000), ADDRESS_KERNEL);
	CHECK_U64(address_kind_of(four, "x86_64", UINT64_MAX), ADDRESS_KERNEL);
	CHECK_U64(address_kind_of(five, "x86_64", 0x800000000000), ADDRESS_USER);
	CHECK_U64(address_kind_of(five, "x86_64", 0xff00000000000000), ADDRESS_KERNEL);
	CHECK_U64(address_kind_of(five, "x86_64", 0x0100000000000000), ADDRESS_NON_CANONICAL);
	CHECK_U64(address_kind_of(geometry_named("arm64-4k-48"), "aarch64", 1ull << 48),
		  ADDRESS_KERNEL);
}

int main(void)
{
	test_growth();
	test_cache();
	test_past_end();
	test_monitor();
	test_pool();
	test_kind();
	TEST_END;
}
