// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>

#include "load.h"

/*
 * The program is what /proc/PID/exe names, except when the dynamic loader was run as a program
 * (ld.so PROG): exe is then the loader, and the program is the mapped file that is a
 * position-independent or fixed executable with a PT_INTERP. libc.so.6 has a PT_INTERP too: it
 * is told from a program by its DT_SONAME.
 */

#define DYNAMIC_MAX 1024u	/* entries that are read */

static bool dynamic_has(const struct elf_image *image, const struct elf_segment *dynamic,
			uint64_t tag)
{
	unsigned size = image->is_64 ? 16 : 8;
	unsigned char entry[16];

	for (uint64_t at = 0; at + size <= dynamic->filesz && at / size < DYNAMIC_MAX; at += size) {
		if (elf_image_read(image, dynamic->offset + at, entry, size, NULL) < 0)
			return false;
		if (elf_image_word(image, entry) == tag)
			return true;
		if (elf_image_word(image, entry) == DT_NULL)
			return false;
	}
	return false;
}

static bool image_has_soname(const struct elf_image *image)
{
	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].type == PT_DYNAMIC)
			return dynamic_has(image, &image->segments[i], DT_SONAME);
	return false;
}

static uint32_t object_at(const struct process *process, uint64_t address)
{
	uint32_t next, vma = process_find(process, address, &next);

	return address && vma != VMA_NONE ? process->vmas[vma].object : OBJECT_NONE;
}

static uint32_t exe_object(const struct process *process)
{
	struct span exe = buf_span(&process->exe);

	for (uint32_t i = 0; exe.len && i < process->object_count; i++) {
		const struct object *object = &process->objects[i];

		if (object->deleted == process->exe_deleted && object->inode &&
		    span_equal(object_name(object), exe))
			return i;
	}
	return OBJECT_NONE;
}

/* What a loader run as a program runs. */
static uint32_t loaded_program(const struct process *process)
{
	for (uint32_t i = 0; i < process->object_count; i++) {
		const struct elf_image *image = process->objects[i].elf;

		if (image && image->interpreter && process->objects[i].bias_known &&
		    (image->type == ET_EXEC || !image_has_soname(image)))
			return i;
	}
	return OBJECT_NONE;
}

static uint32_t interpreter_object(const struct process *process, const struct object *program)
{
	uint32_t object = process->has_auxv ? object_at(process, process->auxv.base) : OBJECT_NONE;

	if (object != OBJECT_NONE || !program->elf || !program->elf->interpreter)
		return object;
	for (uint32_t i = 0; i < process->object_count; i++)
		if (process->objects[i].inode &&
		    span_equal(span_last_part(object_name(&process->objects[i])),
			       span_last_part(span_of(program->elf->interpreter))))
			return i;
	return OBJECT_NONE;
}

void program_find(struct process *process)
{
	uint32_t program = exe_object(process), loaded = OBJECT_NONE, interpreter;

	if (program == OBJECT_NONE && process->has_auxv)
		program = object_at(process, process->auxv.phdr);
	if (program == OBJECT_NONE)
		return;
	if (process->objects[program].elf && !process->objects[program].elf->interpreter)
		loaded = loaded_program(process);
	if (loaded != OBJECT_NONE) {
		process->objects[program].is_interpreter = true;
		process->objects[loaded].is_program = true;
		return;
	}
	process->objects[program].is_program = true;
	interpreter = interpreter_object(process, &process->objects[program]);
	if (interpreter != OBJECT_NONE)
		process->objects[interpreter].is_interpreter = true;
}
