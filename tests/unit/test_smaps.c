// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"
#include "reader.h"
#include "test.h"

#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/smaps.h"

static struct buf text;

/* A reader over a text, with its record. */
struct walk {
	struct span_reader bytes;
	struct lines lines;
	struct smaps_reader reader;
	struct smaps_record record;
};

static void walk_start(struct walk *walk, struct span bytes, size_t piece)
{
	walk->bytes = (struct span_reader) { bytes, piece };
	lines_init(&walk->lines, span_reader_read, &walk->bytes, 4096);
	smaps_reader_init(&walk->reader, &walk->lines);
	smaps_record_init(&walk->record);
}

static void walk_end(struct walk *walk)
{
	smaps_record_done(&walk->record);
	smaps_reader_done(&walk->reader);
	lines_done(&walk->lines);
}

static uint64_t value_of(const struct smaps_record *record, enum smaps_key key)
{
	return record->present >> key & 1 ? record->value[key] : UINT64_MAX;
}

static void check_pack(const struct smaps_record *record)
{
	CLEANUP(buf_done) struct buf store = BUF_INIT;
	uint64_t present, value[SMAPS_KEY_MAX];

	CHECK(buf_add_str(&store, "x") == 0 && smaps_pack(record, &store) == 0);
	smaps_unpack((struct span) { store.data + 1, store.len - 1 }, &present, value);
	CHECK_U64(present, record->present);
	CHECK(!memcmp(value, record->value, sizeof(value)));
	while (--store.len) {	/* any cut of it: what is not there is not present */
		smaps_unpack((struct span) { store.data + 1, store.len - 1 }, &present, value);
		CHECK(!(present & ~record->present));
	}
}

static void walk_fixture(struct walk *walk, const char *name)
{
	fixture_read(name, &text);
	walk_start(walk, buf_span(&text), 0);
}

/* The next record, which must be there. */
static const struct smaps_record *next(struct walk *walk)
{
	struct error error = ERROR_INIT;
	int rc = smaps_next(&walk->reader, &walk->record, &error);

	if (rc != 1) {
		printf("no record: %d, line %lu: %s\n", rc, error.line, error.text);
		test_failures++;
	} else {
		check_pack(&walk->record);
	}
	return &walk->record;
}

static void expect_error(struct walk *walk, unsigned long line, const char *reason)
{
	struct error error = ERROR_INIT;

	CHECK(smaps_next(&walk->reader, &walk->record, &error) == -ERROR_PARSE);
	CHECK_U64(error.line, line);
	CHECK(strstr(error.text, reason));
}

static void expect_end(struct walk *walk)
{
	CHECK(smaps_next(&walk->reader, &walk->record, NULL) == 0);
	CHECK(smaps_next(&walk->reader, &walk->record, NULL) == 0);
	walk_end(walk);
}

/* Two VMAs as each kernel prints them; all at once and in pieces of one byte. */
static void check_kernel(const char *name, uint64_t pss_dirty, uint64_t ksm, uint64_t eligible,
			 uint64_t key, const char *flag, size_t piece)
{
	const struct smaps_record *record;
	struct walk walk;

	fixture_read(name, &text);
	walk_start(&walk, buf_span(&text), piece);
	record = next(&walk);
	CHECK_SPAN(record->line.name, "/usr/bin/bash");
	CHECK_U64(value_of(record, SMAPS_SIZE), 164 << 10);
	CHECK_U64(value_of(record, SMAPS_SHARED_CLEAN), 148 << 10);
	CHECK_U64(value_of(record, SMAPS_SWAP), 0);
	record = next(&walk);
	CHECK_SPAN(record->line.name, "[heap]");
	CHECK_U64(value_of(record, SMAPS_RSS), 88 << 10);
	CHECK_U64(value_of(record, SMAPS_REFERENCED), 60 << 10);
	CHECK_U64(value_of(record, SMAPS_SWAP_PSS), 20 << 10);
	CHECK_U64(value_of(record, SMAPS_PSS_DIRTY), pss_dirty);
	CHECK_U64(value_of(record, SMAPS_KSM), ksm);
	CHECK_U64(value_of(record, SMAPS_THP_ELIGIBLE), eligible);
	CHECK_U64(value_of(record, SMAPS_PROTECTION_KEY), key);
	CHECK(record->has_vm_flags && record->vm_flags & vm_flag(flag));
	CHECK(record->vm_flags & vm_flag("ac") && !(record->vm_flags & vm_flag("ex")));
	CHECK(!record->unknown_count && !record->unknown_flags.len);
	expect_end(&walk);
}

