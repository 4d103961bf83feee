// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"
#include "test.h"

#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/maps.h"

static struct buf text;

static struct maps_line parse(unsigned number)
{
	struct maps_line line = { 0 };
	struct error error = ERROR_INIT;

	if (maps_parse_line(fixture_line(&text, number), &line, &error) < 0) {
		printf("line %u: %s\n", number, error.text);
		test_failures++;
	}
	return line;
}

static void test_64bit(void)
{
	struct maps_line line;
	char perms[5];

	fixture_read("maps/good-64bit.txt", &text);
	line = parse(1);
	CHECK_U64(line.start, 0x555555556000);
	CHECK_U64(line.end, 0x55555555b000);
	CHECK_U64(line.perms, VMA_READ | VMA_EXEC);
	CHECK_U64(line.offset, 0x2000);
	CHECK_U64(line.major, 0xfe);
	CHECK_U64(line.minor, 0);
	CHECK_U64(line.inode, 394275);
	CHECK_SPAN(line.name, "/usr/bin/cat");
	CHECK(!line.deleted && !line.newline_escape);
	line = parse(3);
	CHECK_SPAN(line.name, "");
	line = parse(4);
	CHECK_SPAN(line.name, "/dev/zero");
	CHECK_SPAN(maps_printed_name(&line), "/dev/zero (deleted)");
	CHECK(line.deleted && line.perms == (VMA_READ | VMA_WRITE | VMA_SHARED));
	maps_perms_text(line.perms, perms);
	CHECK_STR(perms, "rw-s");
	CHECK_SPAN(parse(5).name, "anon_inode:[io_uring]");
	line = parse(9);
	CHECK_U64(line.start, 0xffffffffff600000);
	CHECK_U64(line.end, 0xffffffffff601000);
	maps_perms_text(line.perms, perms);
	CHECK_STR(perms, "--xp");
	CHECK_SPAN(line.name, "[vsyscall]");
}

static void test_other_columns(void)
{
	struct maps_line line;

	fixture_read("maps/good-32bit.txt", &text);
	CHECK_SPAN(parse(0).name, "/bin/cat");
	CHECK_U64(parse(0).inode, 131094);
	CHECK_SPAN(parse(3).name, "");
	CHECK_U64(parse(5).end, 0xfffff000);
	fixture_read("maps/good-2.4.txt", &text);
	line = parse(1);
	CHECK_SPAN(line.name, "/sbin/init");
	CHECK_U64(line.offset, 0x5000);
	line = parse(3);
	CHECK_SPAN(line.name, "");
	CHECK_U64(line.offset, 0xfffff000);
	fixture_read("maps/good-2.0.txt", &text);
	CHECK_U64(parse(0).inode, 4054);
	CHECK_SPAN(parse(0).name, "");
	CHECK_U64(parse(3).perms, VMA_READ | VMA_WRITE | VMA_EXEC);
}

static void test_names(void)
{
	fixture_read("maps/good-non-utf8.txt", &text);
	CHECK_SPAN(parse(0).name, "/tmp/\xff\xfe\x80" "caf\xe9");
	CHECK_SPAN(parse(1).name, "/tmp/\x1b[31mred\ttab\rcr\x7f");
	fixture_read("maps/good-trailing-spaces.txt", &text);
	CHECK_SPAN(parse(0).name, "/tmp/two  inner  and three   ");
	CHECK_SPAN(parse(1).name, "/tmp/ ");
	CHECK_SPAN(parse(2).name, "");
	fixture_read("maps/good-long-path.txt", &text);
	CHECK_U64(parse(0).name.len, 4095);
	CHECK(parse(0).name.ptr[0] == '/' && parse(0).name.ptr[4094] == 'd');
}

static void test_newline_escape(void)
{
	fixture_read("maps/good-newline-escape.txt", &text);
	CHECK(parse(0).newline_escape);
	CHECK_SPAN(parse(0).name, "/tmp/a\\012b");
	CHECK(!parse(1).newline_escape);
	CHECK(parse(2).newline_escape);
	CHECK(!parse(3).newline_escape);
}

static void test_deleted(void)
{
	static const struct {
		const char *name;
		bool deleted;
	} want[] = {
		{ "/tmp/gone", true },	{ "/tmp/x (deleted)", true },
		{ "/tmp/x (deleted)y", false },
		{ "/tmp/x (deleted) ", false }, { "/memfd:", true }, { "(deleted)", false },
		{ "/SYSV00000000", true },
	};
	unsigned i;

	fixture_read("maps/good-deleted.txt", &text);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		struct maps_line line = parse(i);

		CHECK_SPAN(line.name, want[i].name);
		CHECK(line.deleted == want[i].deleted);
		CHECK(span_ends(fixture_line(&text, i),
				want[i].deleted ? " (deleted)" : want[i].name));
		CHECK(maps_printed_name(&line).ptr + maps_printed_name(&line).len ==
		      fixture_line(&text, i).ptr + fixture_line(&text, i).len);
	}
}

