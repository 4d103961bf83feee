// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/elf/relocs.h"

#include <stdlib.h>

#include "bytes.h"
#include "relocs_iter.h"
#include "relocs_types.h"

#define COPIES_MAX 65536	/* symbols looked up for the size of a COPY */

static void add_source(struct elf_relocs *relocs, enum elf_reloc_table table,
		       const struct elf_table *where, bool is_rela)
{
	if (!where->size)
		return;
	if (relocs->source_count == RELOC_SOURCES_MAX) {
		relocs->damage |= ELF_DAMAGE_LIMIT;
		return;
	}
	relocs->sources[relocs->source_count++] =
		(struct reloc_source) { table, where->offset, where->size, is_rela };
}

/* A static program has no PT_DYNAMIC; its IRELATIVE ones are found by section. */
static void add_sections(struct elf_relocs *relocs)
{
	size_t i;

	for (i = 1; i < relocs->image->section_count; i++) {
		const struct elf_section *s = &relocs->image->sections[i];
		struct elf_table where = { s->addr, s->offset, s->size };

		if (!(s->flags & SHF_ALLOC) || (s->type != SHT_REL && s->type != SHT_RELA))
			continue;
		add_source(relocs, s->type == SHT_RELA ? ELF_RELOC_TABLE_RELA
						       : ELF_RELOC_TABLE_REL,
			   &where, s->type == SHT_RELA);
	}
}

static void add_sources(struct elf_relocs *relocs)
{
	const struct elf_dynamic *d = &relocs->dynamic;
	struct elf_table got = { d->pltgot, 0, d->mips_local_gots | d->mips_symbols };

	if (!d->present) {
		if (relocs->image->type == ET_EXEC || relocs->image->type == ET_DYN)
			add_sections(relocs);
		return;
	}
	add_source(relocs, ELF_RELOC_TABLE_RELR, &d->relr, false);
	add_source(relocs, ELF_RELOC_TABLE_ANDROID, &d->android_rel, false);
	add_source(relocs, ELF_RELOC_TABLE_ANDROID, &d->android_rela, true);
	add_source(relocs, ELF_RELOC_TABLE_REL, &d->rel, false);
	add_source(relocs, ELF_RELOC_TABLE_RELA, &d->rela, true);
	add_source(relocs, ELF_RELOC_TABLE_JMPREL, &d->jmprel, d->jmprel_is_rela);
	if (relocs->image->machine == EM_MIPS && d->pltgot)
		add_source(relocs, ELF_RELOC_TABLE_MIPS_GOT, &got, false);
}

static void begin_source(struct elf_relocs *relocs)
{
	const struct reloc_source *source = &relocs->sources[relocs->source];

	relocs->state = (struct reloc_state) { 0 };
	if (relocs->source < relocs->source_count)
		relocs->window.end = source->offset + source->size;
}

int elf_relocs_open(const struct elf_image *image, const struct elf_dynamic *dynamic,
		    struct elf_relocs **relocs, struct error *error)
{
	struct elf_relocs *made = calloc(1, sizeof(*made));

	if (!made)
		return error_nomem(error);
	made->image = image;
	made->dynamic = *dynamic;
	made->damage = dynamic->damage & ELF_DAMAGE_RELOCATIONS;
	elf_window_init(&made->window, image);
	add_sources(made);
	begin_source(made);
	*relocs = made;
	return 0;
}

void elf_relocs_free(struct elf_relocs *relocs)
{
	free(relocs);
}

uint32_t elf_relocs_damage(const struct elf_relocs *relocs)
{
	return relocs->damage;
}

void reloc_split_info(const struct elf_image *image, uint64_t info, struct elf_reloc *reloc)
{
	if (!image->is_64) {
		reloc->symbol = ELF32_R_SYM((uint32_t)info);
		reloc->type = ELF32_R_TYPE((uint32_t)info);
		return;
	}
	reloc->symbol = ELF64_R_SYM(info);
	reloc->type = (uint32_t)ELF64_R_TYPE(info);
	/* The upper 24 bits carry data there (R_SPARC_OLO10). */
	if (image->machine == EM_SPARCV9)
		reloc->type &= 0xff;
}

/* 64-bit MIPS: a 32-bit symbol, then one byte each of ssym, type3, type2, type. */
static void split_mips64(const struct elf_image *image, const uint8_t *raw,
			 struct elf_reloc *reloc)
{
	reloc->symbol = elf_u32(image, raw + offsetof(Elf64_Rel, r_info));
	reloc->type = raw[offsetof(Elf64_Rel, r_info) + 7];
}

