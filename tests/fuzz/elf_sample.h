/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_FUZZ_ELF_SAMPLE_H
#define TESTS_FUZZ_ELF_SAMPLE_H

#include "../unit/elf_writer.h"

/* One small file that has everything src/elf looks for: segments, sections, names, notes,
 * dynamic section, both hashes, symbols, all kinds of relocations, a debug link. */
void elf_sample_write(struct elf_writer *w, uint16_t machine);

#endif
