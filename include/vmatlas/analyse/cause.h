/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_CAUSE_H
#define VMATLAS_ANALYSE_CAUSE_H

#include "vmatlas/analyse/cow.h"
#include "vmatlas/elf/disasm.h"
#include "vmatlas/elf/relocs.h"

/*
 * Why pages of ELF files are private: the relocations that land in them, and what differs
 * between the target's memory and the file. Only pages that were copied are compared: no other
 * page of a private mapping can differ from the file. A page counts once under each of its
 * causes and has at least one.
 */
enum cause {
	CAUSE_RELOCATION,	/* the loader wrote relocated words */
	CAUSE_DATA_WRITE,	/* other bytes differ from the file */
	CAUSE_ZERO_TAIL,	/* the loader cleared the end of the last page of data */
	CAUSE_CODE_PATCH,	/* bytes of code differ from the file */
	CAUSE_UNKNOWN,
	CAUSE_MAX
};

extern const struct name cause_names[];

enum cause_reason {
	CAUSE_REASON_FILE,	/* gone, or may not be read */
	CAUSE_REASON_OTHER,	/* the file there now is not the mapped one */
	CAUSE_REASON_MEMORY,	/* the target's memory cannot be read */
	CAUSE_REASON_NOT_RECORDED,	/* the snapshot does not tell where bytes differ */
	CAUSE_REASON_SAME,	/* the bytes are those of the file now */
	CAUSE_REASON_SWAP,	/* swapped out: bytes cannot be compared */
	CAUSE_REASON_MAX
};

extern const struct name cause_reason_names[];

/* Words the loader writes without a relocation: .dynamic and the head of the GOT. */
#define CAUSE_KIND_LOADER ELF_RELOC_KIND_MAX
#define CAUSE_KIND_MAX (ELF_RELOC_KIND_MAX + 1)

const char *cause_kind_name(int kind);

/* What lies where the bytes differ or the relocations land. */
enum cause_holder {
	CAUSE_HOLDER_SYMBOL,	/* an object or function of the file */
	CAUSE_HOLDER_SLOT,	/* a slot of the GOT for that symbol, often of another file */
	CAUSE_HOLDER_SECTION	/* no symbol covers it */
};

struct cause_symbol {
	char *name;		/* raw bytes; of a section its name, may be "" */
	char *demangled;	/* NULL: nothing to demangle */
	enum cause_holder holder;
	uint64_t address;	/* p_vaddr space */
	uint64_t bytes;		/* relocated or different */
	uint64_t pages;		/* copied pages they lie in */
};

#define CAUSE_SYMBOLS_MAX 12	/* kept: those on most pages, with most bytes */
#define CAUSE_PATCHES_MAX 16	/* kept of one VMA */
#define CAUSE_PATCH_BYTES 16
#define CAUSE_PATCH_LINES 4

/* Bytes of code in a row that are not the file's. */
struct cause_patch {
	uint64_t address;	/* in the target */
	uint64_t vaddr;
	uint64_t length;
	char *symbol;		/* NULL: none covers it */
	uint64_t offset;	/* in it */
	uint8_t file[CAUSE_PATCH_BYTES];	/* the first of them */
	uint8_t memory[CAUSE_PATCH_BYTES];
	size_t shown;				/* valid bytes of both */
	enum gap gap;				/* why there are none: nor instructions */
	bool known_machine;			/* false: there is no disassembler for it */
	struct elf_instruction before[CAUSE_PATCH_LINES];	/* from the file */
	struct elf_instruction after[CAUSE_PATCH_LINES];	/* from memory */
	size_t before_count, after_count;
};

struct cause_sum {
	uint64_t pages;		/* copied pages with this cause */
	uint64_t inferred;	/* of those: not seen in memory, told from the file alone */
	uint64_t swapped;	/* copies in swap with this cause, not in pages; always inferred */
	uint64_t bytes;		/* relocated, different or cleared */
	struct cause_symbol *symbols;	/* most pages first */
	size_t symbol_count;
	uint64_t symbol_total;	/* how many there are */
};

struct cause_sums {
	struct cause_sum sum[CAUSE_MAX];
	uint64_t kinds[CAUSE_KIND_MAX];		/* relocations in copied pages */
	uint64_t bound;				/* of PLT: hold the address of a function */
	uint64_t reasons[CAUSE_REASON_MAX];	/* pages of CAUSE_UNKNOWN */
	struct cause_patch *patches;
	size_t patch_count;
	uint64_t patch_total;
};

/* Memory of a part of a file: bytes. */
struct cause_part {
	const char *name;	/* of the section, owned by the image; or of the role */
	uint64_t resident;
	uint64_t clean;		/* the file's own pages, shared with all who map it */
	uint64_t copied;
};

struct cause_file {
	uint32_t object;
	uint64_t resident;	/* bytes, of its file mappings */
	uint64_t clean;
	uint64_t copied;
	uint64_t swapped;
	uint64_t bss;		/* private bytes of its zero-filled memory */
	bool newer;		/* modified after the process began: bytes may differ for that */
	struct cause_sums sums;
	struct cause_part *sections;	/* in order of address, those with resident pages */
	size_t section_count;
	struct cause_part roles[ROLE_MAX];
};

struct causes;

/* What one copied page is explained with; `mask` has a bit per cause. */
struct cause_page {
	uint64_t address;
	unsigned mask;
	bool swapped;
	enum cause_reason reason;	/* of CAUSE_UNKNOWN */
};

typedef int cause_page_fn(void *ctx, uint32_t vma, const struct cause_page *page);

/* The process has its ELF files (PROCESS_NEED_ELF) and was classified. */
int causes_new(struct process *process, struct causes **causes, struct error *error);
void causes_free(struct causes *causes);
DEFINE_CLEANUP(causes_free, struct causes)
/* Called for each page once it is explained; NULL: not wanted. */
void causes_each_page(struct causes *causes, cause_page_fn *fn, void *ctx);

/* Fed by cow_walk(): wants_runs, begin, run and end of a struct cow_sink. */
bool causes_want(const struct causes *causes, uint32_t vma);
int causes_begin(struct causes *causes, uint32_t vma);
int causes_run(struct causes *causes, const struct cow_run *run);
int causes_end(struct causes *causes, uint32_t vma, const struct cow_counts *counts);

/* Of the VMA that ended last; NULL if it maps no ELF file. Valid until the next one begins. */
const struct cause_sums *causes_vma(const struct causes *causes);
/* After the walk: files with resident memory, those with most copied bytes first; valid as long
 * as causes and process. */
int causes_files(struct causes *causes, struct cause_file *const **files, size_t *count);

#endif
