// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/elf/disasm.h"

#include <capstone/capstone.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/base/library.h"

/* Loaded when instructions are wanted: 77,000 relocations, more than a millisecond, are too much
 * for every other command. */
#define FUNCTIONS(F) \
	F(cs_support) F(cs_open) F(cs_option) F(cs_malloc) F(cs_disasm_iter) F(cs_free) F(cs_close)

LIBRARY_FUNCTIONS(FUNCTIONS);

#define TEXT(number) #number
#define JOIN(name, number) name TEXT(number)

static struct library library = {
	.file = JOIN("libcapstone.so.", CS_API_MAJOR),
	.package = JOIN("libcapstone", CS_API_MAJOR) " (Debian, Ubuntu) or capstone",
	.use = "instructions are not shown",
	.functions = functions,
};

/* Bytes decoded before the wanted instruction, and shifts tried to get into step. */
#define BACK_MAX 256
#define SHIFTS_MAX 16

const struct name elf_memory_access_names[] = {
	{ ELF_MEMORY_NONE, "none", "does not touch memory" },
	{ ELF_MEMORY_READ, "read", "reads memory" },
	{ ELF_MEMORY_WRITE, "write", "writes memory" },
	{ ELF_MEMORY_READ_WRITE, "read-write", "reads and writes memory" },
	{ ELF_MEMORY_UNKNOWN, "unknown", "touches memory, not known how" },
	{ 0, NULL, NULL }
};

/* How capstone calls a machine. `wide` and `compressed` are added for 64 bits and for Thumb or
 * microMIPS; `order` says whether the byte order of the file is that of the code. */
static const struct machine {
	uint16_t machine;
	cs_arch arch;
	unsigned mode;
	unsigned wide;
	unsigned compressed;
	bool order;
	uint8_t unit;		/* smallest instruction */
} machines[] = {
	{ EM_386, CS_ARCH_X86, CS_MODE_32, 0, 0, false, 1 },
	{ EM_X86_64, CS_ARCH_X86, CS_MODE_64, 0, 0, false, 1 },
	{ EM_ARM, CS_ARCH_ARM, CS_MODE_ARM, 0, CS_MODE_THUMB, false, 2 },
	{ EM_AARCH64, CS_ARCH_ARM64, CS_MODE_ARM, 0, 0, false, 4 },
	{ EM_MIPS, CS_ARCH_MIPS, 0, CS_MODE_MIPS64, CS_MODE_MICRO, true, 4 },
	{ EM_PPC, CS_ARCH_PPC, CS_MODE_32, 0, 0, true, 4 },
	{ EM_PPC64, CS_ARCH_PPC, CS_MODE_64, 0, 0, true, 4 },
	{ EM_S390, CS_ARCH_SYSZ, 0, 0, 0, true, 2 },
	{ EM_SPARC, CS_ARCH_SPARC, 0, 0, 0, true, 4 },
	{ EM_SPARC32PLUS, CS_ARCH_SPARC, CS_MODE_V9, 0, 0, true, 4 },
	{ EM_SPARCV9, CS_ARCH_SPARC, CS_MODE_V9, 0, 0, true, 4 },
	{ EM_68K, CS_ARCH_M68K, CS_MODE_M68K_040, 0, 0, true, 2 },
};

static const struct machine *machine_find(uint16_t machine)
{
	size_t i;

	if (library_load(&library, NULL) < 0)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == machine && lib.cs_support(machines[i].arch))
			return &machines[i];
	return NULL;
}

bool elf_disasm_knows(uint16_t machine)
{
	return machine_find(machine);
}

static enum elf_memory_access access_of_bits(unsigned bits)
{
	static const enum elf_memory_access of[] = {
		[0] = ELF_MEMORY_UNKNOWN,
		[CS_AC_READ] = ELF_MEMORY_READ,
		[CS_AC_WRITE] = ELF_MEMORY_WRITE,
		[CS_AC_READ | CS_AC_WRITE] = ELF_MEMORY_READ_WRITE,
	};

	return of[bits & (CS_AC_READ | CS_AC_WRITE)];
}

/* Instructions that use the stack without naming it, and those that only compute an address. */
static const struct {
	unsigned id;
	enum elf_memory_access access;
	bool replaces;		/* the operands do not count */
} x86_special[] = {
	{ X86_INS_LEA, ELF_MEMORY_NONE, true },
	{ X86_INS_NOP, ELF_MEMORY_NONE, true },
	{ X86_INS_PUSH, ELF_MEMORY_WRITE, false },
	{ X86_INS_PUSHAW, ELF_MEMORY_WRITE, false },
	{ X86_INS_PUSHAL, ELF_MEMORY_WRITE, false },
	{ X86_INS_PUSHF, ELF_MEMORY_WRITE, false },
	{ X86_INS_PUSHFQ, ELF_MEMORY_WRITE, false },
	{ X86_INS_CALL, ELF_MEMORY_WRITE, false },
	{ X86_INS_ENTER, ELF_MEMORY_WRITE, false },
	{ X86_INS_POP, ELF_MEMORY_READ, false },
	{ X86_INS_POPF, ELF_MEMORY_READ, false },
	{ X86_INS_POPFQ, ELF_MEMORY_READ, false },
	{ X86_INS_RET, ELF_MEMORY_READ, false },
	{ X86_INS_LEAVE, ELF_MEMORY_READ, false },
};

