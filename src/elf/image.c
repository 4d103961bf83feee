// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/elf/image.h"

#include <stdlib.h>

#include "bytes.h"
#include "parts.h"

static ssize_t read_file(void *ctx, uint64_t offset, void *data, size_t len, struct error *error)
{
	return source_file_read(ctx, offset, data, len, error);
}

int elf_image_read(const struct elf_image *image, uint64_t offset, void *data, size_t len,
		   struct error *error)
{
	uint8_t *out = data;
	ssize_t got;

	if (offset > image->reader.size || len > image->reader.size - offset)
		return error_set(error, ERROR_DAMAGED, NULL, "offset %#llx is beyond the file",
				 (unsigned long long)offset);
	while (len) {
		got = image->reader.read(image->reader.ctx, offset, out, len, error);
		if (got < 0)
			return (int)got;
		if (!got)
			return error_set(error, ERROR_CHANGED, NULL,
					 "the file became shorter while it was read");
		out += got;
		offset += (uint64_t)got;
		len -= (size_t)got;
	}
	return 0;
}

uint64_t elf_image_word(const struct elf_image *image, const uint8_t *bytes)
{
	return elf_word(image, bytes);
}

int elf_image_table(struct elf_image *image, uint64_t offset, uint64_t *count, size_t size,
		    uint64_t max, enum elf_damage damage, uint8_t **data, struct error *error)
{
	uint64_t size_left = offset < image->reader.size ? image->reader.size - offset : 0;
	uint8_t *bytes;
	int ret;

	*data = NULL;
	if (*count > size_left / size) {
		*count = size_left / size;
		image->damage |= damage;
	}
	if (*count > max) {
		*count = max;
		image->damage |= ELF_DAMAGE_LIMIT;
	}
	if (!*count)
		return 0;
	bytes = malloc(*count * size);
	if (!bytes)
		return error_nomem(error);
	ret = elf_image_read(image, offset, bytes, *count * size, error);
	if (ret < 0) {
		free(bytes);
		return ret;
	}
	*data = bytes;
	return 0;
}

/* Section 0 carries counts that do not fit the header's 16 bits (gABI, "Sections"). */
static void counts_from_section0(struct elf_image *image, struct elf_counts *counts)
{
	uint8_t raw[sizeof(Elf64_Shdr)];
	size_t size = ELF_RECORD_SIZE(image, Shdr);

	if (!counts->shoff || counts->shentsize != size) {
		if (counts->phnum == PN_XNUM || counts->shnum)
			image->damage |= ELF_DAMAGE_SECTIONS;
		counts->shnum = 0;
		return;
	}
	if (elf_image_read(image, counts->shoff, raw, size, NULL) < 0) {
		image->damage |= ELF_DAMAGE_SECTIONS;
		counts->shnum = 0;
		return;
	}
	if (counts->phnum == PN_XNUM)
		counts->phnum = ELF_FIELD(image, raw, Shdr, sh_info);
	if (!counts->shnum)
		counts->shnum = ELF_FIELD(image, raw, Shdr, sh_size);
	if (counts->shstrndx == SHN_XINDEX)
		counts->shstrndx = ELF_FIELD(image, raw, Shdr, sh_link);
}

static void header_decode(struct elf_image *image, const uint8_t *raw, struct elf_counts *counts)
{
	image->type = (uint16_t)ELF_FIELD(image, raw, Ehdr, e_type);
	image->machine = (uint16_t)ELF_FIELD(image, raw, Ehdr, e_machine);
	image->entry = ELF_FIELD(image, raw, Ehdr, e_entry);
	image->phoff = ELF_FIELD(image, raw, Ehdr, e_phoff);
	counts->phnum = ELF_FIELD(image, raw, Ehdr, e_phnum);
	counts->phentsize = ELF_FIELD(image, raw, Ehdr, e_phentsize);
	counts->shoff = ELF_FIELD(image, raw, Ehdr, e_shoff);
	counts->shnum = ELF_FIELD(image, raw, Ehdr, e_shnum);
	counts->shentsize = ELF_FIELD(image, raw, Ehdr, e_shentsize);
	counts->shstrndx = ELF_FIELD(image, raw, Ehdr, e_shstrndx);
	if (ELF_FIELD(image, raw, Ehdr, e_version) != EV_CURRENT ||
	    ELF_FIELD(image, raw, Ehdr, e_ehsize) != ELF_RECORD_SIZE(image, Ehdr))
		image->damage |= ELF_DAMAGE_HEADER;
	counts_from_section0(image, counts);
}

static int header_read(struct elf_image *image, struct elf_counts *counts, struct error *error)
{
	uint8_t raw[sizeof(Elf64_Ehdr)] = { 0 };
	int ret;

	if (image->reader.size < EI_NIDENT)
		return error_set(error, ERROR_NOT_FOUND, NULL, "too short for an ELF file");
	ret = elf_image_read(image, 0, raw, EI_NIDENT, error);
	if (ret < 0)
		return ret;
	if (memcmp(raw, ELFMAG, SELFMAG))
		return error_set(error, ERROR_NOT_FOUND, NULL, "not an ELF file");
	if ((raw[EI_CLASS] != ELFCLASS32 && raw[EI_CLASS] != ELFCLASS64) ||
	    (raw[EI_DATA] != ELFDATA2LSB && raw[EI_DATA] != ELFDATA2MSB))
		return error_set(error, ERROR_DAMAGED, NULL, "unknown ELF class or byte order");
	image->is_64 = raw[EI_CLASS] == ELFCLASS64;
	image->big_endian = raw[EI_DATA] == ELFDATA2MSB;
	if (image->reader.size < ELF_RECORD_SIZE(image, Ehdr))
		return error_set(error, ERROR_DAMAGED, NULL, "the ELF header is cut off");
	ret = elf_image_read(image, 0, raw, ELF_RECORD_SIZE(image, Ehdr), error);
	if (ret < 0)
		return ret;
	header_decode(image, raw, counts);
	return 0;
}

static int image_load(struct elf_image *image, struct error *error)
{
	struct elf_counts counts;
	int ret = header_read(image, &counts, error);

	if (ret < 0)
		return ret;
	ret = elf_image_load_segments(image, &counts, error);
	if (ret < 0)
		return ret;
	ret = elf_image_load_sections(image, &counts, error);
	if (ret < 0)
		return ret;
	ret = elf_image_load_notes(image, error);
	if (ret < 0)
		return ret;
	if (!image->segment_count && !image->section_count && image->damage)
		return error_set(error, ERROR_DAMAGED, NULL, "no usable header in the ELF file");
	return 0;
}

int elf_image_open(const struct elf_reader *reader, struct elf_image **image, struct error *error)
{
	struct elf_image *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return error_nomem(error);
	made->reader = *reader;
	ret = image_load(made, error);
	if (ret < 0) {
		elf_image_free(made);
		return ret;
	}
	*image = made;
	return 0;
}

int elf_image_open_file(const struct source_file *file, struct elf_image **image,
			struct error *error)
{
	struct elf_reader reader = { read_file, (void *)file, file->size };

	return elf_image_open(&reader, image, error);
}

void elf_image_free(struct elf_image *image)
{
	if (!image)
		return;
	free(image->segments);
	free(image->sections);
	free(image->interpreter);
	free(image->strings);
	free(image->loads);
	free(image->in_memory);
	free(image);
}
