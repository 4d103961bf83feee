// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/elf/symbols.h"

#include <elf.h>
#include <stdlib.h>

#include "symtab.h"
#include "vmatlas/base/search.h"

/* Symbols that overlap are tried so many steps back; more only in damaged files. */
#define NESTED_MAX 256

const struct name elf_symbols_origin_names[] = {
	{ ELF_SYMBOLS_NONE, "none", "the file has no symbols" },
	{ ELF_SYMBOLS_SYMTAB, "symtab", "all symbols of the file itself" },
	{ ELF_SYMBOLS_DEBUG_FILE, "debug-file", "symbols of a separate debug file" },
	{ ELF_SYMBOLS_DYNSYM, "dynsym", "exported symbols only" },
	{ 0, NULL, NULL }
};

const struct name elf_symbol_type_names[] = {
	{ STT_NOTYPE, "NOTYPE", "no type" },
	{ STT_OBJECT, "OBJECT", "data" },
	{ STT_FUNC, "FUNC", "function" },
	{ STT_GNU_IFUNC, "IFUNC", "function chosen when it is bound" },
	{ 0, NULL, NULL }
};

void elf_symbols_free(struct elf_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->entries);
	free(symbols->reach);
	free(symbols->strings);
	free(symbols->segment_starts);
	free(symbols->segment_ends);
	free(symbols);
}

/* Labels without a size must not reach beyond their segment; the image may go away. */
static int segments_copy(const struct elf_image *image, struct elf_symbols *symbols,
			 struct error *error)
{
	size_t i, n = image->load_count;

	symbols->segment_starts = calloc(n + 1, sizeof(*symbols->segment_starts));
	symbols->segment_ends = calloc(n + 1, sizeof(*symbols->segment_ends));
	if (!symbols->segment_starts || !symbols->segment_ends)
		return error_nomem(error);
	for (i = 0; i < n; i++) {
		const struct elf_segment *s = &image->segments[image->loads[i]];

		symbols->segment_starts[i] = s->vaddr;
		symbols->segment_ends[i] = s->vaddr + s->memsz;
	}
	symbols->segment_count = n;
	return 0;
}

static int load_debug_file(const struct elf_image *image, const char *path,
			   const struct elf_opener *opener, struct elf_symbols *symbols,
			   struct error *error)
{
	struct symtab_place place;
	struct debug_file file;
	int ret;

	if (debug_file_open(image, path, opener, &file, NULL) < 0)
		return 0;
	ret = symtab_find(file.image, &place) ? symtab_read(file.image, &place, symbols, error)
					      : 0;
	debug_file_done(&file);
	if (!ret && symbols->count)
		symbols->origin = ELF_SYMBOLS_DEBUG_FILE;
	return ret;
}

static int load_own(const struct elf_image *image, const struct symtab_place *place,
		    enum elf_symbols_origin origin, struct elf_symbols *symbols,
		    struct error *error)
{
	int ret = symtab_read(image, place, symbols, error);

	if (!ret && symbols->count)
		symbols->origin = origin;
	return ret;
}

/* What a table left behind that turned out to hold nothing. */
static void forget(struct elf_symbols *symbols)
{
	free(symbols->entries);
	free(symbols->reach);
	free(symbols->strings);
	symbols->entries = NULL;
	symbols->reach = NULL;
	symbols->strings = NULL;
	symbols->count = 0;
}

static int load_any(const struct elf_image *image, const char *path,
		    const struct elf_opener *opener, struct elf_symbols *symbols,
		    struct error *error)
{
	struct symtab_place place;
	int ret;

	if (image->type != ET_EXEC && image->type != ET_DYN)
		return 0;
	if (symtab_find(image, &place)) {
		ret = load_own(image, &place, ELF_SYMBOLS_SYMTAB, symbols, error);
		if (ret < 0 || symbols->count)
			return ret;
		forget(symbols);
	}
	if (opener) {
		ret = load_debug_file(image, path, opener, symbols, error);
		if (ret < 0 || symbols->count)
			return ret;
		forget(symbols);
	}
	ret = symtab_find_dynamic(image, &place, error);
	if (ret < 0)
		return ret == -ERROR_NOT_FOUND ? 0 : ret;
	return load_own(image, &place, ELF_SYMBOLS_DYNSYM, symbols, error);
}

