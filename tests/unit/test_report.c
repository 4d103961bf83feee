// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include <jansson.h>
#include <locale.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/render/escape.h"
#include "vmatlas/render/report.h"

struct row {
	uint64_t start;
	uint64_t size;
	const char *path;
	size_t path_len;
	enum gap gap;
};

#define PATH(s) (s), sizeof(s) - 1

static const struct row rows[] = {
	{ 0x1000, 1572864, PATH("/bin/plain"), GAP_NONE },
	{ 0x2000, 0, PATH("/tmp/a b\"$`q\\x41\\y"), GAP_NONE },
	{ 0x3000, 512, PATH("/tmp/\033[31m\n\302\233\342\200\256\303\244\377"), GAP_NONE },
	{ 0x4000, UINT64_MAX, PATH(""), GAP_NEEDS_PRIVILEGE },
	{ 0x5000, 4096, PATH("-"), GAP_NOT_APPLICABLE },
};

static void get_start(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	(void)s;
	*cell = cell_hex(((const struct row *)row)->start);
}

static void get_size(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	(void)s;
	*cell = cell_size(((const struct row *)row)->size);
}

static void get_path(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	const struct row *r = row;

	(void)ctx;
	(void)s;
	*cell = cell_bytes((struct span) { r->path, r->path_len });
}

static void get_pss(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	const struct row *r = row;

	(void)ctx;
	(void)s;
	*cell = r->gap ? cell_missing(r->gap) : cell_count(7);
}

static void get_list(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	struct cell *items = scratch_cells(s, 2);

	(void)ctx;
	(void)row;
	items[0] = cell_named("a", cell_count(1));
	items[1] = cell_named("b", cell_bytes(scratch_printf(s, "%s", "two")));
	*cell = cell_object(items, 2);
}

static const struct column columns[] = {
	{ "start", "START", "first address", COLUMN_DEFAULT | COLUMN_JSON, 1, 8, get_start },
	{ "size", "SIZE", "bytes", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 2, 6, get_size },
	{ "pss", "PSS", "share", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 4, 6, get_pss },
	{ "parts", "PARTS", "parts", COLUMN_JSON, 8, 6, get_list },
	{ "path", "PATH", "name", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_TRUNC | COLUMN_HEX_BYTES,
	  16, 10, get_path },
	{ NULL }
};

/* What a report prints: the caller frees it. */
struct output {
	char *text;
	size_t len;
	FILE *file;
	struct report *report;
};

static void output_begin(struct output *o, const struct report_options *options)
{
	*o = (struct output) { NULL };
	o->file = open_memstream(&o->text, &o->len);
	CHECK(!report_new(o->file, "vmatlas/test", options, &o->report, NULL));
}

static int output_end(struct output *o)
{
	int rc = report_end(o->report, NULL);

	report_free(o->report);
	fclose(o->file);
	return rc;
}

static void output_table(struct output *o, const char *list, size_t hint, size_t count)
{
	struct column_set set;

	CHECK(!column_set_choose(&set, columns, list, false, NULL));
	report_table_begin(o->report, "rows", "Rows", &set, NULL, hint);
	for (size_t i = 0; i < count; i++)
		report_row(o->report, &rows[i % ARRAY_SIZE(rows)]);
	report_table_end(o->report);
}

static char *table_text(const struct report_options *options, const char *list, size_t hint)
{
	struct output o;

	output_begin(&o, options);
	output_table(&o, list, hint, ARRAY_SIZE(rows));
	CHECK(!output_end(&o));
	return o.text;
}

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
		  "0x4000 18446744073709551615 - \n"
		  "0x5000 4096 - \\x2d\n");
	CHECK_STR(p, "PSS=\"7\" PATH=\"/bin/plain\"\n"
		  "PSS=\"7\" PATH=\"/tmp/a b\\x22\\x24\\x60q\\x5cx41\\x5cy\"\n"
		  "PSS=\"7\" PATH=\"/tmp/\\x1b[31m\\x0a\\xc2\\x9b\\xe2\\x80\\xae\303\244\\xff\"\n"
		  "PSS=\"-\" PSS_MISSING=\"needs-privilege\" PATH=\"\"\n"
		  "PSS=\"-\" PATH=\"\\x2d\"\n");
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
	CLEANUP_FREE char *names = table_text(&up, "start", 5);

	CHECK_STR(down, "0x4000\n0x1000\n0x5000\n0x3000\n0x2000\n");
	CHECK_STR(names, "START\n0x4000\n0x5000\n0x1000\n0x3000\n0x2000\n");
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

static void test_columns(void)
{
	struct error error = ERROR_INIT;
	struct column_set set = { .count = 99 };

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
		CHECK(escape_is_utf8(buf_span(&out)));
	}
	CHECK(!escape_is_utf8(SPAN_LITERAL("\355\240\200")));	/* surrogate */
	CHECK(!escape_is_utf8(SPAN_LITERAL("\300\200")));	/* overlong */
	CHECK(!escape_is_utf8(SPAN_LITERAL("\364\220\200\200")));
	CHECK(escape_is_utf8(SPAN_LITERAL("\364\217\277\277")));
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
	test_sort();
	test_facts();
	test_columns();
	test_sizes();
	test_escape();
	TEST_END;
}
