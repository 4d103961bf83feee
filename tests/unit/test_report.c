// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "report_output.h"

#include <jansson.h>
#include <locale.h>

#include "vmatlas/render/escape.h"

static json_t *load(const char *text)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		printf("%s at %d:%d in\n%s\n", error.text, error.line, error.column, text);
	CHECK(root);
	return root;
}

static void test_json(void)
{
	const struct report_options options = { .format = REPORT_JSON };
	CLEANUP_FREE char *text = table_text(&options, NULL, 5);
	json_t *root = load(text), *array = json_object_get(root, "rows"), *row;

	CHECK_STR(json_string_value(json_object_get(root, "schema")), "vmatlas/test");
	CHECK_U64((uint64_t)json_integer_value(json_object_get(root, "version")), 1);
	CHECK_U64(json_array_size(array), 5);
	row = json_array_get(array, 0);
	CHECK_STR(json_string_value(json_object_get(row, "start")), "0x1000");
	CHECK_U64((uint64_t)json_integer_value(json_object_get(row, "size")), 1572864);
	CHECK_STR(json_string_value(json_object_get(json_object_get(row, "parts"), "b")), "two");
	CHECK(!json_object_get(row, "path_hex") && !json_object_get(row, "pss_missing"));
	row = json_array_get(array, 1);
	CHECK_STR(json_string_value(json_object_get(row, "path")), "/tmp/a b\"$`q\\x5cx41\\y");
	CHECK_STR(json_string_value(json_object_get(row, "path_hex")),
		  "2f746d702f612062222460715c7834315c79");
	row = json_array_get(array, 2);
	CHECK_STR(json_string_value(json_object_get(row, "path")),
		  "/tmp/\\x1b[31m\\x0a\\xc2\\x9b\\xe2\\x80\\xae\303\244\\xff");
	CHECK_STR(json_string_value(json_object_get(row, "path_hex")),
		  "2f746d702f1b5b33316d0ac29be280aec3a4ff");
	row = json_array_get(array, 3);
	CHECK_STR(json_string_value(json_object_get(row, "size")), "0xffffffffffffffff");
	CHECK(json_is_null(json_object_get(row, "pss")));
	CHECK_STR(json_string_value(json_object_get(row, "pss_missing")), "needs-privilege");
	row = json_array_get(array, 4);
	CHECK(json_is_null(json_object_get(row, "pss")) && !json_object_get(row, "pss_missing"));
	CHECK(json_is_array(json_object_get(root, "warnings")));
	json_decref(root);
}

static void test_scripts(void)
{
	const struct report_options raw = { .format = REPORT_RAW };
	const struct report_options pairs = { .format = REPORT_PAIRS };
	CLEANUP_FREE char *r = table_text(&raw, NULL, 5);
	CLEANUP_FREE char *p = table_text(&pairs, "pss,path", 5);

	CHECK_STR(r, "START SIZE PSS PATH\n"
		  "0x1000 1572864 7 /bin/plain\n"
		  "0x2000 0 7 /tmp/a\\x20b\"$`q\\x5cx41\\x5cy\n"
		  "0x3000 512 7 /tmp/\\x1b[31m\\x0a\\xc2\\x9b\\xe2\\x80\\xae\303\244\\xff\n"
		  "0x4000 18446744073709551615 - \"\"\n"
		  "0x5000 4096 - \\x2d\n");
	CHECK_STR(p, "PSS=\"7\" VM_PATH=\"/bin/plain\"\n"
		  "PSS=\"7\" VM_PATH=\"/tmp/a b\\x22\\x24\\x60q\\x5cx41\\x5cy\"\n"
		  "PSS=\"7\" VM_PATH=\"/tmp/\\x1b[31m\\x0a\\xc2\\x9b\\xe2\\x80\\xae\303\244\\xff\"\n"
		  "PSS=\"-\" PSS_MISSING=\"needs-privilege\" VM_PATH=\"\"\n"
		  "PSS=\"-\" VM_PATH=\"\\x2d\"\n");
}

static void test_text(void)
{
	const struct report_options options = { .format = REPORT_TEXT };
	CLEANUP_FREE char *t = table_text(&options, NULL, 5);

	CHECK_STR(t, "Rows\n"
		  "START  SIZE PSS PATH\n"
		  "0x1000 1.5M   7 /bin/plain\n"
		  "0x2000   0B   7 /tmp/a b\"$`q\\x5cx41\\y\n"
		  "0x3000 512B   7 /tmp/\\x1b[31m\\x0a\\xc2\\x9b\\xe2\\x80\\xae\303\244\\xff\n"
		  "0x4000  16E  -* \n"
		  "0x5000   4K   - -\n"
		  "\n-* needs more privilege; run as root\n");
}

