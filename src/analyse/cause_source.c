// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <stdlib.h>
#include <string.h>

#include "vmatlas/analyse/symbol_cache.h"

void cause_source_done(struct cause_source *source)
{
	elf_reloc_index_free(source->index);
	elf_layout_free(source->layout);
	elf_symbols_free(source->symbols);
	free(source->cache);
	*source = (struct cause_source) { .object = OBJECT_NONE };
}

/* As elf_reader says. Large reads pass by, and so do those for which the window fails: of a
 * recorded file not all of it may be there. */
static ssize_t cached_read(void *ctx, uint64_t offset, void *data, size_t len,
			   struct error *error)
{
	struct cause_cache *cache = ctx;
	const struct elf_reader *reader = &cache->image->reader;
	uint64_t begin = offset - offset % (CAUSE_CACHE / 2);
	ssize_t got;

	if (len > CAUSE_CACHE / 4 || offset - begin + len > CAUSE_CACHE)
		return reader->read(reader->ctx, offset, data, len, error);
	if (!cache->len || offset < cache->offset || offset + len > cache->offset + cache->len) {
		cache->len = 0;
		got = reader->read(reader->ctx, begin, cache->bytes, CAUSE_CACHE, NULL);
		if (got < 0 || offset + len > begin + (uint64_t)got)
			return reader->read(reader->ctx, offset, data, len, error);
		cache->offset = begin;
		cache->len = (size_t)got;
	}
	memcpy(data, cache->bytes + (offset - cache->offset), len);
	return (ssize_t)len;
}

static int open_view(struct cause_source *source, const struct elf_image *image)
{
	source->cache = malloc(sizeof(*source->cache));
	if (!source->cache)
		return -ERROR_NOMEM;
	source->cache->len = 0;
	source->cache->image = image;
	source->view = *image;
	source->view.reader.read = cached_read;
	source->view.reader.ctx = source->cache;
	source->image = &source->view;
	return 0;
}

static enum cause_reason why_unreadable(const struct object *object)
{
	if (object->elf_gap == GAP_CHANGED || object->mapped_build_id == BUILD_ID_DIFFERS ||
	    (object->elf_tried && object->match == FILE_MATCH_OTHER && !object->file))
		return CAUSE_REASON_OTHER;
	if (object->elf_gap == GAP_NOT_RECORDED)
		return CAUSE_REASON_NOT_RECORDED;
	return CAUSE_REASON_FILE;
}

/* A file whose relocations cannot be read is still compared. */
static int read_tables(struct process *process, struct cause_source *source)
{
	const struct elf_image *image = source->image;
	struct error error = ERROR_INIT;
	int rc = elf_dynamic_read(image, &source->dynamic, &error);

	if (rc >= 0)
		rc = elf_reloc_index_build(image, &source->dynamic, &source->index, &error);
	if (rc >= 0)
		rc = elf_layout_predict(image, elf_loader_of(image, &source->dynamic),
					process->page_size, &source->layout, &error);
	return rc == -ERROR_NOMEM ? rc : 0;
}

int cause_source_open(struct process *process, uint32_t index, struct cause_source *source)
{
	const struct object *object = &process->objects[index];
	const struct elf_image *image;

	if (source->object == index)
		return 0;
	cause_source_done(source);
	source->object = index;
	source->reason = why_unreadable(object);
	image = object_elf(process, index);
	if (!image)
		return 0;
	if (open_view(source, image) < 0)
		return -ERROR_NOMEM;
	return read_tables(process, source);
}

const struct elf_symbols *cause_source_symbols(struct process *process,
					       struct cause_source *source)
{
	const struct elf_opener opener = symbol_cache_opener(process);

	if (source->symbols_tried)
		return source->symbols;
	source->symbols_tried = true;
	elf_symbols_load(source->image, process->objects[source->object].name, &opener,
			 &source->symbols, NULL);
	return source->symbols;
}
