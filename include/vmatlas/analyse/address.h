/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_ADDRESS_H
#define VMATLAS_ANALYSE_ADDRESS_H

#include "vmatlas/analyse/access.h"
#include "vmatlas/analyse/cause.h"
#include "vmatlas/analyse/symbol_cache.h"
#include "vmatlas/elf/debug_line.h"
#include "vmatlas/elf/disasm.h"
#include "vmatlas/model/geometry.h"
#include "vmatlas/model/pages.h"

/* Everything that can be known about single addresses of one process. */
struct address_context {
	struct process *process;	/* loaded with ELF, threads and limits; classified */
	const struct geometry *geometry;
	enum certainty geometry_certainty;
	struct pages *pages;
	struct symbol_cache symbols;
	uint64_t stack_gap;		/* bytes */
	uint64_t flags_budget;		/* pages: see process_flags_cost() */
};

#define ADDRESS_FLAGS_BUDGET 300000u	/* some milliseconds */

int address_context_init(struct address_context *ctx, struct process *process,
			 struct error *error);
void address_context_done(struct address_context *ctx);

/* The page table entry and what it maps, of one page. */
struct address_page {
	bool known;			/* there is a VMA */
	struct page_run run;		/* one page */
	struct state_facts facts;
	struct page_verdict verdict;
};

/* A present page's frame; `known` if frame numbers and flags may be read. */
struct address_frame {
	bool known;
	enum gap gap;
	uint64_t flags;			/* kpageflags word */
	bool folio_known;
	unsigned order;			/* log2 of its base pages */
	uint64_t head;			/* first frame */
	bool cgroup_known;
	enum gap cgroup_gap;
	uint64_t cgroup;		/* inode of the memory cgroup that is charged, 0: none */
};

/* What the entry of a level holds; index: enum table_level. */
enum level_entry {
	LEVEL_ENTRY_UNKNOWN,
	LEVEL_ENTRY_NO_TABLE,	/* the level above is empty */
	LEVEL_ENTRY_EMPTY,
	LEVEL_ENTRY_TABLE,
	LEVEL_ENTRY_LEAF	/* maps the page, or holds its swap slot or marker */
};

extern const struct name level_entry_names[];

struct address_elf {
	uint32_t object;		/* OBJECT_NONE: no ELF part */
	uint64_t vaddr;			/* p_vaddr space */
	int segment;			/* index, -1: none */
	const struct elf_section *section;	/* NULL: none */
	bool has_symbol;
	bool covered;			/* by the symbol's size */
	struct elf_symbol symbol;
	uint64_t symbol_offset;
	enum elf_symbols_origin origin;
	enum gap symbol_gap;
	struct elf_line line;		/* of code; file NULL: not known */
	enum gap line_gap;
};

/* A slot of the global offset table, and what lies at the address it holds. */
struct address_slot {
	bool known;			/* the address is such a slot, and its page is present */
	enum gap gap;			/* it is a slot, but what it holds is missing */
	uint64_t value;
	uint32_t vma;			/* VMA_NONE: nothing is mapped there */
	struct address_elf elf;
};

enum bytes_origin { BYTES_NONE, BYTES_MEMORY, BYTES_FILE };

#define ADDRESS_BYTES 32u
#define ADDRESS_BEFORE 4u
#define ADDRESS_AFTER 4u
#define ADDRESS_INSTRUCTIONS (ADDRESS_BEFORE + 1 + ADDRESS_AFTER)

struct address_bytes {
	enum bytes_origin origin;
	enum gap gap;			/* BYTES_NONE: why */
	bool cold;			/* BYTES_NONE: the file's page is not in memory */
	uint8_t data[ADDRESS_BYTES];
	size_t len;
};

struct address_code {
	enum gap gap;			/* there is code, but its bytes are missing */
	size_t count;
	size_t index;			/* of the one at the address */
	bool synced;			/* decoded from the start of its function */
	struct elf_instruction items[ADDRESS_INSTRUCTIONS];
};

/* What lies nearest; distances in bytes. */
struct address_neighbours {
	uint32_t below;			/* VMA_NONE: none */
	uint32_t above;
	uint64_t below_distance;	/* from its last byte */
	uint64_t above_distance;	/* to its first byte */
};

struct address {
	uint64_t address;
	enum address_kind kind;
	uint32_t vma;			/* VMA_NONE: none */
	struct address_neighbours near;
	struct address_page page;
	enum level_entry levels[LEVEL_MAX];
	struct address_frame frame;
	struct address_elf elf;
	struct causes *causes;		/* why the page was copied, see causes_vma(); or NULL */
	struct access_evidence evidence;
	struct access_verdict access[TOUCH_MAX];
	struct address_bytes bytes;
	struct address_slot slot;
	struct address_code code;
};

/* Fails only if the process went away or memory ran out; what is missing is a gap. */
int address_explain(struct address_context *ctx, uint64_t address, struct address *out,
		    struct error *error);
void address_done(struct address *address);

/*
 * Names: a number, `symbol`, `symbol+off`, `file!symbol+off`, `file+offset`, `heap`, `brk`,
 * `stack`, `entry`, `pc:TID`, `sp:TID`. ERROR_USAGE: malformed. ERROR_NOT_FOUND: nothing, or more
 * than one place has that name; then `candidates` has a line for each (raw bytes of the target).
 */
int address_resolve(struct address_context *ctx, struct span query, uint64_t *address,
		    struct buf *candidates, struct error *error);

/* address_kind.c */
enum address_kind address_kind_of(const struct geometry *g, const char *machine,
				  uint64_t address);
extern const struct name address_kind_names[];

#endif
