// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

#include <stdlib.h>

static void classify_done(struct classify *c)
{
	free(c->kinds);
	free(c->perms);
	free(c->stacks);
	elf_ranges_done(&c->bss);
	elf_ranges_done(&c->whole);
}

void vma_set(struct vma *vma, enum vma_class vma_class, enum vma_role role,
	     enum classify_rule rule, enum certainty certainty)
{
	vma->vma_class = vma_class;
	vma->role = role;
	vma->rule = rule;
	vma->certainty = certainty;
}

bool vma_has_flag(const struct vma *vma, const char *code)
{
	return vma->has_vm_flags && vma->vm_flags & vm_flag(code);
}

static int stack_compare(const void *a, const void *b)
{
	const struct thread_info *x = *(struct thread_info *const *)a;
	const struct thread_info *y = *(struct thread_info *const *)b;

	return x->sp < y->sp ? -1 : x->sp > y->sp;
}

static int stacks_sort(struct classify *c)
{
	struct process *process = c->process;

	c->stacks = calloc(process->thread_count + 1, sizeof(*c->stacks));
	if (!c->stacks)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i].sp_known)
			c->stacks[c->stack_count++] = &process->threads[i];
	if (c->stack_count)
		qsort(c->stacks, c->stack_count, sizeof(*c->stacks), stack_compare);
	return 0;
}

/* Go programs keep their heap, goroutine stacks included, in arenas at fixed addresses. */
static bool image_is_go(const struct elf_image *image)
{
	return image && (elf_image_section_named(image, ".gopclntab") ||
			 elf_image_section_named(image, ".go.buildinfo") ||
			 elf_image_section_named(image, ".note.go.buildid"));
}

/* Programs lie lowest; without exe link and auxv the first object with code is the program. */
static uint32_t program_guess(const struct process *process)
{
	for (size_t i = 0; i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];
		const struct object *object = vma_object(process, vma);

		if (object && object->inode && vma->perms & VMA_EXEC &&
		    !(vma->perms & VMA_SHARED) && object->name[0] == '/')
			return vma->object;
	}
	return OBJECT_NONE;
}

static void program_find_object(struct classify *c)
{
	c->program = OBJECT_NONE;
	for (uint32_t i = 0; i < c->process->object_count; i++)
		if (c->process->objects[i].is_program)
			c->program = i;
	if (c->program == OBJECT_NONE) {
		c->program = program_guess(c->process);
		c->program_guessed = true;
	}
	if (c->program != OBJECT_NONE)
		c->program_is_go = image_is_go(c->process->objects[c->program].elf);
}

/* The writable twin of executable memory of the same object: code is written through one and
 * run through the other. */
static void twins_find(struct classify *c, uint8_t *seen)
{
	struct process *process = c->process;

	if (!memchr(c->kinds, KIND_MEMFD, process->object_count))
		return;
	for (size_t i = 0; i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];

		if (vma->object != OBJECT_NONE && c->kinds[vma->object] == KIND_MEMFD)
			seen[vma->object] |= vma->perms;
	}
	for (size_t i = 0; i < process->vma_count; i++) {
		struct vma *vma = &process->vmas[i];

		if (vma->object == OBJECT_NONE || c->kinds[vma->object] != KIND_MEMFD ||
		    ~seen[vma->object] & (VMA_EXEC | VMA_WRITE) || !vma_is_accessible(vma) ||
		    vma->segment)
			continue;
		vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_JIT, RULE_JIT_TWIN, CERTAINTY_INFERRED);
	}
}

static void classify_vma(struct classify *c, struct vma *vma)
{
	if (classify_by_name(c, vma))
		return;
	if (vma_is_anon(vma))
		classify_anon(c, vma);
	else
		classify_file(c, vma);
}

/* What the private mappings of each object may do: loaded files have code. */
static void code_find(struct classify *c)
{
	for (size_t i = 0; i < c->process->vma_count; i++) {
		const struct vma *vma = &c->process->vmas[i];

		if (vma->object != OBJECT_NONE && !(vma->perms & VMA_SHARED))
			c->perms[vma->object] |= vma->perms;
	}
}

static int classify_prepare(struct classify *c)
{
	c->kinds = calloc(c->process->object_count + 1, sizeof(*c->kinds));
	c->perms = calloc(c->process->object_count + 1, sizeof(*c->perms));
	if (!c->kinds || !c->perms || kinds_find(c) < 0 || stacks_sort(c) < 0 ||
	    elf_ranges_bss(c->process, &c->bss) < 0 ||
	    elf_ranges_whole(c->process, &c->whole) < 0)
		return -ERROR_NOMEM;
	program_find_object(c);
	code_find(c);
	return 0;
}

int classify_process(struct process *process, struct error *error)
{
	struct classify CLEANUP(classify_done) c = { .process = process };
	uint8_t *seen CLEANUP_FREE = calloc(process->object_count + 1, sizeof(*seen));

	if (!seen || classify_prepare(&c) < 0)
		return error_nomem(error);
	for (size_t i = 0; i < process->vma_count; i++)
		if (process->vmas[i].rule == RULE_NONE)
			classify_vma(&c, &process->vmas[i]);
	/* Guards and reservations belong to what lies above or below them. */
	for (size_t i = 0; i < process->vma_count; i++)
		if (process->vmas[i].rule == RULE_NONE)
			classify_guard(&c, &process->vmas[i]);
	twins_find(&c, seen);
	return 0;
}