static void test_wide(void)
{
	struct maps_line line;

	fixture_read("maps/good-wide.txt", &text);
	line = parse(0);
	CHECK_U64(line.offset, 0x7ffffffffffff000);
	CHECK_U64(line.major, 0x12345);
	CHECK_U64(line.minor, 0xabcdef);
	CHECK_U64(line.inode, UINT64_MAX);
	CHECK_SPAN(line.name, "/mnt/wide");
	CHECK_U64(parse(1).start, 0);
	CHECK_U64(parse(2).end, UINT64_MAX);
	CHECK_U64(parse(3).minor, 0x0a);
}

/* Every line is refused with the reason and leaves the output alone. */
static void check_bad(const char *name, const char *reason)
{
	struct span rest, line;
	unsigned count = 0;

	fixture_read(name, &text);
	for (rest = buf_span(&text); rest.len; count++) {
		struct maps_line out = { .start = 42 };
		struct error error = ERROR_INIT;

		line = span_take_until(&rest, '\n');
		span_take_char(&rest, '\n');
		CHECK(maps_parse_line(line, &out, &error) == -ERROR_PARSE);
		CHECK(error.code == ERROR_PARSE && strstr(error.text, "maps line has no valid "));
		if (reason && !strstr(error.text, reason)) {
			printf("%s line %u: %s\n", name, count + 1, error.text);
			test_failures++;
		}
		CHECK_U64(out.start, 42);
		CHECK(maps_parse_line(line, &out, NULL) == -ERROR_PARSE);
	}
	CHECK(count > 1);
}

/* The line as fs/proc/task_mmu.c prints it on a 64-bit kernel. */
static void print_line(const struct maps_line *line, struct buf *out)
{
	char perms[5];

	buf_clear(out);
	maps_perms_text(line->perms, perms);
	buf_add_hex(out, line->start, 8);
	buf_add_char(out, '-');
	buf_add_hex(out, line->end, 8);
	buf_addf(out, " %s %08" PRIx64 " %02x:%02x %" PRIu64 " ", perms, line->offset, line->major,
		 line->minor, line->inode);
	while (line->name.len && out->len < 73)
		buf_add_char(out, ' ');
	buf_add_span(out, maps_printed_name(line));
}

static void check_reprint(const struct buf *maps, unsigned at_least)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct span rest, line;
	unsigned count = 0;

	for (rest = buf_span(maps); rest.len; count++) {
		struct maps_line parsed;

		line = span_take_until(&rest, '\n');
		span_take_char(&rest, '\n');
		CHECK(maps_parse_line(line, &parsed, NULL) == 0);
		print_line(&parsed, &out);
		if (!span_equal(buf_span(&out), line)) {
			printf("line %u: \"%s\"\n", count + 1, buf_str(&out));
			test_failures++;
		}
	}
	CHECK(count >= at_least);
}

static void test_reprint(void)
{
	fixture_read("maps/good-64bit.txt", &text);
	check_reprint(&text, 10);
	if (sizeof(long) < 8)
		return;
	buf_clear(&text);
	file_read("/proc/self/maps", &text);
	check_reprint(&text, 5);
}

static bool same_line(const struct maps_line *a, const struct maps_line *b)
{
	return a->start == b->start && a->end == b->end && a->perms == b->perms &&
	       a->offset == b->offset && a->inode == b->inode && a->major == b->major &&
	       a->minor == b->minor && a->deleted == b->deleted &&
	       a->newline_escape == b->newline_escape && a->name.ptr == b->name.ptr &&
	       a->name.len == b->name.len;
}

/* Lines one after the other, each twice, say what each says alone. */
static void check_next(const char *name)
{
	struct maps_before before = { .tail_len = 0 };
	struct maps_line alone, next;
	struct span rest, line;

	fixture_read(name, &text);
	for (rest = buf_span(&text); rest.len;) {
		line = span_take_until(&rest, '\n');
		span_take_char(&rest, '\n');
		for (int i = 0; i < 2; i++) {
			int rc = maps_parse_line(line, &alone, NULL);

			CHECK(maps_parse_next(line, &before, &next, NULL) == rc);
			CHECK(rc < 0 || same_line(&alone, &next));
		}
	}
}

static void test_next(void)
{
	static const char *const names[] = {
		"maps/good-2.0.txt", "maps/good-2.4.txt", "maps/good-32bit.txt",
		"maps/good-64bit.txt", "maps/good-deleted.txt", "maps/good-newline-escape.txt",
		"maps/good-trailing-spaces.txt", "maps/good-wide.txt", "maps/next.txt",
		"maps/bad-fields.txt", "maps/bad-ranges.txt", "maps/bad-permissions.txt",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		check_next(names[i]);
}

int main(void)
{
	test_64bit();
	test_other_columns();
	test_names();
	test_newline_escape();
	test_deleted();
	test_wide();
	check_bad("maps/bad-ranges.txt", "address range");
	check_bad("maps/bad-permissions.txt", "permissions");
	check_bad("maps/bad-fields.txt", NULL);
	check_bad("maps/bad-torn.txt", NULL);
	check_bad("maps/bad-nul.txt", NULL);
	test_reprint();
	test_next();
	buf_done(&text);
	TEST_END;
}
