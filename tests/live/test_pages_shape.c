// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

/* The short ways of the page provider against the full one, page by page, on this process. */
#include <sys/mman.h>

#include "vmatlas/model/pages.h"

#include "../unit/test.h"

#define PAGE 4096ULL
#define HUGE (2ULL << 20)
#define PAGES 4096u	/* of each area */
#define AREAS 6u

/* One letter per page: . none, a anonymous, f file, z zero, s swap or marker; upper case in a
 * huge leaf, ? where the leaf is unknown. */
static char full[AREAS][PAGES + 1], got[AREAS][PAGES + 1];
static char *area[AREAS];
static struct source *source;

struct ranges {
	bool anonymous;
	size_t at;
};

static int next_range(void *ctx, struct page_range *range)
{
	struct ranges *ranges = ctx;

	if (ranges->at == AREAS)
		return 0;
	*range = (struct page_range) {
		.start = (uintptr_t)area[ranges->at],
		.end = (uintptr_t)area[ranges->at] + PAGES * PAGE,
		.index = (uint32_t)ranges->at,
		.anonymous = ranges->anonymous && ranges->at < 4,
	};
	ranges->at++;
	return 1;
}

static char letter(const struct page_run *run)
{
	char c = run->kind == PAGE_SWAP ? 's' : run->zero_known && run->zero ? 'z' :
		run->entry & PAGEMAP_FILE ? 'f' : 'a';

	if (run->kind == PAGE_PRESENT && run->leaf == LEAF_UNKNOWN)
		return '?';
	return run->leaf == LEAF_PMD ? c - 32 : c;
}

static int note_run(void *ctx, uint32_t index, const struct page_run *run)
{
	char (*out)[PAGES + 1] = ctx;
	uint64_t first = (run->start - (uintptr_t)area[index]) / PAGE;

	CHECK(run->kind == PAGE_PRESENT || run->kind == PAGE_SWAP);
	CHECK(first + run->pages <= PAGES);
	memset(out[index] + first, letter(run), run->pages);
	return 0;
}

static void walk(unsigned needs, bool anonymous, bool plain, char (*out)[PAGES + 1])
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(pages_freep) struct pages *pages = NULL;
	struct ranges ranges = { .anonymous = anonymous };
	struct page_ranges stream = { .next = next_range, .ctx = &ranges };
	struct error error = ERROR_INIT;

	for (size_t i = 0; i < AREAS; i++)
		memset(out[i], '.', PAGES);
	CHECK(source_process_open(source, getpid(), &process, &error) == 0);
	CHECK(pages_new(process, needs, &pages, &error) == 0);
	pages_set_plain(pages, plain);
	CHECK(pages_walk(pages, &stream, note_run, out, &error) == 0);
}

static void make_areas(void)
{
	size_t bytes = AREAS * (PAGES * PAGE + HUGE);
	char *base = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int memfd = memfd_create("shape", 0);

	CHECK(base != MAP_FAILED && ftruncate(memfd, PAGES * PAGE) == 0);
	base = (char *)(((uintptr_t)base + HUGE - 1) & ~(HUGE - 1));
	for (size_t i = 0; i < AREAS; i++)
		area[i] = base + i * (PAGES * PAGE + HUGE);
	madvise(base, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 4; i < AREAS; i++)
		mmap(area[i], PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_FIXED | (i == 4 ? MAP_PRIVATE : MAP_SHARED), memfd, 0);
}

/* Area 0: pages written, read and thrown away; 1: huge pages, one of them the zero page; 2:
 * nothing; 3: the last pages; 4: a private file with copies; 5: the same file shared. */
static void touch_areas(void)
{
	volatile char sum __attribute__((unused)) = 0;

	for (size_t i = 0; i < PAGES; i++) {
		if (i % 7 < 3 || i / 512 == 2)
			area[0][i * PAGE] = 1;
		else if (i % 7 == 4)
			sum += area[0][i * PAGE];
		area[5][i * PAGE] = 1;
		sum += area[4][i * PAGE];
		if (i % 5 == 0)
			area[4][i * PAGE] = 2;
	}
	for (size_t i = PAGES - 9; i < PAGES; i++)
		area[3][i * PAGE] = 1;
	madvise(area[0] + 100 * PAGE, 50 * PAGE, MADV_DONTNEED);
	madvise(area[1], PAGES * PAGE, MADV_HUGEPAGE);
	area[1][HUGE] = 1;
	sum += area[1][3 * HUGE];
	area[1][5 * HUGE] = 1;
	madvise(area[1] + 5 * HUGE, HUGE, MADV_NOHUGEPAGE);	/* khugepaged keeps off */
	madvise(area[1] + 5 * HUGE, 16 * PAGE, MADV_DONTNEED);	/* splits it */
}

/* What the two ways differ in must be what `instead` allows: "zf" is z before, f now. */
static void compare(const char *name, const char *instead)
{
	for (size_t i = 0; i < AREAS; i++)
		for (size_t page = 0; page < PAGES; page++) {
			char a = full[i][page], b = got[i][page];
			const char *p = instead;

			while (*p && (p[0] != a || p[1] != b))
				p += 2;
			if (a == b || *p)
				continue;
			printf("%s: area %zu page %zu is %c, not %c\n", name, i, page, b, a);
			test_failures++;
			break;
		}
}

static size_t count(size_t i, char c)
{
	size_t n = 0;

	for (size_t page = 0; page < PAGES; page++)
		n += full[i][page] == c;
	return n;
}

int main(void)
{
	const unsigned shape = PAGE_NEED_LEAF | PAGE_JOIN_FRAMES;
	struct error error = ERROR_INIT;

	if (source_live(&source, &error) < 0 || !source_host(source)->frames_visible)
		TEST_SKIP("frame numbers need root");
	make_areas();
	touch_areas();
	walk(shape | PAGE_NEED_FLAGS, false, false, full);
	CHECK_U64(count(4, 'a'), (PAGES + 4) / 5);
	CHECK_U64(count(5, 'f'), PAGES);
	CHECK(count(0, 'z') > 500);
	printf("%zu pages in huge leaves, %zu of huge zero pages\n", count(1, 'A'), count(1, 'Z'));
	walk(shape, true, false, got);
	compare("scan", "");
	/* Words do not tell a single zero page from an anonymous one. */
	walk(shape, false, false, got);
	compare("words", "za");
	/* Without a scan the leaf of what could be huge is not known. */
	walk(shape, true, true, got);
	compare("plain", "zaA?Z?");
	source_free(source);
	TEST_END;
}
