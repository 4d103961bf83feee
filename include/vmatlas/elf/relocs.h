/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ELF_RELOCS_H
#define VMATLAS_ELF_RELOCS_H

#include "vmatlas/elf/dynamic.h"
#include "vmatlas/elf/image.h"

/*
 * Dynamic relocations of one file: the words that the loader writes when the program starts
 * (or, for a lazily bound JUMP_SLOT, again at the first call). Found through PT_DYNAMIC, so
 * without section headers too; in static programs the IRELATIVE ones through their sections.
 */

enum elf_reloc_kind {
	ELF_RELOC_RELATIVE,	/* load bias added to a word */
	ELF_RELOC_SYMBOLIC,	/* address of a symbol in a word of data or code */
	ELF_RELOC_PLT,		/* JUMP_SLOT */
	ELF_RELOC_IRELATIVE,	/* address that a resolver function returns */
	ELF_RELOC_GLOB_DAT,	/* address of a symbol in the GOT */
	ELF_RELOC_COPY,		/* initial value of a variable of a library, copied */
	ELF_RELOC_TLS,		/* module, offset or descriptor of a thread-local variable */
	ELF_RELOC_OTHER,	/* known to this file's machine, not to us; or R_*_NONE */
	ELF_RELOC_KIND_MAX
};

/* Where it was written. */
enum elf_reloc_table {
	ELF_RELOC_TABLE_REL,
	ELF_RELOC_TABLE_RELA,
	ELF_RELOC_TABLE_JMPREL,
	ELF_RELOC_TABLE_RELR,
	ELF_RELOC_TABLE_ANDROID,	/* APS2 packed */
	ELF_RELOC_TABLE_MIPS_GOT,	/* implied by DT_MIPS_*, written nowhere */
	ELF_RELOC_TABLE_MAX
};

extern const struct name elf_reloc_kind_names[];	/* "relative", "glob-dat", ... */
extern const struct name elf_reloc_table_names[];

struct elf_reloc {
	uint64_t place;		/* p_vaddr of the first byte written */
	uint64_t size;		/* bytes written; for COPY the size of the symbol */
	int64_t addend;		/* 0 where the addend is in the place (REL, RELR) */
	uint32_t type;		/* R_*, the machine's number */
	uint32_t symbol;	/* index in .dynsym, 0: none */
	enum elf_reloc_kind kind;
	enum elf_reloc_table table;
};

/* At most so many are read of one file. */
#define ELF_RELOCS_MAX (1u << 24)
/* Kept in the index of places (16 bytes each). */
#define ELF_RELOC_PLACES_MAX (1u << 22)

/* R_* name of a type, or NULL. */
const char *elf_reloc_type_name(uint16_t machine, uint32_t type);

/* One pass over all tables through a small window. */
struct elf_relocs;

int elf_relocs_open(const struct elf_image *image, const struct elf_dynamic *dynamic,
		    struct elf_relocs **relocs, struct error *error);
void elf_relocs_free(struct elf_relocs *relocs);
DEFINE_CLEANUP(elf_relocs_free, struct elf_relocs)
/* 1 and the next one, 0 at the end. What cannot be read ends its table and is damage. */
int elf_relocs_next(struct elf_relocs *relocs, struct elf_reloc *reloc);
/* enum elf_damage found so far. */
uint32_t elf_relocs_damage(const struct elf_relocs *relocs);

/* The same relocations sorted by place, 16 bytes each. */
struct elf_reloc_place {
	uint64_t place;
	uint32_t symbol;
	uint32_t size : 24;	/* all ones also stand for larger (COPY) */
	uint32_t kind : 4;	/* enum elf_reloc_kind */
	uint32_t table : 4;	/* enum elf_reloc_table */
};

struct elf_reloc_index {
	struct elf_reloc_place *places;	/* ascending; at most 32 bytes each */
	size_t count;
	struct elf_reloc_place *large;	/* ascending; the others: COPY of arrays and the like */
	size_t large_count;
	uint64_t total;			/* relocations of the file, also those not kept */
	uint64_t by_kind[ELF_RELOC_KIND_MAX];
	uint64_t by_table[ELF_RELOC_TABLE_MAX];
	uint64_t text;			/* that land in a segment without PF_W */
	uint32_t damage;
};

int elf_reloc_index_build(const struct elf_image *image, const struct elf_dynamic *dynamic,
			  struct elf_reloc_index **index, struct error *error);
/* Only the places of that kind; the sums are of all. */
int elf_reloc_index_of_kind(const struct elf_image *image, const struct elf_dynamic *dynamic,
			    enum elf_reloc_kind kind, struct elf_reloc_index **index,
			    struct error *error);
void elf_reloc_index_free(struct elf_reloc_index *index);
DEFINE_CLEANUP(elf_reloc_index_free, struct elf_reloc_index)

/*
 * The places that touch [start, end):
 *	for (at = elf_reloc_index_seek(index, start, end);
 *	     elf_reloc_index_next(index, &at, &place);)
 */
struct elf_reloc_cursor {
	uint64_t start;
	uint64_t end;
	size_t place;
	size_t large;
};

struct elf_reloc_cursor elf_reloc_index_seek(const struct elf_reloc_index *index, uint64_t start,
					     uint64_t end);
bool elf_reloc_index_next(const struct elf_reloc_index *index, struct elf_reloc_cursor *cursor,
			  struct elf_reloc_place *place);

/* Pages of that size that relocation writes to. */
uint64_t elf_reloc_index_pages(const struct elf_reloc_index *index, uint64_t page_size);

/* Bytes that the relative relocations would take as RELR, and what they take now. Those that
 * RELR cannot hold (odd places) are counted as they are. */
struct elf_relr_estimate {
	uint64_t relative;	/* relative relocations not yet in RELR */
	uint64_t bytes_now;
	uint64_t bytes_relr;
};

void elf_relr_size_estimate(const struct elf_image *image, const struct elf_reloc_index *index,
			    struct elf_relr_estimate *estimate);

#endif
