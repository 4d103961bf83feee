// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elf_sample.h"

#include "vmatlas/base/cleanup.h"

/* Offsets in the file; addresses are the same up to DATA, which is mapped one page higher. */
enum {
	PHDRS = 0x40,
	INTERP = 0x200,
	NOTE = 0x220,
	DYNSYM = 0x280,
	DYNSTR = 0x300,
	HASH = 0x320,
	GNU_HASH = 0x340,
	RELA = 0x400,
	JMPREL = 0x4c0,
	RELR = 0x500,
	APS2 = 0x540,
	TEXT = 0x600,
	CODE_END = 0x700,
	DATA = 0x1000,
	DATA_END = 0x1600,
	SYMTAB = 0x1600,
	STRTAB = 0x1700,
	SHSTRTAB = 0x1780,
	LINK = 0x17e0,
	SHDRS = 0x1800,
	BIAS = 0x1000		/* address of data minus its offset */
};

static const char names[] = "\0.text\0.data\0.bss\0.symtab\0.strtab\0.shstrtab\0.dynsym\0"
			    ".gnu_debuglink";
static const char symbol_names[] = "\0first\0second\0third@VERSION";
static const uint8_t packed[] = { 'A', 'P', 'S', '2', 4, 0x80, 0xc0, 0, 2, 3, 8, 8, 2, 0, 8, 1, 16,
				  1 };

static const struct elf_segment segments[] = {
	{ PT_LOAD, PF_R | PF_X, 0, 0, 0, CODE_END, CODE_END, 0x1000 },
	{ PT_LOAD, PF_R | PF_W, DATA, DATA + BIAS, 0, DATA_END - DATA, 0x2800, 0x1000 },
	{ PT_DYNAMIC, PF_R | PF_W, DATA, DATA + BIAS, 0, 0x200, 0x200, 8 },
	{ PT_INTERP, PF_R, INTERP, INTERP, 0, 8, 8, 1 },
	{ PT_NOTE, PF_R, NOTE, NOTE, 0, 0x18, 0x18, 4 },
	{ PT_GNU_RELRO, PF_R, DATA, DATA + BIAS, 0, DATA_END - DATA, 0x1000, 1 },
	{ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 },
};

static const struct {
	uint32_t name;
	struct elf_section section;
} sections[] = {
	{ 0, { .type = SHT_NULL } },
	{ 1, { .type = SHT_PROGBITS, .flags = SHF_ALLOC, .addr = TEXT, .offset = TEXT,
	       .size = 0x100 } },
	{ 7, { .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE, .addr = DATA + BIAS,
	       .offset = DATA, .size = DATA_END - DATA } },
	{ 13, { .type = SHT_NOBITS, .flags = SHF_ALLOC | SHF_WRITE, .addr = DATA_END + BIAS,
		.offset = DATA_END, .size = 0x2000 } },
	{ 18, { .type = SHT_SYMTAB, .offset = SYMTAB, .size = 4 * 24, .link = 5,
		.entsize = 24 } },
	{ 26, { .type = SHT_STRTAB, .offset = STRTAB, .size = sizeof(symbol_names) } },
	{ 34, { .type = SHT_STRTAB, .offset = SHSTRTAB, .size = sizeof(names) } },
	{ 44, { .type = SHT_DYNSYM, .flags = SHF_ALLOC, .addr = DYNSYM, .offset = DYNSYM,
		.size = 4 * 24, .link = 5, .entsize = 24 } },
	{ 52, { .type = SHT_PROGBITS, .offset = LINK, .size = 16 } },
};

static const struct {
	uint64_t tag;
	uint64_t value;
} tags[] = {
	{ DT_SYMTAB, DYNSYM }, { DT_STRTAB, DYNSTR }, { DT_STRSZ, sizeof(symbol_names) },
	{ DT_HASH, HASH }, { DT_GNU_HASH, GNU_HASH }, { DT_RELA, RELA }, { DT_RELASZ, 0xc0 },
	{ DT_JMPREL, JMPREL }, { DT_PLTRELSZ, 0x30 }, { DT_PLTREL, DT_RELA }, { DT_RELR, RELR },
	{ DT_RELRSZ, 32 }, { 0x60000011, APS2 }, { 0x60000012, sizeof(packed) },
	{ DT_PLTGOT, DATA + BIAS + 0x400 }, { DT_FLAGS, DF_BIND_NOW }, { DT_FLAGS_1, DF_1_PIE },
	{ DT_MIPS_LOCAL_GOTNO, 4 }, { DT_MIPS_SYMTABNO, 4 }, { DT_MIPS_GOTSYM, 2 },
	{ DT_DEBUG, 0 }, { DT_NULL, 0 },
};

