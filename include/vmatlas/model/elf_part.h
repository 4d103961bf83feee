/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_ELF_PART_H
#define VMATLAS_MODEL_ELF_PART_H

#include "vmatlas/model/process.h"

/*
 * Which parts of an ELF file a VMA holds. A VMA is loaded from a segment if its address is load
 * bias + p_vaddr and its offset that segment's (both rounded down to a page, as fs/binfmt_elf.c
 * elf_map and glibc's _dl_map_segments do); one VMA may hold several segments, and a file page
 * in which one segment ends and the next begins is mapped twice.
 */

/* A range of addresses that belongs to an object: ascending, not overlapping. */
struct elf_range {
	uint64_t start;
	uint64_t end;
	uint32_t object;
	uint16_t segment;	/* index of the program header; 0xffff: the whole object */
};

struct elf_ranges {
	struct elf_range *items;
	size_t count;
	size_t cap;
};

void elf_ranges_done(struct elf_ranges *ranges);
/* Where the zero-filled ends of segments lie beyond their last file page: anonymous memory. */
int elf_ranges_bss(const struct process *process, struct elf_ranges *ranges);
/* From the first to the last page of every object whose load bias is known. */
int elf_ranges_whole(const struct process *process, struct elf_ranges *ranges);
/* First range that ends above the address, NULL if none. */
const struct elf_range *elf_ranges_above(const struct elf_ranges *ranges, uint64_t address);

/* The object whose ELF parts the VMA holds: its own, or for bss and gaps the owner's.
 * OBJECT_NONE without ELF file or load bias. */
uint32_t elf_part_object(const struct process *process, const struct vma *vma);

/* What the bytes are for. */
enum elf_content {
	ELF_CONTENT_TEXT,
	ELF_CONTENT_RODATA,
	ELF_CONTENT_LINK_TABLES,	/* headers, symbols, relocations, versions, notes */
	ELF_CONTENT_RELRO,
	ELF_CONTENT_DATA,
	ELF_CONTENT_BSS,
	ELF_CONTENT_MAX
};

/* Bytes per content in the VMA, from sections; from segments if the file has no sections. */
void elf_part_contents(const struct process *process, const struct vma *vma,
		       uint64_t bytes[ELF_CONTENT_MAX]);

/* Sections with bytes in the VMA, in file order: *cursor starts at 0; NULL at the end. */
const struct elf_section *elf_part_section(const struct process *process, const struct vma *vma,
					   size_t *cursor);
/* Bytes of that section in the VMA. */
uint64_t elf_part_section_bytes(const struct process *process, const struct vma *vma,
				const struct elf_section *section);
/* PT_LOAD segments with bytes in the VMA: index of the next, or -1. *cursor starts at 0. */
int elf_part_segment(const struct process *process, const struct vma *vma, size_t *cursor);

/* A page of the VMA that holds bytes of a further segment. */
struct elf_shared_page {
	uint64_t address;	/* in this VMA */
	uint16_t segment;	/* the further segment */
	bool twice;		/* that segment maps the same file page again, at another address */
};

bool elf_part_shared_page(const struct process *process, const struct vma *vma,
			  struct elf_shared_page *page);

#endif
