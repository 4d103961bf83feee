/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_REPORT_ELF_PARTS_H
#define RENDER_REPORT_ELF_PARTS_H

#include "vmatlas/render/report_elf.h"

/* report_elf_tables.c */
int report_elf_segments(struct report *report, const struct elf_image *image);
int report_elf_vmas(struct report *report, const struct forecast *forecast);
int report_elf_sizes(struct report *report, const struct forecast *forecast);

/* report_elf_pages.c */
int report_elf_pages(struct report *report, const struct forecast *forecast);
/* Kinds that occur with their counts, as an object. */
struct cell elf_kinds_cell(const uint64_t kinds[ELF_RELOC_KIND_MAX], struct scratch *scratch);

/* report_elf_advice.c */
int report_elf_advice(struct report *report, const struct forecast *forecast);

/* "rw-" */
struct span elf_perms_text(uint32_t flags, struct scratch *scratch);

#endif
