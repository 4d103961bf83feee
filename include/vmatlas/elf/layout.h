/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ELF_LAYOUT_H
#define VMATLAS_ELF_LAYOUT_H

#include "vmatlas/elf/dynamic.h"
#include "vmatlas/elf/image.h"
#include "vmatlas/elf/relocs.h"

/*
 * The VMAs that a loader makes of the program headers, for a page size, before anybody wrote
 * to them and after RELRO was made read-only. Inferred: the rules are those of fs/binfmt_elf.c
 * (elf_load, 6.10 and later) and of glibc's elf/dl-map-segments.h and _dl_protect_relro.
 */

enum elf_loader {
	ELF_LOADER_KERNEL,	/* programs and the dynamic loader itself */
	ELF_LOADER_GLIBC	/* libraries */
};

enum elf_vma_kind {
	ELF_VMA_FILE,
	ELF_VMA_BSS,		/* anonymous, behind the file part */
	ELF_VMA_HOLE		/* between segments of a library: PROT_NONE, a VMA of the file */
};

extern const struct name elf_vma_kind_names[];	/* "file", "bss", "hole" */

struct elf_vma {
	uint64_t start;		/* p_vaddr space: add the load bias */
	uint64_t end;
	uint64_t offset;	/* in the file; 0 for bss */
	uint32_t perms;		/* PF_R PF_W PF_X */
	uint32_t segment;	/* index in image->segments */
	enum elf_vma_kind kind;
	bool relro;		/* made read-only after relocation */
	bool shares_page;	/* its first file page is also the last of the segment before */
	uint64_t zero_start;	/* [zero_start, zero_end) in its last
				 * page is zeroed by the loader, */
	uint64_t zero_end;	/* which copies the page; equal if none */
};

struct elf_layout {
	uint64_t page_size;
	enum elf_loader loader;
	bool loadable;		/* false: addresses and offsets do not fit this page size */
	struct elf_vma *vmas;	/* ascending, apart; none if not loadable */
	size_t count;
	uint64_t zeroed_pages;	/* file pages that zeroing copies */
	uint64_t shared_pages;	/* file pages that two segments map */
};

/* Libraries are told from programs by ET_EXEC, DF_1_PIE and DT_DEBUG. */
enum elf_loader elf_loader_of(const struct elf_image *image, const struct elf_dynamic *dynamic);

/* page_size is a power of two. */
int elf_layout_predict(const struct elf_image *image, enum elf_loader loader, uint64_t page_size,
		       struct elf_layout **layout, struct error *error);
void elf_layout_free(struct elf_layout *layout);
DEFINE_CLEANUP(elf_layout_free, struct elf_layout)

/* Pages that are private before the program's first own instruction. */
struct elf_dirty {
	uint64_t relocation;	/* pages that relocations land in */
	uint64_t relro;		/* of those: read-only afterwards, shared by all children */
	uint64_t zeroed;	/* last file pages whose end is zeroed */
	uint64_t dynamic;	/* of .dynamic, where the loader writes addresses */
	uint64_t pages;		/* all of them, each once */
};

int elf_dirty_forecast(const struct elf_image *image, const struct elf_dynamic *dynamic,
		       const struct elf_reloc_index *index, enum elf_loader loader,
		       uint64_t page_size, struct elf_dirty *dirty, struct error *error);

#endif
