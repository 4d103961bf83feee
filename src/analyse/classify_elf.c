// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>

#include "classify.h"

static const struct {
	uint8_t role;
	uint8_t program_class;
} contents[ELF_CONTENT_MAX] = {
	[ELF_CONTENT_TEXT] = { ROLE_TEXT, VMA_CLASS_CODE },
	[ELF_CONTENT_RODATA] = { ROLE_RODATA, VMA_CLASS_CODE },
	[ELF_CONTENT_LINK_TABLES] = { ROLE_LINK_TABLES, VMA_CLASS_CONST },
	[ELF_CONTENT_RELRO] = { ROLE_RELRO, VMA_CLASS_CONST },
	[ELF_CONTENT_DATA] = { ROLE_DATA, VMA_CLASS_STATIC },
	[ELF_CONTENT_BSS] = { ROLE_BSS, VMA_CLASS_STATIC },
};

static enum certainty file_certainty(const struct object *object)
{
	return object->memory || object->match == FILE_MATCH_MAPPED ||
	       object->match == FILE_MATCH_SAME ? CERTAINTY_OBSERVED : CERTAINTY_INFERRED;
}

/* For a VMA that holds nothing but padding. */
static enum elf_content content_of_flags(uint32_t flags)
{
	return flags & PF_X ? ELF_CONTENT_TEXT : flags & PF_W ? ELF_CONTENT_DATA :
							      ELF_CONTENT_RODATA;
}

enum elf_content classify_content(const struct process *process, const struct vma *vma)
{
	const struct object *object = vma_object(process, vma);
	uint64_t bytes[ELF_CONTENT_MAX];
	enum elf_content best = ELF_CONTENT_TEXT;

	elf_part_contents(process, vma, bytes);
	/* Only pages that were closed after relocation are RELRO. */
	if (vma->perms & VMA_WRITE) {
		bytes[ELF_CONTENT_DATA] += bytes[ELF_CONTENT_RELRO];
		bytes[ELF_CONTENT_RELRO] = 0;
	}
	/* Without separate-code headers and constants lie with the code. */
	if (vma->perms & VMA_EXEC && !(vma->perms & VMA_WRITE) && bytes[ELF_CONTENT_TEXT])
		return ELF_CONTENT_TEXT;
	for (int i = 0; i < ELF_CONTENT_MAX; i++)
		if (bytes[i] > bytes[best])
			best = i;
	return bytes[best] ? best :
			     content_of_flags(object->elf->segments[vma->segment - 1].flags);
}

void classify_content_role(enum elf_content content, bool program, uint8_t *vma_class,
			   uint8_t *role)
{
	*vma_class = program ? contents[content].program_class : VMA_CLASS_MAPPED;
	*role = contents[content].role;
}

bool classify_elf(struct classify *c, struct vma *vma)
{
	const struct object *object = vma_object(c->process, vma);
	enum classify_rule rule = RULE_ELF_CONTENT;
	enum elf_content content;
	uint8_t vma_class, role;

	if (!vma->segment || elf_part_object(c->process, vma) == OBJECT_NONE)
		return false;
	content = classify_content(c->process, vma);
	if (content == ELF_CONTENT_TEXT)
		rule = RULE_ELF_TEXT;
	if (content == ELF_CONTENT_RELRO)
		rule = RULE_ELF_RELRO;
	classify_content_role(content, vma->object == c->program, &vma_class, &role);
	vma_set(vma, vma_class, role, rule, file_certainty(object));
	return true;
}

/* The nearest VMA of the object below: its data. */
static uint32_t owner_find(const struct classify *c, const struct vma *vma, uint32_t object)
{
	for (const struct vma *v = vma; v-- > c->process->vmas;)
		if (v->object == object)
			return vma_index(c, v);
	return VMA_NONE;
}

static bool holds_heap(const struct classify *c, const struct vma *vma)
{
	const struct stat_record *stat = &c->process->stat;

	if (span_is(vma_name(c->process, vma), "[heap]"))
		return true;
	return c->process->has_stat && stat->addresses_known && stat->start_brk >= vma->start &&
	       stat->start_brk < vma->end;
}

/* bss and something else in one VMA: the larger part gives the role. */
static void classify_merged(struct classify *c, struct vma *vma, uint32_t object, bool bss_larger)
{
	bool program = object == c->program, heap = holds_heap(c, vma);
	enum vma_role other = heap ? ROLE_HEAP : ROLE_ANON;

	vma_set(vma, bss_larger && !program ? VMA_CLASS_MAPPED : VMA_CLASS_DYNAMIC,
		bss_larger ? ROLE_BSS : other, heap ? RULE_ELF_BSS_HEAP : RULE_ELF_BSS_ANON,
		CERTAINTY_INFERRED);
	vma->role_second = bss_larger ? other : ROLE_BSS;
	if (!heap)
		classify_thread_stack(c, vma);
}

bool classify_elf_bss(struct classify *c, struct vma *vma)
{
	const struct elf_range *range = elf_ranges_above(&c->bss, vma->start);
	uint64_t start, end, bytes;

	if (!range || range->start >= vma->end || !vma_is_accessible(vma))
		return false;
	start = range->start > vma->start ? range->start : vma->start;
	end = range->end < vma->end ? range->end : vma->end;
	bytes = end - start;
	vma->owner = owner_find(c, vma, range->object);
	vma->backing = BACKING_ANON;
	if (bytes == vma->end - vma->start)
		vma_set(vma, range->object == c->program ? VMA_CLASS_DYNAMIC : VMA_CLASS_MAPPED,
			ROLE_BSS, RULE_ELF_BSS,
			file_certainty(&c->process->objects[range->object]));
	else
		classify_merged(c, vma, range->object, bytes >= vma->end - vma->start - bytes);
	return true;
}

bool classify_elf_gap(struct classify *c, struct vma *vma)
{
	const struct elf_range *range = elf_ranges_above(&c->whole, vma->start);
	bool inside = range && range->start <= vma->start && range->end >= vma->end;

	if (!inside || vma->segment || (!vma_is_anon(vma) && vma->object != range->object) ||
	    (vma_is_anon(vma) && vma_is_accessible(vma)))
		return false;
	vma_set(vma, VMA_CLASS_MAPPED, ROLE_GAP, RULE_ELF_GAP,
		vma_is_accessible(vma) ? CERTAINTY_INFERRED :
			file_certainty(&c->process->objects[range->object]));
	vma->owner = owner_find(c, vma, range->object);
	return true;
}
