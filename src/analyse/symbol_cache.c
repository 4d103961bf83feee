// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/symbol_cache.h"

#include <stdlib.h>

int symbol_cache_init(struct symbol_cache *cache, struct process *process, struct error *error)
{
	size_t count = process->object_count + 1;

	*cache = (struct symbol_cache) {
		.process = process,
		.symbols = calloc(count, sizeof(*cache->symbols)),
		.gaps = calloc(count, sizeof(*cache->gaps)),
	};
	if (!cache->symbols || !cache->gaps) {
		symbol_cache_done(cache);
		return error_nomem(error);
	}
	for (size_t i = 0; i < count; i++)
		cache->gaps[i] = GAP_NOT_READ;
	return 0;
}

void symbol_cache_done(struct symbol_cache *cache)
{
	for (size_t i = 0; cache->symbols && i < cache->process->object_count; i++)
		elf_symbols_free(cache->symbols[i]);
	free(cache->symbols);
	free(cache->gaps);
	*cache = (struct symbol_cache) { 0 };
}

static int open_debug(void *ctx, const char *path, struct source_file **file, struct error *error)
{
	struct process *process = ctx;

	return source_path_open(source_process_source(process->source), process->source, path,
				file, error);
}

struct elf_opener symbol_cache_opener(struct process *process)
{
	return (struct elf_opener) { open_debug, process };
}

static enum gap symbols_read(struct symbol_cache *cache, uint32_t index)
{
	const struct elf_image *image = object_elf(cache->process, index);
	const struct object *object = &cache->process->objects[index];
	struct elf_opener opener = symbol_cache_opener(cache->process);
	struct error error = ERROR_INIT;

	if (!image)
		return object->elf_gap;
	if (elf_symbols_load(image, object->name, &opener, &cache->symbols[index], &error) < 0)
		return gap_from_error(&error);
	return GAP_NONE;
}

const struct elf_symbols *symbol_cache_get(struct symbol_cache *cache, uint32_t object,
					   enum gap *gap)
{
	if (cache->gaps[object] == GAP_NOT_READ)
		cache->gaps[object] = symbols_read(cache, object);
	*gap = cache->gaps[object];
	return cache->symbols[object];
}
