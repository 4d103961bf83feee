// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include <locale.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/render/escape.h"

static void unescape(struct buf *text)
{
	size_t to = 0;

	for (size_t i = 0; i < text->len; i++) {
		struct span hex = { text->data + i + 2, 2 };
		uint64_t byte;

		if (text->data[i] == '\\' && i + 3 < text->len && text->data[i + 1] == 'x' &&
		    span_take_hex(&hex, &byte) && !hex.len) {
			text->data[to++] = (char)byte;
			i += 3;
		} else {
			text->data[to++] = text->data[i];
		}
	}
	text->len = to;
}

/* As the C library decodes it, once the locale is a UTF-8 one. */
static bool is_utf8(const struct buf *text)
{
	return MB_CUR_MAX == 1 || mbstowcs(NULL, buf_str(text), 0) != (size_t)-1;
}

/* Whatever the bytes are, the escaped form gives them back, in each of its forms. */
static void test_escape_reversible(void)
{
	static const char *const pieces[] = {
		"\\", "x", "x41", "\\x5c", "\303\244", "\303", "\244", "\342\200\256", "\033", " ",
		"\"", "$", "`", "a", "\360\237\230\200", "\377", "0", "\\\\",
	};
	unsigned random = 1;

	for (int round = 0; round < 40000; round++) {
		CLEANUP(buf_done) struct buf in = BUF_INIT, out = BUF_INIT;

		for (int n = 0; n < round % 9; n++) {
			random = random * 1103515245 + 12345;
			buf_add_str(&in, pieces[(random >> 16) % ARRAY_SIZE(pieces)]);
		}
		CHECK(!escape_add(&out, buf_span(&in), (enum escape_for)(round % 4)));
		CHECK(is_utf8(&out));
		unescape(&out);
		if (!span_equal(buf_span(&in), buf_span(&out)))
			printf("not reversible: %s\n", buf_str(&in));
		CHECK(span_equal(buf_span(&in), buf_span(&out)));
	}
}

static void test_escape(void)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	/* Every byte on its own, and cut sequences, give printable ASCII in any locale. */
	for (int c = 0; c < 256; c++) {
		char bytes[2] = { (char)c, (char)0x80 };

		buf_clear(&out);
		CHECK(!escape_add(&out, (struct span) { bytes, 1 }, ESCAPE_TERMINAL));
		for (size_t i = 0; i < out.len; i++)
			CHECK(out.data[i] >= 0x20 && out.data[i] < 0x7f);
		buf_clear(&out);
		CHECK(!escape_add(&out, (struct span) { bytes, 2 }, ESCAPE_JSON));
		CHECK(is_utf8(&out));
	}
	buf_clear(&out);
	/* A surrogate, an overlong form, what is beyond Unicode, and its last code point. */
	CHECK(!escape_add(&out,
			  SPAN_LITERAL("\355\240\200\300\200\364\220\200\200\364\217\277\277"),
			  ESCAPE_JSON));
	CHECK_STR(buf_str(&out), "\\xed\\xa0\\x80\\xc0\\x80\\xf4\\x90\\x80\\x80"
				 "\\xf4\\x8f\\xbf\\xbf");
}

static void test_locales(void)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	escape_set_utf8(false);
	CHECK(!escape_add(&out, SPAN_LITERAL("\303\244"), ESCAPE_TERMINAL));
	CHECK_STR(buf_str(&out), "\\xc3\\xa4");
	buf_clear(&out);
	CHECK(!escape_add(&out, SPAN_LITERAL("\303\244"), ESCAPE_JSON));
	CHECK_STR(buf_str(&out), "\303\244");
	buf_clear(&out);
	escape_set_utf8(true);
	CHECK(!escape_add(&out, SPAN_LITERAL("\303\244\357\273\277"), ESCAPE_TERMINAL));
	CHECK_STR(buf_str(&out), "\303\244\\xef\\xbb\\xbf");
}

int main(void)
{
	test_escape();
	test_escape_reversible();
	if (!setlocale(LC_ALL, "C.UTF-8"))
		TEST_SKIP("there is no C.UTF-8 locale");
	test_locales();
	test_escape();
	test_escape_reversible();
	TEST_END;
}
