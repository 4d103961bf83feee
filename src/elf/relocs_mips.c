// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bytes.h"
#include "relocs_iter.h"

/*
 * MIPS writes no relocations for its global offset table: the loader adds the bias to the local
 * entries (all but the first two, its own) and fills one entry per dynamic symbol from
 * DT_MIPS_GOTSYM on (glibc sysdeps/mips/dl-machine.h, elf_machine_got_rel).
 */
#define RESERVED 2

int reloc_next_mips_got(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	const struct elf_dynamic *d = &relocs->dynamic;
	size_t word = elf_word_size(relocs->image);
	uint64_t locals = d->mips_local_gots, globals, i;

	globals = d->mips_symbols > d->mips_first_got_symbol ?
		  d->mips_symbols - d->mips_first_got_symbol : 0;
	if (relocs->state.left < RESERVED)
		relocs->state.left = RESERVED;
	i = relocs->state.left++;
	if (i >= locals && i - locals >= globals)
		return 0;
	*reloc = (struct elf_reloc) {
		.place = d->pltgot + i * word,
		.size = word,
		.kind = i < locals ? ELF_RELOC_RELATIVE : ELF_RELOC_GLOB_DAT,
		.symbol = i < locals ? 0 : (uint32_t)(d->mips_first_got_symbol + i - locals),
		.table = ELF_RELOC_TABLE_MIPS_GOT,
	};
	if (elf_image_load(relocs->image, reloc->place))
		return 1;
	relocs->damage |= ELF_DAMAGE_RELOCATIONS;
	return 0;
}
