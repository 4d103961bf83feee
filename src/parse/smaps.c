// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/smaps.h"

#include <stdlib.h>

#include "text.h"
#include "vm_flags.h"

void smaps_record_init(struct smaps_record *record)
{
	*record = (struct smaps_record) { 0 };
}

void smaps_record_done(struct smaps_record *record)
{
	size_t i;

	for (i = 0; i < record->unknown_cap; i++) {
		buf_done(&record->unknown[i].key);
		buf_done(&record->unknown[i].text);
	}
	free(record->unknown);
	buf_done(&record->unknown_flags);
	buf_done(&record->line_text);
	smaps_record_init(record);
}

void smaps_reader_init(struct smaps_reader *reader, struct lines *lines)
{
	*reader = (struct smaps_reader) { .lines = lines };
}

void smaps_reader_done(struct smaps_reader *reader)
{
	buf_done(&reader->pending);
}

bool smaps_is_header(struct span line)
{
	uint64_t address;

	return span_take_hex(&line, &address) && span_take_char(&line, '-') &&
	       span_take_hex(&line, &address) && line.len && *line.ptr == ' ';
}

static int parse_error(struct error *error, unsigned long number, const char *text)
{
	error_set(error, ERROR_PARSE, NULL, "%s", text);
	if (error)
		error->line = number;
	return -ERROR_PARSE;
}

/* Only the first bad line of a record is kept: the record itself comes first. */
static void report_later(struct smaps_reader *reader, enum error_code code, const char *text)
{
	if (reader->later.code)
		return;
	error_set(&reader->later, code, NULL, "%s", text);
	reader->later.line = reader->lines->number;
}

static int keep_header(struct smaps_reader *reader, struct span line)
{
	buf_clear(&reader->pending);
	reader->pending_number = reader->lines->number;
	reader->skipping = false;
	return buf_add_span(&reader->pending, line);
}

/* Reads up to a header line; 1, 0 at the end, negative. */
static int find_header(struct smaps_reader *reader, struct error *error)
{
	struct span line;
	int rc;

	while (!reader->pending.len) {
		rc = lines_next(reader->lines, &line, error);
		if (rc <= 0)
			return rc;
		if (smaps_is_header(line)) {
			if (keep_header(reader, line) < 0)
				return error_nomem(error);
		} else if (line.len && !reader->skipping) {
			reader->skipping = true;
			return parse_error(error, reader->lines->number,
					   "smaps line belongs to no VMA");
		}
	}
	return 1;
}

static int start_record(struct smaps_reader *reader, struct smaps_record *record,
			struct error *error)
{
	struct buf text = record->line_text;

	record->line_text = reader->pending;
	reader->pending = text;
	buf_clear(&reader->pending);
	record->present = 0;
	memset(record->value, 0, sizeof(record->value));
	record->has_vm_flags = false;
	record->vm_flags = 0;
	buf_clear(&record->unknown_flags);
	record->unknown_count = 0;
	if (!maps_parse_line(buf_span(&record->line_text), &record->line, error))
		return 0;
	if (error)
		error->line = reader->pending_number;
	reader->skipping = true;
	return -ERROR_PARSE;
}

static int next_unknown(struct smaps_record *record, struct smaps_unknown **unknown)
{
	size_t had = record->unknown_cap;

	if (array_grow((void **)&record->unknown, &record->unknown_cap, record->unknown_count,
		       sizeof(*record->unknown)) < 0)
		return -ERROR_NOMEM;
	if (record->unknown_cap > had)
		memset(record->unknown + had, 0,
		       (record->unknown_cap - had) * sizeof(*record->unknown));
	*unknown = &record->unknown[record->unknown_count];
	return 0;
}

static int add_unknown(struct smaps_reader *reader, struct smaps_record *record, struct span key,
		       struct span value)
{
	struct smaps_unknown *unknown;

