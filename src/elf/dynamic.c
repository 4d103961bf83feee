// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/elf/dynamic.h"

#include <stdlib.h>

#include "bytes.h"
#include "dynsym_count.h"

/* Tags of Android's packed relocations (bionic/libc/include/elf.h); not in glibc's elf.h. */
enum {
	TAG_ANDROID_REL = 0x6000000f,
	TAG_ANDROID_RELSZ = 0x60000010,
	TAG_ANDROID_RELA = 0x60000011,
	TAG_ANDROID_RELASZ = 0x60000012,
	TAG_ANDROID_RELR = 0x6fffe000,
	TAG_ANDROID_RELRSZ = 0x6fffe001
};

struct dynamic_place {
	uint64_t tag;
	size_t offset;		/* of the uint64_t in struct elf_dynamic */
};

#define PLACE(tag, field) { tag, offsetof(struct elf_dynamic, field) }

static const struct dynamic_place places[] = {
	PLACE(DT_REL, rel.vaddr),
	PLACE(DT_RELSZ, rel.size),
	PLACE(DT_RELA, rela.vaddr),
	PLACE(DT_RELASZ, rela.size),
	PLACE(DT_RELR, relr.vaddr),
	PLACE(DT_RELRSZ, relr.size),
	PLACE(TAG_ANDROID_RELR, relr.vaddr),
	PLACE(TAG_ANDROID_RELRSZ, relr.size),
	PLACE(DT_JMPREL, jmprel.vaddr),
	PLACE(DT_PLTRELSZ, jmprel.size),
	PLACE(TAG_ANDROID_REL, android_rel.vaddr),
	PLACE(TAG_ANDROID_RELSZ, android_rel.size),
	PLACE(TAG_ANDROID_RELA, android_rela.vaddr),
	PLACE(TAG_ANDROID_RELASZ, android_rela.size),
	PLACE(DT_STRTAB, strings.vaddr),
	PLACE(DT_STRSZ, strings.size),
	PLACE(DT_PLTGOT, pltgot),
	PLACE(DT_FLAGS, flags),
	PLACE(DT_FLAGS_1, flags_1),
};

static const struct dynamic_place places_mips[] = {
	PLACE(DT_MIPS_LOCAL_GOTNO, mips_local_gots),
	PLACE(DT_MIPS_GOTSYM, mips_first_got_symbol),
	PLACE(DT_MIPS_SYMTABNO, mips_symbols),
};

static void take_place(struct elf_dynamic *dynamic, const struct dynamic_place *table,
		       size_t count, uint64_t tag, uint64_t value)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].tag == tag)
			memcpy((char *)dynamic + table[i].offset, &value, sizeof(value));
}

static void take_entry(const struct elf_image *image, struct elf_dynamic *dynamic,
		       struct dynsym_tags *tags, uint64_t tag, uint64_t value)
{
	take_place(dynamic, places, ARRAY_SIZE(places), tag, value);
	if (image->machine == EM_MIPS)
		take_place(dynamic, places_mips, ARRAY_SIZE(places_mips), tag, value);
	switch (tag) {
	case DT_PLTREL:
		dynamic->jmprel_is_rela = value == DT_RELA;
		break;
	case DT_TEXTREL:
		dynamic->textrel = true;
		break;
	case DT_BIND_NOW:
		dynamic->bind_now = true;
		break;
	case DT_DEBUG:
		dynamic->debug = true;
		break;
	case DT_SYMTAB:
		tags->symtab = value;
		break;
	case DT_HASH:
		tags->hash = value;
		break;
	case DT_GNU_HASH:
		tags->gnu_hash = value;
		break;
	}
}

static void take_flags(struct elf_dynamic *dynamic)
{
	dynamic->textrel |= !!(dynamic->flags & DF_TEXTREL);
	dynamic->bind_now |= dynamic->flags & DF_BIND_NOW || dynamic->flags_1 & DF_1_NOW;
	dynamic->pie = dynamic->flags_1 & DF_1_PIE;
}

/* From address to file; what is not in the file is cut and noted. */
static void place_table(const struct elf_image *image, struct elf_dynamic *dynamic,
			struct elf_table *table, enum elf_damage damage)
{
	uint64_t available;

