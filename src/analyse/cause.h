/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_CAUSE_H
#define ANALYSE_CAUSE_H

#include "vmatlas/analyse/cause.h"
#include "vmatlas/elf/layout.h"
#include "vmatlas/elf/symbols.h"

/* Pages compared at once. */
#define CAUSE_WINDOW 64u

/* Names, symbols and dynamic entries are small and lie together: a window of the file serves most
 * of these reads. */
#define CAUSE_CACHE 16384u

struct cause_cache {
	const struct elf_image *image;
	uint64_t offset;
	size_t len;
	uint8_t bytes[CAUSE_CACHE];
};

/* What is known of the file of the VMA at work. Opened when its first copied page comes, and
 * given back when the next file begins: only one is held at a time. */
struct cause_source {
	uint32_t object;		/* OBJECT_NONE: nothing is open */
	const struct elf_image *image;	/* NULL: cannot be read, see reason */
	struct elf_image view;		/* the process's image, read through the cache */
	struct cause_cache *cache;
	enum cause_reason reason;
	struct elf_dynamic dynamic;
	struct elf_reloc_index *index;
	struct elf_layout *layout;
	struct elf_symbols *symbols;	/* read when somebody first asks */
	bool symbols_tried;
};

int cause_source_open(struct process *process, uint32_t object, struct cause_source *source);
void cause_source_done(struct cause_source *source);
/* NULL if it has none. */
const struct elf_symbols *cause_source_symbols(struct process *process,
					       struct cause_source *source);

/* Pages and bytes per symbol; addresses come in ascending order, so the last one is enough. */
struct cause_entry {
	uint64_t address;
	uint64_t end;		/* behind the symbol or section, for skipping look-ups */
	uint64_t bytes;
	uint64_t pages;
	uint64_t last_page;
	uint32_t name;		/* HOLDER_SLOT: symbol in .dynsym; HOLDER_SECTION: section */
	enum cause_holder holder;
};

struct cause_tally {
	struct cause_entry *entries;
	size_t count;
	size_t cap;
};

void cause_tally_done(struct cause_tally *tally);
/* Bytes at `vaddr` on the page at `page`: of a slot of .dynsym symbol `slot`, or 0. */
int cause_tally_add(struct cause_tally *tally, struct process *process, struct cause_source *source,
		    uint64_t vaddr, uint64_t bytes, uint64_t page, uint32_t slot);
/* The largest with their names into sum; the tally is empty afterwards. */
int cause_tally_finish(struct cause_tally *tally, struct process *process,
		       struct cause_source *source, struct cause_sum *sum);

/* A window of pages at work. */
struct cause_window {
	uint64_t address;
	uint64_t vaddr;		/* of the first byte; valid if placed */
	uint64_t offset;	/* in the file */
	uint64_t pages;
	uint64_t read;		/* leading pages of which memory could be read */
	bool placed;		/* mapped from a segment: relocations and symbols apply */
	bool swapped;
	bool not_recorded;	/* the snapshot does not tell how its pages differ */
	bool compared;		/* memory and file hold bytes */
	uint8_t *memory;
	uint8_t *file;
	const uint8_t *marks;	/* of a snapshot; memory and file only show where they differ */
};

/* Beside enum page_mark, on the first byte of a page: it was not compared. */
#define CAUSE_MARK_ABSENT 0x80

struct causes {
	struct process *process;
	struct cause_source source;
	struct cause_file **files;	/* per object, NULL if none */
	struct cause_file **sorted;	/* filled by causes_files() */
	size_t file_count;
	uint32_t vma;			/* at work, VMA_NONE: not of an ELF file */
	struct cause_sums sums;		/* of it */
	struct cause_tally relocated, written, patched;
	uint64_t pending_start, pending_pages;
	bool pending_swapped;
	uint8_t *memory, *expected;	/* CAUSE_WINDOW pages each */
	uint8_t *marks;			/* of them, in a snapshot; NULL: bytes are compared */
	cause_page_fn *page_fn;
	void *page_ctx;
};

/* cause_recorded.c: the window as a snapshot tells it. */
void cause_recorded_read(struct causes *causes, struct cause_window *window);

/* cause_page.c: all pages of the window. */
int cause_explain(struct causes *causes, struct cause_window *window);
/* cause_patch.c: code differs in [from, to) of the window's bytes. */
int cause_patch_add(struct causes *causes, const struct cause_window *window, uint64_t from,
		    uint64_t to);

/* cause_sums.c */
void cause_sums_done(struct cause_sums *sums);
int cause_sums_add(struct cause_sums *sum, const struct cause_sums *more);
void cause_file_free(struct cause_file *file);
/* Resident pages of a run, by section and role. */
int cause_file_run(struct causes *causes, struct cause_file *file, const struct vma *vma,
		   const struct cow_run *run);

#endif