static void test_kernels(void)
{
	size_t piece;

	for (piece = 0; piece < 3; piece++) {
		check_kernel("smaps/good-5.10.txt", -1, -1, 0, -1, "sd", piece);
		check_kernel("smaps/good-6.1.txt", 88 << 10, -1, 0, 0, "sd", piece);
		check_kernel("smaps/good-6.12.txt", 88 << 10, 0, 1, 2, "lf", piece);
		check_kernel("smaps/good-6.18.txt", 88 << 10, 0, 0, -1, "gu", piece);
	}
}

static void test_old_and_rollup(void)
{
	const struct smaps_record *record;
	struct walk walk;

	walk_fixture(&walk, "smaps/good-2.6.txt");
	CHECK_U64(value_of(next(&walk), SMAPS_PRIVATE_DIRTY), 4 << 10);
	record = next(&walk);
	CHECK_U64(value_of(record, SMAPS_PRIVATE_DIRTY), 8 << 10);
	CHECK(!record->has_vm_flags && value_of(record, SMAPS_PSS) == UINT64_MAX);
	expect_end(&walk);
	walk_fixture(&walk, "smaps/good-rollup.txt");
	record = next(&walk);
	CHECK_SPAN(record->line.name, "[rollup]");
	CHECK_U64(value_of(record, SMAPS_PSS_ANON), 488 << 10);
	CHECK_U64(value_of(record, SMAPS_PSS_FILE), 713 << 10);
	CHECK_U64(value_of(record, SMAPS_PSS_SHMEM), 0);
	CHECK_U64(value_of(record, SMAPS_SIZE), UINT64_MAX);
	expect_end(&walk);
}

static void test_order(void)
{
	const struct smaps_record *record;
	struct walk walk;

	walk_fixture(&walk, "smaps/good-order.txt");
	record = next(&walk);
	CHECK_U64(value_of(record, SMAPS_PROTECTION_KEY), 3);
	CHECK_U64(value_of(record, SMAPS_SIZE), 132 << 10);
	CHECK_U64(value_of(record, SMAPS_THP_ELIGIBLE), 1);
	record = next(&walk);
	CHECK_U64(value_of(record, SMAPS_RSS), 152 << 10);
	CHECK_U64(value_of(record, SMAPS_SWAP), UINT64_MAX);
	CHECK_U64(record->vm_flags, vm_flag("rd") | vm_flag("ex"));
	record = next(&walk);
	CHECK_U64(value_of(record, SMAPS_SIZE), 4 << 10);
	CHECK(!record->has_vm_flags && !record->vm_flags);
	expect_end(&walk);
}

static void test_unknown(void)
{
	const struct smaps_record *record;
	struct walk walk;

	walk_fixture(&walk, "smaps/good-unknown.txt");
	record = next(&walk);
	CHECK_U64(record->unknown_count, 4);
	CHECK_STR(buf_str(&record->unknown[0].key), "fe");
	CHECK_U64(record->unknown[0].value, 3 << 10);
	CHECK(record->unknown[0].is_size && !record->unknown[0].is_text);
	CHECK_STR(buf_str(&record->unknown[1].key), "ColdPages");
	CHECK(record->unknown[1].value == 7 && !record->unknown[1].is_size);
	CHECK_STR(buf_str(&record->unknown[2].key), "Placement");
	CHECK(record->unknown[2].is_text);
	CHECK_STR(buf_str(&record->unknown[2].text), "node0 far, node1 near");
	CHECK_U64(record->unknown[3].value, 12 << 10);
	CHECK_U64(value_of(record, SMAPS_SWAP_PSS), 4 << 10);
	CHECK_STR(buf_str(&record->unknown_flags), "q9 ?? xyz zz");
	CHECK_U64(record->vm_flags, vm_flag("rd") | vm_flag("wr") | vm_flag("mr") | vm_flag("ac"));
	record = next(&walk);
	CHECK(!record->unknown_count && !record->unknown_flags.len);
	expect_end(&walk);
}

