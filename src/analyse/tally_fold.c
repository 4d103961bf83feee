// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"

static int no_memory(struct tally *tally)
{
	error_nomem(&tally->error);
	tally->rc = -ERROR_NOMEM;
	return -1;
}

static bool has_slot(struct tally_slots *slots, uint64_t at)
{
	return at < slots->count || (at < TALLY_SLOTS_MAX && tally_slots_grow(slots, at + 1) == 0);
}

static uint32_t empty_set(const struct tally_range *range, uint64_t word)
{
	if (range->hugetlb)
		return TALLY_HUGETLB;
	return word & PAGEMAP_FILE ? TALLY_FILE : TALLY_ANON;
}

/* Not memory that counts: the zero page, or a frame beyond all. */
static bool is_odd(struct tally_reader *reader, uint64_t frame)
{
	struct tally *tally = reader->tally;

	if (frame == tally->zero_frame && frame) {
		reader->zero++;
		return true;
	}
	if (has_slot(&tally->frames, frame))
		return false;
	reader->special++;
	return true;
}

static inline int fold_present(struct tally_reader *reader, const struct tally_range *range,
			       uint64_t word)
{
	struct tally *tally = reader->tally;
	uint64_t frame = pagemap_frame(word);
	uint32_t shared = (uint32_t)(~word >> 56 & 1) << 31, old, set;

	if ((frame >= tally->frames.count || frame == tally->zero_frame) &&
	    is_odd(reader, frame))
		return 0;
	old = tally->frames.at[frame];
	set = old & TALLY_SET_MASK;
	if (!set) {
		set = empty_set(range, word);
		tally->frames.touched[frame / TALLY_BLOCK] = 1;
	} else if (word & PAGEMAP_EXCLUSIVE) {
		tally_space_note(tally, reader->process, set);
	}
	set = tally_step(&tally->nodes, set, range->group, reader->number);
	if (set == TALLY_NONE)
		return no_memory(tally);
	tally->frames.at[frame] = set | (old & TALLY_SHARED) | shared;
	return 0;
}

/* The number of a set is known long before its node has come from memory. */
#define AHEAD 12

/* A page of the table that is written first costs one fault; one that is read first, two. */
static inline void touch_block(struct tally_slots *slots, uint64_t at)
{
	uint64_t block = at / TALLY_BLOCK;

	if (slots->touched[block])
		return;
	slots->touched[block] = 1;
	*(volatile uint32_t *)&slots->at[block * TALLY_BLOCK] = 0;
}

static inline void fetch_ahead(struct tally *tally, uint64_t word)
{
	uint64_t frame = pagemap_frame(word);

	if (!(word & PAGEMAP_PRESENT) || frame >= tally->frames.count)
		return;
	touch_block(&tally->frames, frame);
	__builtin_prefetch(&tally->nodes.items[tally->frames.at[frame] & TALLY_SET_MASK]);
}

static int fold_swap(struct tally_reader *reader, const struct tally_range *range, uint64_t word)
{
	struct tally *tally = reader->tally;
	struct swap_entry entry = pagemap_swap(word, true);
	struct tally_slots *slots;
	uint32_t set;

	if (entry.kind == SWAP_SPECIAL)
		reader->special++;
	if (entry.kind != SWAP_SLOT)
		return 0;
	slots = &tally->swap[entry.type];
	if (!has_slot(slots, entry.offset)) {
		reader->special++;
		return 0;
	}
	set = slots->at[entry.offset];
	if (!set) {
		set = TALLY_SWAP;
		slots->touched[entry.offset / TALLY_BLOCK] = 1;
	}
	set = tally_step(&tally->nodes, set, range->group, reader->number);
	if (set == TALLY_NONE)
		return no_memory(tally);
	slots->at[entry.offset] = set;
	return 0;
}

int tally_fold(struct tally_reader *reader, const struct tally_range *range,
	       const uint64_t *words, uint64_t count)
{
	struct tally_work *work = &reader->tally->works[reader->process];
	uint64_t exclusive = 0;
	int rc = 0;

	for (uint64_t i = 0; i < count && rc >= 0; i++) {
		uint64_t word = words[i];

		if (i + AHEAD < count)
			fetch_ahead(reader->tally, words[i + AHEAD]);
		if (word & PAGEMAP_PRESENT) {
			exclusive += word >> 56 & 1;
			rc = fold_present(reader, range, word);
		} else if (word & PAGEMAP_SWAP) {
			rc = fold_swap(reader, range, word);
		}
	}
	work->exclusive += exclusive;
	return rc;
}
