// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/analyse/ledger.h"
#include "vmatlas/parse/status.h"

#define KIB 1024

/* A process with made-up numbers, the same at both readings; bent by each test. */
static struct ledger_reading reading;
static struct ledger_facts facts;
static struct ledger ledger;

static void put(struct ledger_numbers *numbers, unsigned number, uint64_t kib)
{
	numbers->present |= 1ULL << number;
	numbers->value[number] = kib * KIB;
}

static void put_both(enum ledger_source source, unsigned number, uint64_t kib)
{
	put(&reading.before[source], number, kib);
	put(&reading.after[source], number, kib);
}

static void begin(void)
{
	reading = (struct ledger_reading) { 0 };
	facts = (struct ledger_facts) {
		.page_size = 4 * KIB, .processors = 2, .threads = 1, .batched = true,
		.summed = true,
	};
}

static const struct ledger_line *judge(enum ledger_row row)
{
	ledger_judge(&reading, &facts, &ledger);
	return &ledger.lines[row];
}

/* The verdict about a row whose second source differs by `kib` from its first. */
static enum ledger_verdict rss(enum ledger_source source, unsigned number, int64_t kib)
{
	put(&reading.after[LEDGER_SMAPS], SMAPS_RSS, 10000);
	put_both(source, number, (uint64_t)(10000 + kib));
	return judge(LEDGER_RSS)->verdict;
}

static void test_equal(void)
{
	begin();
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_MISSING);
	put(&reading.after[LEDGER_SMAPS], SMAPS_RSS, 100);
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_SINGLE);
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, 0), LEDGER_EQUAL);
	CHECK_U64(ledger.verdicts[LEDGER_EQUAL], 1);
	CHECK_U64(ledger.verdicts[LEDGER_MISSING], LEDGER_ROW_MAX - 1);
	CHECK(!ledger.moved);
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, 4), LEDGER_UNEXPLAINED);
	CHECK_U64(judge(LEDGER_RSS)->findings[0].certainty, CERTAINTY_UNKNOWN);
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules, 0);
}

static void test_missing(void)
{
	begin();
	reading.after[LEDGER_SMAPS].gap = GAP_NEEDS_PRIVILEGE;
	put(&reading.after[LEDGER_STATUS], STATUS_VM_PTE, 4);
	CHECK_U64(judge(LEDGER_RSS)->values[LEDGER_SMAPS].gap, GAP_NEEDS_PRIVILEGE);
	CHECK_U64(judge(LEDGER_RSS)->values[LEDGER_STATUS].gap, GAP_NOT_IN_KERNEL);
	CHECK_U64(judge(LEDGER_RSS)->values[LEDGER_MODEL].gap, GAP_NOT_APPLICABLE);
	/* Anonymous memory of statm is a difference; a negative one is no number. */
	put(&reading.after[LEDGER_STATM], STATM_RESIDENT, 10);
	put(&reading.after[LEDGER_STATM], STATM_SHARED, 4);
	CHECK_U64(judge(LEDGER_RSS_ANON)->values[LEDGER_STATM].value, 6 * KIB);
	put(&reading.after[LEDGER_STATM], STATM_SHARED, 11);
	CHECK_U64(judge(LEDGER_RSS_ANON)->values[LEDGER_STATM].gap, GAP_DAMAGED);
}

