// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmatlas/base/bitmap.h"
#include "vmatlas/parse/kpageflags.h"

#define COMPOUND (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL)
/* Measured break-even: a call costs as much as 3 to 4 frames. */
#define FRAME_GAP 4
#define EXTEND 32u	/* frames read at a time where a folio goes on beyond what is mapped */
/* 256 TiB of 4 KiB pages; a damaged snapshot may claim any number. */
#define FRAMES_MAX (1ULL << 36)

int frame_set_new(struct frame_set *set, struct source *source, struct error *error)
{
	struct frame_set made = { 0 };

	if (source_host(source)->frames_visible)
		made.end = source_frames_end(source);
	if (made.end > FRAMES_MAX)
		return error_set(error, ERROR_LIMIT, "frames_end", "larger than any memory");
	made.wanted = calloc(made.end / 64 + 1, sizeof(*made.wanted));
	made.counted = calloc(made.end / 64 + 1, sizeof(*made.counted));
	if (!made.wanted || !made.counted) {
		frame_set_done(&made);
		return error_nomem(error);
	}
	*set = made;
	return 0;
}

void frame_set_done(struct frame_set *set)
{
	free(set->wanted);
	free(set->counted);
}

static void set_bits(uint64_t *bitmap, uint64_t from, uint64_t end)
{
	while (from < end) {
		uint64_t n = 64 - from % 64;

		if (n > end - from)
			n = end - from;
		__atomic_fetch_or(&bitmap[from / 64],
				  (n == 64 ? ~0ULL : (1ULL << n) - 1) << from % 64,
				  __ATOMIC_RELAXED);
		from += n;
	}
}

void frame_set_add(void *ctx, uint64_t word, uint64_t count, uint64_t step)
{
	struct frame_set *set = ctx;
	uint64_t frame = pagemap_frame(word), n = step ? count : 1;

	if (step == (uint64_t)-1 && count > 1)
		frame -= count - 1;
	if (!frame || frame >= set->end || n > set->end - frame)
		return;
	set_bits(set->wanted, frame, frame + n);
	if (!(word & PAGEMAP_EXCLUSIVE))
		set_bits(set->counted, frame, frame + n);
}

uint64_t frame_set_count(const struct frame_set *set)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; set->end && i <= set->end / 64; i++)
		if (set->wanted[i])
			sum += (uint64_t)__builtin_popcountll(set->wanted[i]);
	return sum;
}

/*
 * One array of words, block by block: those under one entry of the second level. Folios are
 * aligned powers of two, so none begins in one block and ends in the next, but for those that
 * fill whole blocks.
 */
struct pass {
	struct recording *recording;
	enum source_frames what;
	const uint64_t *wanted;
	struct out out;
	struct runs runs;
	uint64_t block;			/* frames in it */
	uint64_t *words;		/* of the block */
	uint64_t *have;			/* bit per frame of the block: is to be written */
};

static const char *const names[SOURCE_FRAMES_MAX] = {
	[SOURCE_KPAGEFLAGS] = "kpageflags",
	[SOURCE_KPAGECOUNT] = "kpagecount",
	[SOURCE_KPAGECGROUP] = "kpagecgroup",
};

/* Frames that the file does not have read as 0. Both from and end lie in the block of `base`. */
static int pass_read(struct pass *pass, uint64_t base, uint64_t from, uint64_t end,
		     struct error *error)
{
	uint64_t *words = pass->words + (from - base);
	size_t got = 0;

	if (recording_stopped(pass->recording, error) < 0)
		return -1;
	if (source_frames(pass->recording->source, pass->what, from, words, end - from, &got,
			  error) < 0)
		return -1;
	memset(words + got, 0, (end - from - got) * sizeof(*words));
	return 0;
}

