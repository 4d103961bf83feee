// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/smaps.h"

#include <stdlib.h>

#include "swar.h"
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

static bool is_hex(char c)
{
	unsigned digit = (unsigned)c - '0', letter = ((unsigned)c | 0x20) - 'a';

	return digit <= 9 || letter <= 5;
}

static size_t hex_length(struct span s)
{
	uint64_t value;
	size_t n = 0;

	while (s.len - n >= 8 && hex_8(s.ptr + n, &value))
		n += 8;
	while (n < s.len && is_hex(s.ptr[n]))
		n++;
	return n;
}

bool smaps_is_header(struct span line)
{
	size_t start = hex_length(line), end;

	if (!start || start == line.len || line.ptr[start] != '-')
		return false;
	end = hex_length((struct span) { line.ptr + start + 1, line.len - start - 1 });
	start += 1 + end;
	return end && start < line.len && line.ptr[start] == ' ';
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

/* A header is kept for the next record: 1, 0 if the line is none, negative on failure. Nearly all
 * parse, so that comes before a closer look at its form. */
static int take_header(struct smaps_reader *reader, struct span line)
{
	if (!line.len || !is_hex(*line.ptr))
		return 0;
	buf_clear(&reader->pending);
	if (buf_add_span(&reader->pending, line) < 0)
		return -ERROR_NOMEM;
	reader->pending_number = reader->lines->number;
	reader->pending_parsed = !maps_parse_next(buf_span(&reader->pending), &reader->before,
						  &reader->pending_line, NULL);
	if (!reader->pending_parsed && !smaps_is_header(line)) {
		buf_clear(&reader->pending);
		return 0;
	}
	reader->skipping = false;
	return 1;
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
		rc = take_header(reader, line);
		if (rc < 0)
			return error_nomem(error);
		if (!rc && line.len && !reader->skipping) {
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
	record->line = reader->pending_line;
	if (reader->pending_parsed)
		return 0;
	maps_parse_line(buf_span(&record->line_text), &record->line, error);
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

/* Remembers a line for its place in the record, if it has the usual form. */
static void learn(struct smaps_hint *hint, struct span line, enum smaps_key key, uint64_t value)
{
	bool is_size = smaps_key_is_size(key);
	size_t len = is_size ? SMAPS_EXPECTED : SMAPS_EXPECTED - 3;
	const char *colon = line.len == len - 1 ? memchr(line.ptr, ':', SMAPS_PREFIX) : NULL;
	size_t i;

	hint->len = 0;
	if (!colon)
		return;
	for (i = (size_t)(colon - line.ptr) + 1; i < SMAPS_PREFIX; i++)
		if (line.ptr[i] != ' ')
			return;
	memcpy(hint->prefix, line.ptr, SMAPS_PREFIX);
	memcpy(&hint->digits, line.ptr + SMAPS_PREFIX, SMAPS_DIGITS);
	memcpy(&hint->end, is_size ? " kB\n" : "\n\0\0", sizeof(hint->end));
	memcpy(&hint->end_mask, is_size ? "\xff\xff\xff\xff" : "\xff\0\0", sizeof(hint->end_mask));
	hint->value = value;
	hint->bit = 1ULL << key;
	hint->key = (uint8_t)key;
	hint->len = (uint8_t)len;
}

#define SMAPS_ZERO 0x3020202020202020ULL	/* "       0" as load_8 has it: most are */

/*
 * Eight bytes: blanks, then at least one digit. Without a loop: how long the numbers are changes
 * from line to line, and each surprise costs more than the number.
 */
static inline bool fixed_number(const char *at, uint64_t *value)
{
	uint64_t x = load_8(at);
	uint64_t digits = x >> 4 & EVERY_BYTE(1);		/* '0' is 0x30, a blank 0x20 */
	uint64_t blanks = (digits ^ EVERY_BYTE(1)) * 0xff;
	uint64_t low = x & EVERY_BYTE(0x0f);
	uint64_t bad = (x ^ digits << 4 ^ EVERY_BYTE(0x20)) & EVERY_BYTE(0xf0);

	if (x == SMAPS_ZERO) {
		*value = 0;
		return true;
	}
	bad |= (low + EVERY_BYTE(6)) & EVERY_BYTE(0x10);	/* above '9' */
	bad |= low & blanks;
	bad |= blanks & (blanks + 1);				/* a blank behind a digit, or all */
	if (bad || blanks >> 63)
		return false;
	low = (low * 10 + (low >> 8)) & 0x00ff00ff00ff00ffULL;
	low = (low * 100 + (low >> 16)) & 0x0000ffff0000ffffULL;
	*value = (low * 10000 + (low >> 32)) & 0xffffffff;
	return true;
}

/* A line that the hint does not know. */
static int add_line(struct smaps_reader *reader, struct smaps_record *record, struct span line,
		    struct smaps_hint *hint)
{
	static const struct span flags = SPAN_LITERAL("VmFlags:");
	struct span key, value = line;
	int index;

	if (line.len >= flags.len && !memcmp(line.ptr, flags.ptr, flags.len)) {
		value.ptr += flags.len;
		value.len -= flags.len;
		record->has_vm_flags = true;
		return vm_flags_parse(value, &record->vm_flags, &record->unknown_flags);
	}
	if (!text_take_key(&value, &key)) {
		if (line.len)
			report_later(reader, ERROR_PARSE, "smaps line has no key");
		return 0;
	}
	index = text_key_index(smaps_key_names, SMAPS_KEY_MAX, SMAPS_KEY_MAX, key);
	if (index < 0)
		return add_unknown(reader, record, key, value);
	if (record->present >> index & 1)	/* the next header was lost in a torn line */
		report_later(reader, ERROR_PARSE, "smaps counter stands twice in one VMA");
	else if (!set_value(record, (enum smaps_key)index, value))
		report_later(reader, ERROR_PARSE, "smaps counter is no number or has no unit");
	else
		learn(hint, line, (enum smaps_key)index, record->value[index]);
	return 0;
}

/* The number of a line that is otherwise as the hint says: is it one? */
static bool take_number(struct smaps_hint *hint, const char *at)
{
	uint64_t value;

	if (!fixed_number(at, &value))
		return false;
	memcpy(&hint->digits, at, SMAPS_DIGITS);
	hint->value = hint->len == SMAPS_EXPECTED ? value << 10 : value;
	return true;
}

/* Do key and unit of the line at `at` stand as the hint says? */
static inline bool is_expected(const struct smaps_hint *hint, const char *at)
{
	uint64_t prefix[2];
	uint32_t end;

	memcpy(prefix, at, sizeof(prefix));
	memcpy(&end, at + SMAPS_PREFIX + SMAPS_DIGITS, sizeof(end));
	return !((prefix[0] ^ hint->prefix[0]) | (prefix[1] ^ hint->prefix[1]) |
		 ((end ^ hint->end) & hint->end_mask));
}

/*
 * "Rss:                   4 kB" has 16 bytes of key and 8 of number in every kernel that was ever
 * seen (SEQ_PUT_DEC in fs/proc/task_mmu.c): a line that is as the hint says needs no search for
 * its end, its colon and its number. Returns the place of the first line that goes the long way.
 */
static size_t take_known(struct smaps_reader *reader, struct smaps_record *record, size_t place)
{
	struct span ahead = lines_ahead(reader->lines);
	size_t first = place, left = ahead.len;
	uint64_t present = record->present;

	for (; place < SMAPS_HINTS && left >= SMAPS_EXPECTED; place++) {
		struct smaps_hint *hint = &reader->hints[place];
		const char *at = ahead.ptr + (ahead.len - left);

		if (!hint->len || !is_expected(hint, at) || present & hint->bit ||
		    (memcmp(at + SMAPS_PREFIX, &hint->digits, SMAPS_DIGITS) &&
		     !take_number(hint, at + SMAPS_PREFIX)))
			break;
		record->value[hint->key] = hint->value;
		present |= hint->bit;
		left -= hint->len;
	}
	record->present = present;
	lines_take(reader->lines, ahead.len - left, place - first);
	return place;
}

/* The counters of a record, up to the next header; 1, negative on failure. */
static int take_counters(struct smaps_reader *reader, struct smaps_record *record,
			 struct error *error)
{
	struct smaps_hint none;
	struct span line;
	size_t place;
	int rc;

	for (place = take_known(reader, record, 0);;
	     place = take_known(reader, record, place + 1)) {
		rc = lines_next(reader->lines, &line, error);
		if (rc <= 0)
			return rc < 0 ? rc : 1;
		rc = take_header(reader, line);
		if (rc == 0)
			rc = add_line(reader, record, line,
				      place < SMAPS_HINTS ? &reader->hints[place] : &none);
		else if (rc > 0)
			return 1;
		if (rc < 0)
			return error_nomem(error);
	}
}

static int take_later(struct smaps_reader *reader, struct error *error)
{
	int rc = -(int)reader->later.code;

	if (error)
		*error = reader->later;
	error_clear(&reader->later);
	return rc;
}

int smaps_next(struct smaps_reader *reader, struct smaps_record *record, struct error *error)
{
	int rc;

	if (reader->later.code)
		return take_later(reader, error);
	rc = find_header(reader, error);
	if (rc <= 0)
		return rc;
	rc = start_record(reader, record, error);
	if (rc < 0)
		return rc;
	rc = take_counters(reader, record, error);
	if (rc < 0)
		reader->skipping = true;
	return rc;
}
