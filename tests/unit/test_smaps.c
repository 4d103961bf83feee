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
	test_live();
	buf_done(&text);
	TEST_END;
}
