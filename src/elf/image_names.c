// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>

#include "vmatlas/elf/image.h"

const struct name elf_damage_names[] = {
	{ ELF_DAMAGE_HEADER, "header", "header fields out of range" },
	{ ELF_DAMAGE_SEGMENTS, "segments", "program headers beyond the file or overlapping" },
	{ ELF_DAMAGE_SECTIONS, "sections", "section headers beyond the file or overlapping" },
	{ ELF_DAMAGE_STRINGS, "strings", "names without end or beyond their table" },
	{ ELF_DAMAGE_NOTES, "notes", "notes beyond their segment" },
	{ ELF_DAMAGE_DYNAMIC, "dynamic", "dynamic section beyond the file or contradictory" },
	{ ELF_DAMAGE_SYMBOLS, "symbols", "symbol table beyond the file or contradictory" },
	{ ELF_DAMAGE_RELOCATIONS, "relocations", "relocations beyond the file or contradictory" },
	{ ELF_DAMAGE_DEBUG, "debug", "debug information that could not be read" },
	{ ELF_DAMAGE_LIMIT, "limit", "more than is read of one file" },
	{ 0, NULL, NULL }
};

const struct name elf_type_names[] = {
	{ ET_NONE, "NONE", "no type" },
	{ ET_REL, "REL", "relocatable file" },
	{ ET_EXEC, "EXEC", "program at fixed addresses" },
	{ ET_DYN, "DYN", "shared object or position-independent program" },
	{ ET_CORE, "CORE", "core dump" },
	{ 0, NULL, NULL }
};

const struct name elf_segment_type_names[] = {
	{ PT_NULL, "NULL", "unused" },
	{ PT_LOAD, "LOAD", "mapped into memory" },
	{ PT_DYNAMIC, "DYNAMIC", "what the dynamic loader needs" },
	{ PT_INTERP, "INTERP", "path of the dynamic loader" },
	{ PT_NOTE, "NOTE", "notes, among them the build-id" },
	{ PT_SHLIB, "SHLIB", "reserved" },
	{ PT_PHDR, "PHDR", "the program headers themselves" },
	{ PT_TLS, "TLS", "template of thread-local storage" },
	{ PT_GNU_EH_FRAME, "GNU_EH_FRAME", "index for stack unwinding" },
	{ PT_GNU_STACK, "GNU_STACK", "is the stack executable" },
	{ PT_GNU_RELRO, "GNU_RELRO", "read-only after relocation" },
	{ PT_GNU_PROPERTY, "GNU_PROPERTY", "properties of the program" },
	{ 0x65a3dbe6, "OPENBSD_RANDOMIZE", "filled with random bytes" },
	{ 0x65a3dbe7, "OPENBSD_WXNEEDED", "needs writable code" },
	{ PT_SUNWBSS, "SUNWBSS", "Sun bss" },
	{ PT_SUNWSTACK, "SUNWSTACK", "Sun stack" },
	{ 0x70000000, "PROC0", "processor specific: ARM_ARCHEXT, MIPS_REGINFO" },
	{ 0x70000001, "EXIDX", "unwind index (ARM)" },
	{ 0x70000002, "MEMTAG_MTE", "memory tags (AArch64)" },
	{ 0x70000003, "ATTRIBUTES", "attributes (RISC-V), MIPS_ABIFLAGS" },
	{ 0, NULL, NULL }
};

const struct name elf_machine_names[] = {
	{ EM_386, "i386", "Intel 80386" },
	{ EM_X86_64, "x86-64", "AMD x86-64" },
	{ EM_ARM, "arm", "ARM" },
	{ EM_AARCH64, "aarch64", "ARM AArch64" },
	{ EM_RISCV, "riscv", "RISC-V" },
	{ EM_PPC, "ppc", "PowerPC" },
	{ EM_PPC64, "ppc64", "64-bit PowerPC" },
	{ EM_S390, "s390", "IBM S/390 and z/Architecture" },
	{ EM_MIPS, "mips", "MIPS" },
	{ EM_SPARC, "sparc", "SPARC" },
	{ EM_SPARC32PLUS, "sparc32plus", "SPARC v8+" },
	{ EM_SPARCV9, "sparcv9", "SPARC v9" },
	{ EM_68K, "m68k", "Motorola 68000" },
	{ EM_PARISC, "parisc", "HP PA-RISC" },
	{ EM_IA_64, "ia64", "Intel Itanium" },
	{ EM_ALPHA, "alpha", "DEC Alpha" },
	{ EM_SH, "sh", "SuperH" },
	{ EM_XTENSA, "xtensa", "Xtensa" },
	{ EM_ARCV2, "arcv2", "ARC v2" },
	{ EM_MICROBLAZE, "microblaze", "MicroBlaze" },
	{ EM_OPENRISC, "openrisc", "OpenRISC" },
	{ EM_CSKY, "csky", "C-SKY" },
	{ 258, "loongarch", "LoongArch" },
	{ EM_BPF, "bpf", "Linux BPF" },
	{ 0, NULL, NULL }
};
