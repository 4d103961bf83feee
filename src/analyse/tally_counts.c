// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"
#include "vmatlas/parse/kpageflags.h"

#define SPAN (1024u * TALLY_BLOCK)	/* frames that a thread takes at a time */
#define FRAME_GAP 4			/* a call costs as much as 3 to 4 frames */

/* One file of words by frame: whose, and what comes of a word. */
struct pass {
	enum source_frames what;
	/* A frame is asked for only if its word has any of these bits, and it is wanted. */
	uint32_t (*bits)(const struct tally *tally);
	bool (*wants)(const struct tally *tally, uint64_t frame);
	/* With the lock held; negative for want of memory. */
	int (*apply)(struct tally_reader *reader, uint64_t frame, uint64_t word);
};

static const struct tally_size *size_of(const struct tally *tally, uint64_t frame)
{
	return &tally->sizes[*tally_slot(&tally->frames, frame) & TALLY_SET_MASK];
}

static bool is_shared(const struct tally *tally, uint64_t frame)
{
	return *tally_slot(&tally->frames, frame) & TALLY_SHARED;
}

/*
 * Part of a leaf of the size of a huge page, as far as one can see? There "mapped once" is said
 * of the head (6.18), while another process may still map the rest of it page by page.
 */
static bool maybe_huge(const struct tally *tally, uint64_t frame)
{
	uint64_t first = frame & ~(uint64_t)(tally->block - 1);
	const struct tally_slots *slots = &tally->frames;
	uint32_t head;

	if (!tally->block || first + tally->block > slots->count)
		return false;
	head = *tally_slot(slots, first);
	return head && head == *tally_slot(slots, first + tally->block / 2) &&
	       head == *tally_slot(slots, first + tally->block - 1);
}

static uint32_t count_bits(const struct tally *tally)
{
	return tally->request.needs & TALLY_NEED_COUNTS ? UINT32_MAX : TALLY_SHARED;
}

/* Found once, and not mapped once: there is a mapper that was not seen. */
static bool wants_count(const struct tally *tally, uint64_t frame)
{
	const struct tally_size *size = size_of(tally, frame);

	if (!size->found)
		return false;
	if (is_shared(tally, frame))
		return size->found == 1 || tally->request.needs & TALLY_NEED_COUNTS;
	return tally->request.needs & TALLY_NEED_COUNTS && size->kind == TALLY_ANON &&
	       maybe_huge(tally, frame);
}

static uint32_t flags_bits(const struct tally *tally)
{
	(void)tally;
	return TALLY_SHARED;
}

static bool wants_flags(const struct tally *tally, uint64_t frame)
{
	const struct tally_size *size = size_of(tally, frame);

	return size->found && !size->crowd && size->kind == TALLY_ANON && is_shared(tally, frame);
}

static int extend(struct tally_reader *reader, uint64_t frame, uint32_t member)
{
	struct tally *tally = reader->tally;
	uint32_t *at = tally_slot(&tally->frames, frame);
	uint32_t set = tally_step(&tally->nodes, *at & TALLY_SET_MASK, member, reader->number);

	if (set == TALLY_NONE)
		return -ERROR_NOMEM;
	*at = set | (*at & TALLY_SHARED);
	return 0;
}

/*
 * Hugetlb pages below a page table that several processes have in common (mm/hugetlb.c
 * huge_pmd_share) are mapped once, whoever uses that table: "not mapped once" tells of somebody
 * else, but not of how many.
 */
static int apply_count(struct tally_reader *reader, uint64_t frame, uint64_t count)
{
	struct tally *tally = reader->tally;
	const struct tally_size *size = size_of(tally, frame);
	uint64_t found = size->found;

	if (size->kind == TALLY_HUGETLB && count <= found)
		count = found + (found == 1);
	if (count > found) {
		count -= found;
		return extend(reader, frame, TALLY_OUTSIDE | (uint32_t)(count < TALLY_OUTSIDE_MAX ?
									count : TALLY_OUTSIDE_MAX));
	}
	if (count < found)
		tally->totals.over += tally->page_size;
	return 0;
}

/* The zero page, of which nothing was known when it was seen: taken back from all its sets. */
static void drop_zero(struct tally *tally, uint64_t frame)
{
	const struct tally_node *nodes = tally->nodes.items;
	uint32_t *at = tally_slot(&tally->frames, frame), set = *at & TALLY_SET_MASK;

	for (; set >= TALLY_KIND_MAX; set = nodes[set].parent)
		if (tally_member_counts(tally, nodes[set].member))
			tally->processes[tally->members[nodes[set].member].space].zero +=
				tally->page_size;
	*at = 0;
}

static int apply_flags(struct tally_reader *reader, uint64_t frame, uint64_t flags)
{
	if (flags & KPF_ZERO_PAGE)
		drop_zero(reader->tally, frame);
	else if (flags & KPF_KSM)
		return extend(reader, frame, TALLY_MARK_KSM);
	return 0;
}

static int apply_words(struct tally_reader *reader, const struct pass *pass, uint64_t first,
		       size_t count)
{
	struct tally *tally = reader->tally;
	int rc = 0;

	pthread_mutex_lock(&tally->lock);
	for (size_t i = 0; i < count && rc >= 0; i++)
		if (*tally_slot(&tally->frames, first + i) && pass->wants(tally, first + i))
			rc = pass->apply(reader, first + i, reader->words[i]);
	pthread_mutex_unlock(&tally->lock);
	return rc;
}