int elf_symbols_load(const struct elf_image *image, const char *path,
		     const struct elf_opener *opener, struct elf_symbols **symbols,
		     struct error *error)
{
	struct elf_symbols *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return error_nomem(error);
	ret = segments_copy(image, made, error);
	if (!ret)
		ret = load_any(image, path, opener, made, error);
	if (ret < 0) {
		elf_symbols_free(made);
		return ret;
	}
	*symbols = made;
	return 0;
}

enum elf_symbols_origin elf_symbols_origin(const struct elf_symbols *symbols)
{
	return symbols->origin;
}

uint32_t elf_symbols_damage(const struct elf_symbols *symbols)
{
	return symbols->damage;
}

size_t elf_symbols_count(const struct elf_symbols *symbols)
{
	return symbols->count;
}

void elf_symbols_get(const struct elf_symbols *symbols, size_t index, struct elf_symbol *symbol)
{
	const struct symbol_entry *e = &symbols->entries[index];

	*symbol = (struct elf_symbol) {
		.name = symbols->strings + e->name,
		.address = e->address,
		.size = e->size,
		.section = e->section,
		.type = ELF64_ST_TYPE(e->info),
		.bind = ELF64_ST_BIND(e->info),
		.compressed = e->rank & RANK_COMPRESSED,
	};
}

/* Index of the first symbol above the address. */
static size_t upper_bound(const struct elf_symbols *symbols, uint64_t address)
{
	return SEARCH_FIRST(i, symbols->count, symbols->entries[i].address <= address);
}

static bool same_segment(const struct elf_symbols *symbols, uint64_t a, uint64_t b)
{
	size_t i;

	for (i = 0; i < symbols->segment_count; i++)
		if (a >= symbols->segment_starts[i] && a < symbols->segment_ends[i])
			return b >= symbols->segment_starts[i] && b < symbols->segment_ends[i];
	return false;
}

static int found(const struct elf_symbols *symbols, size_t index, uint64_t address,
		 struct elf_symbol *symbol, uint64_t *offset)
{
	elf_symbols_get(symbols, index, symbol);
	*offset = address - symbol->address;
	return 0;
}

int elf_symbols_at(const struct elf_symbols *symbols, uint64_t address, struct elf_symbol *symbol,
		   uint64_t *offset, bool *covered)
{
	size_t above = upper_bound(symbols, address), i, steps;
	const struct symbol_entry *e;

	for (i = above, steps = 0; i-- && steps < NESTED_MAX; steps++) {
		e = &symbols->entries[i];
		if (symbols->reach[i] <= address)
			break;
		if (address - e->address < e->size) {
			*covered = true;
			return found(symbols, i, address, symbol, offset);
		}
	}
	if (!above)
		return -ERROR_NOT_FOUND;
	e = &symbols->entries[above - 1];
	if (e->size || !same_segment(symbols, e->address, address))
		return -ERROR_NOT_FOUND;
	*covered = false;
	return found(symbols, above - 1, address, symbol, offset);
}

/* "memcpy" finds "memcpy@@GLIBC_2.14", and "memcpy@GLIBC_2.14" the plain "memcpy". */
static bool name_matches(const char *have, const char *want)
{
	size_t have_len = strcspn(have, "@"), want_len = strcspn(want, "@");

	if (have_len != want_len || memcmp(have, want, have_len))
		return false;
	return !have[have_len] || !want[want_len] || !strcmp(have, want);
}

size_t elf_symbols_named(const struct elf_symbols *symbols, const char *name,
			 struct elf_symbol *found_symbols, size_t max)
{
	size_t i, n = 0;

	for (i = 0; i < symbols->count; i++) {
		if (!name_matches(symbols->strings + symbols->entries[i].name, name))
			continue;
		if (n < max)
			elf_symbols_get(symbols, i, &found_symbols[n]);
		n++;
	}
	return n;
}
