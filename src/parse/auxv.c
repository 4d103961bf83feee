// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/auxv.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

#define MEMBER(tag, member) [tag] = offsetof(struct auxv, member) + 1

/* Offset + 1 of the member of a tag; 0: not kept. */
static const size_t members[] = {
	MEMBER(AT_PHDR, phdr),
	MEMBER(AT_PHENT, phent),
	MEMBER(AT_PHNUM, phnum),
	MEMBER(AT_PAGESZ, page_size),
	MEMBER(AT_BASE, base),
	MEMBER(AT_ENTRY, entry),
	MEMBER(AT_SYSINFO_EHDR, vdso),
	MEMBER(AT_EXECFN, execfn),
	MEMBER(AT_RANDOM, random),
};

#define MEMBER_COUNT (sizeof(members) / sizeof(members[0]))
/* Real tags are below 64; read with the wrong word size nearly every tag holds half a value. */
#define TAG_LIMIT 4096

static uint64_t word_at(const char *bytes, unsigned word_size)
{
	uint64_t wide;
	uint32_t narrow;

	if (word_size == sizeof(wide)) {
		memcpy(&wide, bytes, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, bytes, sizeof(narrow));
	return narrow;
}

static bool auxv_read(struct span bytes, unsigned word_size, struct auxv *auxv)
{
	struct auxv parsed = { .word_size = word_size };
	size_t at;

	for (at = 0; bytes.len - at >= 2 * word_size; at += 2 * word_size) {
		uint64_t tag = word_at(bytes.ptr + at, word_size);
		uint64_t value = word_at(bytes.ptr + at + word_size, word_size);

		if (tag >= TAG_LIMIT)
			return false;
		if (tag == AT_NULL && at) {
			*auxv = parsed;
			return true;
		}
		if (tag == AT_NULL)
			return false;
		if (tag < MEMBER_COUNT && members[tag])
			memcpy((char *)&parsed + members[tag] - 1, &value, sizeof(value));
	}
	return false;
}

int auxv_parse(struct span bytes, struct auxv *auxv, struct error *error)
{
	if (auxv_read(bytes, 8, auxv) || auxv_read(bytes, 4, auxv))
		return 0;
	return error_set(error, ERROR_PARSE, "auxv", "%s",
			 bytes.len ? "list does not end" : "list is empty");
}
