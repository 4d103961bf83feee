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
	uint32_t shared = (uint32_t)(~word >> 56 & 1) << 31, *at, set;

	if ((frame >= tally->frames.count || frame == tally->zero_frame) &&
	    is_odd(reader, frame))
		return 0;
	at = tally_slot_make(&tally->frames, frame);
	if (!at)
		return no_memory(tally);
	set = *at & TALLY_SET_MASK;
	if (!set)
		set = empty_set(range, word);
	else if (word & PAGEMAP_EXCLUSIVE)
		tally_space_note(tally, reader->process, set);
	set = tally_step(&tally->nodes, set, range->group, reader->number);
	if (set == TALLY_NONE)
		return no_memory(tally);
	*at = set | (*at & TALLY_SHARED) | shared;
	return 0;
}

/*
 * The word of a frame and the node of its set have to come from memory, one after the other: both
 * are asked for while words before them are still folded, beyond the end of a VMA.
 */
#define AHEAD_NODE 12
#define AHEAD_WORD 24

/* The word of its frame; of what has none, one that is empty. (Functions that only prefetch are
 * dropped by gcc: they are seen as pure.) */
static inline const uint32_t *word_ahead(const struct tally *tally, uint64_t word)
{
	uint64_t frame = pagemap_frame(word);

	if (!(word & PAGEMAP_PRESENT) || frame >= tally->frames.count)
		return tally->frames.words;
	return tally_slot(&tally->frames, frame);
}

static inline const struct tally_node *node_ahead(const struct tally *tally, uint64_t word)
{
	return &tally->nodes.items[*word_ahead(tally, word) & TALLY_SET_MASK];
}

static int fold_swap(struct tally_reader *reader, const struct tally_range *range, uint64_t word)
{
	struct tally *tally = reader->tally;
	struct swap_entry entry = pagemap_swap(word, true);
	struct tally_slots *slots;
	uint32_t *at, set;

	if (entry.kind == SWAP_SPECIAL)
		reader->special++;
	if (entry.kind != SWAP_SLOT)
		return 0;
	slots = &tally->swap[entry.type];
	if (!has_slot(slots, entry.offset)) {
		reader->special++;
		return 0;
	}
	at = tally_slot_make(slots, entry.offset);
	if (!at)
		return no_memory(tally);
	set = tally_step(&tally->nodes, *at ? *at : TALLY_SWAP, range->group, reader->number);
	if (set == TALLY_NONE)
		return no_memory(tally);
	*at = set;
	return 0;
}

int tally_fold(struct tally_reader *reader, const struct tally_range *range,
	       const uint64_t *words, uint64_t count, const uint64_t *end)
{
	struct tally_work *work = &reader->tally->works[reader->process];
	uint64_t exclusive = 0, ahead = (uint64_t)(end - words);
	int rc = 0;

	for (uint64_t i = 0; i < count && rc >= 0; i++) {
		uint64_t word = words[i];

		if (i + AHEAD_WORD < ahead) {
			__builtin_prefetch(word_ahead(reader->tally, words[i + AHEAD_WORD]));
			__builtin_prefetch(node_ahead(reader->tally, words[i + AHEAD_NODE]));
		}
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
