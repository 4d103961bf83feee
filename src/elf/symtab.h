/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_SYMTAB_H
#define ELF_SYMTAB_H

#include "vmatlas/elf/symbols.h"

/* As kept: 24 bytes. */
struct symbol_entry {
	uint64_t address;
	uint64_t size;
	uint32_t name;		/* offset in strings */
	uint16_t section;
	uint8_t info;		/* st_info */
	uint8_t rank;		/* which alias is shown: higher is better; RANK_COMPRESSED */
};

#define RANK_COMPRESSED 0x80	/* bit 0 of the value was set */

struct elf_symbols {
	enum elf_symbols_origin origin;
	uint32_t damage;
	struct symbol_entry *entries;	/* by address, then size descending, then rank */
	size_t count;
	uint64_t *reach;		/* highest end of entries [0..i] */
	char *strings;			/* ends with a NUL of ours */
	size_t strings_size;
	uint64_t *segment_ends;		/* end of the PT_LOAD that begins at segment_starts[i] */
	uint64_t *segment_starts;
	size_t segment_count;
};

/* One table of symbols in a file. */
struct symtab_place {
	uint64_t offset;
	uint64_t count;
	uint64_t strings_offset;
	uint64_t strings_size;
	uint32_t damage;
};

/* Where .symtab (or .dynsym, also without section headers) lies; false if there is none. */
bool symtab_find(const struct elf_image *image, struct symtab_place *place);
int symtab_find_dynamic(const struct elf_image *image, struct symtab_place *place,
			struct error *error);
/* Reads, filters and sorts. A table that cannot be read is damage and leaves no symbols; one that
 * a recording left out is ERROR_NOT_RECORDED. */
int symtab_read(const struct elf_image *image, const struct symtab_place *place,
		struct elf_symbols *symbols, struct error *error);

/* An opened separate debug file that fits the image, or -ERROR_NOT_FOUND. */
struct debug_file {
	struct elf_image *image;
	struct source_file *file;
};

int debug_file_open(const struct elf_image *image, const char *path,
		    const struct elf_opener *opener, struct debug_file *file,
		    struct error *error);
void debug_file_done(struct debug_file *file);

#endif
