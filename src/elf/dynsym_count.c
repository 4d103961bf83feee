// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dynsym_count.h"

#include "bytes.h"

/* Words of a GNU hash table read at a time; buckets and chain entries followed at most. */
#define WINDOW 1024
#define CHAIN_WINDOW 16		/* chains have an entry or two, and their table may end there */
#define CHAIN_MAX (1u << 22)

static uint64_t count_from_section(const struct elf_image *image, uint64_t symtab)
{
	size_t i;

	for (i = 1; i < image->section_count; i++) {
		const struct elf_section *s = &image->sections[i];

		if (s->type == SHT_DYNSYM && s->addr == symtab)
			return s->size / ELF_RECORD_SIZE(image, Sym);
	}
	return 0;
}

/* nchain of DT_HASH; its words are 8 bytes wide on s390x and Alpha. */
static uint64_t count_from_hash(const struct elf_image *image, uint64_t hash)
{
	bool wide = image->is_64 && (image->machine == EM_S390 || image->machine == EM_ALPHA);
	size_t size = wide ? 8 : 4;
	uint64_t offset, available;
	uint8_t raw[16];

	if (!hash || elf_image_offset(image, hash, &offset, &available) < 0 ||
	    available < 2 * size || elf_image_read(image, offset, raw, 2 * size, NULL) < 0)
		return 0;
	return elf_uint(image, raw + size, size);
}

/* Highest symbol index that a bucket begins with. */
static uint32_t highest_bucket(const struct elf_image *image, uint64_t offset, uint64_t count)
{
	uint8_t raw[WINDOW * 4];
	uint32_t highest = 0;

	while (count) {
		size_t n = count < WINDOW ? count : WINDOW, i;

		if (elf_image_read(image, offset, raw, n * 4, NULL) < 0)
			return 0;
		for (i = 0; i < n; i++) {
			uint32_t first = elf_u32(image, raw + i * 4);

			highest = first > highest ? first : highest;
		}
		offset += n * 4;
		count -= n;
	}
	return highest;
}

/* Length of a chain: its last entry has bit 0 set. */
static uint64_t chain_length(const struct elf_image *image, uint64_t offset, uint64_t available)
{
	uint64_t done, max = available / 4 < CHAIN_MAX ? available / 4 : CHAIN_MAX;
	uint8_t raw[CHAIN_WINDOW * 4];

	for (done = 0; done < max;) {
		size_t n = max - done < CHAIN_WINDOW ? max - done : CHAIN_WINDOW, i;

		if (elf_image_read(image, offset + done * 4, raw, n * 4, NULL) < 0)
			return done;
		for (i = 0; i < n; i++)
			if (elf_u32(image, raw + i * 4) & 1)
				return done + i + 1;
		done += n;
	}
	return done;
}

/* nbuckets, symoffset, bloom words; buckets; one chain word per symbol from symoffset. */
static uint64_t count_from_gnu_hash(const struct elf_image *image, uint64_t hash)
{
	uint64_t offset, available, buckets, bloom, chains, at;
	uint32_t symoffset, highest;
	uint8_t raw[16];

	if (!hash || elf_image_offset(image, hash, &offset, &available) < 0 ||
	    available < sizeof(raw) || elf_image_read(image, offset, raw, sizeof(raw), NULL) < 0)
		return 0;
	buckets = elf_u32(image, raw);
	symoffset = elf_u32(image, raw + 4);
	bloom = sizeof(raw) + (uint64_t)elf_u32(image, raw + 8) * elf_word_size(image);
	chains = bloom + buckets * 4;
	if (chains > available || buckets > CHAIN_MAX)
		return 0;
	highest = highest_bucket(image, offset + bloom, buckets);
	if (highest < symoffset)
		return symoffset;
	at = chains + ((uint64_t)highest - symoffset) * 4;
	if (at >= available)
		return 0;
	return highest + chain_length(image, offset + at, available - at);
}

/* Fills the whole gap up to the string table: too many at most, which reading bounds. */
static uint64_t count_from_strings(const struct elf_image *image, uint64_t symtab,
				   const struct elf_dynamic *dynamic)
{
	if (dynamic->strings.vaddr <= symtab)
		return 0;
	return (dynamic->strings.vaddr - symtab) / ELF_RECORD_SIZE(image, Sym);
}

void elf_dynsym_locate(const struct elf_image *image, const struct dynsym_tags *tags,
		       struct elf_dynamic *dynamic)
{
	uint64_t offset, available, count;

	if (!tags->symtab)
		return;
	if (elf_image_offset(image, tags->symtab, &offset, &available) < 0) {
		dynamic->damage |= ELF_DAMAGE_SYMBOLS;
		return;
	}
	count = count_from_section(image, tags->symtab);
	if (!count)
		count = count_from_hash(image, tags->hash);
	if (!count)
		count = count_from_gnu_hash(image, tags->gnu_hash);
	if (!count)
		count = dynamic->mips_symbols;
	if (!count)
		count = count_from_strings(image, tags->symtab, dynamic);
	if (count > available / ELF_RECORD_SIZE(image, Sym)) {
		count = available / ELF_RECORD_SIZE(image, Sym);
		dynamic->damage |= ELF_DAMAGE_SYMBOLS;
	}
	dynamic->symbols_offset = offset;
	dynamic->symbol_count = count;
}