/* 2 CPUs keep less than 32 pages each: 62 pages, 248 KiB per counter, of which rss has three. */
static void test_lag(void)
{
	begin();
	CHECK_U64(rss(LEDGER_STAT, STAT_RSS, -744), LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules, 1 << DIFFERS_LAG);
	CHECK_U64(judge(LEDGER_RSS)->findings[0].certainty, CERTAINTY_INFERRED);
	CHECK_U64(rss(LEDGER_STAT, STAT_RSS, 744), LEDGER_EXPLAINED);
	CHECK_U64(rss(LEDGER_STAT, STAT_RSS, 748), LEDGER_UNEXPLAINED);
	CHECK_U64(rss(LEDGER_STAT, STAT_RSS, -748), LEDGER_UNEXPLAINED);
	facts.processors = 64;	/* batches of 128 */
	CHECK_U64(rss(LEDGER_STAT, STAT_RSS, 3 * 64 * 127 * 4), LEDGER_EXPLAINED);
	CHECK_U64(rss(LEDGER_STAT, STAT_RSS, 3 * 64 * 127 * 4 + 4), LEDGER_UNEXPLAINED);
	begin();
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, -4), LEDGER_UNEXPLAINED);
	facts.summed = false;
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, -4), LEDGER_EXPLAINED);
	facts.processors = 0;	/* not known: nothing can be said */
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, -4), LEDGER_UNEXPLAINED);
	facts.batched = false;
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, 4 * 3 * 65 * 16), LEDGER_EXPLAINED);
	facts.threads = 2;
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, 2 * 4 * 3 * 65 * 16), LEDGER_EXPLAINED);
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, 2 * 4 * 3 * 65 * 16 + 4), LEDGER_UNEXPLAINED);
}

static void test_gate(void)
{
	begin();
	facts.gate = 4 * KIB;
	put(&reading.after[LEDGER_SMAPS], SMAPS_SIZE, 5004);
	put(&reading.after[LEDGER_STATUS], STATUS_VM_SIZE, 5000);
	CHECK_U64(judge(LEDGER_VSS)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_VSS)->findings[0].certainty, CERTAINTY_OBSERVED);
	CHECK(judge(LEDGER_VSS)->findings[0].difference == -4 * KIB);
	put(&reading.after[LEDGER_SMAPS], SMAPS_SIZE, 5008);
	CHECK_U64(judge(LEDGER_VSS)->verdict, LEDGER_UNEXPLAINED);
}

/* Each line of smaps loses less than 1 KiB, and so does rollup as a whole. */
static void test_rounding(void)
{
	begin();
	facts.shared_vmas = 3;
	put(&reading.after[LEDGER_SMAPS], SMAPS_PSS, 1000);
	put_both(LEDGER_ROLLUP, SMAPS_PSS, 1002);
	CHECK_U64(judge(LEDGER_PSS)->verdict, LEDGER_EXPLAINED);
	put_both(LEDGER_ROLLUP, SMAPS_PSS, 1003);
	CHECK_U64(judge(LEDGER_PSS)->verdict, LEDGER_UNEXPLAINED);
	put_both(LEDGER_ROLLUP, SMAPS_PSS, 999);
	CHECK_U64(judge(LEDGER_PSS)->verdict, LEDGER_UNEXPLAINED);
	put_both(LEDGER_ROLLUP, SMAPS_PSS, 1000);
	put(&reading.after[LEDGER_PAGES], PAGES_PSS, 1000);
	reading.after[LEDGER_PAGES].value[PAGES_PSS] += 1023;
	CHECK_U64(judge(LEDGER_PSS)->verdict, LEDGER_EXPLAINED);
	facts.shared_vmas = 0;	/* whole pages only: there is nothing to cut */
	CHECK_U64(judge(LEDGER_PSS)->verdict, LEDGER_UNEXPLAINED);
}

static void test_swap(void)
{
	begin();
	facts.object_swap_least = 64 * KIB;
	facts.object_swap_most = 64 * KIB;
	put(&reading.after[LEDGER_SMAPS], SMAPS_SWAP, 164);
	put(&reading.after[LEDGER_STATUS], STATUS_VM_SWAP, 100);
	CHECK_U64(judge(LEDGER_SWAP)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_SWAP)->findings[0].certainty, CERTAINTY_OBSERVED);
	put(&reading.after[LEDGER_STATUS], STATUS_VM_SWAP, 104);
	CHECK_U64(judge(LEDGER_SWAP)->verdict, LEDGER_UNEXPLAINED);
	facts.object_swap_least = 48 * KIB;	/* private mappings of shared memory too */
	CHECK_U64(judge(LEDGER_SWAP)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_SWAP)->findings[0].certainty, CERTAINTY_INFERRED);
	/* An exact rule and a bound together. */
	facts.object_swap_least = 64 * KIB;
	facts.summed = false;
	CHECK_U64(judge(LEDGER_SWAP)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_SWAP)->findings[0].rules,
		  1 << DIFFERS_OBJECT_SWAP | 1 << DIFFERS_LAG);
}

