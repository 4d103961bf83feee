// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/model/process.h"

const struct name vma_class_names[] = {
	{ VMA_CLASS_CODE, "C", "code of the program and the constants in it" },
	{ VMA_CLASS_CONST, "K", "constants for dynamic relocation" },
	{ VMA_CLASS_STATIC, "S", "static data of the program" },
	{ VMA_CLASS_DYNAMIC, "D", "dynamic data" },
	{ VMA_CLASS_MAPPED, "M", "mapped files and libraries" },
	{ VMA_CLASS_STACK, "P", "stack of the main thread" },
	{ VMA_CLASS_THREAD, "T", "stacks of other threads" },
	{ VMA_CLASS_GUARD, "G", "guard and reserved space" },
	{ VMA_CLASS_KERNEL, "X", "provided by the kernel" },
	{ 0, NULL, NULL }
};

const struct name vma_role_names[] = {
	{ ROLE_TEXT, "text", "machine code" },
	{ ROLE_RODATA, "rodata", "constants" },
	{ ROLE_RELRO, "relro", "read-only after relocation" },
	{ ROLE_LINK_TABLES, "link-tables", "headers, symbols, relocations" },
	{ ROLE_DATA, "data", "initialised static data" },
	{ ROLE_BSS, "bss", "zero-filled static data" },
	{ ROLE_HEAP, "heap", "brk heap" },
	{ ROLE_ARENA, "arena", "malloc arena of threads" },
	{ ROLE_MALLOC_LARGE, "malloc-large", "malloc blocks with a mapping of their own" },
	{ ROLE_ANON, "anon", "other anonymous memory" },
	{ ROLE_JIT, "jit", "code made at run time" },
	{ ROLE_GAP, "gap", "hole between the segments of a library" },
	{ ROLE_FILE, "file", "mapped file" },
	{ ROLE_SHM, "shm", "POSIX shared memory" },
	{ ROLE_MEMFD, "memfd", "memfd_create file" },
	{ ROLE_SYSV, "sysv", "SysV shared memory" },
	{ ROLE_HUGETLB, "hugetlb", "hugetlbfs file" },
	{ ROLE_DEVICE, "device", "device memory" },
	{ ROLE_SECRETMEM, "secretmem", "memfd_secret memory" },
	{ ROLE_STACK, "stack", "stack of the main thread" },
	{ ROLE_THREAD_STACK, "thread-stack", "stack of another thread" },
	{ ROLE_SHADOW_STACK, "shadow-stack", "return addresses kept by the processor" },
	{ ROLE_GUARD, "guard", "page that catches an overflow" },
	{ ROLE_RESERVED, "reserved", "address space kept for later" },
	{ ROLE_VDSO, "vdso", "kernel's shared object" },
	{ ROLE_VVAR, "vvar", "data of the vDSO" },
	{ ROLE_VSYSCALL, "vsyscall", "legacy system call page" },
	{ ROLE_UPROBES, "uprobes", "instructions displaced by probes" },
	{ ROLE_RING, "ring", "ring buffer shared with the kernel" },
	{ ROLE_KERNEL, "kernel", "other memory provided by the kernel" },
	{ 0, NULL, NULL }
};

const struct name vma_backing_names[] = {
	{ BACKING_FILE, "file", "pages of a file" },
	{ BACKING_ANON, "anon", "anonymous pages" },
	{ BACKING_SHMEM, "shmem", "pages of a shared memory object" },
	{ BACKING_HUGETLB, "hugetlb", "huge pages from the pool" },
	{ BACKING_KERNEL, "kernel", "pages of the kernel" },
	{ BACKING_DEVICE, "device", "memory of a device" },
	{ 0, NULL, NULL }
};
