/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MODEL_LOAD_H
#define MODEL_LOAD_H

#include "vmatlas/model/process.h"

/* What the files that fill struct process share. */

/* Objects by (device, inode, name): open addressing over indices in process->objects. */
struct object_table {
	uint32_t *slots;	/* index + 1, 0 if free */
	size_t size;		/* power of two, 0 at first */
	uint32_t last;		/* neighbours often map the same object */
};

void object_table_done(struct object_table *table);
/* The object of a line, added if new; OBJECT_NONE for a line without a name. */
int object_intern(struct process *process, struct object_table *table,
		  const struct maps_line *line, uint32_t vma, uint32_t *index);
void object_done(struct object *object);

/* Fills process->vmas (and smaps_store) in one pass over maps or smaps. */
int vma_array_read(struct process *process, bool smaps, struct error *error);
/* Unknown counters, unknown flags and the known counters of one record into smaps_store. */
int smaps_store_add(struct process *process, const struct smaps_record *record, uint32_t *at);
int numa_read(struct process *process, struct error *error);

/* Stack pointers of all threads that are blocked. */
int threads_read(struct process *process, struct error *error);

/* Which names really end in " (deleted)", which object is the program, ELF images, load biases. */
int objects_settle(struct process *process);
int objects_open_elf(struct process *process);
/* Load bias of every object, segment of every VMA. */
int objects_place(struct process *process);
/* Which object is the program, which the dynamic loader. */
void program_find(struct process *process);

/* The first pages of an ELF image in the target's memory, as far as pagemap calls them present. */
int memory_copy_elf(struct process *process, uint64_t start, uint64_t end,
		    struct memory_copy **copy, struct elf_image **image, struct error *error);
void memory_copy_free(struct memory_copy *copy);

/* Build-id in the mapped pages against the one of the opened file: 1 equal, 0 different,
 * negative if the pages are not present or hold none. */
int build_id_compare(struct process *process, const struct object *object,
		     const struct elf_image *image);

#endif