	if (!table->size)
		return;
	if (elf_image_offset(image, table->vaddr, &table->offset, &available) < 0)
		available = 0;
	if (table->size > available) {
		table->size = available;
		dynamic->damage |= damage;
	}
}

static void place_tables(const struct elf_image *image, struct elf_dynamic *dynamic)
{
	struct elf_table *relocations[] = { &dynamic->rel, &dynamic->rela, &dynamic->relr,
					    &dynamic->jmprel, &dynamic->android_rel,
					    &dynamic->android_rela };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(relocations); i++)
		place_table(image, dynamic, relocations[i], ELF_DAMAGE_RELOCATIONS);
	place_table(image, dynamic, &dynamic->strings, ELF_DAMAGE_STRINGS);
}

static const struct elf_segment *dynamic_segment(const struct elf_image *image)
{
	size_t i;

	for (i = 0; i < image->segment_count; i++)
		if (image->segments[i].type == PT_DYNAMIC)
			return &image->segments[i];
	return NULL;
}

static void walk(const struct elf_image *image, const uint8_t *raw, size_t count,
		 struct elf_dynamic *dynamic)
{
	size_t size = ELF_RECORD_SIZE(image, Dyn), i;
	struct dynsym_tags tags = { 0 };

	for (i = 0; i < count; i++) {
		uint64_t tag = ELF_FIELD(image, raw + i * size, Dyn, d_tag);

		if (tag == DT_NULL)
			break;
		take_entry(image, dynamic, &tags, tag,
			   ELF_FIELD(image, raw + i * size, Dyn, d_un));
	}
	if (i == count)
		dynamic->damage |= ELF_DAMAGE_DYNAMIC;	/* no DT_NULL at its end */
	take_flags(dynamic);
	place_tables(image, dynamic);
	elf_dynsym_locate(image, &tags, dynamic);
}

int elf_dynamic_read(const struct elf_image *image, struct elf_dynamic *dynamic,
		     struct error *error)
{
	const struct elf_segment *s = dynamic_segment(image), *load;
	size_t size = ELF_RECORD_SIZE(image, Dyn), count;
	struct elf_dynamic made;
	CLEANUP_FREE uint8_t *raw = NULL;

	if (!s || !s->filesz) {
		*dynamic = (struct elf_dynamic) { 0 };
		return 0;
	}
	count = s->filesz / size < ELF_DYNAMIC_MAX ? s->filesz / size : ELF_DYNAMIC_MAX;
	raw = malloc(count * size + 1);
	if (!raw)
		return error_nomem(error);
	load = elf_image_load(image, s->vaddr);
	made = (struct elf_dynamic) { .present = true, .vaddr = s->vaddr, .size = s->memsz,
				      .writable = load && load->flags & PF_W };
	if (elf_image_read(image, s->offset, raw, count * size, NULL) < 0)
		made.damage |= ELF_DAMAGE_DYNAMIC;
	else
		walk(image, raw, count, &made);
	*dynamic = made;
	return 0;
}

#define NAME_MAX_BYTES 4096u	/* of a symbol's name */

int elf_dynamic_symbol_name(const struct elf_image *image, const struct elf_dynamic *dynamic,
			    uint32_t index, struct buf *name, struct error *error)
{
	size_t size = ELF_RECORD_SIZE(image, Sym), len;
	uint8_t raw[sizeof(Elf64_Sym)];
	uint64_t at, left;
	char text[NAME_MAX_BYTES];

	if (!index || index >= dynamic->symbol_count ||
	    elf_image_read(image, dynamic->symbols_offset + index * size, raw, size, NULL) < 0)
		return error_set(error, ERROR_NOT_FOUND, NULL, "no such dynamic symbol");
	at = ELF_FIELD(image, raw, Sym, st_name);
	left = at < dynamic->strings.size ? dynamic->strings.size - at : 0;
	len = left < sizeof(text) ? left : sizeof(text);
	if (!at || !len || elf_image_read(image, dynamic->strings.offset + at, text, len, NULL) < 0)
		return error_set(error, ERROR_NOT_FOUND, NULL, "the symbol has no name");
	return buf_add(name, text, strnlen(text, len)) < 0 ? error_nomem(error) : 0;
}
