// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE	/* memmem */
#include <string.h>

#include "fuzz.h"
#include "vmatlas/base/buf.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/maps.h"

const struct fuzz_seed fuzz_seeds[] = {
	{ "fixtures/text/maps", -1 },
	{ NULL, -1 }
};

static void check_spans(struct span line, const struct maps_line *parsed)
{
	struct span printed = maps_printed_name(parsed);

	FUZZ_CHECK(parsed->start < parsed->end);
	FUZZ_CHECK(parsed->perms < 16);
	FUZZ_CHECK(parsed->name.ptr > line.ptr && printed.ptr == parsed->name.ptr);
	FUZZ_CHECK(printed.ptr + printed.len == line.ptr + line.len);
	FUZZ_CHECK(!printed.len || (!memchr(printed.ptr, 0, printed.len) && *printed.ptr != ' '));
	FUZZ_CHECK(span_ends(printed, " (deleted)") == parsed->deleted || printed.len == 10);
	FUZZ_CHECK(!parsed->newline_escape ==
		   !memmem(parsed->name.ptr, parsed->name.len, "\\012", 4));
}

/* What the record says, printed and read again, is the same. */
static void check_round_trip(const struct maps_line *parsed)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct maps_line again;
	char perms[5];

	maps_perms_text(parsed->perms, perms);
	buf_add_hex(&text, parsed->start, 8);
	buf_add_char(&text, '-');
	buf_add_hex(&text, parsed->end, 8);
	buf_addf(&text, " %s %llx %x:%x %llu ", perms, (unsigned long long)parsed->offset,
		 parsed->major, parsed->minor, (unsigned long long)parsed->inode);
	buf_add_span(&text, maps_printed_name(parsed));
	FUZZ_CHECK(maps_parse_line(buf_span(&text), &again, NULL) == 0);
	FUZZ_CHECK(again.start == parsed->start && again.end == parsed->end);
	FUZZ_CHECK(again.perms == parsed->perms && again.offset == parsed->offset);
	FUZZ_CHECK(again.major == parsed->major && again.minor == parsed->minor);
	FUZZ_CHECK(again.inode == parsed->inode && again.deleted == parsed->deleted);
	FUZZ_CHECK(span_equal(again.name, parsed->name));
}

/* Each line in memory of its own: a sanitizer sees a byte too many. */
static void check_line(struct span line)
{
	struct maps_line parsed = { .inode = 42 };
	char *copy = malloc(line.len + 1);

	FUZZ_CHECK(copy);
	copy = realloc(memcpy(copy, line.ptr, line.len), line.len ? line.len : 1);
	line.ptr = copy;
	if (maps_parse_line(line, &parsed, NULL) < 0) {
		FUZZ_CHECK(parsed.inode == 42 && !parsed.name.ptr);
	} else {
		check_spans(line, &parsed);
		check_round_trip(&parsed);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = { (const char *)data, size };

	while (rest.len) {
		check_line(span_take_until(&rest, '\n'));
		span_take_char(&rest, '\n');
	}
	return 0;
}