static enum elf_memory_access access_add(enum elf_memory_access a, enum elf_memory_access b)
{
	if (a == ELF_MEMORY_NONE || a == b)
		return b;
	if (b == ELF_MEMORY_NONE)
		return a;
	return a == ELF_MEMORY_UNKNOWN || b == ELF_MEMORY_UNKNOWN ? ELF_MEMORY_UNKNOWN
								  : ELF_MEMORY_READ_WRITE;
}

static enum elf_memory_access access_x86(const cs_insn *insn)
{
	enum elf_memory_access access = ELF_MEMORY_NONE;
	const cs_x86 *x86 = &insn->detail->x86;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(x86_special); i++) {
		if (x86_special[i].id != insn->id)
			continue;
		access = x86_special[i].access;
		if (x86_special[i].replaces)
			return access;
	}
	for (i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM)
			access = access_add(access, access_of_bits(x86->operands[i].access));
	return access;
}

/* Loads and stores of the machines whose operands do not tell, by the first letters. */
static const struct {
	cs_arch arch;
	const char *prefix;
	enum elf_memory_access access;
} mnemonics[] = {
	{ CS_ARCH_ARM64, "ldadd", ELF_MEMORY_READ_WRITE },
	{ CS_ARCH_ARM64, "ld", ELF_MEMORY_READ },
	{ CS_ARCH_ARM64, "st", ELF_MEMORY_WRITE },
	{ CS_ARCH_ARM64, "cas", ELF_MEMORY_READ_WRITE },
	{ CS_ARCH_ARM64, "swp", ELF_MEMORY_READ_WRITE },
	{ CS_ARCH_ARM, "ld", ELF_MEMORY_READ },
	{ CS_ARCH_ARM, "vld", ELF_MEMORY_READ },
	{ CS_ARCH_ARM, "pop", ELF_MEMORY_READ },
	{ CS_ARCH_ARM, "vpop", ELF_MEMORY_READ },
	{ CS_ARCH_ARM, "st", ELF_MEMORY_WRITE },
	{ CS_ARCH_ARM, "vst", ELF_MEMORY_WRITE },
	{ CS_ARCH_ARM, "push", ELF_MEMORY_WRITE },
	{ CS_ARCH_ARM, "vpush", ELF_MEMORY_WRITE },
	{ CS_ARCH_ARM, "swp", ELF_MEMORY_READ_WRITE },
	{ CS_ARCH_MIPS, "l", ELF_MEMORY_READ },
	{ CS_ARCH_MIPS, "s", ELF_MEMORY_WRITE },
	{ CS_ARCH_PPC, "l", ELF_MEMORY_READ },
	{ CS_ARCH_PPC, "st", ELF_MEMORY_WRITE },
	{ CS_ARCH_SPARC, "ld", ELF_MEMORY_READ },
	{ CS_ARCH_SPARC, "st", ELF_MEMORY_WRITE },
	{ CS_ARCH_SPARC, "swap", ELF_MEMORY_READ_WRITE },
};

/* "li r3, 1" and "sll $t0, $t1, 2" are no accesses: those that are have brackets, or are
 * indexed forms of PPC. On ARM the letters alone are enough ("ldr r0, #16", "push {r4}"). */
static bool letters_suffice(const cs_insn *insn, cs_arch arch)
{
	return arch == CS_ARCH_ARM || arch == CS_ARCH_ARM64 ||
	       (arch == CS_ARCH_PPC && strchr(insn->mnemonic, 'x'));
}

static enum elf_memory_access access_by_name(const cs_insn *insn, cs_arch arch)
{
	bool brackets = strpbrk(insn->op_str, "[(");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mnemonics); i++)
		if (mnemonics[i].arch == arch && (brackets || letters_suffice(insn, arch)) &&
		    !strncmp(insn->mnemonic, mnemonics[i].prefix, strlen(mnemonics[i].prefix)))
			return mnemonics[i].access;
	return brackets ? ELF_MEMORY_UNKNOWN : ELF_MEMORY_NONE;
}

static int open_handle(const struct elf_code *code, const struct machine **machine, csh *handle,
		       struct error *error)
{
	const struct machine *m = machine_find(code->machine);
	unsigned mode;

	if (!m)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "no disassembler for machine %u", code->machine);
	mode = m->mode | (code->is_64 ? m->wide : 0) | (code->compressed ? m->compressed : 0);
	if (m->machine == EM_MIPS && !code->is_64)
		mode |= CS_MODE_MIPS32;
	if (m->order && code->big_endian)
		mode |= (unsigned)CS_MODE_BIG_ENDIAN;
	if (lib.cs_open(m->arch, (cs_mode)mode, handle) != CS_ERR_OK)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "the disassembler cannot be used for machine %u", code->machine);
	lib.cs_option(*handle, CS_OPT_DETAIL, CS_OPT_ON);
	*machine = m;
	return 0;
}

