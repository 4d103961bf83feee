// SPDX-License-Identifier: LGPL-2.1-or-later
#include "symtab.h"

#include <stdlib.h>

#include "bytes.h"
#include "vmatlas/elf/dynamic.h"

#define WINDOW 1024	/* symbols read at a time */

static bool place_of_section(const struct elf_image *image, const struct elf_section *s,
			     struct symtab_place *place)
{
	const struct elf_section *strings;
	size_t size = ELF_RECORD_SIZE(image, Sym);
	struct symtab_place made = { .offset = s->offset, .count = s->size / size };

	if (s->link >= image->section_count || !s->size)
		return false;
	strings = &image->sections[s->link];
	if (strings->type != SHT_STRTAB || strings->flags & SHF_COMPRESSED ||
	    s->flags & SHF_COMPRESSED)
		return false;
	if (s->entsize != size || s->size % size)
		made.damage |= ELF_DAMAGE_SYMBOLS;
	made.strings_offset = strings->offset;
	made.strings_size = strings->size;
	*place = made;
	return true;
}

static bool find_type(const struct elf_image *image, uint32_t type, struct symtab_place *place)
{
	size_t i;

	for (i = 1; i < image->section_count; i++)
		if (image->sections[i].type == type &&
		    place_of_section(image, &image->sections[i], place))
			return true;
	return false;
}

bool symtab_find(const struct elf_image *image, struct symtab_place *place)
{
	return find_type(image, SHT_SYMTAB, place);
}

int symtab_find_dynamic(const struct elf_image *image, struct symtab_place *place,
			struct error *error)
{
	struct elf_dynamic dynamic;
	int ret;

	if (find_type(image, SHT_DYNSYM, place))
		return 0;
	ret = elf_dynamic_read(image, &dynamic, error);
	if (ret < 0)
		return ret;
	if (!dynamic.symbol_count || !dynamic.strings.size)
		return -ERROR_NOT_FOUND;
	*place = (struct symtab_place) {
		.offset = dynamic.symbols_offset,
		.count = dynamic.symbol_count,
		.strings_offset = dynamic.strings.offset,
		.strings_size = dynamic.strings.size,
		.damage = dynamic.damage & (ELF_DAMAGE_SYMBOLS | ELF_DAMAGE_STRINGS),
	};
	return 0;
}

static int not_recorded(struct error *error)
{
	return error_set(error, ERROR_NOT_RECORDED, NULL, "the snapshot does not hold the symbols");
}

static int strings_load(const struct elf_image *image, const struct symtab_place *place,
			struct elf_symbols *symbols, struct error *error)
{
	uint64_t size = place->strings_size;
	int ret;

	if (size > ELF_SYMBOL_STRINGS_MAX) {
		size = ELF_SYMBOL_STRINGS_MAX;
		symbols->damage |= ELF_DAMAGE_LIMIT;
	}
	symbols->strings = malloc(size + 1);
	if (!symbols->strings)
		return error_nomem(error);
	symbols->strings[size] = '\0';
	symbols->strings_size = size;
	ret = elf_image_read(image, place->strings_offset, symbols->strings, size, NULL);
	if (ret == -ERROR_NOT_RECORDED)
		return not_recorded(error);
	if (ret < 0) {
		symbols->strings_size = 0;
		symbols->strings[0] = '\0';
		symbols->damage |= ELF_DAMAGE_STRINGS;
	} else if (size && symbols->strings[size - 1]) {
		symbols->damage |= ELF_DAMAGE_STRINGS;
	}
	return 0;
}

/* $x, $d.12 and the like tell code from data on ARM, AArch64 and RISC-V. */
static bool is_mapping_symbol(const struct elf_image *image, const char *name)
{
	bool has_them = image->machine == EM_ARM || image->machine == EM_AARCH64 ||
			image->machine == EM_RISCV;

	return has_them && name[0] == '$' && name[1] && strchr("adtx", name[1]);
}

static bool names_memory(const struct elf_image *image, const uint8_t *raw)
{
	uint8_t type = ELF64_ST_TYPE(ELF_FIELD(image, raw, Sym, st_info));
	uint16_t section = (uint16_t)ELF_FIELD(image, raw, Sym, st_shndx);

	if (section == SHN_UNDEF || section == SHN_ABS || section == SHN_COMMON)
		return false;
	/* Linker warnings (.gnu.warning.NAME) carry symbols too. */
	if (section < image->section_count && !(image->sections[section].flags & SHF_ALLOC))
		return false;
	return type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC ||
	       type == STT_GNU_IFUNC;
}

static uint8_t symbol_rank(uint8_t info)
{
	static const uint8_t of_bind[] = { [STB_LOCAL] = 1, [STB_GLOBAL] = 3, [STB_WEAK] = 2 };
	uint8_t bind = ELF64_ST_BIND(info);

	return (uint8_t)((bind < ARRAY_SIZE(of_bind) ? of_bind[bind] : 3) +
			 (ELF64_ST_TYPE(info) != STT_NOTYPE ? 4 : 0));
}

/* Bit 0 of a function's address selects Thumb on ARM and compressed code on MIPS. */
static uint64_t symbol_address(const struct elf_image *image, uint64_t value, uint8_t info)
{
	uint8_t type = ELF64_ST_TYPE(info);

	if ((image->machine == EM_ARM || image->machine == EM_MIPS) &&
	    (type == STT_FUNC || type == STT_GNU_IFUNC))
		return value & ~1ull;
	return value;
}

