// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <string.h>

void cause_source_done(struct cause_source *source)
{
	elf_reloc_index_free(source->index);
	elf_layout_free(source->layout);
	elf_symbols_free(source->symbols);
	*source = (struct cause_source) { .object = OBJECT_NONE };
}

static enum cause_reason why_unreadable(const struct object *object)
{
	if (object->elf_gap == GAP_CHANGED || object->build_id_differs ||
	    (object->elf_tried && object->match == FILE_MATCH_OTHER && object->fd < 0))
		return CAUSE_REASON_OTHER;
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

	if (source->object == index)
		return 0;
	cause_source_done(source);
	source->object = index;
	source->image = object_elf(process, index);
	source->reason = why_unreadable(object);
	if (!source->image)
		return 0;
	return read_tables(process, source);
}

static int open_debug(void *ctx, const char *path, int *fd, uint64_t *size, struct error *error)
{
	struct process *process = ctx;
	struct source_file file;
	int rc = source_path_open(source_process_source(process->source), process->source, path,
				  &file, error);

	if (rc < 0)
		return rc;
	*fd = file.fd;
	*size = file.size;
	return 0;
}

const struct elf_symbols *cause_source_symbols(struct process *process,
					       struct cause_source *source)
{
	const struct elf_opener opener = { open_debug, process };

	if (source->symbols_tried)
		return source->symbols;
	source->symbols_tried = true;
	elf_symbols_load(source->image, process->objects[source->object].name, &opener,
			 &source->symbols, NULL);
	return source->symbols;
}
