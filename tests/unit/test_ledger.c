// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "ledger.h"
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

static void test_text(void)
{
	begin();
	put_both(LEDGER_STATUS, STATUS_VM_EXE, 8);
	put_both(LEDGER_STATM, STATM_TEXT, 552);
	put(&reading.after[LEDGER_MODEL], MODEL_EXE, 8);
	CHECK_U64(judge(LEDGER_EXE)->verdict, LEDGER_UNEXPLAINED);
	facts.text_cut = 544 * KIB;
	CHECK_U64(judge(LEDGER_EXE)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_EXE)->findings[0].certainty, CERTAINTY_OBSERVED);
	facts.text_cut = 548 * KIB;
	CHECK_U64(judge(LEDGER_EXE)->verdict, LEDGER_UNEXPLAINED);
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

static enum ledger_verdict tables(uint64_t vmpte, uint64_t model)
{
	put_both(LEDGER_STATUS, STATUS_VM_PTE, vmpte);
	put(&reading.after[LEDGER_MODEL], MODEL_TABLES, model);
	return judge(LEDGER_TABLES)->verdict;
}

static uint32_t tables_rules(void)
{
	return ledger.lines[LEDGER_TABLES].findings[0].rules;
}

static void test_tables(void)
{
	begin();
	facts.pte_room = 40 * KIB;
	facts.upper_room = 8 * KIB;
	CHECK_U64(tables(72, 60), LEDGER_EXPLAINED);
	CHECK_U64(tables_rules(), 1 << DIFFERS_UNSEEN);
	CHECK_U64(tables(108, 60), LEDGER_EXPLAINED);
	CHECK_U64(tables(112, 60), LEDGER_UNEXPLAINED);
	/* The model is a lower bound: never more than the kernel has. */
	CHECK_U64(tables(60, 64), LEDGER_UNEXPLAINED);
	facts.leaf_tables = 4 * KIB;	/* unless it may have taken huge pages for small ones */
	CHECK_U64(tables(60, 64), LEDGER_EXPLAINED);
	CHECK_U64(tables_rules(), 1 << DIFFERS_LEAF);
	CHECK_U64(tables(60, 68), LEDGER_UNEXPLAINED);
	facts.leaf_tables = 0;
	/* Seen ones are exact, and then there is room in the upper levels only. */
	facts.emptied_seen = true;
	facts.emptied = 12 * KIB;
	CHECK_U64(tables(72, 60), LEDGER_EXPLAINED);
	CHECK_U64(tables_rules(), 1 << DIFFERS_EMPTIED);
	CHECK_U64(ledger.lines[LEDGER_TABLES].findings[0].certainty, CERTAINTY_OBSERVED);
	CHECK_U64(tables(80, 60), LEDGER_EXPLAINED);
	CHECK_U64(tables_rules(), 1 << DIFFERS_EMPTIED | 1 << DIFFERS_UNSEEN);
	CHECK_U64(tables(84, 60), LEDGER_UNEXPLAINED);
	facts.hidden_room = 4 * KIB;
	CHECK_U64(tables(84, 60), LEDGER_EXPLAINED);
	CHECK_U64(tables(64, 60), LEDGER_UNEXPLAINED);	/* fewer than were seen */
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

/* Others may have changed what they share, but not what is wrong at every look. */
static void test_others(void)
{
	begin();
	put(&reading.after[LEDGER_ROLLUP], SMAPS_PSS_FILE, 100);
	put(&reading.after[LEDGER_PAGES], PAGES_PSS_FILE, 104);
	CHECK_U64(judge(LEDGER_PSS_FILE)->verdict, LEDGER_UNEXPLAINED);
	facts.share_drift[LEDGER_KIND_FILE] = 4 * KIB;
	CHECK_U64(judge(LEDGER_PSS_FILE)->verdict, LEDGER_EXPLAINED);
	CHECK_U64(judge(LEDGER_PSS_FILE)->findings[0].rules, 1 << DIFFERS_OTHERS);
	facts.repeated = 1ULL << LEDGER_PSS_FILE;
	CHECK_U64(judge(LEDGER_PSS_FILE)->verdict, LEDGER_UNEXPLAINED);
	facts.repeated = 0;
	put(&reading.after[LEDGER_PAGES], PAGES_PSS_FILE, 105);
	CHECK_U64(judge(LEDGER_PSS_FILE)->verdict, LEDGER_UNEXPLAINED);
	/* Private and shared in all: never what is resident. */
	begin();
	facts.mapped_drift = 1 << 30;
	facts.flags_drift = 1 << 30;
	CHECK_U64(rss(LEDGER_STATUS, STATUS_VM_RSS, 4), LEDGER_UNEXPLAINED);
	put(&reading.after[LEDGER_SMAPS], SMAPS_PRIVATE_CLEAN, 100);
	put(&reading.after[LEDGER_SMAPS], SMAPS_PRIVATE_DIRTY, 100);
	put(&reading.after[LEDGER_PAGES], PAGES_PRIVATE, 196);
	CHECK_U64(judge(LEDGER_PRIVATE)->verdict, LEDGER_EXPLAINED);
}

/* Pages of 1 and 4 KiB mapped twice and ten times. */
static void test_drift(void)
{
	struct ledger_sharers sharers = { NULL, 0, 0 };

	CHECK(ledger_sharers_add(&sharers, 10, LEDGER_KIND_FILE, 4000) == 0);
	CHECK(ledger_sharers_add(&sharers, 2, LEDGER_KIND_ANON, 1000) == 0);
	CHECK(ledger_sharers_add(&sharers, 1, LEDGER_KIND_ANON, 500) == 0);
	CHECK(ledger_sharers_add(&sharers, 1, LEDGER_KIND_SHMEM, 70) == 0);
	CHECK(ledger_sharers_add(&sharers, 10, LEDGER_KIND_FILE, 6000) == 0);
	CHECK_U64(sharers.count, 3);
	CHECK_U64(sharers.items[0].mappings, 1);
	CHECK_U64(sharers.items[2].bytes[LEDGER_KIND_FILE], 10000);
	begin();
	ledger_drift(&sharers, 0, &facts);
	CHECK_U64(facts.share_drift[LEDGER_KIND_FILE], 0);
	ledger_drift(&sharers, 5, &facts);
	CHECK_U64(facts.share_drift[LEDGER_KIND_FILE], 10000 / 5 - 10000 / 10 + 2);
	CHECK_U64(facts.share_drift[LEDGER_KIND_ANON], 1000 - 500 + 2);
	CHECK_U64(facts.share_drift[LEDGER_KIND_SHMEM], 70 + 2);
	CHECK_U64(facts.mapped_drift, 1000 + 70);	/* those mapped ten times stay shared */
	begin();
	ledger_drift(&sharers, UINT64_MAX, &facts);
	CHECK_U64(facts.mapped_drift, 11070);
	ledger_sharers_done(&sharers);
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
	facts.unsure = 0;
	put(&reading.after[LEDGER_PAGES], PAGES_RSS, 108);	/* never less than smaps */
	facts.maybe_zero = 4 * KIB;
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_UNEXPLAINED);
	facts.maybe_zero = 8 * KIB;
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules, 1 << DIFFERS_ZERO_PAGE);
	put(&reading.after[LEDGER_PAGES], PAGES_RSS, 92);
	CHECK_U64(judge(LEDGER_RSS)->verdict, LEDGER_UNEXPLAINED);
	facts.maybe_zero = 0;
	facts.unsure = facts.special = 4 * KIB;	/* only both together */
	CHECK_U64(judge(LEDGER_RSS)->findings[0].rules,
		  1 << DIFFERS_UNSURE | 1 << DIFFERS_MIGRATION);
}

