// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"
#include "test.h"

#include <unistd.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/stat.h"

static struct buf text;

static struct stat_record parse(const char *name)
{
	struct stat_record stat = { 0 };
	struct error error = ERROR_INIT;

	fixture_read(name, &text);
	if (stat_parse(buf_span(&text), &stat, &error) < 0) {
		printf("%s: %s\n", name, error.text);
		test_failures++;
	}
	return stat;
}

/* The numbers behind the name are the same in most files. */
static void check_usual(const struct stat_record *stat)
{
	CHECK_U64((uint64_t)stat->ppid, 4100);
	CHECK_U64(stat->flags, 4194304);
	CHECK_U64(stat->minflt, 99);
	CHECK_U64(stat->majflt, 3);
	CHECK_U64(stat->threads, 3);
	CHECK_U64(stat->start_time, 186398);
	CHECK_U64(stat->vsize, 3133440);
	CHECK_U64(stat->rss, 419);
	CHECK(stat->addresses_known);
	CHECK_U64(stat->start_code, 94118230261760);
	CHECK_U64(stat->end_code, 94118230281641);
	CHECK_U64(stat->start_stack, 140722462250512);
}

static void test_good(void)
{
	struct stat_record stat = parse("stat/good-6.18.txt");

	check_usual(&stat);
	CHECK_SPAN(stat.comm, "bash");
	CHECK(stat.state == 'S');
	CHECK_U64(stat.fields, 52);
	CHECK_U64(stat.start_data, 94118230297648);
	CHECK_U64(stat.end_data, 94118230299264);
	CHECK_U64(stat.start_brk, 94119216848896);
	CHECK_U64(stat.arg_start, 140722462255739);
	CHECK_U64(stat.arg_end, 140722462255759);
	CHECK_U64(stat.env_start, 140722462255760);
	CHECK_U64(stat.env_end, 140722462257131);
	stat = parse("stat/good-future.txt");
	check_usual(&stat);
	CHECK_U64(stat.fields, 55);
	stat = parse("stat/good-2.6.txt");
	check_usual(&stat);
	CHECK_U64(stat.fields, 44);
	CHECK_U64(stat.start_brk, 0);
}

static void test_names(void)
{
	struct stat_record stat = parse("stat/good-brackets.txt");

	check_usual(&stat);
	CHECK_SPAN(stat.comm, "a) S 1 (b) ");
	CHECK(stat.state == 'S');
	stat = parse("stat/good-newline.txt");
	check_usual(&stat);
	CHECK_SPAN(stat.comm, "new\nline) ");
	CHECK(stat.state == 'Z');
	stat = parse("stat/good-empty-name.txt");
	check_usual(&stat);
	CHECK_SPAN(stat.comm, "");
}

static void test_hidden(void)
{
	struct stat_record stat = parse("stat/good-masked.txt");

	CHECK(!stat.addresses_known);
	CHECK_U64(stat.vsize, 3133440);
	stat = parse("stat/good-kernel-thread.txt");
	CHECK(!stat.addresses_known && stat.flags & STAT_PF_KTHREAD);
	CHECK_SPAN(stat.comm, "kthreadd");
	CHECK_U64(stat.vsize, 0);
}

static void test_bad(void)
{
	static const struct {
		const char *name;
		const char *reason;
	} bad[] = {
		{ "stat/bad-no-name.txt", "name" },	 { "stat/bad-open-name.txt", "name" },
		{ "stat/bad-short.txt", "field 24" },	 { "stat/bad-text.txt", "field 15" },
		{ "stat/bad-overflow.txt", "field 23" }, { "stat/bad-torn.txt", "name" },
		{ "stat/bad-late-text.txt", "field 40" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct stat_record stat = { .ppid = 42 };
		struct error error = ERROR_INIT;

		fixture_read(bad[i].name, &text);
		CHECK(stat_parse(buf_span(&text), &stat, &error) == -ERROR_PARSE);
		if (!strstr(error.text, bad[i].reason)) {
			printf("%s: %s\n", bad[i].name, error.text);
			test_failures++;
		}
		CHECK(stat.ppid == 42);
		CHECK(stat_parse((struct span) { NULL, 0 }, &stat, NULL) == -ERROR_PARSE);
	}
}

static void test_statm(void)
{
	struct statm_record statm = { .size = 42 };

	CHECK(statm_parse(SPAN_LITERAL("765 419 400 5 0 90 0\n"), &statm, NULL) == 0);
	CHECK(statm.size == 765 && statm.resident == 419 && statm.shared == 400);
	CHECK(statm.has_data && statm.text == 5 && statm.data == 90);
	CHECK(statm_parse(SPAN_LITERAL("765 419 400 5 0\n"), &statm, NULL) == 0);
	CHECK(!statm.has_data);
	CHECK(statm_parse(SPAN_LITERAL("1 2"), &statm, NULL) == -ERROR_PARSE);
	CHECK(statm_parse(SPAN_LITERAL("1 x 3"), &statm, NULL) == -ERROR_PARSE);
	CHECK(statm_parse(SPAN_LITERAL(""), &statm, NULL) == -ERROR_PARSE);
	CHECK_U64(statm.size, 765);
}

static void test_live(void)
{
	struct stat_record stat;
	struct statm_record statm;

	buf_clear(&text);
	file_read("/proc/self/stat", &text);
	CHECK(stat_parse(buf_span(&text), &stat, NULL) == 0);
	CHECK(stat.state == 'R' && stat.threads == 1 && stat.addresses_known);
	CHECK(stat.ppid == getppid() && stat.fields >= 44);
	CHECK((uintptr_t)&stat < stat.start_stack && (uintptr_t)&text < stat.start_brk);
	buf_clear(&text);
	file_read("/proc/self/statm", &text);
	CHECK(statm_parse(buf_span(&text), &statm, NULL) == 0);
	CHECK(statm.size >= statm.resident && statm.resident >= statm.shared && statm.shared);
}

int main(void)
{
	test_good();
	test_names();
	test_hidden();
	test_bad();
	test_statm();
	test_live();
	buf_done(&text);
	TEST_END;
}
