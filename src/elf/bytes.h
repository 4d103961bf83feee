/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ELF_BYTES_H
#define ELF_BYTES_H

#include <elf.h>
#include <endian.h>
#include <string.h>

#include "vmatlas/elf/image.h"

/* Numbers in the byte order of the file, from places without alignment. */
static inline uint16_t elf_u16(const struct elf_image *image, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return image->big_endian ? be16toh(v) : le16toh(v);
}

static inline uint32_t elf_u32(const struct elf_image *image, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return image->big_endian ? be32toh(v) : le32toh(v);
}

static inline uint64_t elf_u64(const struct elf_image *image, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return image->big_endian ? be64toh(v) : le64toh(v);
}

static inline uint64_t elf_uint(const struct elf_image *image, const uint8_t *p, size_t size)
{
	switch (size) {
	case 1:
		return *p;
	case 2:
		return elf_u16(image, p);
	case 4:
		return elf_u32(image, p);
	default:
		return elf_u64(image, p);
	}
}

/* A word as wide as an address of the file's class. */
static inline size_t elf_word_size(const struct elf_image *image)
{
	return image->is_64 ? 8 : 4;
}

static inline uint64_t elf_word(const struct elf_image *image, const uint8_t *p)
{
	return elf_uint(image, p, elf_word_size(image));
}

#define ELF_SIZEOF(type, field) sizeof(((type *)NULL)->field)

/* ELF_FIELD(image, bytes, Phdr, p_vaddr): one field of an on-disk record of either class. */
#define ELF_FIELD(image, p, type, field)                                     \
	((image)->is_64 ? elf_uint(image, (p) + offsetof(Elf64_##type, field), \
				   ELF_SIZEOF(Elf64_##type, field))          \
			: elf_uint(image, (p) + offsetof(Elf32_##type, field), \
				   ELF_SIZEOF(Elf32_##type, field)))

#define ELF_RECORD_SIZE(image, type) \
	((image)->is_64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

/* Highest address + 1 of the class, as far as 64 bits can say it. */
static inline uint64_t elf_address_max(const struct elf_image *image)
{
	return image->is_64 ? UINT64_MAX : UINT32_MAX;
}

#endif
