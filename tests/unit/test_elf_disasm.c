// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>

#include "test.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/elf/disasm.h"

struct sample {
	uint16_t machine;
	bool is_64;
	bool big_endian;
	bool compressed;
	uint8_t bytes[8];
	size_t len;
	const char *text;
	enum elf_memory_access access;
};

/* Encodings as GNU as and llvm-mc write them. */
static const struct sample samples[] = {
	{ EM_X86_64, true, false, false, { 0x48, 0x89, 0x18 }, 3, "mov qword ptr [rax], rbx",
	  ELF_MEMORY_WRITE },
	{ EM_X86_64, true, false, false, { 0x48, 0x8b, 0x18 }, 3, "mov rbx, qword ptr [rax]",
	  ELF_MEMORY_READ },
	{ EM_X86_64, true, false, false, { 0x48, 0x83, 0x00, 0x01 }, 4, "add qword ptr [rax], 1",
	  ELF_MEMORY_READ_WRITE },
	{ EM_X86_64, true, false, false, { 0x48, 0x8d, 0x40, 0x08 }, 4, "lea rax, [rax + 8]",
	  ELF_MEMORY_NONE },
	{ EM_X86_64, true, false, false, { 0x55 }, 1, "push rbp", ELF_MEMORY_WRITE },
	{ EM_X86_64, true, false, false, { 0xc3 }, 1, "ret", ELF_MEMORY_READ },
	{ EM_X86_64, true, false, false, { 0x48, 0x01, 0xd8 }, 3, "add rax, rbx", ELF_MEMORY_NONE },
	{ EM_X86_64, true, false, false, { 0xff, 0x30 }, 2, "push qword ptr [rax]",
	  ELF_MEMORY_READ_WRITE },
	{ EM_386, false, false, false, { 0xcc }, 1, "int3", ELF_MEMORY_NONE },
	{ EM_AARCH64, true, false, false, { 0x20, 0x00, 0x40, 0xf9 }, 4, "ldr x0, [x1]",
	  ELF_MEMORY_READ },
	{ EM_AARCH64, true, true, false, { 0x20, 0x00, 0x00, 0xf9 }, 4, "str x0, [x1]",
	  ELF_MEMORY_WRITE },
	{ EM_AARCH64, true, false, false, { 0x00, 0x00, 0x02, 0x8b }, 4, "add x0, x0, x2",
	  ELF_MEMORY_NONE },
	{ EM_ARM, false, false, false, { 0x00, 0x00, 0x81, 0xe5 }, 4, "str r0, [r1]",
	  ELF_MEMORY_WRITE },
	{ EM_ARM, false, false, true, { 0x10, 0xb5 }, 2, "push {r4, lr}", ELF_MEMORY_WRITE },
	{ EM_MIPS, false, true, false, { 0x8f, 0xa4, 0x00, 0x10 }, 4, "lw $a0, 0x10($sp)",
	  ELF_MEMORY_READ },
	{ EM_MIPS, true, false, false, { 0x10, 0x00, 0xa4, 0xff }, 4, "sd $a0, 0x10($sp)",
	  ELF_MEMORY_WRITE },
	{ EM_PPC64, true, true, false, { 0x90, 0x61, 0x00, 0x10 }, 4, "stw r3, 0x10(r1)",
	  ELF_MEMORY_WRITE },
	{ EM_PPC64, true, false, false, { 0x10, 0x00, 0x61, 0x80 }, 4, "lwz r3, 0x10(r1)",
	  ELF_MEMORY_READ },
	{ EM_PPC64, true, true, false, { 0x7c, 0x64, 0x28, 0x2e }, 4, "lwzx r3, r4, r5",
	  ELF_MEMORY_READ },
	{ EM_PPC64, true, true, false, { 0x38, 0x60, 0x00, 0x01 }, 4, "li r3, 1", ELF_MEMORY_NONE },
	{ EM_MIPS, false, true, false, { 0x00, 0x08, 0x40, 0x80 }, 4, "sll $t0, $t0, 2",
	  ELF_MEMORY_NONE },
	{ EM_SPARCV9, true, true, false, { 0xc2, 0x00, 0x60, 0x04 }, 4, "ld [%g1+4], %g1",
	  ELF_MEMORY_READ },
	{ EM_S390, true, true, false, { 0x07, 0xfe }, 2, "br %r14", ELF_MEMORY_NONE },
};