/* The words of each line are the same, however the columns are laid out. */
static void test_streamed(void)
{
	const struct report_options options = { .format = REPORT_TEXT };
	CLEANUP_FREE char *small = table_text(&options, NULL, 5);
	CLEANUP_FREE char *big = table_text(&options, NULL, 0);
	struct span a = span_of(small), b = span_of(big), x, y;

	while (a.len || b.len) {
		struct span la = span_take_until(&a, '\n'), lb = span_take_until(&b, '\n');

		CHECK(span_take_char(&a, '\n') && span_take_char(&b, '\n'));
		while (span_take_word(&la, &x)) {
			CHECK(span_take_word(&lb, &y));
			CHECK(span_equal(x, y));
		}
		CHECK(!span_take_word(&lb, &y));
	}
}

/* Scripts get lines of one shape: other tables, and facts beside a table, are not theirs. */
static void test_one_kind(void)
{
	static const struct column other[] = {
		{ "start", "OTHER", "", COLUMN_DEFAULT, 0, 8, get_start }, { NULL }
	};
	const struct report_options raw = { .format = REPORT_RAW };
	struct column_set set;
	struct output o;

	output_begin(&o, &raw);
	report_fact(o.report, "pid", "PID", cell_count(1), 0);
	output_table(&o, "start", 1, 1);
	CHECK(!column_set_choose(&set, other, NULL, false, NULL));
	report_table_begin(o.report, "others", NULL, &set, NULL, 1);
	report_row(o.report, &rows[1]);
	report_table_end(o.report);
	output_table(&o, "start", 1, 1);
	report_fact(o.report, "rss", "RSS", cell_count(1), 0);
	CHECK(!output_end(&o));
	CHECK_STR(o.text, "START\n0x1000\n0x1000\n");
	free(o.text);
}

static void test_half_way(void)
{
	const struct report_options options = { .format = REPORT_JSON };
	struct column_set set;
	struct output o;
	json_t *root;

	output_begin(&o, &options);
	CHECK(!column_set_choose(&set, columns, "path", false, NULL));
	report_object_begin(o.report, "outer", NULL);
	report_array_begin(o.report, "inner", NULL);
	report_object_begin(o.report, NULL, NULL);
	report_table_begin(o.report, "rows", NULL, &set, NULL, 0);
	report_row(o.report, &rows[2]);
	report_warning(o.report, "gone", SPAN_LITERAL("it \033 ended"));
	CHECK(report_incomplete(o.report));
	CHECK(!output_end(&o));
	root = load(o.text);
	CHECK_STR(json_string_value(json_object_get(json_array_get(
		json_object_get(root, "warnings"), 0), "message")), "it \\x1b ended");
	json_decref(root);
	free(o.text);
}

static void test_sort(void)
{
	const struct report_options options = { .format = REPORT_RAW, .sort = "-SIZE",
						.no_headings = true };
	const struct report_options up = { .format = REPORT_RAW, .sort = "path" };
	CLEANUP_FREE char *down = table_text(&options, "start", 5);
	CLEANUP_FREE char *all = table_text(&options, NULL, 5);
	CLEANUP_FREE char *names = table_text(&up, "start", 5);

	CHECK_STR(down, "0x4000\n0x1000\n0x5000\n0x3000\n0x2000\n");
	CHECK(!strncmp(all, "0x4000 18446744073709551615 - ", 30));
	CHECK_STR(names, "START\n0x4000\n0x5000\n0x1000\n0x3000\n0x2000\n");
}

/* A footnote is about what is printed; that something is missing is known all the same. */
static void test_top(void)
{
	for (size_t top = 3; top < 5; top++) {
		const struct report_options options = { .format = REPORT_TEXT, .sort = "start",
							.top = top };
		struct output o;

		output_begin(&o, &options);
		output_table(&o, "start,pss", 5, ARRAY_SIZE(rows));
		CHECK(report_incomplete(o.report));
		CHECK(!output_end(&o));
		CHECK((strstr(o.text, "0x4000") != NULL) == (top == 4));
		CHECK((strstr(o.text, "-* needs more privilege") != NULL) == (top == 4));
		free(o.text);
	}
}