static void test_odd(void)
{
	const struct smaps_record *record;
	struct walk walk;

	walk_fixture(&walk, "smaps/good-wide.txt");
	record = next(&walk);
	CHECK_U64(value_of(record, SMAPS_SIZE), 262139750252544 << 10);
	CHECK_U64(value_of(record, SMAPS_RSS), UINT64_MAX << 10);
	expect_end(&walk);
	walk_fixture(&walk, "smaps/good-empty-records.txt");
	CHECK(!next(&walk)->present);
	CHECK_U64(next(&walk)->present, 1 << SMAPS_RSS);
	expect_end(&walk);
	walk_fixture(&walk, "smaps/good-names.txt");
	CHECK_SPAN(next(&walk)->line.name, "/tmp/Rss: 5 kB");
	CHECK_SPAN(next(&walk)->line.name, "/tmp/\xff (deleted)");
	expect_end(&walk);
	walk_start(&walk, SPAN_LITERAL(""), 0);
	expect_end(&walk);
}

static void test_bad_counters(void)
{
	const struct smaps_record *record;
	struct walk walk;

	walk_fixture(&walk, "smaps/bad-counters.txt");
	record = next(&walk);
	CHECK_U64(record->present, 1 << SMAPS_SIZE | 1 << SMAPS_PSS);
	expect_error(&walk, 3, "no number");
	CHECK_U64(value_of(next(&walk), SMAPS_RSS), 88 << 10);
	expect_end(&walk);
	walk_fixture(&walk, "smaps/bad-torn.txt");
	record = next(&walk);
	CHECK_SPAN(record->line.name, "/usr/bin/bash");
	CHECK_U64(value_of(record, SMAPS_SIZE), 164 << 10);
	CHECK_U64(record->present, 1 << SMAPS_SIZE);
	expect_error(&walk, 3, "no number");
	expect_end(&walk);
}

static void test_bad_headers(void)
{
	struct walk walk;

	walk_fixture(&walk, "smaps/bad-header.txt");
	CHECK_U64(value_of(next(&walk), SMAPS_SIZE), 164 << 10);
	expect_error(&walk, 3, "permissions");
	CHECK_U64(value_of(next(&walk), SMAPS_SIZE), 4 << 10);
	expect_end(&walk);
	walk_fixture(&walk, "smaps/bad-no-header.txt");
	expect_error(&walk, 1, "belongs to no VMA");
	CHECK_U64(value_of(next(&walk), SMAPS_SIZE), 132 << 10);
	expect_end(&walk);
}

/* More unknown counters than are kept: the others are counted on. */
static void test_limit(void)
{
	CLEANUP(buf_done) struct buf many = BUF_INIT;
	struct error error = ERROR_INIT;
	struct walk walk;
	unsigned i;

	buf_add_str(&many, "1000-2000 rw-p 00000000 00:00 0 \n");
	for (i = 0; i <= SMAPS_UNKNOWN_MAX; i++)
		buf_addf(&many, "Key%u: %u kB\n", i, i);
	buf_add_str(&many, "Rss:                   4 kB\n");
	walk_start(&walk, buf_span(&many), 0);
	CHECK_U64(value_of(next(&walk), SMAPS_RSS), 4 << 10);
	CHECK_U64(walk.record.unknown_count, SMAPS_UNKNOWN_MAX);
	CHECK_U64(walk.record.unknown[SMAPS_UNKNOWN_MAX - 1].value, (SMAPS_UNKNOWN_MAX - 1) << 10);
	CHECK(smaps_next(&walk.reader, &walk.record, &error) == -ERROR_LIMIT);
	CHECK_U64(error.line, SMAPS_UNKNOWN_MAX + 2);
	expect_end(&walk);
}

