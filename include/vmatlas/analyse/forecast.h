/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_FORECAST_H
#define VMATLAS_ANALYSE_FORECAST_H

#include "vmatlas/elf/layout.h"
#include "vmatlas/model/process.h"

/*
 * What one ELF file will be in memory, told from the file alone: the VMAs that the loader makes
 * of it, with the class and role that `map` will give them, and the pages that will be private
 * before the first own instruction runs. Everything here is inferred.
 */

#define FORECAST_SIZES 3

struct forecast_size {
	uint64_t page_size;	/* 4, 16 and 64 KiB */
	bool loadable;		/* segments fit this page size */
	struct elf_dirty dirty;	/* only if loadable */
};

struct forecast_vma {
	const struct elf_vma *layout;
	uint8_t vma_class;	/* enum vma_class */
	uint8_t role;		/* enum vma_role */
};

enum forecast_advice_code {
	ADVICE_RELR,		/* before, after: bytes of relocation tables */
	ADVICE_NOW,		/* pages: that -z now would let be closed after relocation */
	ADVICE_RELRO,		/* pages: with relocations that stay writable without any RELRO */
	ADVICE_TEXTREL,		/* before: relocations in code; pages: of it */
	ADVICE_WRITE_EXECUTE,	/* before: segments that are writable and executable */
	ADVICE_EXEC_STACK,
	ADVICE_PAGE_SIZE,	/* after: page size that the file cannot be loaded with */
	ADVICE_MAX
};

extern const struct name forecast_advice_names[];	/* "relr", "now" ... */

struct forecast_advice {
	enum forecast_advice_code code;
	uint64_t before;
	uint64_t after;
	uint64_t pages;		/* of the forecast's page size */
};

struct forecast {
	const struct elf_image *image;		/* borrowed */
	uint64_t page_size;
	enum elf_loader loader;
	struct elf_dynamic dynamic;
	struct elf_reloc_index *index;
	struct elf_layout *layout;
	struct forecast_vma *vmas;		/* one per layout->vmas */
	struct forecast_size sizes[FORECAST_SIZES];
	struct elf_dirty dirty;			/* for page_size; zeroes if it is not loadable */
	struct elf_relr_estimate relr;
	struct forecast_advice advice[ADVICE_MAX];
	size_t advice_count;
	uint64_t relro_start, relro_end;	/* pages that are closed after relocation */
	uint64_t writable;			/* bytes of VMAs that stay writable */
	uint64_t text_pages;			/* pages without PF_W that relocations land in */
	uint32_t damage;			/* enum elf_damage, of all that was read */
};

/* page_size is a power of two. */
int forecast_new(const struct elf_image *image, uint64_t page_size, struct forecast **forecast,
		 struct error *error);
void forecast_free(struct forecast *forecast);
DEFINE_CLEANUP(forecast_free, struct forecast)

/* A page that is private before the program's first own instruction. */
struct forecast_page {
	uint64_t address;		/* p_vaddr space */
	uint64_t kinds[ELF_RELOC_KIND_MAX];	/* relocations that touch it */
	uint64_t relocations;		/* all of them */
	bool zeroed;			/* the loader clears its end */
	bool dynamic;			/* the loader writes addresses into .dynamic */
	bool relro;			/* read-only afterwards */
};

/* Ascending: begin with *at = 0; false behind the last. */
bool forecast_page_next(const struct forecast *forecast, uint64_t *at,
			struct forecast_page *page);
/* Just the page at `address`; false if nothing foretells that it is copied. */
bool forecast_page_at(const struct forecast *forecast, uint64_t address,
		      struct forecast_page *page);

#endif