static void fill_data(const struct machine *m, const uint8_t *bytes, size_t len, uint64_t address,
		      struct elf_instruction *out)
{
	size_t n = m->unit < len ? m->unit : len, i, at;

	*out = (struct elf_instruction) { .address = address, .length = (uint8_t)n };
	memcpy(out->bytes, bytes, n);
	at = (size_t)snprintf(out->text, sizeof(out->text), ".byte");
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(out->text + at, sizeof(out->text) - at, "%s0x%02x",
				       i ? ", " : " ", bytes[i]);
}

static void fill_insn(const struct machine *m, const cs_insn *insn, struct elf_instruction *out)
{
	*out = (struct elf_instruction) { .address = insn->address, .known = true,
					  .length = (uint8_t)insn->size };
	memcpy(out->bytes, insn->bytes, insn->size < sizeof(out->bytes) ? insn->size
								       : sizeof(out->bytes));
	snprintf(out->text, sizeof(out->text), "%s%s%s", insn->mnemonic,
		 insn->op_str[0] ? " " : "", insn->op_str);
	out->access = m->arch == CS_ARCH_X86 ? access_x86(insn) : access_by_name(insn, m->arch);
}

int elf_disassemble(const struct elf_code *code, struct elf_instruction *out, size_t max,
		    size_t *count, struct error *error)
{
	const uint8_t *bytes = code->bytes;
	uint64_t address = code->address;
	const struct machine *m = NULL;
	size_t left = code->len, n;
	cs_insn *insn;
	csh handle;
	int ret = open_handle(code, &m, &handle, error);

	if (ret < 0)
		return ret;
	insn = lib.cs_malloc(handle);
	for (n = 0; insn && n < max && left; n++) {
		if (lib.cs_disasm_iter(handle, &bytes, &left, &address, insn)) {
			fill_insn(m, insn, &out[n]);
			continue;
		}
		fill_data(m, bytes, left, address, &out[n]);
		bytes += out[n].length;
		left -= out[n].length;
		address += out[n].length;
	}
	ret = insn ? 0 : error_nomem(error);
	if (insn)
		lib.cs_free(insn, 1);
	lib.cs_close(&handle);
	if (!ret)
		*count = n;
	return ret;
}

static struct elf_code code_from(const struct elf_code *code, uint64_t address)
{
	struct elf_code part = *code;

	part.bytes += address - code->address;
	part.len -= address - code->address;
	part.address = address;
	return part;
}

/* Decodes [from, address) into all; the number of instructions if one ends just there, else 0.
 * Data among them means that the decoding was out of step. */
static size_t decode_up_to(const struct elf_code *code, uint64_t from, uint64_t address,
			   bool strict, struct elf_instruction *all)
{
	struct elf_code part = code_from(code, from);
	size_t count, i;

	part.len = address - from;
	if (elf_disassemble(&part, all, BACK_MAX, &count, NULL) < 0 || !count)
		return 0;
	for (i = 0; i < count && strict; i++)
		if (!all[i].known)
			return 0;
	return all[count - 1].address + all[count - 1].length == address && all[count - 1].known
	       ? count : 0;
}

/* Instructions before `address`; how many ended up at the end of `all`. */
static size_t decode_before(const struct elf_code *code, uint64_t address,
			    struct elf_instruction *all)
{
	uint64_t start = address - code->address > BACK_MAX ? address - BACK_MAX : code->address;
	uint64_t from;
	size_t count;

	for (from = start; from < address && from - start < SHIFTS_MAX; from++) {
		count = decode_up_to(code, from, address, true, all);
		if (count)
			return count;
	}
	return decode_up_to(code, start, address, false, all);
}

int elf_disassemble_around(const struct elf_code *code, uint64_t address, size_t before,
			   size_t after, struct elf_instruction *out, size_t *count,
			   size_t *index, struct error *error)
{
	CLEANUP_FREE struct elf_instruction *all = NULL;
	struct elf_code rest;
	size_t have = 0, got;
	int ret;

	if (address < code->address || address - code->address >= code->len)
		return error_set(error, ERROR_NOT_FOUND, NULL, "no bytes at the address");
	if (before && address > code->address) {
		all = calloc(BACK_MAX, sizeof(*all));
		if (!all)
			return error_nomem(error);
		have = decode_before(code, address, all);
	}
	if (before > have)
		before = have;
	if (before)
		memcpy(out, all + have - before, before * sizeof(*out));
	rest = code_from(code, address);
	ret = elf_disassemble(&rest, out + before, after + 1, &got, error);
	if (ret < 0)
		return ret;
	*count = before + got;
	*index = before;
	return 0;
}