	if (record->unknown_count == SMAPS_UNKNOWN_MAX) {
		report_later(reader, ERROR_LIMIT, "too many unknown counters in one VMA");
		return 0;
	}
	if (next_unknown(record, &unknown) < 0)
		return -ERROR_NOMEM;
	buf_clear(&unknown->key);
	buf_clear(&unknown->text);
	unknown->value = 0;
	unknown->is_size = text_size(value, &unknown->value);
	unknown->is_text = !unknown->is_size && !text_number(value, &unknown->value);
	if (buf_add_span(&unknown->key, key) < 0 ||
	    (unknown->is_text && buf_add_span(&unknown->text, span_trim(value)) < 0))
		return -ERROR_NOMEM;
	record->unknown_count++;
	return 0;
}

static bool set_value(struct smaps_record *record, enum smaps_key key, struct span value)
{
	if (!(smaps_key_is_size(key) ? text_size(value, &record->value[key]) :
				       text_number(value, &record->value[key])))
		return false;
	record->present |= 1ULL << key;
	return true;
}

/* Remembers the first bytes of a line, up to the value, for its place in the record. */
static void learn(struct smaps_hint *hint, struct span line, enum smaps_key key)
{
	const char *colon;
	size_t i;

	hint->key = 0;
	if (line.len < SMAPS_PREFIX)
		return;
	colon = memchr(line.ptr, ':', SMAPS_PREFIX);
	if (!colon)
		return;
	for (i = (size_t)(colon - line.ptr) + 1; i < SMAPS_PREFIX; i++)
		if (line.ptr[i] != ' ')
			return;
	memcpy(hint->prefix, line.ptr, SMAPS_PREFIX);
	hint->key = (uint8_t)(key + 1);
}

/* A line that the hint does not know. */
static int add_line(struct smaps_reader *reader, struct smaps_record *record, struct span line,
		    struct smaps_hint *hint)
{
	struct span key, value = line;
	int index;

	if (!text_take_key(&value, &key)) {
		if (line.len)
			report_later(reader, ERROR_PARSE, "smaps line has no key");
		return 0;
	}
	if (span_is(key, "VmFlags")) {
		record->has_vm_flags = true;
		return vm_flags_parse(value, &record->vm_flags, &record->unknown_flags);
	}
	index = text_key_index(smaps_key_names, SMAPS_KEY_MAX, SMAPS_KEY_MAX, key);
	if (index < 0)
		return add_unknown(reader, record, key, value);
	if (!set_value(record, (enum smaps_key)index, value))
		report_later(reader, ERROR_PARSE, "smaps counter is no number or has no unit");
	else if (hint)
		learn(hint, line, (enum smaps_key)index);
	return 0;
}

static int add_place(struct smaps_reader *reader, struct smaps_record *record, struct span line,
		     size_t place)
{
	struct smaps_hint *hint = place < SMAPS_HINTS ? &reader->hints[place] : NULL;

	if (hint && hint->key && line.len > SMAPS_PREFIX &&
	    !memcmp(line.ptr, hint->prefix, SMAPS_PREFIX)) {
		struct span value = { line.ptr + SMAPS_PREFIX, line.len - SMAPS_PREFIX };

		if (set_value(record, (enum smaps_key)(hint->key - 1), value))
			return 0;
	}
	return add_line(reader, record, line, hint);
}

int smaps_next(struct smaps_reader *reader, struct smaps_record *record, struct error *error)
{
	struct span line;
	size_t place;
	int rc;

	if (reader->later.code) {
		rc = -(int)reader->later.code;
		if (error)
			*error = reader->later;
		error_clear(&reader->later);
		return rc;
	}
	rc = find_header(reader, error);
	if (rc <= 0)
		return rc;
	rc = start_record(reader, record, error);
	if (rc < 0)
		return rc;
	for (place = 0; (rc = lines_next(reader->lines, &line, error)) > 0; place++) {
		if (smaps_is_header(line))
			return keep_header(reader, line) < 0 ? error_nomem(error) : 1;
		if (add_place(reader, record, line, place) < 0)
			return error_nomem(error);
	}
	if (rc < 0)
		reader->skipping = true;
	return rc < 0 ? rc : 1;
}