static void test_headers(void)
{
	CHECK(smaps_is_header(SPAN_LITERAL("fe-ff r--p")));
	CHECK(!smaps_is_header(SPAN_LITERAL("fe: 3 kB")));
	CHECK(!smaps_is_header(SPAN_LITERAL("fe-ff: 3 kB")));
	CHECK(!smaps_is_header(SPAN_LITERAL("-ff r--p")));
	CHECK(!smaps_is_header(SPAN_LITERAL("fe- r--p")));
	CHECK(!smaps_is_header(SPAN_LITERAL("fe-ff")));
	CHECK(!smaps_is_header(SPAN_LITERAL("fe")));
	CHECK(!smaps_is_header(SPAN_LITERAL("")));
}

/* Every bit of the packed form, and how small it is. */
static void test_pack(void)
{
	CLEANUP(buf_done) struct buf store = BUF_INIT;
	struct smaps_record record;
	struct walk walk;
	int key;

	smaps_record_init(&record);
	check_pack(&record);
	for (key = 0; key < SMAPS_KEY_MAX; key++) {
		record.present |= 1ULL << key;
		record.value[key] = key & 1 ? UINT64_MAX - (uint64_t)key : (uint64_t)key << 10;
		check_pack(&record);
	}
	walk_fixture(&walk, "smaps/good-6.18.txt");
	CHECK(smaps_pack(next(&walk), &store) == 0);
	CHECK(store.len <= 24);
	walk_end(&walk);
}

static void test_tables(void)
{
	const struct name *a, *b;
	int key;

	for (key = 0; key < SMAPS_KEY_MAX; key++)
		CHECK(smaps_key_names[key].value == (uint64_t)key && smaps_key_names[key].meaning);
	CHECK(!smaps_key_names[SMAPS_KEY_MAX].name);
	CHECK(!smaps_key_is_size(SMAPS_THP_ELIGIBLE) && smaps_key_is_size(SMAPS_LOCKED));
	for (a = vm_flag_names; a->name; a++) {
		CHECK(strlen(a->name) == 2 && vm_flag(a->name) == a->value);
		for (b = a + 1; b->name; b++)
			CHECK(strcmp(a->name, b->name) && a->value != b->value);
	}
	CHECK(!vm_flag("??") && !vm_flag("zz") && !vm_flag("") && !vm_flag("rdx") &&
	      !vm_flag("RD"));
}

/* Every VMA of this process, in order, with the names of maps. */
static void test_live(void)
{
	CLEANUP(buf_done) struct buf maps = BUF_INIT;
	struct span rest;
	struct walk walk;

	buf_clear(&text);
	if (buf_reserve(&text, 1 << 20) < 0 || buf_reserve(&maps, 1 << 18) < 0)
		exit(1);
	file_read("/proc/self/maps", &maps);
	file_read("/proc/self/smaps", &text);
	walk_start(&walk, buf_span(&text), 0);
	for (rest = buf_span(&maps); rest.len; span_take_char(&rest, '\n')) {
		struct span line = span_take_until(&rest, '\n');
		struct smaps_record *record = &walk.record;

		CHECK(smaps_next(&walk.reader, record, NULL) == 1);
		CHECK(span_equal(line, buf_span(&record->line_text)));
		CHECK_U64(value_of(record, SMAPS_SIZE), record->line.end - record->line.start);
		CHECK(value_of(record, SMAPS_RSS) <= value_of(record, SMAPS_SIZE));
		CHECK(record->has_vm_flags);
		CHECK(!(record->vm_flags & vm_flag("rd")) == !(record->line.perms & VMA_READ));
		CHECK(!(record->vm_flags & vm_flag("wr")) == !(record->line.perms & VMA_WRITE));
		CHECK(!(record->vm_flags & vm_flag("ms")) == !(record->line.perms & VMA_SHARED));
		check_pack(record);
	}
	CHECK(smaps_next(&walk.reader, &walk.record, NULL) == 0);
	walk_end(&walk);
}

int main(void)
{
	test_kernels();
	test_old_and_rollup();
	test_order();
	test_unknown();
	test_odd();
	test_bad_counters();
	test_bad_headers();
	test_limit();
	test_headers();
	test_pack();
	test_tables();
	test_live();
	buf_done(&text);
	TEST_END;
}
