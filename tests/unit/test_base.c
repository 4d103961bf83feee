// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include <errno.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/errnos.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/lines.h"
#include "vmatlas/base/names.h"
#include "vmatlas/base/quality.h"
#include "vmatlas/base/search.h"
#include "vmatlas/base/span.h"

static void test_numbers(void)
{
	struct span s = SPAN_LITERAL("ffffffffffffffff-1");
	uint64_t v = 7;
	int64_t i = 0;

	CHECK(span_take_hex(&s, &v));
	CHECK_U64(v, UINT64_MAX);
	CHECK_SPAN(s, "-1");
	CHECK(span_take_int(&s, &i) && i == -1 && !s.len);
	s = SPAN_LITERAL("10000000000000000");
	CHECK(!span_take_hex(&s, &v) && s.len == 17);
	s = SPAN_LITERAL("18446744073709551615 18446744073709551616");
	CHECK(span_take_dec(&s, &v) && v == UINT64_MAX && span_skip_blanks(&s) == 1);
	CHECK(!span_take_dec(&s, &v));
	s = SPAN_LITERAL("-9223372036854775808");
	CHECK(span_take_int(&s, &i) && i == INT64_MIN);
	s = SPAN_LITERAL("-9223372036854775809");
	CHECK(!span_take_int(&s, &i) && s.len == 20);
	s = (struct span) { NULL, 0 };
	CHECK(!span_take_hex(&s, &v) && !span_take_dec(&s, &v) && !span_take_char(&s, 'x'));
	CHECK(span_number(SPAN_LITERAL("0x1F"), &v) && v == 31);
	CHECK(!span_number(SPAN_LITERAL("0x"), &v) && !span_number(SPAN_LITERAL("12z"), &v));
}

static void test_words(void)
{
	struct span s = SPAN_LITERAL("  rd wr\tex "), word;

	CHECK(span_take_word(&s, &word));
	CHECK_SPAN(word, "rd");
	CHECK(span_take_word(&s, &word) && span_take_word(&s, &word));
	CHECK_SPAN(word, "ex");
	CHECK(!span_take_word(&s, &word));
	s = SPAN_LITERAL("key: value");
	CHECK_SPAN(span_take_until(&s, ':'), "key");
	CHECK_SPAN(span_trim(SPAN_LITERAL(" \n a b\n")), "a b");
	CHECK(span_compare(SPAN_LITERAL("ab"), SPAN_LITERAL("abc")) < 0);
	CHECK_SPAN(span_last_part(SPAN_LITERAL("/usr/bin/sh")), "sh");
	CHECK_SPAN(span_last_part(SPAN_LITERAL("sh")), "sh");
	CHECK_SPAN(span_last_part(SPAN_LITERAL("/usr/")), "/usr/");
	CHECK(!span_last_part(span_of(NULL)).len);
	CHECK(span_ends(SPAN_LITERAL("x (deleted)"), " (deleted)"));
	CHECK(!span_starts(SPAN_LITERAL("a"), "ab"));
}

static void test_search(void)
{
	static const unsigned items[] = { 2, 4, 4, 9 };

	CHECK(SEARCH_FIRST(i, (size_t)0, items[i] < 1) == 0);
	CHECK(SEARCH_FIRST(i, ARRAY_SIZE(items), items[i] < 1) == 0);
	CHECK(SEARCH_FIRST(i, ARRAY_SIZE(items), items[i] < 4) == 1);
	CHECK(SEARCH_FIRST(i, ARRAY_SIZE(items), items[i] <= 4) == 3);
	CHECK(SEARCH_FIRST(i, ARRAY_SIZE(items), items[i] < 10) == 4);
	CHECK(SEARCH_FIRST(i, 1ULL << 52, i < (1ULL << 40) + 3) == (1ULL << 40) + 3);
}

static void test_buf(void)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	CHECK_STR(buf_str(&b), "");
	CHECK(!buf_add_hex(&b, 0, 8) && !buf_add_char(&b, ' '));
	CHECK(!buf_addf(&b, "%s-%d", "x", 3));
	CHECK_STR(buf_str(&b), "00000000 x-3");
	CHECK(buf_reserve(&b, SIZE_MAX - 2) == -ERROR_NOMEM);
	buf_clear(&b);
	CHECK_STR(buf_str(&b), "");
}

