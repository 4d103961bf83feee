// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An ELF file as it is, or a list of changes to a sample file: the first byte chooses class,
 * byte order and machine, then four bytes each say where, how and what.
 */
#include <errno.h>
#include <string.h>

#include "elf_sample.h"
#include "fuzz.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/elf/disasm.h"
#include "vmatlas/elf/layout.h"
#include "vmatlas/elf/symbols.h"

#define CHANGES_MAX 24
#define WALK_MAX 4096	/* relocations and symbols looked at one by one */

/* Any text is a list of changes. */
const struct fuzz_seed fuzz_seeds[] = {
	{ "fixtures/text/stat", 0 }, { "fixtures/text/stat", 1 },
	{ "fixtures/text/stat", 2 }, { "fixtures/text/stat", 3 },
	{ "fixtures/text/stat", 9 }, { "fixtures/text/stat", 12 },
	{ "fixtures/text/stat", 18 }, { "fixtures/text/stat", 31 },
	{ NULL, -1 }
};

static void put(struct elf_writer *w, size_t at, uint64_t value, unsigned size)
{
	unsigned i;

	for (i = 0; i < size && at + i < w->bytes.len; i++)
		w->bytes.data[at + i] =
			(char)(value >> 8 * (w->big_endian ? size - 1 - i : i));
}

static void change(struct elf_writer *w, const uint8_t *step)
{
	size_t at = w->bytes.len ? (step[0] | (size_t)step[1] << 8) % w->bytes.len : 0;

	switch (step[2] & 7) {
	case 0:
		put(w, at, step[3], 1);
		break;
	case 1:
		put(w, at & ~1ul, step[3], 2);
		break;
	case 2:
		put(w, at & ~3ul, step[3], 4);
		break;
	case 3:
		put(w, at & ~7ul, step[3], 8);
		break;
	case 4:
		put(w, at & ~7ul, ~(uint64_t)step[3], 8);
		break;
	case 5:
		put(w, at & ~7ul, 1ull << (step[3] & 63), 8);
		break;
	case 6:
		put(w, at & ~3ul, ~(uint32_t)step[3], 4);
		break;
	default:
		if (step[3] < 4)
			w->bytes.len = at;
		else
			put(w, at, 1u << (step[3] & 7), 1);
	}
}

static void make(struct elf_writer *w, const uint8_t *data, size_t size)
{
	static const uint16_t machines[] = { EM_X86_64, EM_386, EM_AARCH64, EM_ARM, EM_MIPS,
					     EM_PPC64, EM_S390, EM_RISCV };
	size_t i;

	*w = (struct elf_writer) { BUF_INIT, !(data[0] & 1), data[0] & 2 };
	if (size >= 4 && !memcmp(data, ELFMAG, SELFMAG)) {
		buf_add(&w->bytes, data, size);
		return;
	}
	elf_sample_write(w, machines[data[0] / 4 % ARRAY_SIZE(machines)]);
	for (i = 1; i + 4 <= size && i / 4 < CHANGES_MAX; i += 4)
		change(w, data + i);
}

static void check_image(const struct elf_image *image)
{
	uint64_t start, end, offset, available;
	size_t i;

	for (i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		FUZZ_CHECK(s->filesz <= UINT64_MAX - s->offset);
		FUZZ_CHECK(s->memsz <= UINT64_MAX - s->vaddr);
		FUZZ_CHECK(s->type != PT_LOAD || s->filesz <= s->memsz);
		if (!elf_image_offset(image, s->vaddr + s->memsz / 2, &offset, &available))
			FUZZ_CHECK(available && available <= image->reader.size - offset);
	}
	for (i = 0; i < image->section_count; i++) {
		const struct elf_section *s = &image->sections[i];

		FUZZ_CHECK(s->type == SHT_NULL || s->type == SHT_NOBITS || !s->size ||
			   s->size <= image->reader.size - s->offset);
		FUZZ_CHECK(strlen(s->name) <= image->strings_size);
		elf_image_section(image, s->addr + s->size / 2);
	}
	FUZZ_CHECK(image->build_id_size <= sizeof(image->build_id));
	elf_image_relro_pages(image, 4096, &start, &end);
	FUZZ_CHECK(start <= end);
}

