/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_PARTS_H
#define ELF_PARTS_H

#include "vmatlas/elf/image.h"

/* The steps of elf_image_open(). Each notes damage in the image; a negative value means that
 * memory or the file itself failed. */

/* Counts of the header after the escapes through section 0 (PN_XNUM, shnum 0). */
struct elf_counts {
	uint64_t phnum;
	uint64_t phentsize;
	uint64_t shoff;
	uint64_t shnum;
	uint64_t shentsize;
	uint64_t shstrndx;
};

int elf_image_load_segments(struct elf_image *image, const struct elf_counts *counts,
			    struct error *error);
int elf_image_load_sections(struct elf_image *image, const struct elf_counts *counts,
			    struct error *error);
/* Build-id from note segments, else from note sections. */
int elf_image_load_notes(struct elf_image *image, struct error *error);

/*
 * A table of `count` records of `size` bytes at `offset`, read whole into *data (NULL if none).
 * Records beyond the file or beyond `max` are left out and noted as `damage`.
 */
int elf_image_table(struct elf_image *image, uint64_t offset, uint64_t *count, size_t size,
		    uint64_t max, enum elf_damage damage, uint8_t **data, struct error *error);

#endif
