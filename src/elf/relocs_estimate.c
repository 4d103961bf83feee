// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bytes.h"
#include "vmatlas/elf/relocs.h"

static bool is_packable(const struct elf_reloc_place *place)
{
	return place->kind == ELF_RELOC_RELATIVE && place->table != ELF_RELOC_TABLE_RELR &&
	       place->table != ELF_RELOC_TABLE_MIPS_GOT;
}

/* Packs as linkers do: an address, then bitmaps as long as they hold a bit. */
struct packer {
	uint64_t word;		/* bytes */
	uint64_t base;		/* address of the first bit of the current bitmap */
	bool open;		/* a bitmap may follow */
	bool bits;		/* the current bitmap has one */
	uint64_t words;		/* written */
};

static void pack(struct packer *p, uint64_t place)
{
	uint64_t span = (p->word * 8 - 1) * p->word;

	if (p->open && p->bits && place >= p->base + span) {
		p->base += span;
		p->bits = false;
	}
	if (p->open && place >= p->base && place - p->base < span &&
	    (place - p->base) % p->word == 0) {
		p->words += !p->bits;
		p->bits = true;
		return;
	}
	p->words++;
	p->base = place + p->word;
	p->open = true;
	p->bits = false;
}

void elf_relr_size_estimate(const struct elf_image *image, const struct elf_reloc_index *index,
			    struct elf_relr_estimate *estimate)
{
	struct packer packer = { .word = elf_word_size(image) };
	struct elf_relr_estimate made = { 0 };
	size_t i;

	for (i = 0; i < index->count; i++) {
		const struct elf_reloc_place *place = &index->places[i];
		bool is_rel = place->table == ELF_RELOC_TABLE_REL;
		uint64_t size = is_rel ? ELF_RECORD_SIZE(image, Rel)
				       : ELF_RECORD_SIZE(image, Rela);

		if (!is_packable(place))
			continue;
		made.relative++;
		made.bytes_now += size;
		if (place->place & 1)
			made.bytes_relr += size;
		else
			pack(&packer, place->place);
	}
	made.bytes_relr += packer.words * packer.word;
	*estimate = made;
}
