/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_PROCESS_H
#define VMATLAS_MODEL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmatlas/base/buf.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/error.h"
#include "vmatlas/base/quality.h"
#include "vmatlas/elf/image.h"
#include "vmatlas/parse/auxv.h"
#include "vmatlas/parse/limits.h"
#include "vmatlas/parse/maps.h"
#include "vmatlas/parse/smaps.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/parse/status.h"
#include "vmatlas/source/source.h"

/* What a command needs; nothing else is read. */
enum process_need {
	PROCESS_NEED_SMAPS = 1 << 0,	/* counters and VmFlags of every VMA */
	PROCESS_NEED_ELF = 1 << 1,	/* program headers and sections of mapped files */
	PROCESS_NEED_NUMA = 1 << 2,
	PROCESS_NEED_THREADS = 1 << 3,	/* stack pointers of threads, where they can be known */
	PROCESS_NEED_LIMITS = 1 << 4,
	PROCESS_NEED_CMDLINE = 1 << 5
};

/* Section 4.1 of the design. Letters and names are promises: vma_class_names, vma_role_names. */
enum vma_class {
	VMA_CLASS_CODE,		/* C */
	VMA_CLASS_CONST,	/* K */
	VMA_CLASS_STATIC,	/* S */
	VMA_CLASS_DYNAMIC,	/* D */
	VMA_CLASS_MAPPED,	/* M */
	VMA_CLASS_STACK,	/* P */
	VMA_CLASS_THREAD,	/* T */
	VMA_CLASS_GUARD,	/* G */
	VMA_CLASS_KERNEL,	/* X */
	VMA_CLASS_MAX
};

enum vma_role {
	ROLE_TEXT, ROLE_RODATA,
	ROLE_RELRO, ROLE_LINK_TABLES,
	ROLE_DATA, ROLE_BSS,
	ROLE_HEAP, ROLE_ARENA, ROLE_MALLOC_LARGE, ROLE_ANON, ROLE_JIT,
	ROLE_GAP, ROLE_FILE, ROLE_SHM, ROLE_MEMFD, ROLE_SYSV, ROLE_HUGETLB, ROLE_DEVICE,
	ROLE_SECRETMEM,
	ROLE_STACK, ROLE_THREAD_STACK, ROLE_SHADOW_STACK,
	ROLE_GUARD, ROLE_RESERVED,
	ROLE_VDSO, ROLE_VVAR, ROLE_VSYSCALL, ROLE_UPROBES, ROLE_RING, ROLE_KERNEL,
	ROLE_MAX
};

enum vma_backing {
	BACKING_FILE, BACKING_ANON, BACKING_SHMEM, BACKING_HUGETLB, BACKING_KERNEL, BACKING_DEVICE,
	BACKING_MAX
};

/* Which rule fired; the sentences are in render/phrases.c. Filled by analyse/classify. */
#define VMA_NONE UINT32_MAX	/* "no VMA" where an index is expected */
#define OBJECT_NONE UINT32_MAX

/*
 * One mapped file or named object of the process: all VMAs with equal device, inode and name
 * share one. Names are interned, so a process with 60,000 VMAs of one file keeps one copy.
 */
struct object {
	const char *name;	/* raw bytes, NUL-terminated (maps cannot hold
				 * NUL); kernel's " (deleted)" taken off */
	uint32_t name_len;
	uint32_t major;
	uint32_t minor;
	uint64_t inode;
	bool deleted;
	bool newline_escape;
	uint32_t first_vma;	/* index of the first VMA of it */
	uint32_t vma_count;

	/* Filled with PROCESS_NEED_ELF for regular files. */
	bool elf_tried;
	struct elf_image *elf;		/* NULL: not ELF or not readable, see gap */
	enum gap elf_gap;
	char *elf_why;			/* in words, NULL without a gap */
	struct source_file *file;	/* opened, NULL if none */
	struct memory_copy *memory;	/* pages of the target the image is read from (vDSO) */
	enum source_file_match match;
	enum source_build_id mapped_build_id;	/* of a file that may not be the mapped one */
	bool bias_known;
	uint64_t load_bias;		/* run-time address - p_vaddr */
	bool is_program;		/* the main program's file */
	bool is_interpreter;		/* the dynamic loader */
};

static inline struct span object_name(const struct object *object)
{
	return (struct span) { object->name, object->name_len };
}

/* One VMA: small, an array of them may have a million elements. Order: ascending address,
 * never overlapping (what went back while it was read is clipped and counted in `clipped`). */
struct vma {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	uint32_t object;	/* index in process->objects, OBJECT_NONE if without a name */
	uint32_t smaps;		/* offset of its packed counters + 1, 0 if not read */
	uint64_t vm_flags;	/* known VmFlags bits, valid if has_vm_flags */
	uint32_t owner;		/* index of the VMA it belongs to (bss, gap, guard), VMA_NONE */
	int32_t tid;		/* thread whose stack it is, 0 if unknown or none */
	uint16_t rule;		/* enum classify_rule, see analyse/classify.h */
	uint16_t segment;	/* ELF segment index + 1 that it maps, 0 if none */
	uint8_t perms;
	uint8_t vma_class;	/* enum vma_class */
	uint8_t role;		/* enum vma_role */
	uint8_t role_second;	/* the smaller part where two merged, ROLE_MAX if none */
	uint8_t backing;	/* enum vma_backing */
	uint8_t certainty;
	bool has_vm_flags;
	bool changed;		/* moved or clipped while it was read */
};

