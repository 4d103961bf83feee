/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_UNIT_ELF_WRITER_H
#define TESTS_UNIT_ELF_WRITER_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/elf/image.h"

/* Writes ELF files of either class and byte order into a buffer, field by field. */
struct elf_writer {
	struct buf bytes;
	bool is_64;
	bool big_endian;
};

static inline void elf_put(struct elf_writer *w, uint64_t value, unsigned size)
{
	unsigned i;

	for (i = 0; i < size; i++) {
		unsigned shift = 8 * (w->big_endian ? size - 1 - i : i);

		buf_add_char(&w->bytes, (char)(value >> shift));
	}
}

static inline void elf_put_word(struct elf_writer *w, uint64_t value)
{
	elf_put(w, value, w->is_64 ? 8 : 4);
}

static inline void elf_put_header(struct elf_writer *w, uint16_t type, uint16_t machine,
				  uint64_t phoff, uint16_t phnum, uint64_t shoff, uint16_t shnum,
				  uint16_t shstrndx)
{
	unsigned char ident[EI_NIDENT] = { 0x7f, 'E', 'L', 'F', 0, 0, EV_CURRENT };

	ident[EI_CLASS] = w->is_64 ? ELFCLASS64 : ELFCLASS32;
	ident[EI_DATA] = w->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	buf_add(&w->bytes, ident, sizeof(ident));
	elf_put(w, type, 2);
	elf_put(w, machine, 2);
	elf_put(w, EV_CURRENT, 4);
	elf_put_word(w, 0x1040);
	elf_put_word(w, phoff);
	elf_put_word(w, shoff);
	elf_put(w, 0, 4);
	elf_put(w, w->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr), 2);
	elf_put(w, w->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), 2);
	elf_put(w, phnum, 2);
	elf_put(w, w->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr), 2);
	elf_put(w, shnum, 2);
	elf_put(w, shstrndx, 2);
}

static inline void elf_put_segment(struct elf_writer *w, const struct elf_segment *s)
{
	elf_put(w, s->type, 4);
	if (w->is_64)
		elf_put(w, s->flags, 4);
	elf_put_word(w, s->offset);
	elf_put_word(w, s->vaddr);
	elf_put_word(w, s->paddr);
	elf_put_word(w, s->filesz);
	elf_put_word(w, s->memsz);
	if (!w->is_64)
		elf_put(w, s->flags, 4);
	elf_put_word(w, s->align);
}

static inline void elf_put_section(struct elf_writer *w, uint32_t name,
				   const struct elf_section *s)
{
	elf_put(w, name, 4);
	elf_put(w, s->type, 4);
	elf_put_word(w, s->flags);
	elf_put_word(w, s->addr);
	elf_put_word(w, s->offset);
	elf_put_word(w, s->size);
	elf_put(w, s->link, 4);
	elf_put(w, s->info, 4);
	elf_put_word(w, s->align);
	elf_put_word(w, s->entsize);
}

static inline void elf_pad(struct elf_writer *w, size_t to)
{
	while (w->bytes.len < to)
		buf_add_char(&w->bytes, 0);
}

/* A reader of plain memory for elf_image_open(). */
static inline ssize_t elf_read_buf(void *ctx, uint64_t offset, void *data, size_t len,
				   struct error *error)
{
	const struct buf *bytes = ctx;
	size_t n = offset < bytes->len ? bytes->len - (size_t)offset : 0;

	(void)error;
	n = n < len ? n : len;
	memcpy(data, bytes->data + offset, n);
	return (ssize_t)n;
}

#endif
