/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_RELOCS_TYPES_H
#define ELF_RELOCS_TYPES_H

#include "vmatlas/elf/relocs.h"

#define RELOC_WORD 0	/* as wide as an address of the file's class */

struct reloc_type {
	uint32_t type;
	uint8_t kind;		/* enum elf_reloc_kind */
	uint8_t size;		/* bytes written, RELOC_WORD */
	const char *name;
};

/* NULL for a type or machine we do not know. */
const struct reloc_type *reloc_type_find(uint16_t machine, uint32_t type);

#endif
