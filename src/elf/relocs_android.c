// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bytes.h"
#include "relocs_iter.h"

/*
 * Android's packed relocations: "APS2", then SLEB128 numbers: how many, the first r_offset, and
 * groups that share what their flags say (bionic/linker/linker_reloc_iterators.h).
 */
enum {
	BY_INFO = 1,
	BY_OFFSET_DELTA = 2,
	BY_ADDEND = 4,
	HAS_ADDEND = 8
};

static bool damaged(struct elf_relocs *relocs)
{
	reloc_damaged(relocs);
	return false;
}

static bool take_sleb(struct elf_relocs *relocs, int64_t *value)
{
	const struct reloc_source *source = &relocs->sources[relocs->source];
	struct reloc_state *state = &relocs->state;
	uint64_t v = 0;
	unsigned shift;

	for (shift = 0; shift < 70 && state->at < source->size; shift += 7) {
		const uint8_t *p = elf_window_at(&relocs->window, source->offset + state->at, 1);

		if (!p)
			break;
		state->at++;
		if (shift < 64)
			v |= (uint64_t)(*p & 0x7f) << shift;
		if (*p & 0x80)
			continue;
		if (*p & 0x40 && shift + 7 < 64)
			v |= -1ull << (shift + 7);
		*value = (int64_t)v;
		return true;
	}
	return damaged(relocs);
}

static bool begin(struct elf_relocs *relocs)
{
	const struct reloc_source *source = &relocs->sources[relocs->source];
	struct reloc_state *state = &relocs->state;
	const uint8_t *p = source->size >= 4 ?
			   elf_window_at(&relocs->window, source->offset, 4) : NULL;
	int64_t count, where;

	state->begun = true;
	if (!p || memcmp(p, "APS2", 4))
		return damaged(relocs);
	state->at = 4;
	if (!take_sleb(relocs, &count) || !take_sleb(relocs, &where))
		return false;
	if (count < 0)
		return damaged(relocs);
	state->left = (uint64_t)count;
	state->where = (uint64_t)where;
	return true;
}

static bool begin_group(struct elf_relocs *relocs)
{
	struct reloc_state *state = &relocs->state;
	int64_t count, flags, delta = 0, info = 0, addend = 0;

	if (!take_sleb(relocs, &count) || !take_sleb(relocs, &flags))
		return false;
	if (count <= 0 || (uint64_t)count > state->left)
		return damaged(relocs);
	if (flags & BY_OFFSET_DELTA && !take_sleb(relocs, &delta))
		return false;
	if (flags & BY_INFO && !take_sleb(relocs, &info))
		return false;
	if (flags & HAS_ADDEND && flags & BY_ADDEND && !take_sleb(relocs, &addend))
		return false;
	state->group_left = (uint64_t)count;
	state->group_flags = (uint64_t)flags;
	state->group_delta = (uint64_t)delta;
	state->group_info = (uint64_t)info;
	state->addend = flags & HAS_ADDEND ? (int64_t)((uint64_t)state->addend + (uint64_t)addend)
					   : 0;
	return true;
}

static bool take_one(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	struct reloc_state *state = &relocs->state;
	int64_t delta = (int64_t)state->group_delta, info = (int64_t)state->group_info, addend;

	if (!(state->group_flags & BY_OFFSET_DELTA) && !take_sleb(relocs, &delta))
		return false;
	if (!(state->group_flags & BY_INFO) && !take_sleb(relocs, &info))
		return false;
	if (state->group_flags & HAS_ADDEND && !(state->group_flags & BY_ADDEND)) {
		if (!take_sleb(relocs, &addend))
			return false;
		state->addend = (int64_t)((uint64_t)state->addend + (uint64_t)addend);
	}
	state->where += (uint64_t)delta;
	*reloc = (struct elf_reloc) { .place = state->where, .addend = state->addend,
				      .table = ELF_RELOC_TABLE_ANDROID };
	reloc_split_info(relocs->image, (uint64_t)info, reloc);
	return true;
}

int reloc_next_android(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	struct reloc_state *state = &relocs->state;

	if (!state->begun && !begin(relocs))
		return 0;
	if (!state->left || (!state->group_left && !begin_group(relocs)))
		return 0;
	if (!take_one(relocs, reloc)) {
		state->left = 0;
		return 0;
	}
	state->left--;
	state->group_left--;
	return 1;
}
