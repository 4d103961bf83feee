// SPDX-License-Identifier: LGPL-2.1-or-later
/* The page provider on this process: areas in a known state, and both ways of reading. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "vmatlas/model/pages.h"

#include "../unit/test.h"

#define PAGE 4096ULL
#define MAX_RUNS 4096

struct ranges {
	struct page_range range[8];
	size_t count, at;
	uint64_t chunk;		/* pages, 0: as many as the provider likes */
};

struct result {
	struct page_run run[MAX_RUNS];
	uint32_t index[MAX_RUNS];
	size_t count;
	uint64_t pages[4];	/* by enum page_kind */
};

static int next_range(void *ctx, struct page_range *range)
{
	struct ranges *ranges = ctx;

	if (ranges->at == ranges->count)
		return 0;
	*range = ranges->range[ranges->at++];
	return 1;
}

static int add_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct result *result = ctx;

	if (result->count < MAX_RUNS) {
		result->run[result->count] = *run;
		result->index[result->count++] = index;
	}
	result->pages[run->kind] += run->pages;
	return 0;
}

static struct source *source;
static pid_t target;		/* 0: this process */

static void walk(struct ranges *ranges, unsigned needs, bool plain, bool sparse,
		 struct result *result)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(pages_freep) struct pages *pages = NULL;
	struct error error = ERROR_INIT;
	struct page_ranges stream = { next_range, ranges, sparse };

	ranges->at = 0;
	memset(result, 0, sizeof(*result));
	if (source_process_open(source, target ? target : getpid(), &process, &error) < 0 ||
	    pages_new(process, needs, &pages, &error) < 0) {
		printf("%s: %s\n", error.item, error.text);
		exit(1);
	}
	pages_set_plain(pages, plain);
	if (ranges->chunk)
		pages_set_chunk(pages, ranges->chunk);
	CHECK(pages_walk(pages, &stream, add_run, result, &error) == 0);
	if (error.code)
		printf("%s: %s\n", error.item, error.text);
}