/* What is wanted of the block, one read going on over small gaps. */
static int read_wanted(struct pass *pass, uint64_t base, uint64_t limit, struct error *error)
{
	uint64_t start = bitmap_find(pass->wanted, base, limit, true);

	while (start < limit) {
		uint64_t end = bitmap_find(pass->wanted, start, limit, false);
		uint64_t next = bitmap_find(pass->wanted, end, limit, true);

		while (next < limit && next <= end + FRAME_GAP) {
			end = bitmap_find(pass->wanted, next, limit, false);
			next = bitmap_find(pass->wanted, end, limit, true);
		}
		if (pass_read(pass, base, start, end, error) < 0)
			return -1;
		start = next;
	}
	return 0;
}

static bool block_full(const struct pass *pass, uint64_t base, uint64_t limit)
{
	return limit - base == pass->block &&
	       bitmap_find(pass->wanted, base, limit, false) == limit;
}

/*
 * If the middle frame of a block is a tail, one folio covers the block: all tails show the same
 * (flags are the folio's since 6.12 and were bare before, fs/proc/page.c stable_page_flags();
 * the cgroup is the folio's or, of a tail, 0). 1 if the block was done so. Not for map counts.
 */
static int read_folio(struct pass *pass, uint64_t base, struct error *error)
{
	uint64_t middle = 0;
	size_t got = 0;

	if (pass->what == SOURCE_KPAGECOUNT ||
	    source_frames(pass->recording->source, SOURCE_KPAGEFLAGS, base + pass->block / 2,
			  &middle, 1, &got, NULL) < 0 || !got || !(middle & KPF_COMPOUND_TAIL))
		return 0;
	if (pass_read(pass, base, base, base + 2, error) < 0)
		return -1;
	for (uint64_t i = 2; i < pass->block; i++)
		pass->words[i] = pass->words[1];
	return 1;
}

/* Frames [from, end) of the block as far as they are tails. */
static int extend_up(struct pass *pass, uint64_t base, uint64_t from, uint64_t end,
		     struct error *error)
{
	while (from < end) {
		uint64_t stop = end - from < EXTEND ? end : from + EXTEND;

		if (pass_read(pass, base, from, stop, error) < 0)
			return -1;
		for (; from < stop; from++) {
			if (!(pass->words[from - base] & KPF_COMPOUND_TAIL))
				return 0;
			set_bits(pass->have, from - base, from - base + 1);
		}
	}
	return 0;
}

/* Frames [begin, end) of the block, from the last one down to the head. */
static int extend_down(struct pass *pass, uint64_t base, uint64_t begin, uint64_t end,
		       struct error *error)
{
	while (begin < end) {
		uint64_t stop = end - begin < EXTEND ? begin : end - EXTEND;

		if (pass_read(pass, base, stop, end, error) < 0)
			return -1;
		for (; end > stop; end--) {
			uint64_t flags = pass->words[end - 1 - base];

			if (!(flags & COMPOUND))
				return 0;
			set_bits(pass->have, end - 1 - base, end - base);
			if (flags & KPF_COMPOUND_HEAD)
				return 0;
		}
	}
	return 0;
}

/* Folios of which a part is mapped: a replay asks where they begin and end. */
static int extend_folios(struct pass *pass, uint64_t base, uint64_t limit, struct error *error)
{
	uint64_t before = base, start = bitmap_find(pass->wanted, base, limit, true);

	while (start < limit) {
		uint64_t end = bitmap_find(pass->wanted, start, limit, false);
		uint64_t next = bitmap_find(pass->wanted, end, limit, true);
		uint64_t first = pass->words[start - base], last = pass->words[end - 1 - base];

		if (first & KPF_COMPOUND_TAIL && !(first & KPF_COMPOUND_HEAD) &&
		    extend_down(pass, base, before, start, error) < 0)
			return -1;
		if (last & COMPOUND && extend_up(pass, base, end, next, error) < 0)
			return -1;
		before = end;
		start = next;
	}
	return 0;
}

/* Bit 56 of a page in a large folio may be its head's (6.18): the count is wanted unless the
 * folio is exclusive. */
