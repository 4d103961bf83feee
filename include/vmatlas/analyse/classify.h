/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ANALYSE_CLASSIFY_H
#define VMATLAS_ANALYSE_CLASSIFY_H

#include "vmatlas/model/process.h"

/*
 * Class, role, backing, certainty and owner of every VMA. Rules are asked in the order of their
 * worth: what the kernel names, what the ELF file says, where the memory lies, what it may do.
 * The rule that fired is kept; its sentence is made by render/phrases.c.
 */
enum classify_rule {
	RULE_NONE,
	/* names the kernel or the C library gives */
	RULE_KERNEL_NAME,	/* [vdso] [vvar] [vsyscall] [uprobes] ... */
	RULE_HEAP_NAME,
	RULE_STACK_NAME,
	RULE_THREAD_NAME,	/* [stack:TID], [anon: glibc: pthread stack: TID] */
	RULE_ARENA_NAME,
	RULE_MALLOC_NAME,
	RULE_BSS_NAME,		/* [anon: glibc: .bss LIB] */
	RULE_GUARD_NAME,
	RULE_ANON_NAME,		/* another [anon:NAME] */
	RULE_ANON_SHMEM_NAME,
	/* kinds of file */
	RULE_SHARED_ANON,	/* /dev/zero (deleted) */
	RULE_DEV_ZERO,		/* private mapping of /dev/zero */
	RULE_ANON_HUGETLB,
	RULE_HUGETLB_FILE,
	RULE_SYSV,
	RULE_POSIX_SHM,
	RULE_MEMFD,
	RULE_SECRETMEM,
	RULE_RING,
	RULE_ANON_INODE,
	RULE_DEVICE,
	RULE_FILE,
	RULE_FILE_NOT_LOADED,	/* an ELF file, but not as its headers say */
	/* the ELF file */
	RULE_ELF_TEXT,
	RULE_ELF_CONTENT,	/* the content with most bytes */
	RULE_ELF_RELRO,
	RULE_ELF_BSS,
	RULE_ELF_BSS_HEAP,	/* bss and heap in one VMA */
	RULE_ELF_BSS_ANON,	/* bss and other anonymous memory in one VMA */
	RULE_ELF_GAP,
	/* without the ELF file */
	RULE_PERMS_TEXT,
	RULE_PERMS_LINK_TABLES,
	RULE_PERMS_RODATA,
	RULE_PERMS_RELRO,
	RULE_PERMS_DATA,
	RULE_PERMS_GAP,
	RULE_BEHIND_DATA,	/* directly behind */
	RULE_NEAR_DATA,		/* with a gap between */
	RULE_TOP_STACK,		/* highest anonymous mapping */
	/* position */
	RULE_GROWS_DOWN,
	RULE_THREAD_SP,
	RULE_THREAD_SIZE,	/* guard page and the usual size */
	RULE_SHADOW_STACK,
	RULE_GUARD_STACK,
	RULE_GUARD_NEAR,
	RULE_ARENA,
	RULE_ARENA_TAIL,
	RULE_RESERVED,
	RULE_GO_HEAP,
	/* what it may do and holds */
	RULE_JIT,
	RULE_JIT_TWIN,
	RULE_MALLOC_HEADER,
	RULE_ANON,
	RULE_MAX
};

/* Fills every VMA of the process. Fails only for want of memory. */
int classify_process(struct process *process, struct error *error);

#endif
