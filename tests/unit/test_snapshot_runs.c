// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE
#include "snapshot_folder.h"
#include "test.h"

#include "vmatlas/parse/pagemap.h"
#include "vmatlas/source/source.h"

#define HEAD                                                                      \
	"vmatlas-snapshot 1\ntime 2026-11-21T13:05:00Z\npage_size 4096\nframes yes\n" \
	"frames_end 100000\nprocess 7\n"
#define PAGES 300000u

static struct source *source;
static struct source_process *process;

static void open_again(void)
{
	struct error e = ERROR_INIT;

	source_process_free(process);
	source_free(source);
	source = NULL;
	process = NULL;
	if (source_folder(&source, snapshot_folder, &e) < 0 ||
	    source_process_open(source, 7, &process, &e) < 0) {
		printf("%s: %s\n", e.item, e.text);
		exit(1);
	}
}

static uint64_t random_state = 88172645463325252ULL;

static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

/* Random runs as text, and the same as plain words. */
static uint64_t *random_pagemap(void)
{
	uint64_t *words = calloc(PAGES, sizeof(*words)), at = 0;
	FILE *file = fopen(snapshot_path("7/pagemap"), "w");

	if (!words || !file)
		exit(1);
	while (at < PAGES) {
		uint64_t count = random_below(4) ? 1 : 1 + random_below(40);
		uint64_t word = random_below(1ULL << 62) | 1, step = random_below(3) * 16;
		bool down = random_below(2);

		at += random_below(3) ? 0 : random_below(50);
		if (at + count > PAGES)
			break;
		fprintf(file, "%llx", (unsigned long long)at);
		if (count > 1)
			fprintf(file, "+%llx", (unsigned long long)count);
		fprintf(file, " %llx", (unsigned long long)word);
		if (step && count > 1)
			fprintf(file, "%c%llx", down ? '-' : '+', (unsigned long long)step);
		fputc('\n', file);
		for (uint64_t i = 0; i < count; i++)
			words[at++] = word + (down ? -step : step) * (count > 1 ? i : 0);
	}
	fputs("end\n", file);
	fclose(file);
	return words;
}

static void check_words(const uint64_t *want, uint64_t first, size_t count)
{
	CLEANUP_FREE uint64_t *words = malloc(count * sizeof(*words));
	struct error e = ERROR_INIT;
	size_t got = 0;

	CHECK(words && !source_pagemap(process, first, words, count, &got, &e) && got == count);
	CHECK(words && !memcmp(words, want + first, count * sizeof(*words)));
}

static void test_words(void)
{
	CLEANUP_FREE uint64_t *want = random_pagemap();

	open_again();
	for (uint64_t at = 0; at < PAGES; at += 1000)
		check_words(want, at, 1000);
	open_again();
	for (int i = 0; i < 3000; i++) {
		size_t count = 1 + random_below(random_below(2) ? 2 : 5000);

		check_words(want, random_below(PAGES - count), count);
	}
	check_words(want, 0, PAGES);
	CHECK(source_access(process, ACCESS_PAGEMAP) == GAP_NONE);
}

static void test_end_of_user_space(void)
{
	struct error e = ERROR_INIT;
	uint64_t words[4] = { 1, 1, 1, 1 };
	size_t got = 9;

	snapshot_put("7/pagemap", "7fffffffffffe 8000000000000005\nend\n");
	open_again();
	CHECK(!source_pagemap(process, 0x7fffffffffffe, words, 4, &got, &e));
	CHECK(got == 2 && words[0] == 0x8000000000000005 && !words[1]);
	CHECK(!source_pagemap(process, 0xfffffffffffff, words, 4, &got, &e) && !got);
}

static const struct {
	const char *text;
	unsigned long line;
} bad_runs[] = {
	{ "", 0 },
	{ "1 5\n", 0 },
	{ "1 5\nend", 0 },
	{ "1 5\nend\nend\n", 2 },
	{ "1 5\n\nend\n", 2 },
	{ "1 5\n1 6\nend\n", 2 },
	{ "1+3 5\n3 6\nend\n", 2 },
	{ "5 5\n1 6\nend\n", 2 },
	{ "1+0 5\nend\n", 1 },
	{ "1+ 5\nend\n", 1 },
	{ "1\nend\n", 1 },
	{ "1 \nend\n", 1 },
	{ "1  5\nend\n", 1 },
	{ "1 5 \nend\n", 1 },
	{ "1 5+\nend\n", 1 },
	{ "1 5+-1\nend\n", 1 },
	{ "1 0x5\nend\n", 1 },
	{ "-1 5\nend\n", 1 },
	{ "A 5\nend\n", 1 },
	{ "1 00000000000000005\nend\n", 1 },
	{ "10000000000000000 5\nend\n", 1 },
	{ "ffffffffffffffff+1 5\nend\n", 1 },
	{ "1+ffffffffffffffff 5\nend\n", 1 },
	{ "40000000000000 5\nend\n", 1 },
	{ "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000000000000000000000000000000000001 5\nend\n",
	  1 },
};

static void test_bad_runs(void)
{
	struct error e;
	uint64_t words[64];
	size_t got;

	for (size_t i = 0; i < ARRAY_SIZE(bad_runs); i++) {
		snapshot_put("7/pagemap", bad_runs[i].text);
		open_again();
		for (int again = 0; again < 2; again++) {
			e = (struct error)ERROR_INIT;
			CHECK(source_pagemap(process, 0, words, 64, &got, &e) == -ERROR_DAMAGED);
			CHECK_STR(e.item, "7/pagemap");
			CHECK_U64(e.line, bad_runs[i].line);
		}
		CHECK(source_access(process, ACCESS_PAGEMAP) == GAP_DAMAGED);
	}
}

