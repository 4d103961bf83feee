/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_CLASSIFY_H
#define ANALYSE_CLASSIFY_H

#include "vmatlas/analyse/classify.h"
#include "vmatlas/model/elf_part.h"

/* What kind of thing an object is, told once per object. */
enum object_kind {
	KIND_FILE,
	KIND_NAME,		/* [heap] and the like: no file */
	KIND_SHARED_ANON,
	KIND_DEV_ZERO,
	KIND_ANON_HUGETLB,
	KIND_HUGETLB_FILE,
	KIND_SYSV,
	KIND_POSIX_SHM,
	KIND_MEMFD,
	KIND_SECRETMEM,
	KIND_RING,
	KIND_ANON_INODE,
	KIND_DEVICE,
	KIND_TMPFS_FILE
};

struct kind_mounts {
	struct kind_mount *items;
	size_t count;
	size_t cap;
};

struct classify {
	struct process *process;
	uint8_t *kinds;			/* enum object_kind per object */
	uint8_t *perms;			/* of all private mappings per object, or-ed */
	struct elf_ranges bss;
	struct elf_ranges whole;
	struct thread_info **stacks;	/* threads whose sp is known, by ascending sp */
	size_t stack_count;
	uint32_t program;		/* object of the program, OBJECT_NONE */
	bool program_guessed;		/* nothing but its place says so */
	bool program_is_go;
	unsigned memory_reads;		/* headers of blocks read so far */
};

void vma_set(struct vma *vma, enum vma_class vma_class, enum vma_role role,
	     enum classify_rule rule, enum certainty certainty);
static inline bool vma_is_anon(const struct vma *vma)
{
	return vma->object == OBJECT_NONE;
}
static inline bool vma_is_accessible(const struct vma *vma)
{
	return vma->perms & (VMA_READ | VMA_WRITE | VMA_EXEC);
}
bool vma_has_flag(const struct vma *vma, const char *code);

/* classify_kind.c: by name, and by the file system of that device. */
void kind_mounts_read(struct source *source, struct kind_mounts *mounts);
void kind_mounts_done(struct kind_mounts *mounts);
enum object_kind kind_of(const struct kind_mounts *mounts, const struct maps_line *line);
int kinds_find(struct classify *c);
/* classify_names.c: true if the name decides. */
bool classify_by_name(struct classify *c, struct vma *vma);
/* classify_file.c: every VMA of a file. */
void classify_file(struct classify *c, struct vma *vma);
/* classify_elf.c: what most bytes of a VMA loaded from a segment are for. */
enum elf_content classify_content(const struct process *process, const struct vma *vma);
void classify_content_role(enum elf_content content, bool program, uint8_t *vma_class,
			   uint8_t *role);
/* A VMA that was loaded from a segment; false if it was not. */
bool classify_elf(struct classify *c, struct vma *vma);
/* bss, with or without what merged behind it; false if it is none. */
bool classify_elf_bss(struct classify *c, struct vma *vma);
bool classify_elf_gap(struct classify *c, struct vma *vma);
/* classify_perms.c: the same told by order and permissions. */
bool classify_by_perms(struct classify *c, struct vma *vma);
bool classify_behind_data(struct classify *c, struct vma *vma);
bool classify_top_stack(struct classify *c, struct vma *vma);
/* classify_anon.c: a VMA without name and file. */
void classify_anon(struct classify *c, struct vma *vma);
/* classify_stack.c */
bool classify_stack(struct classify *c, struct vma *vma);
bool classify_thread_stack(struct classify *c, struct vma *vma);
bool classify_guard(struct classify *c, struct vma *vma);
/* classify_malloc.c */
bool classify_arena(struct classify *c, struct vma *vma);
bool classify_malloc_large(struct classify *c, struct vma *vma);

/* The VMA directly in front or behind, without a hole; NULL if there is none. */
static inline struct vma *vma_before(const struct classify *c, const struct vma *vma)
{
	struct vma *before = (struct vma *)vma - 1;

	return vma > c->process->vmas && before->end == vma->start ? before : NULL;
}
static inline struct vma *vma_behind(const struct classify *c, const struct vma *vma)
{
	struct vma *behind = (struct vma *)vma + 1;

	return behind < c->process->vmas + c->process->vma_count && vma->end == behind->start ?
	       behind : NULL;
}
static inline uint32_t vma_index(const struct classify *c, const struct vma *vma)
{
	return (uint32_t)(vma - c->process->vmas);
}

#endif