static void mark_counted(struct pass *pass, uint64_t base, uint64_t limit)
{
	struct frame_set *set = &pass->recording->frames;

	for (uint64_t frame = base; frame < limit; frame++) {
		uint64_t flags = pass->words[frame - base];

		if (!(flags & COMPOUND) || !bitmap_has(set->wanted, frame) ||
		    (flags & KPF_ANON && flags & KPF_ANON_EXCLUSIVE))
			continue;
		set_bits(set->counted, frame, frame + 1);
	}
}

static int write_block(struct pass *pass, uint64_t base, uint64_t limit, struct error *error)
{
	uint64_t size = limit - base, at = bitmap_find(pass->have, 0, size, true);

	while (at < size) {
		uint64_t end = bitmap_find(pass->have, at, size, false);

		if (runs_words(&pass->runs, base + at, pass->words + at, end - at, error) < 0)
			return -1;
		at = bitmap_find(pass->have, end, size, true);
	}
	return 0;
}

static int do_block(struct pass *pass, uint64_t base, uint64_t limit, struct error *error)
{
	bool full = block_full(pass, base, limit), flags = pass->what == SOURCE_KPAGEFLAGS;
	int rc = full ? read_folio(pass, base, error) : 0;

	memset(pass->have, 0, (pass->block + 63) / 64 * sizeof(*pass->have));
	for (uint64_t at = base; at < limit; at += 64)
		pass->have[(at - base) / 64] = pass->wanted[at / 64];
	if (!rc)
		rc = read_wanted(pass, base, limit, error);
	if (rc >= 0 && flags && !full)
		rc = extend_folios(pass, base, limit, error);
	if (rc < 0)
		return rc;
	if (flags)
		mark_counted(pass, base, limit);
	return write_block(pass, base, limit, error);
}

static int do_blocks(struct pass *pass, struct error *error)
{
	uint64_t end = pass->recording->frames.end;
	uint64_t at = bitmap_find(pass->wanted, 0, end, true);

	while (at < end) {
		uint64_t base = at / pass->block * pass->block, limit = base + pass->block;

		limit = limit < end ? limit : end;
		if (do_block(pass, base, limit, error) < 0)
			return -1;
		at = bitmap_find(pass->wanted, limit, end, true);
	}
	return 0;
}

static int pass_run(struct pass *pass, struct error *error)
{
	pass->words = calloc(pass->block, sizeof(*pass->words));
	pass->have = calloc((pass->block + 63) / 64, sizeof(*pass->have));
	if (!pass->words || !pass->have)
		return error_nomem(error);
	if (out_open(&pass->out, pass->recording, pass->recording->frames_dir, names[pass->what],
		     error) < 0)
		return -1;
	pass->runs = (struct runs) { .out = &pass->out };
	if (do_blocks(pass, error) < 0)
		return -1;
	return runs_end(&pass->runs, error);
}

/* `missing`: which of the two lists of the machine this thread may use. */
static int frames_record(struct recording *recording, enum source_frames what,
			 const uint64_t *wanted, int missing, struct error *error)
{
	struct pass pass = {
		.recording = recording, .what = what, .wanted = wanted,
		.block = recording->page_size / 8, .out.fd = -1,
	};
	struct error failure = ERROR_INIT;
	char item[32];
	uint64_t word;
	size_t got;
	int rc;

	if (source_frames(recording->source, what, 0, &word, 1, &got, &failure) < 0) {
		snprintf(item, sizeof(item), "frames/%s", names[what]);
		return missing_add(&recording->missing[missing], item, &failure, error);
	}
	rc = pass_run(&pass, error);
	out_done(&pass.out);
	free(pass.words);
	free(pass.have);
	return rc;
}

int frames_record_flags(struct recording *recording, struct error *error)
{
	int rc = frames_record(recording, SOURCE_KPAGEFLAGS, recording->frames.wanted, 0, error);

	return rc < 0 ? rc : frames_record(recording, SOURCE_KPAGECOUNT,
					   recording->frames.counted, 0, error);
}

int frames_record_cgroups(struct recording *recording, struct error *error)
{
	return frames_record(recording, SOURCE_KPAGECGROUP, recording->frames.wanted, 1, error);
}