static char *map(size_t pages, int flags)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		TEST_SKIP("mmap failed");
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static void touch(char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

static struct ranges one_range(const void *p, uint64_t pages)
{
	uint64_t start = (uintptr_t)p;

	return (struct ranges) { .range = { { start, start + pages * PAGE, 7, false } },
				 .count = 1 };
}

static const unsigned all_needs = PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_LEAF;

/* 8 written, 4 read, 4 untouched pages. */
static void test_states(void)
{
	static struct result result;
	char *p = map(16, MAP_PRIVATE);
	struct ranges ranges = one_range(p, 16);
	volatile char sum __attribute__((unused)) = 0;

	touch(p, 8);
	for (size_t i = 8; i < 12; i++)
		sum += p[i * PAGE];
	walk(&ranges, all_needs | PAGE_JOIN_FRAMES | PAGE_NEED_HOLES, false, false, &result);
	CHECK_U64(result.count, 3);
	CHECK_U64(result.run[0].start, (uintptr_t)p);
	CHECK_U64(result.run[0].pages, 8);
	CHECK_U64(result.index[0], 7);
	CHECK(result.run[0].flags_known && result.run[0].flags & KPF_ANON);
	CHECK(result.run[0].flags & KPF_ANON_EXCLUSIVE);
	CHECK(result.run[0].count_known);
	CHECK_U64(result.run[0].mappings, 1);
	CHECK_U64(result.run[0].leaf, LEAF_BASE);
	CHECK(result.run[0].zero_known && !result.run[0].zero);
	CHECK_U64(result.run[1].pages, 4);
	CHECK(result.run[1].zero_known && result.run[1].zero);
	CHECK_U64(result.run[1].mappings, 0);
	CHECK_U64(result.run[2].kind, PAGE_NONE);
	CHECK_U64(result.run[2].pages, 4);
	munmap(p, 16 * PAGE);
}

/* Frames come with their addresses when they are not joined. */
static void test_frames(void)
{
	static struct result result;
	char *p = map(64, MAP_PRIVATE);
	struct ranges ranges = one_range(p, 64);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t words[64];

	touch(p, 64);
	walk(&ranges, PAGE_NEED_FLAGS, false, false, &result);
	CHECK(pread(fd, words, sizeof(words), (off_t)((uintptr_t)p / PAGE * 8)) ==
	      sizeof(words));
	close(fd);
	CHECK_U64(result.pages[PAGE_PRESENT], 64);
	for (size_t i = 0; i < result.count; i++) {
		const struct page_run *run = &result.run[i];

		for (uint64_t n = 0; n < run->pages; n++)
			CHECK_U64(run->frame + n,
				  pagemap_frame(words[(run->start - (uintptr_t)p) / PAGE + n]));
	}
	munmap(p, 64 * PAGE);
}

static void test_forked(void)
{
	static struct result result;
	char *p = map(6, MAP_PRIVATE);
	struct ranges ranges = one_range(p, 6);
	int hold[2];
	pid_t child;

	touch(p, 4);
	CHECK(pipe(hold) == 0);
	child = fork();
	if (!child) {
		char c;

		close(hold[1]);
		_exit(read(hold[0], &c, 1) != 0);
	}
	walk(&ranges, all_needs | PAGE_JOIN_FRAMES, false, false, &result);
	CHECK_U64(result.count, 1);
	CHECK_U64(result.run[0].pages, 4);
	CHECK_U64(result.run[0].mappings, 2);
	CHECK(!(result.run[0].flags & KPF_ANON_EXCLUSIVE));
	close(hold[0]);
	close(hold[1]);
	waitpid(child, NULL, 0);
	munmap(p, 6 * PAGE);
}

/* One page per MiB in 512 MiB, and a range that nobody may read: all ways agree. */
static void test_sparse(void)
{
	static struct result plain, sparse;
	char *p = map(512 << 8, MAP_PRIVATE | MAP_NORESERVE);
	struct ranges ranges = one_range(p, 512 << 8);

	for (size_t i = 0; i < 512; i++)
		touch(p + (i << 20), 1);
	ranges.range[1] = (struct page_range) { 0xffffffffff600000, 0xffffffffff601000, 9, false };
	ranges.count = 2;
	walk(&ranges, all_needs | PAGE_JOIN_FRAMES | PAGE_NEED_HOLES, true, true, &plain);
	walk(&ranges, all_needs | PAGE_JOIN_FRAMES | PAGE_NEED_HOLES, false, true, &sparse);
	CHECK_U64(plain.pages[PAGE_PRESENT], 512);
	CHECK_U64(plain.pages[PAGE_NONE], (512 << 8) - 512);
	CHECK_U64(plain.pages[PAGE_UNREADABLE], 1);
	CHECK_U64(plain.run[plain.count - 1].gap, GAP_NOT_APPLICABLE);
	CHECK_U64(sparse.count, plain.count);
	for (size_t i = 0; i < plain.count && i < sparse.count; i++) {
		CHECK_U64(sparse.run[i].start, plain.run[i].start);
		CHECK_U64(sparse.run[i].pages, plain.run[i].pages);
		CHECK_U64(sparse.run[i].kind, plain.run[i].kind);
	}
	munmap(p, 512ULL << 20);
}

/* More pages than one chunk holds. */
static void test_chunks(void)
{
	static struct result result;
	size_t pages = 300 << 8;
	char *p = map(pages, MAP_PRIVATE);
	struct ranges ranges = one_range(p, pages);

	ranges.chunk = 1000;
	touch(p, pages);
	walk(&ranges, all_needs | PAGE_JOIN_FRAMES, false, false, &result);
	CHECK_U64(result.pages[PAGE_PRESENT], pages);
	CHECK(result.count < 64);
	munmap(p, pages * PAGE);
}

static uint64_t pages_like(const struct result *result, const struct page_run *like)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < result->count; i++) {
		const struct page_run *run = &result->run[i];

		if (run->entry == like->entry && run->flags == like->flags &&
		    run->mappings == like->mappings && run->leaf == like->leaf &&
		    run->count_known == like->count_known && run->zero == like->zero)
			pages += run->pages;
	}
	return pages;
}

static void check_sums(struct ranges *ranges)
{
	static struct result ordered, summed;

	ranges->range[0].sums = false;
	walk(ranges, all_needs | PAGE_JOIN_FRAMES, false, false, &ordered);
	CHECK(ordered.count < MAX_RUNS);
	ranges->range[0].sums = true;
	walk(ranges, all_needs | PAGE_JOIN_FRAMES, false, false, &summed);
	CHECK(summed.count < ordered.count || ordered.count < 6);
	CHECK_U64(summed.pages[PAGE_PRESENT], ordered.pages[PAGE_PRESENT]);
	for (size_t i = 0; i < ordered.count; i++)
		CHECK_U64(pages_like(&summed, &ordered.run[i]),
			  pages_like(&ordered, &ordered.run[i]));
}

