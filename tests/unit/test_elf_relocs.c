// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elf_writer.h"
#include "test.h"

#include "vmatlas/elf/relocs.h"

#define DYNAMIC 0x200
#define TABLE 0x400
#define DATA 0x1000
#define TAG_ANDROID_RELA 0x60000011
#define TAG_ANDROID_RELASZ 0x60000012

/* A file with one table of relocations, found through PT_DYNAMIC alone. */
struct sample {
	struct elf_writer w;
	struct elf_image *image;
	struct elf_dynamic dynamic;
};

static void sample_begin(struct sample *s, bool is_64, bool big_endian, uint16_t machine,
			 uint64_t tag, uint64_t size_tag, uint64_t size)
{
	const struct elf_segment load = { PT_LOAD, PF_R | PF_W, 0, 0, 0, 0x1000, 0x100000, 0x1000 };
	const struct elf_segment dynamic = { PT_DYNAMIC, PF_R, DYNAMIC, DYNAMIC, 0, 0x60, 0x60, 8 };

	*s = (struct sample) { .w = { BUF_INIT, is_64, big_endian } };
	elf_put_header(&s->w, ET_DYN, machine, 0x40, 2, 0, 0, 0);
	elf_pad(&s->w, 0x40);
	elf_put_segment(&s->w, &load);
	elf_put_segment(&s->w, &dynamic);
	elf_pad(&s->w, DYNAMIC);
	elf_put_word(&s->w, tag);
	elf_put_word(&s->w, TABLE);
	elf_put_word(&s->w, size_tag);
	elf_put_word(&s->w, size);
	elf_put_word(&s->w, DT_NULL);
	elf_put_word(&s->w, 0);
	elf_pad(&s->w, TABLE);
}

static struct elf_reloc_index *sample_index(struct sample *s)
{
	struct elf_reader reader = { elf_read_buf, &s->w.bytes, 0 };
	struct elf_reloc_index *index = NULL;

	elf_pad(&s->w, 0x1000);
	reader.size = s->w.bytes.len;
	CHECK(!elf_image_open(&reader, &s->image, NULL));
	CHECK(!elf_dynamic_read(s->image, &s->dynamic, NULL));
	CHECK(!elf_reloc_index_build(s->image, &s->dynamic, &index, NULL));
	return index;
}

static void sample_done(struct sample *s, struct elf_reloc_index *index)
{
	elf_reloc_index_free(index);
	elf_image_free(s->image);
	buf_done(&s->w.bytes);
}

/* An address, a full bitmap, a bitmap with its first and last bit: both classes and orders. */
static void test_relr(void)
{
	unsigned i;

	for (i = 0; i < 4; i++) {
		bool is_64 = i & 1;
		unsigned word = is_64 ? 8 : 4, bits = word * 8 - 1;
		struct elf_relr_estimate estimate;
		struct elf_reloc_index *index;
		struct sample s;

		sample_begin(&s, is_64, i & 2, is_64 ? EM_PPC64 : EM_PPC, DT_RELR, DT_RELRSZ,
			     3 * word);
		elf_put_word(&s.w, DATA);
		elf_put_word(&s.w, UINT64_MAX);
		elf_put_word(&s.w, 1 | 2 | 1ull << bits);
		index = sample_index(&s);
		CHECK_U64(index->count, 1 + bits + 2);
		CHECK_U64(index->by_kind[ELF_RELOC_RELATIVE], 1 + bits + 2);
		CHECK_U64(index->places[bits].place, DATA + bits * word);
		CHECK_U64(index->places[bits + 1].place, DATA + (bits + 1) * word);
		CHECK_U64(index->places[bits + 2].place, DATA + 2 * bits * word);
		CHECK_U64(index->damage, 0);
		elf_relr_size_estimate(s.image, index, &estimate);
		CHECK_U64(estimate.relative, 0);
		sample_done(&s, index);
	}
}

static void put_sleb(struct elf_writer *w, int64_t value)
{
	bool more = true;

	while (more) {
		uint8_t byte = value & 0x7f;

		value >>= 7;
		more = !((!value && !(byte & 0x40)) || (value == -1 && byte & 0x40));
		buf_add_char(&w->bytes, (char)(byte | (more ? 0x80 : 0)));
	}
}

