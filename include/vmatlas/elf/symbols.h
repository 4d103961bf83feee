/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ELF_SYMBOLS_H
#define VMATLAS_ELF_SYMBOLS_H

#include "vmatlas/elf/image.h"

/*
 * Symbols of one file, sorted by address, built when somebody first asks. Taken from .symtab,
 * else from a separate debug file (build-id, then .gnu_debuglink with its checksum), else
 * from .dynsym, which is found through PT_DYNAMIC when section headers are stripped.
 * Only symbols that name memory are kept: no undefined, absolute, section, file, thread-local
 * or mapping ($x) symbols.
 */

/* At most so many symbols and bytes of names are read of one file (24 bytes a symbol). */
#define ELF_SYMBOLS_MAX (1u << 20)
#define ELF_SYMBOL_STRINGS_MAX (64u << 20)
#define ELF_DEBUGLINK_CHECK_MAX (1ull << 30)	/* bytes of a debug file summed up at most */

enum elf_symbols_origin {
	ELF_SYMBOLS_NONE,	/* the file has none */
	ELF_SYMBOLS_SYMTAB,
	ELF_SYMBOLS_DEBUG_FILE,
	ELF_SYMBOLS_DYNSYM	/* exported ones only: statics are missing */
};

extern const struct name elf_symbols_origin_names[];	/* "none", "symtab", ... */
extern const struct name elf_symbol_type_names[];	/* STT_*: "FUNC" */

struct elf_symbol {
	const char *name;	/* raw bytes of the file, may carry
				 * @VERSION; owned by elf_symbols */
	uint64_t address;	/* p_vaddr space; without the Thumb or microMIPS bit */
	uint64_t size;		/* 0: unknown (assembly labels) */
	uint16_t section;	/* SHN_* */
	uint8_t type;		/* STT_* */
	uint8_t bind;		/* STB_* */
	bool compressed;	/* Thumb or microMIPS code: bit 0 of its value was set */
};

struct elf_symbols;

/*
 * How a separate debug file is opened: by the caller, with the care of src/source (regular
 * file, no FIFO). 0 and a file that the symbols free, or a negative value.
 */
struct elf_opener {
	int (*open_file)(void *ctx, const char *path, struct source_file **file,
			 struct error *error);
	void *ctx;
};

/* The checksum that .gnu_debuglink asks for: CRC-32 of all bytes. */
int elf_file_sum(const struct elf_image *image, uint32_t *sum);

/*
 * `path` is the file's own path, for .gnu_debuglink; NULL if unknown. `opener` NULL: no debug
 * files. The image need not live longer than this call. A file without any symbols is not an
 * error. Negative: memory, or the file could not be read at all.
 */
int elf_symbols_load(const struct elf_image *image, const char *path,
		     const struct elf_opener *opener, struct elf_symbols **symbols,
		     struct error *error);
void elf_symbols_free(struct elf_symbols *symbols);
DEFINE_CLEANUP(elf_symbols_free, struct elf_symbols)

enum elf_symbols_origin elf_symbols_origin(const struct elf_symbols *symbols);
uint32_t elf_symbols_damage(const struct elf_symbols *symbols);	/* enum elf_damage */
size_t elf_symbols_count(const struct elf_symbols *symbols);
/* In ascending order of address; index < count. */
void elf_symbols_get(const struct elf_symbols *symbols, size_t index, struct elf_symbol *symbol);

/*
 * The symbol that covers the address: the innermost, and among aliases global before weak
 * before local, typed before untyped. Else the nearest label without a size below it in the
 * same segment (*covered is false). -ERROR_NOT_FOUND.
 */
int elf_symbols_at(const struct elf_symbols *symbols, uint64_t address, struct elf_symbol *symbol,
		   uint64_t *offset, bool *covered);

/* All symbols of that name (its version, if the name has none, does not matter); returns how
 * many there are, of which the first `max` are stored. */
size_t elf_symbols_named(const struct elf_symbols *symbols, const char *name,
			 struct elf_symbol *found, size_t max);

/*
 * C++ names as people write them; out[i] is allocated, or NULL where there is nothing to
 * demangle. libstdc++ is loaded and runs in a child with little memory and time: names are
 * hostile and may unfold without end. 0 also when no demangler is at hand.
 */
#define ELF_DEMANGLE_BATCH_MAX 4096u
#define ELF_DEMANGLE_NAME_MAX 4096u	/* longer results are left mangled */
int elf_demangle(const char *const *names, size_t count, char **out, struct error *error);

#endif
