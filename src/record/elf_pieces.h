/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RECORD_ELF_PIECES_H
#define RECORD_ELF_PIECES_H

#include "trace.h"
#include "vmatlas/elf/symbols.h"

/* How separate debug files are found, and which one gave the symbols. */
struct debug_search {
	struct elf_opener opener;
	char *path;		/* of the one opened last, NULL: none */
	bool used;		/* it did */
};

void debug_search_done(struct debug_search *search);

/*
 * Reads of the file what any command reads: headers, notes, dynamic section, relocations,
 * symbols. `search` NULL: only what tells which file it is. 0 also where it is damaged;
 * -ERROR_NOT_FOUND: not an ELF file.
 */
int elf_pieces_trace(struct trace *trace, const char *path, struct debug_search *search,
		     struct error *error);
/* Of a separate debug file only headers and symbols are wanted. */
void debug_pieces_trace(struct trace *trace);

#endif