static void symbol_take(const struct elf_image *image, const uint8_t *raw,
			struct elf_symbols *symbols)
{
	struct symbol_entry *e = &symbols->entries[symbols->count];
	uint32_t name = (uint32_t)ELF_FIELD(image, raw, Sym, st_name);
	uint64_t value = ELF_FIELD(image, raw, Sym, st_value);

	if (!names_memory(image, raw) || !name)
		return;
	if (name >= symbols->strings_size) {
		symbols->damage |= ELF_DAMAGE_STRINGS;
		return;
	}
	if (!symbols->strings[name] || is_mapping_symbol(image, symbols->strings + name))
		return;
	e->info = (uint8_t)ELF_FIELD(image, raw, Sym, st_info);
	e->address = symbol_address(image, value, e->info);
	e->size = ELF_FIELD(image, raw, Sym, st_size);
	e->name = name;
	e->section = (uint16_t)ELF_FIELD(image, raw, Sym, st_shndx);
	e->rank = symbol_rank(e->info) | (e->address != value ? RANK_COMPRESSED : 0);
	if (e->size > UINT64_MAX - e->address) {
		e->size = UINT64_MAX - e->address;
		symbols->damage |= ELF_DAMAGE_SYMBOLS;
	}
	symbols->count++;
}

static int entries_load(const struct elf_image *image, const struct symtab_place *place,
			uint64_t count, struct elf_symbols *symbols, struct error *error)
{
	size_t size = ELF_RECORD_SIZE(image, Sym);
	uint8_t raw[WINDOW * sizeof(Elf64_Sym)];
	uint64_t done, n, i;
	int ret;

	symbols->entries = malloc((count + 1) * sizeof(*symbols->entries));
	if (!symbols->entries)
		return error_nomem(error);
	for (done = 0; done < count; done += n) {
		n = count - done < WINDOW ? count - done : WINDOW;
		ret = elf_image_read(image, place->offset + done * size, raw, n * size, NULL);
		if (ret == -ERROR_NOT_RECORDED)
			return not_recorded(error);
		if (ret < 0) {
			symbols->damage |= ELF_DAMAGE_SYMBOLS;
			break;
		}
		for (i = 0; i < n; i++)
			symbol_take(image, raw + i * size, symbols);
	}
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct symbol_entry *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

/* Stable, by one byte of the address. */
static void sort_by_byte(const struct symbol_entry *from, struct symbol_entry *to, size_t count,
			 unsigned shift)
{
	size_t at[256] = { 0 }, sum = 0, i;

	for (i = 0; i < count; i++)
		at[from[i].address >> shift & 0xff]++;
	for (i = 0; i < 256; i++) {
		size_t n = at[i];

		at[i] = sum;
		sum += n;
	}
	for (i = 0; i < count; i++)
		to[at[from[i].address >> shift & 0xff]++] = from[i];
}

static void sort_group(struct symbol_entry *entries, size_t count)
{
	if (count > 1)
		qsort(entries, count, sizeof(*entries), compare_entries);
}

/* Byte by byte: few of the bytes differ, and a comparison sort takes ten times as long. */
static int sort_entries(struct elf_symbols *symbols, struct error *error)
{
	size_t count = symbols->count, first = 0, i;
	struct symbol_entry *other = malloc((count + 1) * sizeof(*other));
	uint64_t bits = 0;
	unsigned shift;

	if (!other)
		return error_nomem(error);
	for (i = 0; i < count; i++)
		bits |= symbols->entries[i].address;
	for (shift = 0; shift < 64 && bits >> shift; shift += 8) {
		struct symbol_entry *sorted = other;

		sort_by_byte(symbols->entries, sorted, count, shift);
		other = symbols->entries;
		symbols->entries = sorted;
	}
	free(other);
	for (i = 1; i <= count; i++) {
		if (i < count && symbols->entries[i].address == symbols->entries[first].address)
			continue;
		sort_group(symbols->entries + first, i - first);
		first = i;
	}
	return 0;
}

static int reach_build(struct elf_symbols *symbols, struct error *error)
{
	uint64_t highest = 0;
	size_t i;

	symbols->reach = malloc((symbols->count + 1) * sizeof(*symbols->reach));
	if (!symbols->reach)
		return error_nomem(error);
	for (i = 0; i < symbols->count; i++) {
		const struct symbol_entry *e = &symbols->entries[i];
		uint64_t end = e->address + (e->size ? e->size : e->address < UINT64_MAX);

		highest = end > highest ? end : highest;
		symbols->reach[i] = highest;
	}
	return 0;
}

int symtab_read(const struct elf_image *image, const struct symtab_place *place,
		struct elf_symbols *symbols, struct error *error)
{
	uint64_t in_file = place->offset < image->reader.size ?
			   image->reader.size - place->offset : 0;
	uint64_t count = place->count;
	int ret;

	symbols->damage |= place->damage;
	if (count > in_file / ELF_RECORD_SIZE(image, Sym)) {
		count = in_file / ELF_RECORD_SIZE(image, Sym);
		symbols->damage |= ELF_DAMAGE_SYMBOLS;
	}
	if (count > ELF_SYMBOLS_MAX) {
		count = ELF_SYMBOLS_MAX;
		symbols->damage |= ELF_DAMAGE_LIMIT;
	}
	ret = strings_load(image, place, symbols, error);
	if (ret < 0)
		return ret;
	ret = entries_load(image, place, count, symbols, error);
	if (ret < 0)
		return ret;
	ret = sort_entries(symbols, error);
	return ret < 0 ? ret : reach_build(symbols, error);
}
