/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_PARSE_AUXV_H
#define VMATLAS_PARSE_AUXV_H

#include <stdint.h>

#include "vmatlas/base/error.h"
#include "vmatlas/base/span.h"

/* /proc/PID/auxv: pairs of target words ended by AT_NULL (fs/binfmt_elf.c create_elf_tables).
 * It tells the state at exec; a process may rewrite it (PR_SET_MM_AUXV): a hint. */
struct auxv {
	unsigned word_size;	/* 4 or 8, told from the content */
	uint64_t phdr;		/* AT_PHDR, 0 if absent */
	uint64_t phent;
	uint64_t phnum;
	uint64_t page_size;	/* AT_PAGESZ */
	uint64_t base;		/* AT_BASE, interpreter's load bias; 0 for a static program */
	uint64_t entry;		/* AT_ENTRY */
	uint64_t vdso;		/* AT_SYSINFO_EHDR */
	uint64_t execfn;	/* AT_EXECFN, address */
	uint64_t random;	/* AT_RANDOM, address */
};

/* Byte order is the host's. ERROR_PARSE if neither word size gives a list that ends. */
int auxv_parse(struct span bytes, struct auxv *auxv, struct error *error);

#endif