static int read_words(struct tally_reader *reader, const struct pass *pass, uint64_t first,
		      uint64_t end)
{
	struct tally *tally = reader->tally;
	struct error error = ERROR_INIT;
	int rc = 0;

	while (first < end && rc >= 0) {
		size_t count = end - first < TALLY_WINDOW ? end - first : TALLY_WINDOW, got = 0;

		rc = source_frames(tally->source, pass->what, first, reader->words, count, &got,
				   &error);
		if (rc < 0 || !got)
			break;
		rc = apply_words(reader, pass, first, got);
		if (rc < 0)
			error_nomem(&error);
		first += got;
	}
	if (rc < 0)
		tally_fail(tally, &error);
	return rc;
}

/* One read that goes on over small gaps. */
struct batch {
	uint64_t first;
	uint64_t end;		/* 0: nothing is in it */
};

static int batch_add(struct tally_reader *reader, const struct pass *pass, struct batch *batch,
		     uint64_t frame)
{
	int rc = 0;

	if (batch->end && frame > batch->end + FRAME_GAP) {
		rc = read_words(reader, pass, batch->first, batch->end);
		batch->end = 0;
	}
	if (!batch->end)
		batch->first = frame;
	batch->end = frame + 1;
	return rc;
}

/* Most blocks have no frame that is mapped and not mapped once: that is seen at a glance. */
static bool block_has(const uint32_t *words, uint32_t bits)
{
	uint32_t all = 0;

	for (size_t i = 0; i < TALLY_BLOCK; i++)
		all |= words[i];
	return all & bits;
}

/* The wanted frames of [first, end). A thread changes only words of its own span, and sets that
 * were there before. */
static int read_span(struct tally_reader *reader, const struct pass *pass, uint64_t first,
		     uint64_t end)
{
	const struct tally_slots *slots = &reader->tally->frames;
	const uint32_t bits = pass->bits(reader->tally);
	struct batch batch = { 0, 0 };

	for (uint64_t block = first; block < end; block += TALLY_BLOCK) {
		const uint32_t *words = tally_slot(slots, block);

		if (!slots->blocks[block / TALLY_BLOCK] || !block_has(words, bits))
			continue;
		for (uint64_t i = 0; i < TALLY_BLOCK; i++)
			if (words[i] & bits && pass->wants(reader->tally, block + i) &&
			    batch_add(reader, pass, &batch, block + i) < 0)
				return -1;
	}
	return batch.end ? read_words(reader, pass, batch.first, batch.end) : 0;
}

static void read_spans(struct tally_reader *reader, const struct pass *pass)
{
	struct tally *tally = reader->tally;
	uint64_t first, end;

	for (;;) {
		pthread_mutex_lock(&tally->lock);
		first = tally->rc < 0 ? tally->frames.count : tally->next_span;
		tally->next_span = first + SPAN;
		pthread_mutex_unlock(&tally->lock);
		if (first >= tally->frames.count)
			return;
		end = first + SPAN < tally->frames.count ? first + SPAN : tally->frames.count;
		if (read_span(reader, pass, first, end) < 0)
			return;
	}
}

static const struct pass count_pass = { SOURCE_KPAGECOUNT, count_bits, wants_count, apply_count };
static const struct pass flags_pass = { SOURCE_KPAGEFLAGS, flags_bits, wants_flags, apply_flags };

static void read_counts(struct tally_reader *reader)
{
	read_spans(reader, &count_pass);
}

static void read_flags(struct tally_reader *reader)
{
	read_spans(reader, &flags_pass);
}

/* Without kpagecount: somebody else maps it, at least once. */
static void assume_counts(struct tally_reader *reader)
{
	struct tally *tally = reader->tally;
	struct tally_slots *slots = &tally->frames;

	pthread_mutex_lock(&tally->lock);
	for (uint64_t frame = 0; frame < slots->count; frame++) {
		if (!slots->blocks[frame / TALLY_BLOCK])
			frame |= TALLY_BLOCK - 1;
		else if (is_shared(tally, frame) && size_of(tally, frame)->found == 1 &&
			 extend(reader, frame, TALLY_OUTSIDE | 1) < 0)
			break;
	}
	pthread_mutex_unlock(&tally->lock);
}

/* Is there any frame that KSM merged? */
static bool may_be_merged(const struct tally *tally)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint64_t frames;
	struct span span;

	if (source_system_text(tally->source, SOURCE_KSM_SHARED, &text, NULL) < 0)
		return true;
	span = span_trim(buf_span(&text));
	return !span_take_dec(&span, &frames) || frames;
}

static bool wants_any_flags(const struct tally *tally)
{
	return !tally->zero_frame ||
	       (tally->request.needs & TALLY_NEED_KSM && may_be_merged(tally));
}

static int run_pass(struct tally *tally, void (*run)(struct tally_reader *reader), size_t jobs)
{
	int rc = tally_sizes(tally);

	tally->next_span = 0;
	return rc < 0 ? rc : tally_each_thread(tally, jobs, run);
}

int tally_counts(struct tally *tally)
{
	struct tally_totals *totals = &tally->totals;
	size_t spans = tally->frames.count / SPAN + 1;
	int rc = 0;

	if (!totals->frames_visible)
		return 0;
	if (wants_any_flags(tally)) {
		totals->flags_gap = source_frames_access(tally->source, SOURCE_KPAGEFLAGS);
		if (totals->flags_gap == GAP_NONE)
			rc = run_pass(tally, read_flags, spans);
	}
	if (rc < 0)
		return rc;
	totals->counts_gap = source_frames_access(tally->source, SOURCE_KPAGECOUNT);
	return totals->counts_gap == GAP_NONE ? run_pass(tally, read_counts, spans) :
		run_pass(tally, assume_counts, 1);
}
