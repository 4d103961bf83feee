// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bytes.h"
#include "relocs_iter.h"

/*
 * RELR (gABI proposal, "Relative relocations in a compact form"): an even word is an address to
 * relocate; an odd word is a bitmap of the words that follow, bit 1 being the next one.
 */
static int report(struct elf_relocs *relocs, uint64_t place, struct elf_reloc *reloc)
{
	*reloc = (struct elf_reloc) {
		.place = place,
		.size = elf_word_size(relocs->image),
		.kind = ELF_RELOC_RELATIVE,
		.table = ELF_RELOC_TABLE_RELR,
	};
	return 1;
}

static int next_bit(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	struct reloc_state *state = &relocs->state;
	unsigned bit = (unsigned)__builtin_ctzll(state->bits);

	state->bits &= state->bits - 1;
	return report(relocs, state->bit_base + bit * elf_word_size(relocs->image), reloc);
}

int reloc_next_relr(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	const struct reloc_source *source = &relocs->sources[relocs->source];
	size_t size = elf_word_size(relocs->image);
	struct reloc_state *state = &relocs->state;
	const uint8_t *raw;
	uint64_t word;

	while (!state->bits) {
		if (source->size - state->at < size)
			return 0;
		raw = elf_window_at(&relocs->window, source->offset + state->at, size);
		if (!raw) {
			reloc_damaged(relocs);
			return 0;
		}
		state->at += size;
		word = elf_word(relocs->image, raw);
		if (!(word & 1)) {
			state->where = word + size;
			return report(relocs, word, reloc);
		}
		state->bits = word >> 1;
		state->bit_base = state->where;
		state->where += (size * 8 - 1) * size;
	}
	return next_bit(relocs, reloc);
}