static void decode(const struct elf_image *image, const uint8_t *raw,
		   const struct reloc_source *source, struct elf_reloc *reloc)
{
	*reloc = (struct elf_reloc) { .place = ELF_FIELD(image, raw, Rel, r_offset),
				      .table = source->table };
	if (image->machine == EM_MIPS && image->is_64)
		split_mips64(image, raw, reloc);
	else
		reloc_split_info(image, ELF_FIELD(image, raw, Rel, r_info), reloc);
	if (!source->is_rela)
		return;
	reloc->addend = image->is_64 ? (int64_t)ELF_FIELD(image, raw, Rela, r_addend)
				     : (int32_t)ELF_FIELD(image, raw, Rela, r_addend);
}

/* On some machines the range of DT_RELA holds that of DT_JMPREL, which is reported as such. */
static void skip_jmprel(struct elf_relocs *relocs, const struct reloc_source *source)
{
	const struct elf_table *plt = &relocs->dynamic.jmprel;
	uint64_t offset = source->offset + relocs->state.at;

	if (source->table != ELF_RELOC_TABLE_JMPREL && plt->size && offset >= plt->offset &&
	    offset - plt->offset < plt->size)
		relocs->state.at += plt->size - (offset - plt->offset);
}

int reloc_next_entry(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	const struct reloc_source *source = &relocs->sources[relocs->source];
	size_t size = source->is_rela ? ELF_RECORD_SIZE(relocs->image, Rela)
				      : ELF_RECORD_SIZE(relocs->image, Rel);
	const uint8_t *raw;

	skip_jmprel(relocs, source);
	if (relocs->state.at >= source->size)
		return 0;
	if (source->size - relocs->state.at < size) {
		relocs->damage |= ELF_DAMAGE_RELOCATIONS;
		return 0;
	}
	raw = elf_window_at(&relocs->window, source->offset + relocs->state.at, size);
	if (!raw) {
		reloc_damaged(relocs);
		return 0;
	}
	relocs->state.at += size;
	decode(relocs->image, raw, source, reloc);
	return 1;
}

/* The variable that a COPY fills has the size that this file's own symbol says. */
static uint64_t copy_size(struct elf_relocs *relocs, uint32_t symbol)
{
	size_t size = ELF_RECORD_SIZE(relocs->image, Sym);
	uint8_t raw[sizeof(Elf64_Sym)];

	if (symbol >= relocs->dynamic.symbol_count || relocs->copies >= COPIES_MAX)
		return 1;
	relocs->copies++;
	if (elf_image_read(relocs->image, relocs->dynamic.symbols_offset + symbol * size, raw,
			   size, NULL) < 0)
		return 1;
	return ELF_FIELD(relocs->image, raw, Sym, st_size);
}

static void classify(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	const struct reloc_type *type = relocs->type;
	size_t word = elf_word_size(relocs->image);

	if (!type || type->type != reloc->type)
		type = relocs->type = reloc_type_find(relocs->image->machine, reloc->type);
	reloc->kind = type ? type->kind : ELF_RELOC_OTHER;
	reloc->size = type && type->size ? type->size : word;
	if (!reloc->type)
		reloc->size = 0;	/* R_*_NONE writes nothing */
	else if (reloc->kind == ELF_RELOC_COPY)
		reloc->size = copy_size(relocs, reloc->symbol);
	else if (relocs->image->machine == EM_MIPS && reloc->type == R_MIPS_REL32 &&
		 !reloc->symbol)
		reloc->kind = ELF_RELOC_RELATIVE;
	if (reloc->size > UINT64_MAX - reloc->place) {
		reloc->size = UINT64_MAX - reloc->place;
		relocs->damage |= ELF_DAMAGE_RELOCATIONS;
	}
}

static int next_of_source(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	switch (relocs->sources[relocs->source].table) {
	case ELF_RELOC_TABLE_RELR:
		return reloc_next_relr(relocs, reloc);
	case ELF_RELOC_TABLE_MIPS_GOT:
		return reloc_next_mips_got(relocs, reloc);
	case ELF_RELOC_TABLE_ANDROID:
		if (!reloc_next_android(relocs, reloc))
			return 0;
		break;
	default:
		if (!reloc_next_entry(relocs, reloc))
			return 0;
	}
	classify(relocs, reloc);
	return 1;
}

int elf_relocs_next(struct elf_relocs *relocs, struct elf_reloc *reloc)
{
	while (relocs->source < relocs->source_count) {
		if (relocs->done == ELF_RELOCS_MAX) {
			relocs->damage |= ELF_DAMAGE_LIMIT;
			return 0;
		}
		if (next_of_source(relocs, reloc)) {
			relocs->done++;
			return 1;
		}
		relocs->source++;
		begin_source(relocs);
	}
	return 0;
}