static void test_facts(void)
{
	const struct report_options text = { .format = REPORT_TEXT, .width = 30 };
	const struct report_options raw = { .format = REPORT_RAW };
	struct output o;

	for (int i = 0; i < 2; i++) {
		output_begin(&o, i ? &raw : &text);
		report_fact(o.report, "pid", "PID", cell_count(1), 0);
		report_fact(o.report, "rss", "Resident", cell_size(1536), 0);
		report_fact(o.report, "x", NULL, cell_count(3), REPORT_JSON_ONLY);
		report_prose(o.report, "Words %s that are long enough to be wrapped", "\n\033x");
		report_warning(o.report, "changed", SPAN_LITERAL("moved"));
		CHECK(!output_end(&o));
		CHECK_STR(o.text, i ? "pid 1\nrss 1536\n" :
			  "PID       1\nResident  1.5K\n"
			  "Words \\x0a\\x1bx that are long\nenough to be wrapped\n"
			  "\n! moved\n");
		free(o.text);
	}
}

/* Only a terminal has a line that ends: into a file a fact is one line. */
static void test_long_facts(void)
{
	const struct report_options terminal = { .format = REPORT_TEXT, .width = 40 };
	const struct report_options file = { .format = REPORT_TEXT };
	struct output o;

	for (int i = 0; i < 2; i++) {
		output_begin(&o, i ? &file : &terminal);
		report_fact(o.report, "a", "A",
			    cell_text("words that need more than one line of it"), 0);
		report_fact(o.report, "b", "Long", cell_text("zero=1,copy=20,anon=300,swap=4000,x"),
			    0);
		CHECK(!output_end(&o));
		CHECK_STR(o.text, i ? "A     words that need more than one line of it\n"
				      "Long  zero=1,copy=20,anon=300,swap=4000,x\n" :
				      "A     words that need more than one line\n      of it\n"
				      "Long  zero=1,copy=20,anon=300,swap=4000,\n      x\n");
		free(o.text);
	}
}

/* Three that are missing keep their lines, four for one reason share one. */
static void test_missing_facts(void)
{
	static const char *const names[] = { "one", "two", "three", "four" };
	const struct report_options text = { .format = REPORT_TEXT };
	struct output o;

	for (size_t many = 3; many < 5; many++) {
		output_begin(&o, &text);
		for (size_t i = 0; i < many; i++)
			report_fact(o.report, names[i], NULL, cell_missing(GAP_NOT_RECORDED), 0);
		report_fact(o.report, "five", NULL, cell_missing(GAP_LIMIT), 0);
		report_fact(o.report, "six", NULL, cell_null(), 0);
		CHECK(!output_end(&o));
		if (many == 3)
			CHECK(!strncmp(o.text, "one    -*\ntwo    -*\nthree  -*\nfive   -**\n"
				       "six    -\n\n-* ", 50));
		else
			CHECK(!strncmp(o.text, "five        -**\nsix         -\n"
				       "Missing -*  one; two; three; four\n\n-* ", 68));
		free(o.text);
	}
}

static void test_columns(void)
{
	struct error error = ERROR_INIT;
	const struct report_options options = { .format = REPORT_JSON, .sort = "-pss" };
	struct column_set set = { .count = 99 };
	struct output o;

	CHECK(column_set_choose(&set, columns, "start,nope", false, &error) == -ERROR_USAGE);
	CHECK_STR(error.item, "nope");
	CHECK(strstr(error.text, "start size pss parts path"));
	CHECK_U64(set.count, 99);
	CHECK(!column_set_choose(&set, columns, "+PARTS", false, &error));
	CHECK(set.count == 5 && set.chosen[4] == 3 && !set.given);
	CHECK(!column_set_choose(&set, columns, "path,Start,path", false, &error));
	CHECK(set.count == 2 && set.given);
	CHECK_U64(column_set_needs(&set, false), 17);
	CHECK_U64(column_set_needs(&set, true), 17);
	output_begin(&o, &options);
	CHECK_U64(report_needs(o.report, &set), 21);
	output_end(&o);
	free(o.text);
}