static int scan(uint64_t mask, uint64_t inverted, uint64_t anyof, uint64_t report,
		struct source_region *regions, size_t count, size_t *got, uint64_t *walked)
{
	struct source_scan wanted = {
		.start = 0x11000, .end = 0x20000, .mask = mask, .inverted = inverted,
		.anyof = anyof, .report = report,
	};

	return source_pagemap_scan(process, &wanted, regions, count, got, walked, NULL);
}

static void test_scan(void)
{
	struct source_region regions[4];
	uint64_t walked = 0;
	size_t got = 0;

	snapshot_put("7/scan", "categories 178\n10+4 8\n15 10\n16 48\n18+100 28\nend\n");
	open_again();
	CHECK(!scan(0, 0, SCAN_PRESENT | SCAN_SWAPPED, SCAN_PRESENT, regions, 4, &got, &walked));
	CHECK(got == 4 && regions[0].start == 0x11000 && regions[0].end == 0x14000);
	CHECK(regions[0].categories == SCAN_PRESENT && !regions[1].categories);
	CHECK(regions[3].start == 0x18000 && regions[3].end == 0x20000 && walked == 0x20000);
	CHECK(!scan(0, 0, SCAN_PRESENT | SCAN_SWAPPED, SCAN_PRESENT, regions, 2, &got, &walked));
	CHECK(got == 2 && walked == 0x16000);
	CHECK(!scan(SCAN_PRESENT, SCAN_HUGE, SCAN_HUGE | SCAN_ZERO, SCAN_HUGE, regions, 4, &got,
		    &walked));
	CHECK(got == 2 && regions[0].start == 0x11000 && regions[1].start == 0x18000);
	CHECK(scan(0, 0, SCAN_FILE, 0, regions, 4, &got, &walked) == -ERROR_NOT_IN_KERNEL);
	CHECK(scan(0, 0, SCAN_PRESENT, SCAN_WRITTEN, regions, 4, &got, &walked) ==
	      -ERROR_NOT_IN_KERNEL);
	CHECK(scan(0, SCAN_PRESENT, SCAN_PRESENT, 0, regions, 4, &got, &walked) ==
	      -ERROR_NOT_RECORDED);
	CHECK(scan(0, 0, 0, SCAN_PRESENT, regions, 4, &got, &walked) == -ERROR_NOT_RECORDED);
	snapshot_put("7/scan", "11+4 8\nend\n");
	open_again();
	CHECK(scan(0, 0, SCAN_PRESENT, 0, regions, 4, &got, &walked) == -ERROR_DAMAGED);
	CHECK(source_access(process, ACCESS_PAGEMAP_SCAN) == GAP_DAMAGED);
	snapshot_put("7/scan", "categories 178\n11+4 8+1\nend\n");
	open_again();
	CHECK(scan(0, 0, SCAN_PRESENT, 0, regions, 4, &got, &walked) == -ERROR_DAMAGED);
}

static void test_frames(void)
{
	uint64_t words[8];
	size_t got = 0;

	snapshot_put("missing", "frames/kpagecgroup EACCES\n");
	snapshot_put("frames/kpageflags", "ff0+3 1828\nffffe 0\nend\n");
	snapshot_put("frames/kpagecount", "ff1 2\nend\n");
	open_again();
	CHECK(source_frames_access(source, SOURCE_KPAGEFLAGS) == GAP_NONE);
	CHECK(source_frames_access(source, SOURCE_KPAGECGROUP) == GAP_NEEDS_PRIVILEGE);
	CHECK(!source_frames(source, SOURCE_KPAGEFLAGS, 0xfef, words, 5, &got, NULL) && got == 5);
	CHECK(words[0] == SOURCE_FRAME_NOT_RECORDED && words[1] == 0x1828 && words[3] == 0x1828);
	CHECK(words[4] == SOURCE_FRAME_NOT_RECORDED);
	CHECK(!source_frames(source, SOURCE_KPAGECOUNT, 0xfef, words, 5, &got, NULL) && got == 5);
	CHECK(words[0] == SOURCE_FRAME_NOT_RECORDED && words[1] == 1 && words[2] == 2);
	CHECK(words[3] == 1 && words[4] == SOURCE_FRAME_NOT_RECORDED);
	CHECK(!source_frames(source, SOURCE_KPAGEFLAGS, 0xffffe, words, 8, &got, NULL));
	CHECK(got == 2 && !words[0] && words[1] == SOURCE_FRAME_NOT_RECORDED);
	CHECK(!source_frames(source, SOURCE_KPAGEFLAGS, 0x100000, words, 8, &got, NULL) && !got);
	CHECK(!source_frames(source, SOURCE_KPAGEFLAGS, ~0ULL, words, 8, &got, NULL) && !got);
	CHECK(source_frames(source, SOURCE_KPAGECGROUP, 0, words, 8, &got, NULL) == -ERROR_DENIED);
}

int main(void)
{
	snapshot_make();
	snapshot_put("manifest", HEAD);
	snapshot_put("7/maps", "");
	test_words();
	test_end_of_user_space();
	test_bad_runs();
	test_scan();
	test_frames();
	source_process_free(process);
	source_free(source);
	snapshot_remove("");
	TEST_END;
}
