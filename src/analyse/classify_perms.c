// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

/*
 * The text of a map alone: what textbooks read from order and permissions. Linkers lay out
 * headers and tables, code, constants, relocation constants, data, in this order.
 */

#define NEAR_PAGES 64u	/* a bss further away than this is not guessed */

static const struct vma *next_of_object(const struct classify *c, const struct vma *vma)
{
	const struct vma *behind = vma_behind(c, vma);

	return behind && behind->object == vma->object ? behind : NULL;
}

static uint64_t delta(const struct vma *vma)
{
	return vma->start - vma->offset;
}

/* The end of a writable segment that was closed: what follows it continues it in the file too,
 * or it begins a segment of its own and nothing of the object follows. */
static bool looks_like_relro(const struct classify *c, const struct vma *vma)
{
	const struct vma *next = next_of_object(c, vma);
	const struct object *object = vma_object(c->process, vma);

	if (next)
		return next->perms & VMA_WRITE && delta(next) == delta(vma);
	return vma_index(c, vma) != object->first_vma &&
	       delta(vma) != delta(&c->process->vmas[object->first_vma]);
}

static bool is_first(const struct classify *c, const struct vma *vma)
{
	return vma_index(c, vma) == vma_object(c->process, vma)->first_vma && !vma->offset;
}

/* rwx behind other code of the object is data, as it was usual before NX. */
static bool is_rwx_data(const struct classify *c, const struct vma *vma)
{
	return vma->perms & VMA_WRITE &&
	       vma_index(c, vma) != vma_object(c->process, vma)->first_vma;
}

bool classify_by_perms(struct classify *c, struct vma *vma)
{
	bool program = vma->object == c->program;
	enum vma_class code = program ? VMA_CLASS_CODE : VMA_CLASS_MAPPED;
	enum vma_class constant = program ? VMA_CLASS_CONST : VMA_CLASS_MAPPED;
	enum vma_class data = program ? VMA_CLASS_STATIC : VMA_CLASS_MAPPED;

	if (!vma_is_accessible(vma)) {
		vma_set(vma, VMA_CLASS_MAPPED, ROLE_GAP, RULE_PERMS_GAP, CERTAINTY_INFERRED);
		if (vma > c->process->vmas && (vma - 1)->object == vma->object)
			vma->owner = vma_index(c, vma) - 1;
	} else if (vma->perms & VMA_EXEC && !is_rwx_data(c, vma)) {
		vma_set(vma, code, ROLE_TEXT, RULE_PERMS_TEXT, CERTAINTY_INFERRED);
	} else if (vma->perms & VMA_WRITE) {
		vma_set(vma, data, ROLE_DATA, RULE_PERMS_DATA, CERTAINTY_INFERRED);
	} else if (looks_like_relro(c, vma)) {
		vma_set(vma, constant, ROLE_RELRO, RULE_PERMS_RELRO, CERTAINTY_INFERRED);
	} else if (is_first(c, vma)) {
		vma_set(vma, constant, ROLE_LINK_TABLES, RULE_PERMS_LINK_TABLES,
			CERTAINTY_INFERRED);
	} else {
		vma_set(vma, code, ROLE_RODATA, RULE_PERMS_RODATA, CERTAINTY_INFERRED);
	}
	return true;
}

/* An anonymous VMA behind the data of a file that could not be read is its bss. */
bool classify_behind_data(struct classify *c, struct vma *vma)
{
	const struct vma *before = vma - 1;
	bool program, touches;

	if (before < c->process->vmas || !(vma->perms & VMA_WRITE) || vma->perms & VMA_SHARED ||
	    before->rule != RULE_PERMS_DATA)
		return false;
	program = before->object == c->program;
	touches = before->end == vma->start;
	if (!touches && (program || vma->start - before->end >
					    (uint64_t)NEAR_PAGES * c->process->page_size))
		return false;
	vma_set(vma, program ? VMA_CLASS_DYNAMIC : VMA_CLASS_MAPPED, ROLE_BSS,
		touches ? RULE_BEHIND_DATA : RULE_NEAR_DATA,
		touches ? CERTAINTY_INFERRED : CERTAINTY_GUESS);
	vma->owner = vma_index(c, before);
	return true;
}

static bool map_has_stack(const struct classify *c)
{
	for (size_t i = 0; i < c->process->object_count; i++)
		if (!strcmp(c->process->objects[i].name, "[stack]"))
			return true;
	return false;
}

/* Old stacks count their offset down; others end where user space does, 32 or 64 bits wide. */
static bool ends_like_stack(const struct vma *vma)
{
	return vma->offset || (vma->end > 0xb0000000 && vma->end <= 0x100000000) ||
	       vma->end >= 0x7f0000000000;
}

/* Before 2.6 the stack had no name: anonymous, writable, above everything else. */
bool classify_top_stack(struct classify *c, struct vma *vma)
{
	const struct process *process = c->process;

	if (!ends_like_stack(vma) ||
	    (c->program != OBJECT_NONE && process->objects[c->program].elf))
		return false;
	for (size_t i = vma_index(c, vma) + 1; i < process->vma_count; i++)
		if (process->vmas[i].object == OBJECT_NONE ||
		    c->kinds[process->vmas[i].object] != KIND_NAME)
			return false;
	if (!(vma->perms & VMA_WRITE) || map_has_stack(c))
		return false;
	vma_set(vma, VMA_CLASS_STACK, ROLE_STACK, RULE_TOP_STACK, CERTAINTY_INFERRED);
	return true;
}
