/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_RELOCS_ITER_H
#define ELF_RELOCS_ITER_H

#include "vmatlas/elf/relocs.h"
#include "window.h"

/* One table to go through. */
struct reloc_source {
	enum elf_reloc_table table;
	uint64_t offset;	/* in the file */
	uint64_t size;
	bool is_rela;
};

#define RELOC_SOURCES_MAX 16

/* Where the iterator stands in a table; zeroed when a table begins. */
struct reloc_state {
	uint64_t at;		/* bytes of the table consumed */
	uint64_t where;		/* RELR, APS2: address reached */
	uint64_t bits;		/* RELR: places of the current bitmap still to report */
	uint64_t bit_base;	/* RELR: address of bit 0 of `bits` */
	uint64_t left;		/* APS2: relocations left in the table; MIPS: GOT entries done */
	uint64_t group_left;	/* APS2: in the group */
	uint64_t group_flags;
	uint64_t group_delta;
	uint64_t group_info;
	int64_t addend;
	bool begun;
};

struct elf_relocs {
	const struct elf_image *image;
	struct elf_dynamic dynamic;
	struct reloc_source sources[RELOC_SOURCES_MAX];
	size_t source_count;
	size_t source;		/* the current one */
	struct reloc_state state;
	uint64_t done;		/* relocations reported */
	uint32_t copies;	/* symbols looked up for their size */
	const struct reloc_type *type;	/* of the last one: the next most often has the same */
	uint32_t damage;
	struct elf_window window;
};

/* 1 and the next one of the current table, 0 at its end. */
int reloc_next_entry(struct elf_relocs *relocs, struct elf_reloc *reloc);
int reloc_next_relr(struct elf_relocs *relocs, struct elf_reloc *reloc);
int reloc_next_android(struct elf_relocs *relocs, struct elf_reloc *reloc);
int reloc_next_mips_got(struct elf_relocs *relocs, struct elf_reloc *reloc);

/* The current table cannot be read on. */
static inline void reloc_damaged(struct elf_relocs *relocs)
{
	relocs->damage |= relocs->window.withheld ? ELF_DAMAGE_LIMIT : ELF_DAMAGE_RELOCATIONS;
}

/* Type and symbol from r_info of the file's class and machine. */
void reloc_split_info(const struct elf_image *image, uint64_t info, struct elf_reloc *reloc);

#endif
