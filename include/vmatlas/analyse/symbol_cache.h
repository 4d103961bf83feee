/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_SYMBOL_CACHE_H
#define VMATLAS_ANALYSE_SYMBOL_CACHE_H

#include "vmatlas/elf/symbols.h"
#include "vmatlas/model/process.h"

/* Symbols of the files of one process, each read when somebody first asks for that file. */
struct symbol_cache {
	struct process *process;
	struct elf_symbols **symbols;	/* by object; NULL: not read, or see gaps */
	enum gap *gaps;			/* GAP_NOT_READ before the first attempt */
};

int symbol_cache_init(struct symbol_cache *cache, struct process *process, struct error *error);
void symbol_cache_done(struct symbol_cache *cache);
/* NULL with the reason in *gap where there is no ELF file or its symbols cannot be read. */
const struct elf_symbols *symbol_cache_get(struct symbol_cache *cache, uint32_t object,
					   enum gap *gap);
/* How debug files are opened: where the process sees them. Valid as long as the process. */
struct elf_opener symbol_cache_opener(struct process *process);

#endif
