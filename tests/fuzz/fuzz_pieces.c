// SPDX-License-Identifier: LGPL-2.1-or-later
/* Texts of a snapshot about files and copied pages; the first byte chooses the parser. What can be
 * read is written so that it reads the same again. */
#include <string.h>

#include "fuzz.h"
#include "vmatlas/source/difference.h"
#include "vmatlas/source/file_about.h"

#define PAGE 256u

const struct fuzz_seed fuzz_seeds[] = {
	{ "fixtures/text/differences", 0 },
	{ "fixtures/text/about", 1 },
	{ NULL, -1 }
};

static void fuzz_difference(struct span text)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	uint8_t marks[PAGE], again[PAGE];

	if (!difference_parse(text, PAGE, NULL))
		return;
	FUZZ_CHECK(difference_parse(text, PAGE, marks));
	FUZZ_CHECK(difference_write(marks, PAGE, &out) == 0);
	FUZZ_CHECK(difference_parse(buf_span(&out), PAGE, again));
	FUZZ_CHECK(!memcmp(marks, again, PAGE));
}

static void take_all(struct file_about *about, struct span text)
{
	while (text.len) {
		file_about_take(about, span_take_until(&text, '\n'));
		span_take_char(&text, '\n');
	}
}

static void fuzz_about(struct span text)
{
	CLEANUP(buf_done) struct buf first = BUF_INIT, second = BUF_INIT;
	CLEANUP(file_about_done) struct file_about about, again;

	file_about_init(&about);
	file_about_init(&again);
	take_all(&about, text);
	FUZZ_CHECK(file_about_write(&about, &first) == 0);
	take_all(&again, buf_span(&first));
	FUZZ_CHECK(file_about_write(&again, &second) == 0);
	FUZZ_CHECK(span_equal(buf_span(&first), buf_span(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (!size)
		return 0;
	copy = malloc(size);
	FUZZ_CHECK(copy);
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		fuzz_about((struct span) { copy, size - 1 });
	else
		fuzz_difference((struct span) { copy, size - 1 });
	free(copy);
	return 0;
}