static void test_machines(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		struct elf_code code = { s->machine, s->is_64, s->big_endian, s->compressed,
					 0x1000, s->bytes, s->len };
		struct elf_instruction out[2];
		size_t count = 0;

		CHECK(!elf_disassemble(&code, out, 2, &count, NULL));
		CHECK_U64(count, 1);
		CHECK_STR(out[0].text, s->text);
		if (out[0].access != s->access)
			printf("%s: access %s\n", s->text,
			       name_of(elf_memory_access_names, out[0].access));
		CHECK(out[0].access == s->access && out[0].known);
		CHECK(out[0].length == s->len && out[0].address == 0x1000);
		CHECK(!memcmp(out[0].bytes, s->bytes, s->len));
	}
}

static void test_unknown(void)
{
	static const uint8_t bytes[4] = { 0x13, 0, 0, 0 };
	struct elf_code code = { .machine = EM_RISCV, .is_64 = true, .bytes = bytes, .len = 4 };
	struct elf_instruction out;
	struct error error = ERROR_INIT;
	size_t count = 9;

	CHECK(!elf_disasm_knows(EM_RISCV) && elf_disasm_knows(EM_S390));
	CHECK(elf_disassemble(&code, &out, 1, &count, &error) == -ERROR_NOT_FOUND);
	CHECK(count == 9 && error.text[0]);
}

/* 06 is no instruction of 64-bit code: it comes out as data and the rest goes on. */
static void test_data(void)
{
	static const uint8_t bytes[] = { 0x90, 0x06, 0x90, 0x48 };
	struct elf_code code = { .machine = EM_X86_64, .is_64 = true, .address = UINT64_MAX - 8,
				 .bytes = bytes, .len = sizeof(bytes) };
	struct elf_instruction out[8];
	size_t count = 0;

	CHECK(!elf_disassemble(&code, out, 8, &count, NULL));
	CHECK_U64(count, 4);
	CHECK_STR(out[1].text, ".byte 0x06");
	CHECK(!out[1].known && out[2].known && !out[3].known);
}

/* push rbp; mov rbp, rsp; movabs rax, imm64 (0x90...); mov [rax], eax; leave; ret */
static const uint8_t function[] = {
	0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
	0x89, 0x00, 0xc9, 0xc3
};

static void test_around(void)
{
	struct elf_code code = { .machine = EM_X86_64, .is_64 = true, .address = 0x400000,
				 .bytes = function, .len = sizeof(function) };
	struct elf_instruction out[8];
	size_t count = 0, index = 0;

	CHECK(!elf_disassemble_around(&code, 0x40000e, 2, 1, out, &count, &index, NULL));
	CHECK(count == 4 && index == 2);
	CHECK_STR(out[0].text, "mov rbp, rsp");
	CHECK_U64(out[1].length, 10);
	CHECK_STR(out[2].text, "mov dword ptr [rax], eax");
	CHECK_STR(out[3].text, "leave");
	CHECK(!elf_disassemble_around(&code, 0x400000, 3, 0, out, &count, &index, NULL));
	CHECK(count == 1 && index == 0);
	CHECK(elf_disassemble_around(&code, 0x400012, 1, 1, out, &count, &index, NULL) ==
	      -ERROR_NOT_FOUND);
	CHECK(!elf_disassemble_around(&code, 0x400011, 7, 0, out, &count, &index, NULL));
	CHECK(count == 6 && index == 5);
	CHECK_STR(out[5].text, "ret");
}

int main(void)
{
	test_machines();
	test_unknown();
	test_data();
	test_around();
	TEST_END;
}
