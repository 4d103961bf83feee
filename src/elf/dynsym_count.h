/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_DYNSYM_COUNT_H
#define ELF_DYNSYM_COUNT_H

#include "vmatlas/elf/dynamic.h"

/* Addresses from PT_DYNAMIC, 0 if absent. */
struct dynsym_tags {
	uint64_t symtab;
	uint64_t hash;
	uint64_t gnu_hash;
};

/*
 * Offset and number of the dynamic symbols. PT_DYNAMIC does not tell their number; the section
 * header does, else the hash tables, else the string table that linkers put right behind.
 */
void elf_dynsym_locate(const struct elf_image *image, const struct dynsym_tags *tags,
		       struct elf_dynamic *dynamic);

#endif