static void test_sizes(void)
{
	static const struct { uint64_t bytes; const char *text; } sizes[] = {
		{ 0, "0B" }, { 1023, "1023B" }, { 1024, "1K" }, { 1536, "1.5K" },
		{ 1048575, "1M" }, { 1048576 - 52429, "972.8K" }, { 1ull << 40, "1T" },
		{ UINT64_MAX, "16E" }, { 10240, "10K" }, { 1126, "1.1K" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct report_options options = { .format = REPORT_TEXT };
		struct output o;
		char want[32];

		output_begin(&o, &options);
		report_fact(o.report, "s", "s", cell_size(sizes[i].bytes), 0);
		output_end(&o);
		snprintf(want, sizeof(want), "s  %s\n", sizes[i].text);
		CHECK_STR(o.text, want);
		free(o.text);
	}
}

static void test_deltas(void)
{
	static const struct {
		uint64_t before, after;
		const char *text, *json;
	} deltas[] = {
		{ 7, 7, "0", "0" }, { 0, 1536, "+1.5K", "1536" }, { 8192, 4096, "-4K", "-4096" },
		{ 1, 0, "-1B", "-1" }, { 1ull << 50, 0, "-1P", "-1125899906842624" },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(deltas); i++) {
		bool json = i & 1;
		const struct report_options options = {
			.format = json ? REPORT_JSON : REPORT_TEXT,
		};
		struct output o;
		char want[64];

		output_begin(&o, &options);
		report_fact(o.report, "d", "d", cell_delta(deltas[i / 2].before,
							   deltas[i / 2].after), 0);
		output_end(&o);
		snprintf(want, sizeof(want), json ? "\"d\": %s," : "d  %s\n",
			 json ? deltas[i / 2].json : deltas[i / 2].text);
		if (!strstr(o.text, want)) {
			printf("no %s in %s\n", want, o.text);
			test_failures++;
		}
		free(o.text);
	}
}

/* The types that the table above does not have: one line per format. */
static void test_types(void)
{
	static const struct name bits[] = { { 1, "rd", "" }, { 2, "wr", "" }, { 0, NULL, NULL } };
	const struct cell list[] = { cell_count(1), cell_missing(GAP_GONE), cell_text("a\"b") };
	const struct { struct cell cell; const char *text, *raw, *json; } cases[] = {
		{ cell_bool(true), "yes", "true", "true" },
		{ cell_signed(INT64_MIN), "-9223372036854775808", "-9223372036854775808",
		  "-9223372036854775808" },
		{ { CELL_PERCENT, .ratio = 0.125 }, "12.5%", "0.125", "0.125" },
		{ { CELL_TIME, .number = 1700000000 }, "2023-11-14T22:13:20Z",
		  "2023-11-14T22:13:20Z", "\"2023-11-14T22:13:20Z\"" },
		{ { CELL_DEVICE, .count = 8ull << 32 | 1 }, "08:01", "08:01", "\"08:01\"" },
		{ { CELL_FLAGS, .flags = { bits, 0x103, SPAN_LITERAL("zz q") } },
		  "rd,wr,0x100,zz,q", "rd,wr,0x100,zz,q",
		  "[\"rd\", \"wr\", \"0x100\", \"zz\", \"q\"]" },
		{ { CELL_FLAGS, .flags = { bits, 0 } }, "", "\"\"", "[]" },
		{ cell_list(NULL, 0), "", "\"\"", "[]" },
		{ cell_text("\"\""), "\"\"", "\\x22\\x22", "\"\\\"\\\"\"" },
		{ cell_list(list, 3), "1,-*,a\"b", "1,-,a\"b", "[1, null, \"a\\\"b\"]" },
		{ cell_count(INT64_MAX), "9223372036854775807", "9223372036854775807",
		  "9223372036854775807" },
		{ cell_count(1ull << 63), "9223372036854775808", "9223372036854775808",
		  "\"0x8000000000000000\"" },
		{ cell_hex(0), "0x0", "0x0", "\"0x0\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases) * 3; i++) {
		const struct report_options options = { .format = (enum report_format[]) {
			REPORT_TEXT, REPORT_RAW, REPORT_JSON }[i % 3] };
		const char *want[] = { cases[i / 3].text, cases[i / 3].raw, cases[i / 3].json };
		struct output o;
		char line[200];

		output_begin(&o, &options);
		report_fact(o.report, "x", "x", cases[i / 3].cell, 0);
		CHECK(!output_end(&o));
		snprintf(line, sizeof(line), i % 3 == 2 ? "\"x\": %s,\n" : i % 3 ? "x %s\n" :
			 want[0][0] ? "x  %s\n" : "x\n", want[i % 3]);
		if (!strstr(o.text, line))
			printf("case %zu: no %s in %s", i / 3, line, o.text);
		CHECK(strstr(o.text, line));
		free(o.text);
	}
}

int main(void)
{
	if (!setlocale(LC_ALL, "C.UTF-8"))
		TEST_SKIP("there is no C.UTF-8 locale");
	escape_set_utf8(true);
	test_json();
	test_scripts();
	test_text();
	test_streamed();
	test_half_way();
	test_one_kind();
	test_sort();
	test_top();
	test_facts();
	test_long_facts();
	test_missing_facts();
	test_columns();
	test_sizes();
	test_deltas();
	test_types();
	TEST_END;
}