static void put_symbol(struct elf_writer *w, uint32_t name, uint64_t value, uint64_t size,
		       uint8_t info, uint16_t section)
{
	elf_put(w, name, 4);
	if (!w->is_64) {
		elf_put_word(w, value);
		elf_put_word(w, size);
	}
	elf_put(w, info, 1);
	elf_put(w, 0, 1);
	elf_put(w, section, 2);
	if (w->is_64) {
		elf_put_word(w, value);
		elf_put_word(w, size);
	}
}

static void put_symbols(struct elf_writer *w)
{
	put_symbol(w, 0, 0, 0, 0, 0);
	put_symbol(w, 1, TEXT, 0x40, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 1);
	put_symbol(w, 7, DATA + BIAS + 0x300, 0x10, ELF64_ST_INFO(STB_LOCAL, STT_OBJECT), 2);
	put_symbol(w, 14, 0, 0, ELF64_ST_INFO(STB_WEAK, STT_NOTYPE), 0);
}

static void put_relocations(struct elf_writer *w, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		elf_put_word(w, DATA + BIAS + 0x200 + 8 * i);
		elf_put_word(w, w->is_64 ? ELF64_R_INFO((uint64_t)(i & 3), i + 1)
					 : ELF32_R_INFO(i & 3, i + 1));
		elf_put_word(w, i);
	}
}

static void put_hashes(struct elf_writer *w)
{
	static const uint32_t gnu[] = { 1, 1, 1, 6 };
	size_t i;

	elf_pad(w, HASH);
	elf_put(w, 1, 4);
	elf_put(w, 4, 4);
	elf_pad(w, GNU_HASH);
	for (i = 0; i < ARRAY_SIZE(gnu); i++)
		elf_put(w, gnu[i], 4);
	elf_put_word(w, UINT64_MAX);
	elf_put(w, 1, 4);		/* the bucket */
	elf_put(w, 2, 4);		/* its chain */
	elf_put(w, 4, 4);
	elf_put(w, 7, 4);
}

static void put_code_part(struct elf_writer *w)
{
	elf_pad(w, INTERP);
	buf_add(&w->bytes, "/ld.so\0", 8);
	elf_pad(w, NOTE);
	elf_put(w, 4, 4);
	elf_put(w, 8, 4);
	elf_put(w, NT_GNU_BUILD_ID, 4);
	buf_add(&w->bytes, "GNU\0\1\2\3\4\5\6\7\10", 12);
	elf_pad(w, DYNSYM);
	put_symbols(w);
	elf_pad(w, DYNSTR);
	buf_add(&w->bytes, symbol_names, sizeof(symbol_names));
	put_hashes(w);
	elf_pad(w, RELA);
	put_relocations(w, 8);
	elf_pad(w, JMPREL);
	put_relocations(w, 2);
	elf_pad(w, RELR);
	elf_put_word(w, DATA + BIAS);
	elf_put_word(w, 0x55);
	elf_put_word(w, DATA + BIAS + 0x100);
	elf_put_word(w, 3);
	elf_pad(w, APS2);
	buf_add(&w->bytes, packed, sizeof(packed));
}

static void put_data_part(struct elf_writer *w)
{
	size_t i;

	elf_pad(w, DATA);
	for (i = 0; i < ARRAY_SIZE(tags); i++) {
		elf_put_word(w, tags[i].tag);
		elf_put_word(w, tags[i].value);
	}
	elf_pad(w, SYMTAB);
	put_symbols(w);
	elf_pad(w, STRTAB);
	buf_add(&w->bytes, symbol_names, sizeof(symbol_names));
	elf_pad(w, SHSTRTAB);
	buf_add(&w->bytes, names, sizeof(names));
	elf_pad(w, LINK);
	buf_add(&w->bytes, "x.debug\0\0\0\0\1\2\3\4\5", 16);
}

void elf_sample_write(struct elf_writer *w, uint16_t machine)
{
	size_t i;

	elf_put_header(w, ET_DYN, machine, PHDRS, ARRAY_SIZE(segments), SHDRS,
		       ARRAY_SIZE(sections), 6);
	elf_pad(w, PHDRS);
	for (i = 0; i < ARRAY_SIZE(segments); i++)
		elf_put_segment(w, &segments[i]);
	put_code_part(w);
	put_data_part(w);
	elf_pad(w, SHDRS);
	for (i = 0; i < ARRAY_SIZE(sections); i++)
		elf_put_section(w, sections[i].name, &sections[i].section);
}
