/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ELF_IMAGE_H
#define VMATLAS_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/names.h"
#include "vmatlas/source/source.h"

/*
 * One ELF file, read in bounded windows and never mapped: its owner may truncate it
 * meanwhile. Every count and offset is checked against the file's size; what is damaged is
 * noted in `damage` and left out, the rest is answered. Both classes, both byte orders.
 */

/* How an image is read: a file, or a range of target memory (the vDSO). Returns bytes
 * read, short at the end, negative on failure. */
struct elf_reader {
	ssize_t (*read)(void *ctx, uint64_t offset, void *data, size_t len, struct error *error);
	void *ctx;
	uint64_t size;
};

/* offset + filesz and vaddr + memsz never wrap and filesz <= memsz for PT_LOAD: what does not fit
 * is cut and noted. A file part beyond the end of the file stays as it is (it can be mapped). */
struct elf_segment {
	uint32_t type;		/* PT_* */
	uint32_t flags;		/* PF_R PF_W PF_X */
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

/* offset + size lies within the file (cut otherwise), addr + size never wraps. */
struct elf_section {
	const char *name;	/* NUL-terminated raw bytes owned by the image; "" if it has none */
	uint32_t type;		/* SHT_* */
	uint64_t flags;		/* SHF_* */
	uint64_t addr;		/* 0 and not SHF_ALLOC: not in memory */
	uint64_t offset;
	uint64_t size;
	uint32_t link;
	uint32_t info;
	uint64_t align;
	uint64_t entsize;
};

/* What is wrong with the file; bit set, names in elf_damage_names. */
enum elf_damage {
	ELF_DAMAGE_HEADER = 1 << 0,	/* header fields out of range */
	ELF_DAMAGE_SEGMENTS = 1 << 1,	/* program headers beyond the file, wrong size, overlap */
	ELF_DAMAGE_SECTIONS = 1 << 2,
	ELF_DAMAGE_STRINGS = 1 << 3,	/* names without end or beyond their table */
	ELF_DAMAGE_NOTES = 1 << 4,
	ELF_DAMAGE_DYNAMIC = 1 << 5,
	ELF_DAMAGE_SYMBOLS = 1 << 6,
	ELF_DAMAGE_RELOCATIONS = 1 << 7,
	ELF_DAMAGE_DEBUG = 1 << 8,
	ELF_DAMAGE_LIMIT = 1 << 9	/* a bound of ours was reached; the rest was not read */
};

extern const struct name elf_damage_names[];
extern const struct name elf_segment_type_names[];	/* "LOAD", "GNU_RELRO" */
extern const struct name elf_machine_names[];		/* "x86-64", "aarch64" */
extern const struct name elf_type_names[];		/* "EXEC", "DYN" */

struct elf_image {
	struct elf_reader reader;
	bool is_64;
	bool big_endian;
	uint16_t type;			/* ET_* */
	uint16_t machine;		/* EM_* */
	uint64_t entry;
	uint64_t phoff;
	struct elf_segment *segments;	/* program headers in file order */
	size_t segment_count;
	struct elf_section *sections;	/* [0] is the null section; none if the file has none */
	size_t section_count;
	char *interpreter;		/* PT_INTERP, NULL if none; raw bytes */
	uint8_t build_id[64];
	size_t build_id_size;		/* 0: the file has none */
	uint64_t relro_start;		/* PT_GNU_RELRO p_vaddr .. p_vaddr
					 * + p_memsz; equal if none */
	uint64_t relro_end;
	bool exec_stack;		/* PT_GNU_STACK with PF_X, or no PT_GNU_STACK at all */
	uint32_t damage;		/* enum elf_damage */
	char *strings;			/* owned storage of section names */
	size_t strings_size;
	uint32_t *loads;		/* indices of the PT_LOADs with
					 * memory, by ascending vaddr */
	size_t load_count;
	uint32_t *in_memory;		/* indices of the sections with addresses, ascending */
	size_t in_memory_count;
};

/* Bounds on one file; beyond them ELF_DAMAGE_LIMIT is set. */
#define ELF_SEGMENTS_MAX 65536u
#define ELF_SECTIONS_MAX 131072u
#define ELF_SECTION_STRINGS_MAX (4u << 20)
#define ELF_INTERPRETER_MAX 4096u
#define ELF_NOTES_MAX 64u		/* note segments or sections looked at */
#define ELF_NOTE_BYTES_MAX (64u << 10)	/* of each */

/* -ERROR_NOT_FOUND: not an ELF file at all. -ERROR_DAMAGED: nothing usable. */
int elf_image_open(const struct elf_reader *reader, struct elf_image **image, struct error *error);
/* The caller keeps the file open as long as the image lives. */
int elf_image_open_file(const struct source_file *file, struct elf_image **image,
			struct error *error);
void elf_image_free(struct elf_image *image);
DEFINE_CLEANUP(elf_image_free, struct elf_image)

/* Exactly len bytes, or a negative value. */
int elf_image_read(const struct elf_image *image, uint64_t offset, void *data, size_t len,
		   struct error *error);

/* A word as wide as an address of the file's class, in its byte order, from any place. */
uint64_t elf_image_word(const struct elf_image *image, const uint8_t *bytes);

/* File offset of a virtual address through PT_LOAD; *available: file bytes from there to the
 * end of the segment's file part. -ERROR_NOT_FOUND in bss and outside. */
int elf_image_offset(const struct elf_image *image, uint64_t vaddr, uint64_t *offset,
		     uint64_t *available);
const struct elf_segment *elf_image_load(const struct elf_image *image, uint64_t vaddr);
/* Allocated section that holds the address; NULL if none or no section headers. */
const struct elf_section *elf_image_section(const struct elf_image *image, uint64_t vaddr);
const struct elf_section *elf_image_section_named(const struct elf_image *image, const char *name);

/* Pages that the loader makes read-only after relocation: floor(start) .. floor(end), as
 * glibc's _dl_protect_relro does; empty range if none is left. */
void elf_image_relro_pages(const struct elf_image *image, uint64_t page_size, uint64_t *start,
			   uint64_t *end);

#endif
