// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pages that move while they are read: a process made up here changes at a chosen moment, which
 * no real one can be made to. A frame that it gave back is somebody else's from then on. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "source_impl.h"
#include "vmatlas/model/pages.h"

#include "test.h"

#define FIRST 0x7f0000000ULL		/* page index */
#define PAGES 10000u
#define FRAMES 65536u
#define BEHIND 32768u			/* pages that move go so many frames up */
#define OURS (KPF_ANON | KPF_SWAPBACKED | KPF_ANON_EXCLUSIVE)
#define OTHERS (KPF_ANON | KPF_SWAPBACKED | KPF_KSM)
#define REREADS 8192u			/* PAGES_REREADS */

struct fake {
	struct source source;
	struct source_process process;
	uint64_t words[PAGES];
	uint64_t flags[FRAMES], counts[FRAMES];
	uint64_t faults;
	void (*happens)(struct fake *fake);	/* once, behind the first read of entries */
};

static struct fake fake;

static int fake_text(struct source_process *process, pid_t tid, enum source_text what, int *fd,
		     struct error *error)
{
	(void)process;
	(void)tid;
	if (what != SOURCE_STAT)
		return error_set(error, ERROR_NOT_FOUND, "", "not made up");
	*fd = memfd_create("stat", MFD_CLOEXEC);
	dprintf(*fd,
		"7 (fake) S 1 7 7 0 -1 4194304 %" PRIu64 " 0 0 0 0 0 0 0 20 0 1 0 100 40960000 "
		"10000 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 "
		"0 0\n",
		fake.faults);
	lseek(*fd, 0, SEEK_SET);
	return 0;
}

static int fake_pagemap(struct source_process *process, uint64_t first, uint64_t *words,
			size_t count, size_t *got, struct error *error)
{
	void (*happens)(struct fake *fake) = fake.happens;

	(void)process;
	(void)error;
	for (size_t i = 0; i < count; i++)
		words[i] = first + i - FIRST < PAGES ? fake.words[first + i - FIRST] : 0;
	*got = count;
	fake.happens = NULL;
	if (happens)
		happens(&fake);
	return 0;
}

static int fake_frames(struct source *source, enum source_frames what, uint64_t first,
		       uint64_t *words, size_t count, size_t *got, struct error *error)
{
	const uint64_t *from = what == SOURCE_KPAGEFLAGS ? fake.flags : fake.counts;

	(void)source;
	(void)error;
	*got = first < FRAMES ? FRAMES - first : 0;
	*got = count < *got ? count : *got;
	memcpy(words, from + first, *got * sizeof(*words));
	return 0;
}

static enum gap fake_access(struct source *source, enum source_frames what)
{
	(void)source;
	(void)what;
	return GAP_NONE;
}

static uint64_t fake_end(struct source *source)
{
	(void)source;
	return FRAMES;
}

static bool fake_mark(struct source *source)
{
	(void)source;
	return true;
}

static const struct source_ops fake_ops = {
	.text_open = fake_text, .pagemap = fake_pagemap, .frames = fake_frames,
	.frames_access = fake_access, .frames_end = fake_end, .exclusive_mark = fake_mark,
};

static uint64_t word_of(uint64_t frame)
{
	return PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | frame;
}

static void fake_init(void (*happens)(struct fake *fake))
{
	source_init(&fake.source, &fake_ops, SOURCE_KIND_LIVE);
	source_process_init(&fake.process, &fake.source, 7);
	fake.source.host.page_size = 4096;
	fake.source.host.frames_visible = true;
	fake.happens = happens;
	for (size_t i = 0; i < PAGES; i++)
		fake.words[i] = word_of(100 + i);
	for (size_t i = 0; i < FRAMES; i++) {
		fake.flags[i] = OURS;
		fake.counts[i] = 1;
	}
}

static void give_back(size_t page)
{
	uint64_t frame = pagemap_frame(fake.words[page]);

	fake.flags[frame] = OTHERS;
	fake.counts[frame] = 40;
	fake.words[page] = 0;
	fake.faults++;
}

static void move(size_t page)
{
	uint64_t frame = pagemap_frame(fake.words[page]) + BEHIND;

	give_back(page);
	fake.words[page] = word_of(frame);
}

static void page_moves(struct fake *f)
{
	(void)f;
	move(5);
}

static void page_goes(struct fake *f)
{
	(void)f;
	give_back(5);
}

static void all_move(struct fake *f)
{
	(void)f;
	for (size_t i = 0; i < PAGES; i++)
		move(i);
}

struct sums {
	uint64_t pages, changed, others, none;
};

static int next_range(void *ctx, struct page_range *range)
{
	struct page_range *given = ctx;

	if (given->start == given->end)
		return 0;
	*range = *given;
	given->start = given->end;
	return 1;
}

/* Of a page that changed only the word is left; no page has flags or count of others. */
static int add_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct sums *sums = ctx;

	(void)index;
	sums->pages += run->pages;
	if (run->kind == PAGE_NONE)
		sums->none += run->pages;
	else if (run->changed)
		sums->changed += run->pages;
	if (run->changed)
		CHECK(!run->flags_known && !run->count_known && run->gap == GAP_CHANGED);
	else if (run->kind == PAGE_PRESENT)
		CHECK(run->flags_known && run->count_known);
	if (run->flags & KPF_KSM || run->mappings > 1)
		sums->others += run->pages;
	return 0;
}

static void check(void (*happens)(struct fake *fake), bool wants_sums, struct sums want,
		  bool twice)
{
	struct page_range range = {
		.start = FIRST * 4096, .end = (FIRST + PAGES) * 4096, .sums = wants_sums,
	};
	struct page_ranges ranges = { next_range, &range, false };
	CLEANUP(pages_freep) struct pages *pages = NULL;
	struct error error = ERROR_INIT;
	struct sums sums = { 0 };

	fake_init(happens);
	CHECK(pages_new(&fake.process, PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_LEAF |
			PAGE_NEED_HOLES | PAGE_JOIN_FRAMES, &pages, &error) == 0);
	CHECK(pages_walk(pages, &ranges, add_run, &sums, &error) == 0);
	CHECK_U64(sums.pages, want.pages);
	CHECK_U64(sums.changed, want.changed);
	CHECK_U64(sums.none, want.none);
	CHECK_U64(sums.others, 0);
	CHECK_U64(pages_stats(pages)->pagemap_reads, twice ? 2 : 1);
}

int main(void)
{
	for (int sums = 0; sums < 2; sums++) {
		check(NULL, sums, (struct sums) { .pages = PAGES }, false);
		check(page_moves, sums, (struct sums) { .pages = PAGES }, true);
		check(page_goes, sums, (struct sums) { .pages = PAGES, .none = 1 }, true);
		check(all_move, sums, (struct sums) { .pages = PAGES, .changed = PAGES - REREADS },
		      true);
	}
	TEST_END;
}
