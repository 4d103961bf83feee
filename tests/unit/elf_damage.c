// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Makes a damaged ELF file of a good one of this machine:
 *	elf_damage RECIPE GOOD BAD	writes it
 *	elf_damage --list		prints RECIPE and what has to be said about it
 * Nothing of vmatlas is used here: these files are the other side of its tests.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef ElfW(Ehdr) ehdr_t;
typedef ElfW(Phdr) phdr_t;
typedef ElfW(Shdr) shdr_t;
typedef ElfW(Dyn) dyn_t;
typedef ElfW(Rela) rela_t;
typedef ElfW(Sym) sym_t;

static uint8_t *data;
static size_t size;
static uint64_t grown;		/* size of the file with a hole at its end */

static ehdr_t *header(void)
{
	return (ehdr_t *)data;
}

static phdr_t *segment(uint32_t type, int nth)
{
	phdr_t *p = (phdr_t *)(data + header()->e_phoff);
	int i;

	for (i = 0; i < header()->e_phnum; i++)
		if (p[i].p_type == type && !nth--)
			return &p[i];
	fprintf(stderr, "the good file has no segment of type %u\n", type);
	exit(1);
}

static shdr_t *section0(void)
{
	return (shdr_t *)(data + header()->e_shoff);
}

static shdr_t *section(const char *name)
{
	shdr_t *s = section0();
	const char *names = (char *)data + s[header()->e_shstrndx].sh_offset;
	int i;

	for (i = 1; i < header()->e_shnum; i++)
		if (!strcmp(names + s[i].sh_name, name))
			return &s[i];
	fprintf(stderr, "the good file has no section %s\n", name);
	exit(1);
}

static void *content(const char *name)
{
	return data + section(name)->sh_offset;
}

