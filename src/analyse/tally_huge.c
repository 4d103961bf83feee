// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"
#include "vmatlas/parse/kpageflags.h"

static bool frame_has(const struct tally *tally, uint64_t frame, uint64_t flag)
{
	uint64_t flags = 0;
	size_t got = 0;

	return source_frames(tally->source, SOURCE_KPAGEFLAGS, frame, &flags, 1, &got, NULL) == 0 &&
	       got && flags & flag;
}

/* Could these words be one leaf of the size of a huge page that several map? */
static bool is_candidate(const struct tally *tally, const uint64_t *words)
{
	uint64_t word = words[0];

	return word & PAGEMAP_PRESENT && !(word & PAGEMAP_EXCLUSIVE) &&
	       !(pagemap_frame(word) & (tally->block - 1)) &&
	       words[tally->block - 1] == word + tally->block - 1;
}

/* Without kpageflags: before 7.3 pagemap calls the huge zero page one of a file. */
static bool is_huge_zero(struct tally *tally, uint64_t word)
{
	uint64_t frame = pagemap_frame(word);

	if (frame == __atomic_load_n(&tally->huge_zero, __ATOMIC_RELAXED) && frame)
		return true;
	if (!tally->flags_readable)
		return word & PAGEMAP_FILE;
	if (!frame_has(tally, frame, KPF_ZERO_PAGE))
		return false;
	__atomic_store_n(&tally->huge_zero, frame, __ATOMIC_RELAXED);
	return true;
}

/* Only a whole leaf maps the huge zero page: when it is split, its parts map the small one
 * (mm/huge_memory.c __split_huge_zero_page_pmd). Such words are cleared. */
void tally_drop_huge_zero(struct tally_reader *reader, const struct tally_range *range,
			  uint64_t *words, uint64_t page, uint64_t count)
{
	struct tally *tally = reader->tally;
	uint64_t block = tally->block;

	if (!range->anonymous || !block)
		return;
	for (uint64_t i = -page & (block - 1); i + block <= count; i += block) {
		if (!is_candidate(tally, words + i) || !is_huge_zero(tally, words[i]))
			continue;
		memset(words + i, 0, block * sizeof(*words));
		reader->zero += block;
		reader->huge_zero += block;
	}
}

/* maps does not tell hugetlb files from others; the flags of any of their pages do. */
void tally_tell_hugetlb(struct tally_reader *reader, struct tally_range *range,
			const uint64_t *words, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (!(words[i] & PAGEMAP_PRESENT))
			continue;
		range->maybe_hugetlb = false;
		range->hugetlb = frame_has(reader->tally, pagemap_frame(words[i]), KPF_HUGE);
		return;
	}
}
