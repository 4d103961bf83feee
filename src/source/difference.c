// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/source/difference.h"

#include <string.h>

#include "vmatlas/base/error.h"

/* A run of equal ranges of marked bytes. */
struct marked {
	uint64_t offset;
	uint64_t len;
	uint64_t stride;
	uint64_t times;
};

/* In the order of the text; those that differ stand first and have no name. */
static const struct {
	uint8_t mark;
	const char *name;
} kinds[] = {
	{ PAGE_DIFFERS, NULL },
	{ PAGE_UNBOUND, "unbound" },
	{ PAGE_CLEARED, "cleared" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define TIMES_MIN 3u	/* fewer are written one by one */

/* Most bytes have no mark: eight are passed over at a time. */
static size_t find_mark(const uint8_t *marks, size_t page_size, uint8_t mark, size_t at)
{
	uint64_t eight, wanted = 0x0101010101010101ull * mark;

	for (; at + sizeof(eight) <= page_size; at += sizeof(eight)) {
		memcpy(&eight, marks + at, sizeof(eight));
		if (eight & wanted)
			break;
	}
	while (at < page_size && !(marks[at] & mark))
		at++;
	return at;
}

/* The next range at or behind *at; false if there is none. */
static bool next_range(const uint8_t *marks, size_t page_size, uint8_t mark, size_t *at,
		       struct marked *range)
{
	*at = find_mark(marks, page_size, mark, *at);
	if (*at == page_size)
		return false;
	range->offset = *at;
	while (*at < page_size && marks[*at] & mark)
		++*at;
	range->len = *at - range->offset;
	range->times = 1;
	return true;
}

/* The ranges behind *at that continue `run` at its stride. */
static void extend(const uint8_t *marks, size_t page_size, uint8_t mark, size_t *at,
		   struct marked *run)
{
	size_t ahead = *at;
	struct marked next;

	while (next_range(marks, page_size, mark, &ahead, &next)) {
		uint64_t stride = next.offset - (run->offset + (run->times - 1) * run->stride);

		if (next.len != run->len || (run->times > 1 && stride != run->stride))
			return;
		run->stride = stride;
		run->times++;
		*at = ahead;
	}
}

static int write_number(char before, uint64_t number, struct buf *text)
{
	return buf_add_char(text, before) < 0 ? -ERROR_NOMEM : buf_add_hex(text, number, 1);
}

static int write_run(const struct marked *run, struct buf *text)
{
	int rc = write_number(' ', run->offset, text);

	if (rc >= 0)
		rc = write_number('+', run->len, text);
	if (rc >= 0 && run->times > 1)
		rc = write_number('/', run->stride, text);
	if (rc >= 0 && run->times > 1)
		rc = write_number('*', run->times, text);
	return rc;
}

static int write_kind(const uint8_t *marks, size_t page_size, uint8_t mark, struct buf *text)
{
	struct marked run = { 0 };
	size_t at = 0;
	int rc = 0;

	while (rc >= 0 && next_range(marks, page_size, mark, &at, &run)) {
		size_t behind = at;

		run.stride = 0;
		extend(marks, page_size, mark, &at, &run);
		if (run.times < TIMES_MIN) {
			run.times = 1;
			at = behind;
		}
		rc = write_run(&run, text);
	}
	return rc;
}

int difference_write(const uint8_t *marks, size_t page_size, struct buf *text)
{
	int rc = 0;

	for (size_t i = 0; i < KINDS && rc >= 0; i++) {
		size_t at = 0;
		struct marked first;

		if (!next_range(marks, page_size, kinds[i].mark, &at, &first))
			continue;
		if (kinds[i].name)
			rc = buf_addf(text, " %s", kinds[i].name);
		if (rc >= 0)
			rc = write_kind(marks, page_size, kinds[i].mark, text);
	}
	return rc;
}

static bool take_run(struct span word, struct marked *run)
{
	*run = (struct marked) { .times = 1 };
	if (!span_take_hex(&word, &run->offset) || !span_take_char(&word, '+') ||
	    !span_take_hex(&word, &run->len) || !run->len)
		return false;
	if (!word.len)
		return true;
	return span_take_char(&word, '/') && span_take_hex(&word, &run->stride) &&
	       span_take_char(&word, '*') && span_take_hex(&word, &run->times) && !word.len &&
	       run->times && run->stride > run->len;
}

/* Behind the last one and inside of the page? *behind: where the next one may begin. */
static bool fits(const struct marked *run, size_t page_size, uint64_t *behind)
{
	uint64_t last;

	if (run->offset < *behind || run->offset > page_size || run->len > page_size ||
	    run->stride > page_size || run->times > page_size)
		return false;
	last = run->offset + (run->times - 1) * run->stride + run->len;
	*behind = last + 1;
	return last <= page_size;
}

static void mark_run(const struct marked *run, uint8_t mark, uint8_t *marks)
{
	for (uint64_t i = 0; i < run->times; i++)
		for (uint64_t k = 0; k < run->len; k++)
			marks[run->offset + i * run->stride + k] |= mark;
}

/* Index of the kind with that name behind `kind`, or KINDS. */
static size_t kind_named(struct span word, size_t kind)
{
	for (kind++; kind < KINDS && !span_is(word, kinds[kind].name); kind++)
		;
	return kind;
}

bool difference_parse(struct span text, size_t page_size, uint8_t *marks)
{
	uint64_t behind = 0;
	struct marked run;
	struct span word;
	size_t kind = 0;

	if (marks)
		memset(marks, 0, page_size);
	while (span_take_word(&text, &word)) {
		if (take_run(word, &run)) {
			if (!fits(&run, page_size, &behind))
				return false;
			if (marks)
				mark_run(&run, kinds[kind].mark, marks);
			continue;
		}
		kind = kind_named(word, kind);
		if (kind == KINDS)
			return false;
		behind = 0;
	}
	return true;
}
