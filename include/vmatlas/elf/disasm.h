/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_ELF_DISASM_H
#define VMATLAS_ELF_DISASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmatlas/base/error.h"
#include "vmatlas/base/names.h"

/* Machine code of which the bytes are at hand. */
struct elf_code {
	uint16_t machine;	/* EM_* */
	bool is_64;
	bool big_endian;	/* of the file; ARM and AArch64 code is
				 * little-endian all the same */
	bool compressed;	/* Thumb or microMIPS, as struct elf_symbol says */
	uint64_t address;	/* of bytes[0] */
	const uint8_t *bytes;
	size_t len;
};

/* What an instruction does to memory through its operands and, on x86, the stack. */
enum elf_memory_access {
	ELF_MEMORY_NONE,
	ELF_MEMORY_READ,
	ELF_MEMORY_WRITE,
	ELF_MEMORY_READ_WRITE,
	ELF_MEMORY_UNKNOWN	/* it has a memory operand; the library does not say which */
};

extern const struct name elf_memory_access_names[];

#define ELF_INSTRUCTION_BYTES_MAX 16
#define ELF_INSTRUCTION_TEXT_MAX 200

struct elf_instruction {
	uint64_t address;
	uint8_t length;
	bool known;		/* false: not an instruction, the text shows its bytes */
	enum elf_memory_access access;
	uint8_t bytes[ELF_INSTRUCTION_BYTES_MAX];
	char text[ELF_INSTRUCTION_TEXT_MAX];	/* "mov qword ptr [rax], rbx"; plain ASCII */
};

/* Can code of this machine be disassembled here? RISC-V, for example, cannot (capstone 4). */
bool elf_disasm_knows(uint16_t machine);

/*
 * At most `max` instructions from code->address on. Bytes that are no instruction come out as
 * data, so all of it is covered. -ERROR_NOT_FOUND: no disassembler for this machine.
 */
int elf_disassemble(const struct elf_code *code, struct elf_instruction *out, size_t max,
		    size_t *count, struct error *error);

/*
 * Instructions around `address`, which begins one: up to `before` that end there, itself, and
 * up to `after` more. Best when `code` begins at a function; else the decoding is brought into
 * step where instructions have no fixed length, and what precedes is a guess.
 * *index: the one at `address`. `out` has room for before + 1 + after.
 */
int elf_disassemble_around(const struct elf_code *code, uint64_t address, size_t before,
			   size_t after, struct elf_instruction *out, size_t *count,
			   size_t *index, struct error *error);

#endif
