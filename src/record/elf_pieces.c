// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "elf_pieces.h"

#include <stdlib.h>

#include "vmatlas/elf/dynamic.h"
#include "vmatlas/elf/relocs.h"

void debug_search_done(struct debug_search *search)
{
	free(search->path);
	search->path = NULL;
}

static int open_noted(void *ctx, const char *path, struct source_file **file,
		      struct error *error)
{
	struct debug_search *search = ctx;
	char *copy;
	int rc = search->opener.open_file(search->opener.ctx, path, file, error);

	if (rc < 0)
		return rc;
	copy = strdup(path);
	if (!copy) {
		source_file_free(*file);
		return error_nomem(error);
	}
	free(search->path);
	search->path = copy;
	return 0;
}

static void read_relocations(const struct elf_image *image, const struct elf_dynamic *dynamic)
{
	CLEANUP(elf_relocs_freep) struct elf_relocs *relocs = NULL;
	struct elf_reloc reloc;

	if (elf_relocs_open(image, dynamic, &relocs, NULL) < 0)
		return;
	while (elf_relocs_next(relocs, &reloc))
		;
}

/* Slots of the GOT are named by .dynsym, also where symbols come from .symtab. */
static void note_dynamic_symbols(struct trace *trace, const struct elf_image *image,
				 const struct elf_dynamic *dynamic)
{
	uint64_t entry = image->is_64 ? 24 : 16;	/* sizeof(Elf64_Sym), Elf32_Sym */

	trace_note(trace, dynamic->symbols_offset, dynamic->symbol_count * entry);
	trace_note(trace, dynamic->strings.offset, dynamic->strings.size);
}

static void read_symbols(const struct elf_image *image, const char *path,
			 struct debug_search *search)
{
	CLEANUP(elf_symbols_freep) struct elf_symbols *symbols = NULL;
	const struct elf_opener opener = { open_noted, search };

	if (elf_symbols_load(image, path, &opener, &symbols, NULL) == 0)
		search->used = elf_symbols_origin(symbols) == ELF_SYMBOLS_DEBUG_FILE;
}

int elf_pieces_trace(struct trace *trace, const char *path, struct debug_search *search,
		     struct error *error)
{
	CLEANUP(elf_image_freep) struct elf_image *image = NULL;
	struct elf_reader reader = trace_reader(trace);
	struct elf_dynamic dynamic;
	int rc = elf_image_open(&reader, &image, error);

	if (rc == -ERROR_NOMEM || rc == -ERROR_NOT_FOUND)
		return rc;
	if (rc < 0 || !search)
		return 0;
	if (elf_dynamic_read(image, &dynamic, NULL) == 0) {
		read_relocations(image, &dynamic);
		note_dynamic_symbols(trace, image, &dynamic);
	}
	read_symbols(image, path, search);
	return 0;
}

void debug_pieces_trace(struct trace *trace)
{
	CLEANUP(elf_image_freep) struct elf_image *image = NULL;
	CLEANUP(elf_symbols_freep) struct elf_symbols *symbols = NULL;
	struct elf_reader reader = trace_reader(trace);

	if (elf_image_open(&reader, &image, NULL) == 0)
		elf_symbols_load(image, NULL, NULL, &symbols, NULL);
}
