// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "fuzz.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/smaps.h"

const struct fuzz_seed fuzz_seeds[] = {
	{ "fixtures/text/smaps", -1 },
	{ NULL, -1 }
};

struct input {
	struct span rest;
	size_t piece;
};

static ssize_t input_read(void *ctx, void *data, size_t len, struct error *error)
{
	struct input *input = ctx;
	size_t n = input->rest.len < len ? input->rest.len : len;

	(void)error;
	n = n < input->piece ? n : input->piece;
	if (n)
		memcpy(data, input->rest.ptr, n);
	input->rest.ptr += n;
	input->rest.len -= n;
	return (ssize_t)n;
}

static void check_pack(const struct smaps_record *record)
{
	CLEANUP(buf_done) struct buf store = BUF_INIT;
	uint64_t present, value[SMAPS_KEY_MAX];

	FUZZ_CHECK(smaps_pack(record, &store) == 0);
	smaps_unpack(buf_span(&store), &present, value);
	FUZZ_CHECK(present == record->present);
	FUZZ_CHECK(!memcmp(value, record->value, sizeof(value)));
}

static void check_record(const struct smaps_record *record)
{
	struct span name = maps_printed_name(&record->line);
	const struct buf *text = &record->line_text;
	int key;

	FUZZ_CHECK(name.ptr > text->data && name.ptr + name.len == text->data + text->len);
	FUZZ_CHECK(!(record->present >> SMAPS_KEY_MAX));
	for (key = 0; key < SMAPS_KEY_MAX; key++)
		FUZZ_CHECK(record->present >> key & 1 || !record->value[key]);
	FUZZ_CHECK(record->has_vm_flags || (!record->vm_flags && !record->unknown_flags.len));
	FUZZ_CHECK(record->unknown_count <= SMAPS_UNKNOWN_MAX);
	check_pack(record);
}

/* All that a record or an error says, so that two ways to it can be compared. */
static void note(struct buf *log, int rc, const struct smaps_record *record,
		 const struct error *error)
{
	size_t i;

	buf_addf(log, "%d %lu %s\n", rc, error->line, error->text);
	if (rc != 1)
		return;
	buf_add_span(log, buf_span(&record->line_text));
	buf_add(log, &record->present, sizeof(record->present));
	buf_add(log, record->value, sizeof(record->value));
	buf_addf(log, "%d %llx ", record->has_vm_flags, (unsigned long long)record->vm_flags);
	buf_add_span(log, buf_span(&record->unknown_flags));
	for (i = 0; i < record->unknown_count; i++) {
		const struct smaps_unknown *unknown = &record->unknown[i];

		buf_add_span(log, buf_span(&unknown->key));
		buf_addf(log, " %llu %d %d ", (unsigned long long)unknown->value,
			 unknown->is_size, unknown->is_text);
		buf_add_span(log, buf_span(&unknown->text));
	}
}

static void read_all(struct span bytes, size_t piece, struct buf *log)
{
	struct input input = { bytes, piece };
	struct smaps_record record;
	struct smaps_reader reader;
	struct lines lines;
	size_t calls;
	int rc;

	lines_init(&lines, input_read, &input, 512);
	smaps_reader_init(&reader, &lines);
	smaps_record_init(&record);
	for (calls = 0;; calls++) {
		struct error error = ERROR_INIT;

		rc = smaps_next(&reader, &record, &error);
		note(log, rc, &record, &error);
		if (!rc)
			break;
		FUZZ_CHECK(rc == 1 || rc == -ERROR_PARSE || rc == -ERROR_LIMIT);
		FUZZ_CHECK(calls <= 2 * bytes.len);
		if (rc == 1)
			check_record(&record);
	}
	smaps_record_done(&record);
	smaps_reader_done(&reader);
	lines_done(&lines);
}

/* Byte by byte there is never a line ahead: the quick way and the long one must agree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf quick = BUF_INIT;
	CLEANUP(buf_done) struct buf slow = BUF_INIT;
	struct span bytes = { (const char *)data, size };

	read_all(bytes, SIZE_MAX, &quick);
	read_all(bytes, 1, &slow);
	FUZZ_CHECK(span_equal(buf_span(&quick), buf_span(&slow)));
	return 0;
}