static void test_tables(void)
{
	begin();
	facts.tables_most = 100 * KIB;
	put(&reading.after[LEDGER_STATUS], STATUS_VM_PTE, 72);
	put(&reading.before[LEDGER_STATUS], STATUS_VM_PTE, 72);
	put(&reading.after[LEDGER_MODEL], MODEL_TABLES, 60);
	CHECK_U64(judge(LEDGER_TABLES)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_TABLES)->findings[0].rules, 1 << DIFFERS_EMPTIED);
	put(&reading.after[LEDGER_STATUS], STATUS_VM_PTE, 104);
	put(&reading.before[LEDGER_STATUS], STATUS_VM_PTE, 104);
	CHECK_U64(judge(LEDGER_TABLES)->verdict, LEDGER_UNEXPLAINED);
	/* The model is a lower bound: never more than the kernel has. */
	put(&reading.after[LEDGER_MODEL], MODEL_TABLES, 108);
	CHECK_U64(judge(LEDGER_TABLES)->verdict, LEDGER_UNEXPLAINED);
}

static void test_hugetlb(void)
{
	begin();
	put(&reading.after[LEDGER_SMAPS], SMAPS_SHARED_HUGETLB, 8192);
	put(&reading.after[LEDGER_SMAPS], SMAPS_PRIVATE_HUGETLB, 2048);
	put(&reading.after[LEDGER_STATUS], STATUS_HUGETLB_PAGES, 4096);
	CHECK_U64(judge(LEDGER_HUGETLB)->verdict, LEDGER_UNEXPLAINED);
	facts.shareable_hugetlb = 8192 * KIB;
	CHECK_U64(judge(LEDGER_HUGETLB)->verdict, LEDGER_EXPLAINED);
}

/* A counter that moved explains so much and no more. */
static void test_changed(void)
{
	begin();
	put(&reading.before[LEDGER_STATUS], STATUS_VM_RSS, 9000);
	put(&reading.after[LEDGER_STATUS], STATUS_VM_RSS, 10000);
	put(&reading.after[LEDGER_SMAPS], SMAPS_RSS, 9200);
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules, 1 << DIFFERS_CHANGED);
	CHECK(ledger.moved);
	put(&reading.after[LEDGER_SMAPS], SMAPS_RSS, 8996);
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_UNEXPLAINED);
	CHECK_U64(ledger.verdicts[LEDGER_UNEXPLAINED], 1);
}

static void test_pages(void)
{
	begin();
	put(&reading.after[LEDGER_SMAPS], SMAPS_RSS, 100);
	put(&reading.after[LEDGER_PAGES], PAGES_RSS, 92);
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_UNEXPLAINED);
	facts.special = 8 * KIB;
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules, 1 << DIFFERS_MIGRATION);
	facts.special = 0;
	facts.unsure = 8 * KIB;
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules, 1 << DIFFERS_UNSURE);
	facts.unsure = facts.special = 4 * KIB;	/* only both together */
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules,
		  1 << DIFFERS_UNSURE | 1 << DIFFERS_MIGRATION);
}

/* Every name of a table stands at its value. */
static void test_names(void)
{
	for (unsigned i = 0; i < LEDGER_ROW_MAX; i++)
		CHECK(name_of(ledger_row_names, i) && ledger_row_names[i].value == i);
	for (unsigned i = 0; i < LEDGER_SOURCE_MAX; i++)
		CHECK(name_of(ledger_source_names, i) && ledger_source_names[i].value == i);
	for (unsigned i = 0; i < DIFFERS_MAX; i++)
		CHECK(name_of(ledger_rule_names, i) && ledger_rule_names[i].value == i);
	for (unsigned i = 0; i < LEDGER_VERDICT_MAX; i++)
		CHECK(name_of(ledger_verdict_names, i) && ledger_verdict_names[i].value == i);
}

int main(void)
{
	test_names();
	test_equal();
	test_missing();
	test_lag();
	test_gate();
	test_rounding();
	test_swap();
	test_tables();
	test_hugetlb();
	test_changed();
	test_pages();
	TEST_END;
}