/* Touched downwards, upwards, at random and for reading: frames go all ways. */
static void touch_all_ways(char *p, size_t quarter)
{
	volatile char sum __attribute__((unused)) = 0;

	for (size_t i = quarter; i--; )
		p[i * PAGE] = 1;
	touch(p + quarter * PAGE, quarter);
	for (size_t i = 0; i < 2 * quarter; i++)
		p[(2 * quarter + (size_t)random() % quarter) * PAGE] = 1;
	for (size_t i = 3 * quarter; i < 4 * quarter; i++)
		sum += p[i * PAGE];
}

/* Sums over a range are those of its runs, also where several chunks make them. */
static void test_sums(void)
{
	char *p = map(1024, MAP_PRIVATE), c;
	struct ranges ranges = one_range(p, 1024);
	int hold[2], ready[2];

	touch_all_ways(p, 256);
	CHECK(pipe(hold) == 0 && pipe(ready) == 0);
	target = fork();
	if (!target) {
		close(hold[1]);
		for (size_t i = 0; i < 1024; i += 3)
			touch(p + i * PAGE, 1);
		close(ready[1]);
		_exit(read(hold[0], &c, 1) != 0);
	}
	close(ready[1]);
	CHECK(read(ready[0], &c, 1) == 0);
	for (ranges.chunk = 0; ranges.chunk < 200; ranges.chunk += 100)
		check_sums(&ranges);
	close(hold[1]);
	waitpid(target, NULL, 0);
	target = 0;
	check_sums(&ranges);
	munmap(p, 1024 * PAGE);
}

static void churn(char *p, size_t pages)
{
	for (;;) {
		char *page = p + random() % pages * PAGE;

		if (random() & 1)
			*page = 1;
		else
			madvise(page, PAGE, MADV_DONTNEED);
	}
}

/* Memory that comes and goes as a whole: more than a walk reads again. */
static void churn_whole(char *p, size_t pages)
{
	for (;;) {
		touch(p, pages);
		madvise(p, pages * PAGE, MADV_DONTNEED);
	}
}

/* Each page is told once, and none as what it never was: of what changed only the word is left,
 * as the frame may be anybody's by now. */
static void check_busy(struct ranges *ranges, struct result *result)
{
	uint64_t next = ranges->range[0].start;

	walk(ranges, all_needs | PAGE_NEED_HOLES | PAGE_JOIN_FRAMES, false, false, result);
	for (size_t n = 0; n < result->count; n++) {
		const struct page_run *run = &result->run[n];

		CHECK_U64(run->start, next);
		next += run->pages * PAGE;
		if (run->changed)
			CHECK(!run->flags_known && !run->count_known && run->gap == GAP_CHANGED);
		else
			CHECK(run->kind == PAGE_NONE ||
			      (run->kind == PAGE_PRESENT && run->flags & KPF_ANON));
	}
	if (result->count < MAX_RUNS)
		CHECK_U64(next, ranges->range[0].end);
}

static void test_busy(size_t pages, void (*busy)(char *p, size_t pages))
{
	static struct result result;
	char *p = map(pages, MAP_PRIVATE);
	struct ranges ranges = one_range(p, pages);

	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	target = fork();
	if (!target)
		busy(p, pages);
	for (int i = 0; i < 20; i++)
		check_busy(&ranges, &result);
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	target = 0;
	munmap(p, pages * PAGE);
}

static void test_huge(void)
{
	static struct result result;
	char *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *huge = (char *)(((uintptr_t)p + (2 << 20) - 1) & ~((2ULL << 20) - 1));
	struct ranges ranges = one_range(huge, 512);

	madvise(huge, 2 << 20, MADV_HUGEPAGE);
	touch(huge, 1);
	walk(&ranges, all_needs | PAGE_JOIN_FRAMES, false, false, &result);
	if (result.pages[PAGE_PRESENT] == 512) {
		CHECK_U64(result.count, 1);
		CHECK_U64(result.run[0].leaf, LEAF_PMD);
		CHECK(result.run[0].flags & KPF_THP);
		CHECK_U64(result.run[0].mappings, 1);
		walk(&ranges, all_needs | PAGE_JOIN_FRAMES, true, false, &result);
		CHECK_U64(result.run[0].leaf, LEAF_UNKNOWN);
	} else {
		printf("no huge page here: mapping level not tested\n");
	}
	munmap(p, 4 << 20);
}

int main(void)
{
	struct error error = ERROR_INIT;

	if (source_live(&source, &error) < 0 || !source_host(source)->frames_visible)
		TEST_SKIP("frame numbers need root");
	test_states();
	test_frames();
	test_forked();
	test_sparse();
	test_chunks();
	test_sums();
	test_huge();
	test_busy(1024, churn);
	test_busy(32768, churn_whole);
	source_free(source);
	TEST_END;
}
