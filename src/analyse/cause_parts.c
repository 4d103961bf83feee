// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <elf.h>

#include "vmatlas/base/search.h"

static void add_part(struct cause_part *part, enum page_state state, uint64_t bytes)
{
	part->resident += bytes;
	if (state == STATE_FILE)
		part->clean += bytes;
	else
		part->copied += bytes;
}

/* Sections follow each other, and so do runs: most often it is the last one. */
static struct cause_part *find_part(struct cause_file *file, const char *name)
{
	struct cause_part *grown;

	for (size_t i = file->section_count; i--;)
		if (file->sections[i].name == name)
			return &file->sections[i];
	if (file->section_count % 16 == 0) {
		grown = realloc(file->sections, (file->section_count + 16) * sizeof(*grown));
		if (!grown)
			return NULL;
		file->sections = grown;
	}
	file->sections[file->section_count] = (struct cause_part) { .name = name };
	return &file->sections[file->section_count++];
}

/* Index in image->in_memory of the first section that may reach the address. */
static size_t first_section(const struct elf_image *image, uint64_t vaddr)
{
	const struct elf_section *all = image->sections;
	const uint32_t *index = image->in_memory;

	return SEARCH_FIRST(i, image->in_memory_count,
			    all[index[i]].addr + all[index[i]].size <= vaddr);
}

static int add_sections(struct cause_file *file, const struct elf_image *image, uint64_t start,
			uint64_t end, enum page_state state)
{
	for (size_t i = first_section(image, start); i < image->in_memory_count; i++) {
		const struct elf_section *s = &image->sections[image->in_memory[i]];
		uint64_t low = s->addr > start ? s->addr : start, high = s->addr + s->size;
		struct cause_part *part;

		if (s->addr >= end)
			break;
		high = high < end ? high : end;
		if (low >= high || (s->type == SHT_NOBITS && s->flags & SHF_TLS))
			continue;
		part = find_part(file, s->name);
		if (!part)
			return -ERROR_NOMEM;
		add_part(part, state, high - low);
	}
	return 0;
}

int cause_file_run(struct causes *causes, struct cause_file *file, const struct vma *vma,
		   const struct cow_run *run)
{
	enum page_state state = run->verdict.state;
	const struct object *object = &causes->process->objects[file->object];
	uint64_t bytes = run->pages * causes->process->page_size;
	uint64_t start = run->start - object->load_bias;

	if (state != STATE_FILE && state != STATE_COPY && state != STATE_COPY_SHARED)
		return 0;
	add_part(&file->roles[vma->role], state, bytes);
	if (!object->elf || !object->bias_known || !vma->segment)
		return 0;
	return add_sections(file, object->elf, start, start + bytes, state);
}
