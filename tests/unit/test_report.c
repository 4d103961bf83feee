// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "test.h"

#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <poll.h>
#include <sys/ioctl.h>

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
	if (r->gap != GAP_NOT_APPLICABLE)	/* a getter may leave the cell as it is: null */
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

static void get_words(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	(void)row;
	(void)s;
	*cell = cell_text("one two three four five six seven eight nine ten eleven");
}

static const struct column columns[] = {
	{ "start", "START", "first address", COLUMN_DEFAULT | COLUMN_JSON, 1, 8, get_start },
	{ "size", "SIZE", "bytes", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 2, 6, get_size },
	{ "pss", "PSS", "share", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 4, 6, get_pss },
	{ "parts", "PARTS", "parts", COLUMN_JSON, 8, 6, get_list },
	{ "path", "PATH", "name", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_TRUNC | COLUMN_HEX_BYTES,
	  16, 10, get_path },
	{ "tail", "TAIL", "name, of which the end tells more", COLUMN_TRUNC | COLUMN_TAIL, 32, 10,
	  get_path },
	{ "words", "WORDS", "a sentence", COLUMN_PROSE, 64, 20, get_words },
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

/* Columns of the longest line. */
static size_t widest(const char *text)
{
	size_t most = 0;

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		most = len > most ? len : most;
	}
	return most;
}

static void test_cut(void)
{
	const struct report_options narrow = { .format = REPORT_TEXT, .width = 24 };
	const struct report_options free = { .format = REPORT_TEXT };

	for (size_t hint = 0; hint < 2; hint++) {
		CLEANUP_FREE char *cut = table_text(&narrow, "start,size,path", hint);
		CLEANUP_FREE char *whole = table_text(&free, "start,size,path", hint);

		CHECK(strstr(cut, "START") && !strstr(cut, "x41"));
		cut[strcspn(cut, "-")] = '\0';		/* the footnotes are wrapped, not cut */
		CHECK(widest(cut) <= 24);
		CHECK(strstr(whole, "\\x5cx41\\y"));
	}
}

/* START, SIZE and blanks take 12 columns. */
static void test_cut_front(void)
{
	const struct report_options narrow = { .format = REPORT_TEXT, .width = 23 };
	CLEANUP_FREE char *cut = table_text(&narrow, "start,size,tail", 1);
	CLEANUP_FREE char *small = table_text(&(struct report_options) { .format = REPORT_TEXT,
					      .width = 14 }, "start,size,tail", 1);

	CHECK(strstr(cut, " /bin/plain\n") && strstr(cut, " ...x5cx41\\y\n"));
	CHECK(!strstr(cut, "/tmp"));
	cut[strcspn(cut, "-")] = '\0';
	CHECK(widest(cut) <= 24);			/* in bytes, and one is of two */
	CHECK(strstr(small, "1.5M /bin/plain\n") && strstr(small, " ...5cx41\\y\n"));
}

/* What does not fit goes on below, and what could not be read there begins a line. */
static void test_sentences(void)
{
	for (size_t streamed = 0; streamed < 2; streamed++) {
		const struct report_options wide = { .format = REPORT_TEXT, .width = 50 };
		const struct report_options narrow = { .format = REPORT_TEXT, .width = 36 };
		CLEANUP_FREE char *hang = table_text(&wide, "size,words", !streamed);
		CLEANUP_FREE char *below = table_text(&narrow, "size,words", !streamed);
		char want[200];

		snprintf(want, sizeof(want), "1.5M one two three four five six seven eight%s"
			 "ten eleven\n", streamed ? "\n       nine " : " nine\n     ");
		CHECK(strstr(hang, want) && strstr(hang, "SIZE WORDS\n"));
		CHECK(strstr(below, "SIZE\n"));
		CHECK(strstr(below, "1.5M\n    one two three four five six\n"
			     "    seven eight nine ten eleven\n"));
	}
}

/* Of two columns that may be cut the wider one gives way first. */
static void test_cut_widest(void)
{
	const struct report_options narrow = { .format = REPORT_TEXT, .width = 42 };
	CLEANUP_FREE char *cut = table_text(&narrow, "path,tail,size", 1);

	CHECK(strstr(cut, "\n/bin/plain         /bin/plain         1.5M\n"));
}

/* A pseudo terminal hands its bytes on in pieces, a little later: reads up to the end mark. */
static void read_terminal(int fd, char *text, size_t size, const char *end)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	text[0] = '\0';
	while (!strstr(text, end) && len + 1 < size && poll(&ready, 1, 10000) == 1) {
		ssize_t got = read(fd, text + len, size - 1 - len);

		if (got <= 0)
			break;
		len += (size_t)got;
		text[len] = '\0';
	}
}

/* A terminal: its width counts, headings are bold, and what is no terminal has neither. */
static void test_terminal(void)
{
	const struct report_options options = { .format = REPORT_TEXT };
	const struct winsize size = { .ws_row = 10, .ws_col = 30 };
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	char text[4096];
	struct output o = { NULL };

	if (master < 0 || grantpt(master) || unlockpt(master)) {
		printf("no pseudo terminal: not tested\n");
		return;
	}
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && !ioctl(slave, TIOCSWINSZ, &size));
	o.file = fdopen(slave, "w");
	CHECK(!report_new(o.file, "vmatlas/test", &options, &o.report, NULL));
	output_table(&o, "start,path", 5, 5);
	CHECK(!report_end(o.report, NULL));
	report_free(o.report);
	fputs("END", o.file);
	fflush(o.file);
	read_terminal(master, text, sizeof(text), "END");
	CHECK(strstr(text, "\033[1mRows\033[0m"));
	CHECK(strstr(text, "/bin/plain") && !strstr(text, "x80"));
	fclose(o.file);
	close(master);
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
	test_cut();
	test_cut_front();
	test_sentences();
	test_cut_widest();
	test_terminal();
	test_types();
	TEST_END;
}