static void check_symbols(const struct elf_image *image)
{
	struct elf_symbols *symbols = NULL;
	struct elf_symbol symbol;
	uint64_t last = 0, offset;
	size_t i;
	bool covered;

	FUZZ_CHECK(!elf_symbols_load(image, "/x/y", NULL, &symbols, NULL));
	for (i = 0; i < elf_symbols_count(symbols) && i < WALK_MAX; i++) {
		elf_symbols_get(symbols, i, &symbol);
		FUZZ_CHECK(symbol.address >= last && symbol.name[0]);
		FUZZ_CHECK(symbol.size <= UINT64_MAX - symbol.address);
		last = symbol.address;
		if (symbol.size && !elf_symbols_at(symbols, last, &symbol, &offset, &covered))
			FUZZ_CHECK(symbol.address + offset == last);
	}
	elf_symbols_free(symbols);
}

static void check_layout(const struct elf_image *image, const struct elf_dynamic *dynamic,
			 const struct elf_reloc_index *index, uint64_t page_size)
{
	struct elf_layout *layout = NULL;
	struct elf_dirty dirty;
	enum elf_loader loader = elf_loader_of(image, dynamic);
	size_t i;

	FUZZ_CHECK(!elf_layout_predict(image, loader, page_size, &layout, NULL));
	for (i = 0; i < layout->count; i++) {
		const struct elf_vma *v = &layout->vmas[i];

		FUZZ_CHECK(v->start < v->end && !((v->start | v->end) & (page_size - 1)));
		FUZZ_CHECK(!i || layout->vmas[i - 1].end <= v->start);
		FUZZ_CHECK(v->segment < image->segment_count);
	}
	FUZZ_CHECK(layout->loadable || !layout->count);
	elf_layout_free(layout);
	FUZZ_CHECK(!elf_dirty_forecast(image, dynamic, index, loader, page_size, &dirty, NULL));
	FUZZ_CHECK(dirty.relro <= dirty.relocation && dirty.relocation <= dirty.pages);
}

static void check_relocations(const struct elf_image *image)
{
	struct elf_reloc_index *index = NULL;
	struct elf_relr_estimate estimate;
	struct elf_reloc_cursor cursor;
	struct elf_reloc_place place;
	struct elf_dynamic dynamic;
	uint64_t sum = 0;
	size_t i;

	FUZZ_CHECK(!elf_dynamic_read(image, &dynamic, NULL));
	FUZZ_CHECK(!elf_reloc_index_build(image, &dynamic, &index, NULL));
	for (i = 0; i < ELF_RELOC_KIND_MAX; i++)
		sum += index->by_kind[i];
	FUZZ_CHECK(sum == index->total && index->count + index->large_count <= sum);
	for (i = 1; i < index->count; i++)
		FUZZ_CHECK(index->places[i - 1].place <= index->places[i].place);
	cursor = elf_reloc_index_seek(index, 0x2000, 0x3000);
	for (i = 0; i < WALK_MAX && elf_reloc_index_next(index, &cursor, &place); i++) {
		CLEANUP(buf_done) struct buf name = BUF_INIT;

		FUZZ_CHECK(place.place < 0x3000 && place.place + place.size > 0x2000);
		elf_dynamic_symbol_name(image, &dynamic, place.symbol, &name, NULL);
	}
	elf_relr_size_estimate(image, index, &estimate);
	FUZZ_CHECK(estimate.bytes_relr <= estimate.bytes_now);
	check_layout(image, &dynamic, index, 4096);
	check_layout(image, &dynamic, index, 65536);
	elf_reloc_index_free(index);
}

static void check_code(const struct elf_image *image, const uint8_t *data, size_t size)
{
	struct elf_code code = { image->machine, image->is_64, image->big_endian, size & 1,
				 UINT64_MAX - 64, data, size };
	struct elf_instruction out[8];
	size_t count = 0, index = 0, i;

	if (!size || elf_disassemble_around(&code, code.address + size / 2, 3, 4, out, &count,
					    &index, NULL) < 0)
		return;
	FUZZ_CHECK(count <= 8 && index < count);
	for (i = 0; i < count; i++)
		FUZZ_CHECK(out[i].length && out[i].text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image *image = NULL;
	struct elf_reader reader = { elf_read_buf, NULL, 0 };
	struct elf_writer w;

	if (!size)
		return 0;
	make(&w, data, size);
	reader.ctx = &w.bytes;
	reader.size = w.bytes.len;
	if (!elf_image_open(&reader, &image, NULL)) {
		check_image(image);
		check_symbols(image);
		check_relocations(image);
		check_code(image, data, size < 64 ? size : 64);
	}
	elf_image_free(image);
	buf_done(&w.bytes);
	return 0;
}
