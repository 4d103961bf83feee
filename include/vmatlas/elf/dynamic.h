/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ELF_DYNAMIC_H
#define VMATLAS_ELF_DYNAMIC_H

#include "vmatlas/elf/image.h"

/*
 * What PT_DYNAMIC tells the dynamic loader: tables by address, turned into file offsets through
 * the program headers, so a file without section headers answers too. A table that does not lie
 * in the file is left out (size 0) and noted in `damage`.
 */
struct elf_table {
	uint64_t vaddr;
	uint64_t offset;	/* in the file */
	uint64_t size;		/* bytes in the file, 0: there is none */
};

struct elf_dynamic {
	bool present;
	uint64_t vaddr;		/* of the dynamic section itself */
	uint64_t size;
	bool writable;		/* the loader relocates entries of a writable one in place */
	struct elf_table rel;
	struct elf_table rela;
	struct elf_table relr;
	struct elf_table jmprel;
	struct elf_table android_rel;
	struct elf_table android_rela;
	bool jmprel_is_rela;	/* DT_PLTREL */
	struct elf_table strings;
	uint64_t symbols_offset;	/* file offset of .dynsym, 0 if none */
	uint64_t symbol_count;	/* of .dynsym with the null symbol, 0 if unknown */
	uint64_t pltgot;
	uint64_t mips_local_gots;
	uint64_t mips_first_got_symbol;
	uint64_t mips_symbols;
	bool textrel;		/* DT_TEXTREL or DF_TEXTREL */
	bool bind_now;		/* DT_BIND_NOW, DF_BIND_NOW or DF_1_NOW */
	bool pie;		/* DF_1_PIE */
	bool debug;		/* DT_DEBUG: the loader writes an address there in a program */
	uint64_t flags;		/* DT_FLAGS */
	uint64_t flags_1;	/* DT_FLAGS_1 */
	uint32_t damage;	/* enum elf_damage */
};

#define ELF_DYNAMIC_MAX 4096u	/* entries read */

/* 0 also when there is no dynamic section (present is false). Negative: memory or the file
 * failed. */
int elf_dynamic_read(const struct elf_image *image, struct elf_dynamic *dynamic,
		     struct error *error);

/* Name of a symbol of .dynsym, NUL-terminated raw bytes appended to name; also for undefined
 * ones. -ERROR_NOT_FOUND if there is no such symbol or it has no name. */
int elf_dynamic_symbol_name(const struct elf_image *image, const struct elf_dynamic *dynamic,
			    uint32_t index, struct buf *name, struct error *error);

#endif