static void test_names(void)
{
	static const struct name bits[] = { { 1, "one", "" },
					    { 4, "four", "" },
					    { 0, NULL, NULL } };
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	uint64_t v;

	CHECK(!names_add_bits(&b, bits, 1 | 4 | 0x100, "|"));
	CHECK_STR(buf_str(&b), "one|four|0x100");
	CHECK(!name_value(bits, SPAN_LITERAL("four"), &v) && v == 4);
	CHECK(name_value(bits, SPAN_LITERAL("fou"), &v) == -ERROR_NOT_FOUND);
	CHECK(!name_of(bits, 2));
}

static void test_quality(void)
{
	struct error e = ERROR_INIT;

	for (int c = 0; c < CERTAINTY_MAX; c++)
		CHECK(certainty_name(c)[0]);
	for (int g = 1; g < GAP_MAX; g++)
		CHECK(gap_phrase(g)[0]);
	CHECK(error_errno(&e, EACCES, "maps", "open") == -ERROR_DENIED);
	CHECK(gap_from_error(&e) == GAP_NEEDS_PRIVILEGE);
	CHECK_STR(gap_name(gap_from_error(&e)), "needs-privilege");
	CHECK(error_errno(NULL, ESRCH, NULL, "read") == -ERROR_GONE);
}

struct text {
	struct span rest;
};

static ssize_t text_read(void *ctx, void *data, size_t len, struct error *error)
{
	struct text *t = ctx;
	size_t n = t->rest.len < len ? t->rest.len : len;

	(void)error;
	memcpy(data, t->rest.ptr, n);
	t->rest = (struct span) { t->rest.ptr + n, t->rest.len - n };
	return (ssize_t)n;
}

static void test_lines(void)
{
	for (size_t chunk = 1; chunk < 20; chunk++) {
		struct text t = { SPAN_LITERAL("first\n\nthird line\nlast") };
		CLEANUP(lines_done) struct lines lines;
		struct span line;

		lines_init(&lines, text_read, &t, chunk);
		CHECK(lines_next(&lines, &line, NULL) == 1);
		CHECK_SPAN(line, "first");
		CHECK(lines_next(&lines, &line, NULL) == 1 && !line.len);
		CHECK(lines_next(&lines, &line, NULL) == 1);
		CHECK_SPAN(line, "third line");
		CHECK(lines_next(&lines, &line, NULL) == 1);
		CHECK_SPAN(line, "last");
		CHECK(lines_next(&lines, &line, NULL) == 0);
		CHECK_U64(lines.number, 4);
	}
}

static void test_long_line(void)
{
	char *big = malloc(LINES_MAX * 2 + 2);
	struct text t = { { big, LINES_MAX * 2 + 2 } };
	CLEANUP(lines_done) struct lines lines;
	struct error e = ERROR_INIT;
	struct span line;

	memset(big, 'x', LINES_MAX * 2 + 2);
	lines_init(&lines, text_read, &t, 65536);
	CHECK(lines_next(&lines, &line, &e) == -ERROR_LIMIT);
	CHECK(e.code == ERROR_LIMIT);
	free(big);
}

/* What is written down for a failure is read back as the same failure. */
static void test_errnos(void)
{
	struct error error = ERROR_INIT;

	error_errno(&error, EPERM, "x", "open");
	CHECK_STR(name_of(errno_names, (uint64_t)errno_of_error(&error)), "EPERM");
	error_errno(&error, ENOENT, "x", "open");
	CHECK(error.code == ERROR_GONE && errno_of_error(&error) == ESRCH);
	error_errno(&error, ENOSPC, "x", "write");
	CHECK(errno_of_error(&error) == ENOSPC && errno_error_code(ENOSPC) == ERROR_SYSTEM);
	for (int code = ERROR_SYSTEM; code < ERROR_CODE_MAX; code++) {
		error_set(&error, (enum error_code)code, NULL, "no errno");
		CHECK(errno_error_code(errno_of_error(&error)) == error.code);
		CHECK(name_of(errno_names, (uint64_t)errno_of_error(&error)) != NULL);
	}
}

int main(void)
{
	test_errnos();
	test_numbers();
	test_words();
	test_search();
	test_buf();
	test_names();
	test_quality();
	test_lines();
	test_long_line();
	TEST_END;
}