/* Snapshots may hold any number. */
static void test_hostile(void)
{
	begin();
	memset(&facts, 0xff, sizeof(facts));
	facts.batched = facts.summed = facts.emptied_seen = facts.ran = false;
	facts.repeated = 0;
	for (int source = 0; source < LEDGER_SOURCE_MAX; source++)
		for (int i = 0; i < LEDGER_NUMBERS; i++) {
			uint64_t kib = source & 1 ? 1ULL << 49 : 1;

			put(&reading.before[source], i, i & 1 ? UINT64_MAX : 0);
			put(&reading.after[source], i, i & 2 ? UINT64_MAX : kib);
		}
	ledger_judge(&reading, &facts, &ledger);
	for (int row = 0; row < LEDGER_ROW_MAX; row++)
		for (size_t i = 0; i < ledger.lines[row].finding_count; i++)
			CHECK(ledger.lines[row].findings[i].low <=
			      ledger.lines[row].findings[i].high);
	CHECK_U64(ledger.lines[LEDGER_RSS].values[LEDGER_SMAPS].gap, GAP_DAMAGED);
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
	test_text();
	test_rounding();
	test_swap();
	test_tables();
	test_hugetlb();
	test_changed();
	test_hostile();
	test_others();
	test_drift();
	test_pages();
	TEST_END;
}