struct thread_info {
	pid_t tid;
	bool sp_known;
	uint64_t sp;		/* from task/TID/syscall when blocked */
	uint64_t pc;
	enum gap gap;
};

struct process_warning {
	const char *code;	/* a name of the contract: "changed", "damaged", ... */
	struct buf message;	/* plain English; may quote target bytes: escape on output */
};

struct process {
	struct source_process *source;
	pid_t pid;
	struct buf comm;		/* raw bytes */
	struct buf exe;			/* raw link, empty if unknown */
	enum gap exe_gap;
	bool exe_deleted;
	uint32_t page_size;

	struct vma *vmas;
	size_t vma_count;
	size_t vma_cap;
	struct object *objects;
	size_t object_count;
	size_t object_cap;
	struct buf smaps_store;		/* packed counters; see vma.smaps */
	uint64_t smaps_present;		/* keys that any VMA had */
	struct buf *smaps_unknown;	/* names of counters nobody knew */
	size_t smaps_unknown_count;
	size_t smaps_unknown_cap;
	struct buf numa_store;		/* numa_maps lines without their
					 * address, each ended by NUL */
	uint32_t *numa_at;		/* per VMA: offset of its line + 1,
					 * 0 if none; NULL: not read */
	size_t clipped;			/* lines that overlapped or went back */
	size_t unparsed;		/* lines that did not parse; a warning tells how many */

	struct buf stat_text, status_text, auxv_text;	/* what the spans below point into */
	bool has_stat, has_status, has_auxv, has_limits;
	enum gap maps_gap, smaps_gap, stat_gap, status_gap, auxv_gap, limits_gap, numa_gap;
	struct stat_record stat;
	struct status status;
	struct auxv auxv;
	struct limits limits;
	struct thread_info *threads;
	size_t thread_count;
	enum gap threads_gap;
	uint64_t max_map_count;		/* 0 if unknown */

	struct process_warning *warnings;
	size_t warning_count;
	size_t warning_cap;
};

/* Each in the order of its enum, so that the value is the index. */
extern const struct name vma_class_names[];	/* "C".. ; meaning: a phrase */
extern const struct name vma_role_names[];
extern const struct name vma_backing_names[];

/* Reads what `needs` asks for. Fails only if there is no VMA to speak of; everything else that
 * is missing is a gap. One pass over smaps replaces maps when PROCESS_NEED_SMAPS. */
int process_load(struct source_process *source, unsigned needs, struct process **process,
		 struct error *error);
void process_free(struct process *process);	/* does not free the source process */
DEFINE_CLEANUP(process_free, struct process)

/* The VMA that holds the address, VMA_NONE if none; *next: the first one above it. */
uint32_t process_find(const struct process *process, uint64_t address, uint32_t *next);
/* NULL if it has none. */
const struct object *vma_object(const struct process *process, const struct vma *vma);
/* Raw bytes; empty if it has none. */
struct span vma_name(const struct process *process, const struct vma *vma);
/* The packed counters of the VMA: false if smaps was not read or the VMA was not in it. */
bool vma_smaps(const struct process *process, const struct vma *vma, uint64_t *present,
	       uint64_t value[SMAPS_KEY_MAX]);
/* Counters nobody knew, one after the other: begin, then next until false. */
struct vma_unknown {
	struct span name;
	uint64_t value;		/* bytes if is_size, 0 if is_text */
	bool is_size;
	bool is_text;
	struct span text;
};

struct unknown_cursor {
	struct span rest;
	uint64_t left;
};

void vma_unknown_begin(const struct process *process, const struct vma *vma,
		       struct unknown_cursor *cursor);
bool vma_unknown_next(const struct process *process, struct unknown_cursor *cursor,
		      struct vma_unknown *unknown);
/* VmFlags codes that vm_flag_names does not have, separated by spaces; empty if none. */
struct span vma_unknown_flags(const struct process *process, const struct vma *vma);
/* "default anon=3 N0=3 kernelpagesize_kB=4"; empty if numa_maps was not read or had no line. */
struct span vma_numa(const struct process *process, const struct vma *vma);
/*
 * Counters and VmFlags of one VMA after a load without PROCESS_NEED_SMAPS. The text must be read
 * up to that VMA: process_flags_cost() estimates how dear that is, in pages that the kernel walks
 * (some 10 ns each). ERROR_CHANGED if the VMA is not there any more.
 */
int process_read_flags(struct process *process, uint32_t vma, struct error *error);
uint64_t process_flags_cost(const struct process *process, uint32_t vma);
/* What source_file_open() is asked for the object. */
struct source_file_key object_key(const struct process *process, const struct object *object);
static inline bool object_is_vdso(const struct object *object)
{
	return !strcmp(object->name, "[vdso]");
}

/* Opens (once) the ELF file of an object; NULL with the object's elf_gap set if it cannot. */
struct elf_image *object_elf(struct process *process, uint32_t object);

int process_warn(struct process *process, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Are VMAs of so many bytes much larger than what is resident? Plain reads of pagemap walk every
 * hole at 3.5 ns a page, a scan skips it; but it comes on top of reading what is populated. */
bool process_is_sparse(const struct process *process, uint64_t bytes);

static inline uint64_t vma_pages(const struct process *process, const struct vma *vma)
{
	return (vma->end - vma->start) / process->page_size;
}

#endif
