// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "load.h"

void object_table_done(struct object_table *table)
{
	free(table->slots);
	table->slots = NULL;
}

void object_done(struct object *object)
{
	free((char *)object->name);
	free(object->elf_why);
	elf_image_free(object->elf);
	memory_copy_free(object->memory);
	source_file_free(object->file);
}

/* FNV-1a over the identity. */
static uint64_t line_hash(const struct maps_line *line)
{
	uint64_t hash = 0xcbf29ce484222325ull ^ line->inode ^ (uint64_t)line->major << 52 ^
			(uint64_t)line->minor << 32;

	for (size_t i = 0; i < line->name.len; i++)
		hash = (hash ^ (unsigned char)line->name.ptr[i]) * 0x100000001b3ull;
	return hash ^ hash >> 29;
}

static bool object_is(const struct object *object, const struct maps_line *line)
{
	return object->inode == line->inode && object->major == line->major &&
	       object->minor == line->minor && object->deleted == line->deleted &&
	       object->name_len == line->name.len &&
	       memcmp(object->name, line->name.ptr, line->name.len) == 0;
}

static struct maps_line object_line(const struct object *object)
{
	return (struct maps_line) {
		.inode = object->inode, .major = object->major, .minor = object->minor,
		.deleted = object->deleted, .name = object_name(object),
	};
}

static int table_grow(const struct process *process, struct object_table *table)
{
	size_t size = table->size ? table->size * 2 : 64;
	uint32_t *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ERROR_NOMEM;
	for (uint32_t i = 0; i < process->object_count; i++) {
		struct maps_line line = object_line(&process->objects[i]);
		size_t at = line_hash(&line) & (size - 1);

		while (slots[at])
			at = (at + 1) & (size - 1);
		slots[at] = i + 1;
	}
	free(table->slots);
	table->slots = slots;
	table->size = size;
	return 0;
}

static int object_add(struct process *process, const struct maps_line *line, uint32_t vma)
{
	struct object *object;
	char *name;
	int ret = array_grow((void **)&process->objects, &process->object_cap,
			     process->object_count, sizeof(*object));

	if (ret < 0)
		return ret;
	name = malloc(line->name.len + 1);
	if (!name)
		return -ERROR_NOMEM;
	memcpy(name, line->name.ptr, line->name.len);
	name[line->name.len] = '\0';
	process->objects[process->object_count++] = (struct object) {
		.name = name, .name_len = (uint32_t)line->name.len,
		.major = line->major, .minor = line->minor, .inode = line->inode,
		.deleted = line->deleted, .newline_escape = line->newline_escape,
		.first_vma = vma, .elf_gap = GAP_NOT_READ,
	};
	return 0;
}

/* Slot of the object, or the free one where it belongs. */
static size_t table_slot(const struct process *process, const struct object_table *table,
			 const struct maps_line *line)
{
	size_t at = line_hash(line) & (table->size - 1);

	while (table->slots[at] && !object_is(&process->objects[table->slots[at] - 1], line))
		at = (at + 1) & (table->size - 1);
	return at;
}

int object_intern(struct process *process, struct object_table *table,
		  const struct maps_line *line, uint32_t vma, uint32_t *index)
{
	size_t at;
	int ret;

	if (!line->name.len && !line->inode)
		return 0;
	if (table->last < process->object_count &&
	    object_is(&process->objects[table->last], line))
		goto found;
	if (process->object_count * 4 >= table->size * 3) {
		ret = table_grow(process, table);
		if (ret < 0)
			return ret;
	}
	at = table_slot(process, table, line);
	if (!table->slots[at]) {
		ret = object_add(process, line, vma);
		if (ret < 0)
			return ret;
		table->slots[at] = (uint32_t)process->object_count;
	}
	table->last = table->slots[at] - 1;
found:
	process->objects[table->last].vma_count++;
	*index = table->last;
	return 0;
}

const struct object *vma_object(const struct process *process, const struct vma *vma)
{
	return vma->object == OBJECT_NONE ? NULL : &process->objects[vma->object];
}

struct span vma_name(const struct process *process, const struct vma *vma)
{
	const struct object *object = vma_object(process, vma);

	return object ? object_name(object) : span_of(NULL);
}