/* Three groups: all shared, nothing shared, and going back by a negative delta. */
static void test_android(void)
{
	struct elf_reloc_index *index;
	struct elf_reloc r = { 0 };
	struct elf_relocs *relocs = NULL;
	struct sample s;
	unsigned i;

	sample_begin(&s, true, false, EM_X86_64, TAG_ANDROID_RELA, TAG_ANDROID_RELASZ, 0x100);
	buf_add(&s.w.bytes, "APS2", 4);
	put_sleb(&s.w, 6);
	put_sleb(&s.w, DATA);
	put_sleb(&s.w, 3);			/* by offset delta and info, addends follow */
	put_sleb(&s.w, 1 | 2 | 8);
	put_sleb(&s.w, 8);
	put_sleb(&s.w, R_X86_64_RELATIVE);
	put_sleb(&s.w, 0x100);
	put_sleb(&s.w, -0x10);
	put_sleb(&s.w, 4);
	put_sleb(&s.w, 2);			/* nothing shared, no addend */
	put_sleb(&s.w, 0);
	put_sleb(&s.w, 0x1000);
	put_sleb(&s.w, (int64_t)ELF64_R_INFO(5ull, R_X86_64_GLOB_DAT));
	put_sleb(&s.w, -8);
	put_sleb(&s.w, (int64_t)ELF64_R_INFO(6ull, R_X86_64_JUMP_SLOT));
	put_sleb(&s.w, 1);
	put_sleb(&s.w, 4 | 8);			/* one addend for the group */
	put_sleb(&s.w, 77);
	put_sleb(&s.w, -0x100);
	put_sleb(&s.w, (int64_t)ELF64_R_INFO(7ull, R_X86_64_64));
	index = sample_index(&s);
	CHECK_U64(index->total, 6);
	CHECK_U64(index->places[0].place, DATA + 8);
	CHECK_U64(index->places[3].place, DATA + 0x18 + 0x1000 - 8 - 0x100);
	CHECK_U64(index->places[5].place, DATA + 0x18 + 0x1000);
	CHECK(index->by_kind[ELF_RELOC_PLT] == 1 && index->by_kind[ELF_RELOC_SYMBOLIC] == 1);
	CHECK_U64(index->damage, 0);
	CHECK(!elf_relocs_open(s.image, &s.dynamic, &relocs, NULL));
	for (i = 0; i < 3; i++)
		CHECK(elf_relocs_next(relocs, &r));
	CHECK(r.addend == 0x100 - 0x10 + 4 && r.place == DATA + 24);
	for (i = 0; i < 3; i++)
		CHECK(elf_relocs_next(relocs, &r));
	CHECK(r.addend == 77 && r.symbol == 7 && !elf_relocs_next(relocs, &r));
	elf_relocs_free(relocs);
	sample_done(&s, index);
}

/* Counts and sizes that promise more than there is end the table and are noted. */
static void test_damage(void)
{
	struct elf_reloc_index *index;
	struct sample s;

	sample_begin(&s, true, false, EM_X86_64, DT_RELA, DT_RELASZ, 1ull << 60);
	index = sample_index(&s);
	CHECK(index->damage & ELF_DAMAGE_RELOCATIONS && index->total <= 0xc00 / 24);
	sample_done(&s, index);

	sample_begin(&s, true, false, EM_X86_64, TAG_ANDROID_RELA, TAG_ANDROID_RELASZ, 0x20);
	buf_add(&s.w.bytes, "APS2", 4);
	put_sleb(&s.w, INT64_MAX);
	put_sleb(&s.w, DATA);
	put_sleb(&s.w, INT64_MAX);
	put_sleb(&s.w, 1 | 2);
	put_sleb(&s.w, 0);
	put_sleb(&s.w, R_X86_64_64);
	index = sample_index(&s);
	CHECK_U64(index->total, ELF_RELOCS_MAX);
	CHECK_U64(index->count, ELF_RELOC_PLACES_MAX);
	CHECK(index->damage & ELF_DAMAGE_LIMIT);
	sample_done(&s, index);

	sample_begin(&s, true, false, EM_X86_64, DT_RELA, DT_RELASZ, 48);
	elf_put_word(&s.w, UINT64_MAX - 2);
	elf_put_word(&s.w, R_X86_64_64);
	elf_put_word(&s.w, 0);
	elf_put_word(&s.w, DATA);
	elf_put_word(&s.w, 250);		/* no such type */
	elf_put_word(&s.w, 0);
	index = sample_index(&s);
	CHECK(index->damage & ELF_DAMAGE_RELOCATIONS && index->total == 2);
	CHECK(index->by_kind[ELF_RELOC_OTHER] == 1);
	sample_done(&s, index);
}

/* Packed as the linker would: an address, bitmaps, a new address after a gap, an odd place. */
static void test_estimate(void)
{
	static const uint64_t places[] = { 0x1000, 0x1008, 0x1000 + 64 * 8, 0x5000, 0x6001 };
	struct elf_relr_estimate estimate;
	struct elf_reloc_index *index;
	struct sample s;
	size_t i;

	sample_begin(&s, true, false, EM_X86_64, DT_RELA, DT_RELASZ, 24 * ARRAY_SIZE(places));
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		elf_put_word(&s.w, places[i]);
		elf_put_word(&s.w, R_X86_64_RELATIVE);
		elf_put_word(&s.w, 0);
	}
	index = sample_index(&s);
	elf_relr_size_estimate(s.image, index, &estimate);
	CHECK_U64(estimate.relative, 5);
	CHECK_U64(estimate.bytes_now, 5 * 24);
	/* 0x1000, bitmap, next bitmap (0x1200), 0x5000; and one as it is */
	CHECK_U64(estimate.bytes_relr, 4 * 8 + 24);
	CHECK_U64(elf_reloc_index_pages(index, 0x1000), 3);
	CHECK_U64(elf_reloc_index_pages(index, 0x10000), 1);
	sample_done(&s, index);
}

int main(void)
{
	test_relr();
	test_android();
	test_damage();
	test_estimate();
	TEST_END;
}