static dyn_t *dynamic(int64_t tag)
{
	dyn_t *d = (dyn_t *)(data + segment(PT_DYNAMIC, 0)->p_offset);

	for (; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return d;
	if (tag == DT_NULL)
		return d;
	fprintf(stderr, "the good file has no dynamic tag %lld\n", (long long)tag);
	exit(1);
}

static void no_sections(void)
{
	header()->e_shoff = 0;
	header()->e_shnum = 0;
	header()->e_shstrndx = 0;
}

static void empty(void) { size = 0; }
static void magic_only(void) { size = 4; }
static void header_cut(void) { size = 40; }
static void class_bad(void) { data[EI_CLASS] = 9; }
static void class_other(void) { data[EI_CLASS] = ELFCLASS32; }
static void order_bad(void) { data[EI_DATA] = 7; }
static void order_other(void) { data[EI_DATA] = ELFDATA2MSB; }
static void version_bad(void) { header()->e_version = 77; }
static void ehsize_bad(void) { header()->e_ehsize = 1; }
static void phoff_beyond(void) { header()->e_phoff = size + 4096; }
static void phoff_wraps(void) { header()->e_phoff = UINT64_MAX - 8; }
static void phentsize_zero(void) { header()->e_phentsize = 0; }
static void phnum_huge(void) { header()->e_phnum = 0xfffe; }
static void phnum_in_section(void) { header()->e_phnum = PN_XNUM; section0()->sh_info = ~0u; }
static void phnum_no_section(void) { no_sections(); header()->e_phnum = PN_XNUM; }
static void shoff_beyond(void) { header()->e_shoff = size; }
static void shoff_wraps(void) { header()->e_shoff = UINT64_MAX - 16; }
static void shentsize_zero(void) { header()->e_shentsize = 0; }
static void shnum_huge(void) { header()->e_shnum = 0; section0()->sh_size = 1ull << 60; }
static void shnum_zero(void) { header()->e_shnum = 0; section0()->sh_size = 0; }
static void shstrndx_beyond(void) { header()->e_shstrndx = 0xfff0; }
static void shstrndx_escape(void) { header()->e_shstrndx = SHN_XINDEX; section0()->sh_link = ~0u; }
static void shstrtab_no_strings(void) { section(".shstrtab")->sh_type = SHT_PROGBITS; }
static void names_beyond(void) { section(".text")->sh_name = 0xfffffff0; }
static void names_unterminated(void) { section(".shstrtab")->sh_size -= 3; }
static void names_compressed(void) { section(".shstrtab")->sh_flags |= SHF_COMPRESSED; }
static void load_filesz_huge(void) { segment(PT_LOAD, 1)->p_filesz = 1ull << 62; }
static void load_memsz_wraps(void) { segment(PT_LOAD, 2)->p_memsz = UINT64_MAX; }
static void load_vaddr_end(void) { segment(PT_LOAD, 2)->p_vaddr = UINT64_MAX - 4095; }
static void load_offset_beyond(void) { segment(PT_LOAD, 1)->p_offset = 1ull << 40; }
static void load_offset_wraps(void) { segment(PT_LOAD, 1)->p_offset = UINT64_MAX - 4095; }
static void loads_overlap(void) { segment(PT_LOAD, 1)->p_vaddr = segment(PT_LOAD, 0)->p_vaddr; }
static void load_align_odd(void) { segment(PT_LOAD, 0)->p_align = 3; }
static void load_align_huge(void) { segment(PT_LOAD, 0)->p_align = 1ull << 63; }
static void relro_huge(void) { segment(PT_GNU_RELRO, 0)->p_memsz = UINT64_MAX; }
static void segments_ff(void)
{
	memset(data + header()->e_phoff, 0xff, header()->e_phnum * sizeof(phdr_t));
}

static void segments_all_load(void)
{
	phdr_t *p = (phdr_t *)(data + header()->e_phoff);
	int i;

	for (i = 0; i < header()->e_phnum; i++)
		p[i].p_type = PT_LOAD;
}

static void loads_reversed(void)
{
	phdr_t *a = segment(PT_LOAD, 0), *b = segment(PT_LOAD, 1), t = *a;

	*a = *b;
	*b = t;
}

static void sections_ff(void)
{
	memset(data + header()->e_shoff, 0xff, header()->e_shnum * sizeof(shdr_t));
}

static void section_size_huge(void) { section(".text")->sh_size = 1ull << 50; }
static void section_addr_wraps(void) { section(".text")->sh_addr = UINT64_MAX - 3; }
static void sections_overlap(void) { section(".data")->sh_addr = section(".text")->sh_addr; }
static void section_link_beyond(void) { section(".symtab")->sh_link = 0xffff; }
static void interp_beyond(void) { segment(PT_INTERP, 0)->p_offset = size - 1; }
static void interp_huge(void) { segment(PT_INTERP, 0)->p_filesz = 100000; }
static void interp_unterminated(void) { segment(PT_INTERP, 0)->p_filesz -= 3; }
static void note_name_huge(void) { ((uint32_t *)content(".note.gnu.build-id"))[0] = 0xfffffff0; }
static void note_content_huge(void) { ((uint32_t *)content(".note.gnu.build-id"))[1] = 0xffffffff; }
static void note_beyond(void) { segment(PT_NOTE, 1)->p_offset = 1ull << 33; }
static void build_id_empty(void) { ((uint32_t *)content(".note.gnu.build-id"))[1] = 0; }
static void dynamic_beyond(void) { segment(PT_DYNAMIC, 0)->p_offset = 1ull << 41; }
static void dynamic_huge(void) { segment(PT_DYNAMIC, 0)->p_filesz = 1ull << 41; }
static void dynamic_cut(void) { segment(PT_DYNAMIC, 0)->p_filesz = 5 * sizeof(dyn_t); }

static void dynamic_symbols_beyond(void)
{
	dynamic(DT_SYMTAB)->d_un.d_ptr = ~0ull << 20;
	no_sections();
}

static void dynamic_strings_beyond(void)
{
	dynamic(DT_STRTAB)->d_un.d_ptr = 1ull << 50;
	no_sections();
}

static void dynamic_strings_huge(void)
{
	dynamic(DT_STRSZ)->d_un.d_val = 1ull << 50;
	no_sections();
}

static void rela_size_huge(void) { dynamic(DT_RELASZ)->d_un.d_val = 1ull << 60; }
static void rela_size_odd(void) { dynamic(DT_RELASZ)->d_un.d_val += 5; }
static void rela_beyond(void) { dynamic(DT_RELA)->d_un.d_ptr = 1ull << 55; }
static void rela_entry_zero(void) { dynamic(DT_RELAENT)->d_un.d_val = 0; }
static void plt_size_huge(void) { dynamic(DT_PLTRELSZ)->d_un.d_val = UINT64_MAX; }

static void rela_is_android(void)
{
	dynamic(DT_RELA)->d_tag = 0x60000011;
	dynamic(DT_RELASZ)->d_tag = 0x60000012;
}

static void rela_is_relr(void)
{
	dynamic(DT_RELA)->d_tag = DT_RELR;
	dynamic(DT_RELASZ)->d_tag = DT_RELRSZ;
}

static void reloc_place_wild(void) { ((rela_t *)content(".rela.dyn"))->r_offset = UINT64_MAX; }
static void reloc_symbol_wild(void) { ((rela_t *)content(".rela.dyn"))->r_info = UINT64_MAX; }
static void symtab_entry_zero(void) { section(".symtab")->sh_entsize = 0; }
static void symtab_size_odd(void) { section(".symtab")->sh_size -= 5; }
static void symtab_size_huge(void) { section(".symtab")->sh_size = 1ull << 60; }
static void symtab_link_self(void) { section(".strtab")->sh_type = SHT_SYMTAB; }
static void symtab_compressed(void) { section(".symtab")->sh_flags |= SHF_COMPRESSED; }
static void strtab_beyond(void) { section(".strtab")->sh_offset = size; }
static void strtab_unterminated(void) { section(".strtab")->sh_size -= 3; }

static void for_symbols(void (*change)(sym_t *s))
{
	shdr_t *s = section(".symtab");
	sym_t *symbols = (sym_t *)(data + s->sh_offset);
	size_t i;

	for (i = 1; i < s->sh_size / sizeof(sym_t); i++)
		change(&symbols[i]);
}

static void name_wild(sym_t *s) { s->st_name = 0xffffff00; }
static void symbol_huge(sym_t *s) { s->st_size = UINT64_MAX; }
static void value_same(sym_t *s) { s->st_value = 0x1000; s->st_size = 1; }
static void symbol_names_wild(void) { for_symbols(name_wild); }
static void symbol_sizes_huge(void) { for_symbols(symbol_huge); }
static void symbol_values_same(void) { for_symbols(value_same); }

static uint32_t *gnu_hash(void)
{
	return content(".gnu.hash");
}

static void hash_buckets_huge(void) { gnu_hash()[0] = ~0u; no_sections(); }
static void hash_bloom_huge(void) { gnu_hash()[2] = ~0u; no_sections(); }
static void hash_first_huge(void) { gnu_hash()[1] = ~0u; no_sections(); }
static void hash_endless(void)
{
	shdr_t *s = section(".gnu.hash");
	uint32_t *hash = gnu_hash(), i;

	for (i = 4; i < s->sh_size / 4; i++)
		hash[i] &= ~1u;
	hash[4 + 2 * hash[2]] = hash[1];
	no_sections();
}

static void cut_half(void) { size /= 2; }
static void cut_tail(void) { size -= 100; }
static void cut_in_symbols(void) { size = section(".symtab")->sh_offset + 50; }

/* Tables that fill a file of a tebibyte, nearly all of it a hole. */
static void hole_symbols(void)
{
	section(".symtab")->sh_size = 1ull << 39;
	section(".strtab")->sh_size = 1ull << 39;
	grown = 1ull << 40;
}

static void hole_relocations(void)
{
	segment(PT_LOAD, 0)->p_filesz = segment(PT_LOAD, 0)->p_memsz = 1ull << 39;
	dynamic(DT_RELASZ)->d_un.d_val = 1ull << 38;
	grown = 1ull << 40;
}

static void hole_segments(void)
{
	header()->e_phnum = PN_XNUM;
	section0()->sh_info = ~0u;
	grown = 1ull << 40;
}

static void hole_sections(void)
{
	header()->e_shnum = 0;
	section0()->sh_size = 1ull << 33;
	grown = 1ull << 40;
}

static void hole_hash(void)
{
	segment(PT_LOAD, 0)->p_filesz = segment(PT_LOAD, 0)->p_memsz = 1ull << 39;
	gnu_hash()[0] = ~0u;
	no_sections();
	grown = 1ull << 40;
}

/* What has to be said: a name of damage, `refused` when there is no answer at all, or `-` when
 * it only has to end well. */
static const struct recipe {
	const char *name;
	void (*run)(void);
	const char *said;
} recipes[] = {
	{ "empty", empty, "refused" },
	{ "magic-only", magic_only, "refused" },
	{ "header-cut", header_cut, "refused" },
	{ "class-bad", class_bad, "refused" },
	{ "class-other", class_other, "-" },
	{ "order-bad", order_bad, "refused" },
	{ "order-other", order_other, "refused" },
	{ "version-bad", version_bad, "header" },
	{ "ehsize-bad", ehsize_bad, "header" },
	{ "phoff-beyond", phoff_beyond, "segments" },
	{ "phoff-wraps", phoff_wraps, "segments" },
	{ "phentsize-zero", phentsize_zero, "segments" },
	{ "phnum-huge", phnum_huge, "segments" },
	{ "phnum-in-section", phnum_in_section, "segments" },
	{ "phnum-no-section", phnum_no_section, "sections" },
	{ "segments-ff", segments_ff, "segments" },
	{ "segments-all-load", segments_all_load, "segments" },
	{ "load-filesz-huge", load_filesz_huge, "segments" },
	{ "load-memsz-wraps", load_memsz_wraps, "segments" },
	{ "load-vaddr-end", load_vaddr_end, "segments" },
	{ "load-offset-beyond", load_offset_beyond, "segments" },
	{ "load-offset-wraps", load_offset_wraps, "segments" },
	{ "load-align-odd", load_align_odd, "segments" },
	{ "load-align-huge", load_align_huge, "-" },
	{ "loads-overlap", loads_overlap, "segments" },
	{ "loads-reversed", loads_reversed, "segments" },
	{ "relro-huge", relro_huge, "segments" },
	{ "shoff-beyond", shoff_beyond, "sections" },
	{ "shoff-wraps", shoff_wraps, "sections" },
	{ "shentsize-zero", shentsize_zero, "sections" },
	{ "shnum-huge", shnum_huge, "sections" },
	{ "shnum-zero", shnum_zero, "-" },
	{ "shstrndx-beyond", shstrndx_beyond, "strings" },
	{ "shstrndx-escape", shstrndx_escape, "strings" },
	{ "shstrtab-no-strings", shstrtab_no_strings, "strings" },
	{ "names-beyond", names_beyond, "strings" },
	{ "names-unterminated", names_unterminated, "strings" },
	{ "names-compressed", names_compressed, "strings" },
	{ "sections-ff", sections_ff, "sections" },
	{ "section-size-huge", section_size_huge, "sections" },
	{ "section-addr-wraps", section_addr_wraps, "sections" },
	{ "section-link-beyond", section_link_beyond, "sections" },
	{ "sections-overlap", sections_overlap, "sections" },
	{ "interp-beyond", interp_beyond, "segments" },
	{ "interp-huge", interp_huge, "limit" },
	{ "interp-unterminated", interp_unterminated, "strings" },
	{ "note-name-huge", note_name_huge, "notes" },
	{ "note-content-huge", note_content_huge, "notes" },
	{ "note-beyond", note_beyond, "notes" },
	{ "build-id-empty", build_id_empty, "notes" },
	{ "dynamic-beyond", dynamic_beyond, "dynamic" },
	{ "dynamic-huge", dynamic_huge, "segments" },
	{ "dynamic-cut", dynamic_cut, "dynamic" },
	{ "dynamic-symbols-beyond", dynamic_symbols_beyond, "symbols" },
	{ "dynamic-strings-beyond", dynamic_strings_beyond, "strings" },
	{ "dynamic-strings-huge", dynamic_strings_huge, "strings" },
	{ "rela-size-huge", rela_size_huge, "relocations" },
	{ "rela-size-odd", rela_size_odd, "-" },
	{ "rela-beyond", rela_beyond, "relocations" },
	{ "rela-entry-zero", rela_entry_zero, "-" },
	{ "rela-is-android", rela_is_android, "relocations" },
	{ "rela-is-relr", rela_is_relr, "-" },
	{ "plt-size-huge", plt_size_huge, "relocations" },
	{ "reloc-place-wild", reloc_place_wild, "relocations" },
	{ "reloc-symbol-wild", reloc_symbol_wild, "-" },
	{ "symtab-entry-zero", symtab_entry_zero, "symbols" },
	{ "symtab-size-odd", symtab_size_odd, "symbols" },
	{ "symtab-size-huge", symtab_size_huge, "sections" },
	{ "symtab-link-self", symtab_link_self, "-" },
	{ "symtab-compressed", symtab_compressed, "-" },
	{ "strtab-beyond", strtab_beyond, "sections" },
	{ "strtab-unterminated", strtab_unterminated, "strings" },
	{ "symbol-names-wild", symbol_names_wild, "strings" },
	{ "symbol-sizes-huge", symbol_sizes_huge, "symbols" },
	{ "symbol-values-same", symbol_values_same, "-" },
	{ "hash-buckets-huge", hash_buckets_huge, "-" },
	{ "hash-bloom-huge", hash_bloom_huge, "-" },
	{ "hash-first-huge", hash_first_huge, "-" },
	{ "hash-endless", hash_endless, "-" },
	{ "cut-half", cut_half, "sections" },
	{ "cut-tail", cut_tail, "sections" },
	{ "cut-in-symbols", cut_in_symbols, "sections" },
	{ "hole-symbols", hole_symbols, "limit" },
	{ "hole-relocations", hole_relocations, "limit" },
	{ "hole-segments", hole_segments, "limit" },
	{ "hole-sections", hole_sections, "limit" },
	{ "hole-hash", hole_hash, "-" },
};

#define RECIPES (sizeof(recipes) / sizeof(recipes[0]))

static void load(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file || fseek(file, 0, SEEK_END)) {
		perror(path);
		exit(1);
	}
	size = (size_t)ftell(file);
	rewind(file);
	data = calloc(1, size);
	if (!data || fread(data, 1, size, file) != size) {
		perror(path);
		exit(1);
	}
	fclose(file);
}

static void store(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    (grown && ftruncate(fd, (off_t)grown))) {
		perror(path);
		exit(1);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < RECIPES; i++)
			printf("%s %s\n", recipes[i].name, recipes[i].said);
		return 0;
	}
	if (argc != 4)
		return 2;
	for (i = 0; i < RECIPES && strcmp(recipes[i].name, argv[1]); i++)
		;
	if (i == RECIPES)
		return 2;
	load(argv[2]);
	recipes[i].run();
	store(argv[3]);
	free(data);
	return 0;
}
