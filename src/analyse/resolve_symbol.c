// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <string.h>

#include "address_resolve.h"

#define SYMBOLS_MAX 16u	/* of one name in one file */

static int add_of_object(struct resolve *r, uint32_t index, const char *name)
{
	const struct object *object = &r->ctx->process->objects[index];
	struct elf_symbol found[SYMBOLS_MAX];
	const struct elf_symbols *symbols;
	const char *type;
	enum gap gap;
	size_t count;
	int rc = 0;

	symbols = symbol_cache_get(&r->ctx->symbols, index, &gap);
	if (!symbols)
		return 0;
	count = elf_symbols_named(symbols, name, found, SYMBOLS_MAX);
	for (size_t i = 0; i < count && i < SYMBOLS_MAX && rc >= 0; i++) {
		type = name_of(elf_symbol_type_names, found[i].type);
		rc = resolve_add(r, object->load_bias + found[i].address, object_name(object),
				 span_of(found[i].name), type ? type : "");
	}
	return rc;
}

int resolve_symbol(struct resolve *r, struct span file)
{
	const struct process *process = r->ctx->process;
	CLEANUP_FREE char *name = strndup(r->name.ptr, r->name.len);
	size_t files = 0;
	int rc = 0;

	if (!name)
		return error_nomem(r->error);
	for (uint32_t i = 0; i < process->object_count && rc >= 0; i++) {
		const struct object *object = &process->objects[i];

		if (!object->elf || !object->bias_known ||
		    (file.len && !resolve_object_is(object, file)))
			continue;
		files++;
		rc = add_of_object(r, i, name);
	}
	if (rc < 0)
		return rc;
	if (file.len && !files)
		return resolve_fail(r, ERROR_NOT_FOUND, "no such file is loaded in the process");
	if (!files)
		return resolve_fail(r, ERROR_NOT_FOUND,
				    "no file of the process could be read for symbols");
	return resolve_finish(r, file.len ? "symbols of this file" : "symbols of its files");
}

/* A page of a file in which two segments meet is mapped twice: the bytes belong to the segment
 * that has them. */
static bool owns_offset(const struct process *process, const struct vma *vma, uint64_t offset)
{
	const struct object *object = vma_object(process, vma);
	const struct elf_segment *segment;

	if (!vma->segment || !object->elf)
		return false;
	segment = &object->elf->segments[vma->segment - 1];
	return offset >= segment->offset && offset - segment->offset < segment->filesz;
}

static int add_offsets(struct resolve *r, bool owned_only)
{
	const struct process *process = r->ctx->process;
	int rc = 0;

	for (size_t i = 0; i < process->vma_count && rc >= 0; i++) {
		const struct vma *vma = &process->vmas[i];
		const struct object *object = vma_object(process, vma);

		if (!object || !object->inode || !resolve_object_is(object, r->name) ||
		    r->offset < vma->offset || r->offset - vma->offset >= vma->end - vma->start ||
		    (owned_only && !owns_offset(process, vma, r->offset)))
			continue;
		rc = resolve_add(r, vma->start + (r->offset - vma->offset), object_name(object),
				 span_of(NULL), "mapping");
	}
	return rc;
}

int resolve_file_offset(struct resolve *r)
{
	int rc = add_offsets(r, true);

	if (rc >= 0 && !r->found)
		rc = add_offsets(r, false);
	if (rc < 0)
		return rc;
	if (!r->found)
		return resolve_fail(r, ERROR_NOT_FOUND, "the file is mapped, but not this offset");
	if (r->found == 1)
		r->offset = 0;
	return resolve_finish(r, "mappings of this offset");
}
