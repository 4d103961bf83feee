// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"
#include "test.h"

#include <elf.h>
#include <sys/auxv.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/auxv.h"

/* The vector of a 64-bit program; of its lower halves a 32-bit one is made. */
static const uint64_t words[] = {
	AT_SYSINFO_EHDR, 0x7ffff7fcd000, AT_HWCAP, 0x178bfbff, AT_PAGESZ, 4096,
	AT_PHDR, 0x555555554040, AT_PHENT, 56, AT_PHNUM, 13, AT_BASE, 0x7ffff7fd0000,
	AT_FLAGS, 0, AT_ENTRY, 0x555555556000, 51, 3376, AT_RANDOM, 0x7fffffffe0f9,
	AT_EXECFN, 0x7fffffffefe0, AT_NULL, 0,
};

static struct span narrow(uint32_t *to, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		to[i] = (uint32_t)words[i];
	return (struct span) { (const char *)to, count * sizeof(*to) };
}

static void test_wide(void)
{
	struct auxv auxv = { 0 };

	CHECK(auxv_parse((struct span) { (const char *)words, sizeof(words) }, &auxv, NULL) == 0);
	CHECK_U64(auxv.word_size, 8);
	CHECK_U64(auxv.phdr, 0x555555554040);
	CHECK_U64(auxv.phent, 56);
	CHECK_U64(auxv.phnum, 13);
	CHECK_U64(auxv.page_size, 4096);
	CHECK_U64(auxv.base, 0x7ffff7fd0000);
	CHECK_U64(auxv.entry, 0x555555556000);
	CHECK_U64(auxv.vdso, 0x7ffff7fcd000);
	CHECK_U64(auxv.execfn, 0x7fffffffefe0);
	CHECK_U64(auxv.random, 0x7fffffffe0f9);
}

static void test_narrow(void)
{
	uint32_t half[ARRAY_SIZE(words)];
	struct span bytes = narrow(half, ARRAY_SIZE(words));
	struct auxv auxv = { 0 };

	CHECK(auxv_parse(bytes, &auxv, NULL) == 0);
	CHECK_U64(auxv.word_size, 4);
	CHECK_U64(auxv.phdr, 0x55554040);
	CHECK_U64(auxv.page_size, 4096);
	CHECK_U64(auxv.vdso, 0xf7fcd000);
}

static void test_bad(void)
{
	uint32_t half[ARRAY_SIZE(words)];
	struct auxv auxv = { .entry = 42 };
	struct error error = ERROR_INIT;
	uint64_t nothing[2] = { 0 };
	size_t len;

	/* Every cut before the end, in bytes, of both kinds. */
	for (len = 0; len < sizeof(words) - 8; len += len % 8 ? 8 - len % 8 : 1)
		CHECK(auxv_parse((struct span) { (const char *)words, len }, &auxv, &error) ==
		      -ERROR_PARSE);
	for (len = 0; len < sizeof(half) - 8; len++) {
		struct span bytes = narrow(half, ARRAY_SIZE(words));

		bytes.len = len;
		CHECK(auxv_parse(bytes, &auxv, NULL) == -ERROR_PARSE);
	}
	CHECK(auxv_parse((struct span) { NULL, 0 }, &auxv, &error) == -ERROR_PARSE);
	CHECK(strstr(error.text, "empty"));
	CHECK(auxv_parse((struct span) { (char *)nothing, sizeof(nothing) }, &auxv, NULL) ==
	      -ERROR_PARSE);
	CHECK_U64(auxv.entry, 42);
}

static void test_live(void)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct auxv auxv = { 0 };

	file_read("/proc/self/auxv", &text);
	CHECK(auxv_parse(buf_span(&text), &auxv, NULL) == 0);
	CHECK_U64(auxv.word_size, sizeof(long));
	CHECK_U64(auxv.phdr, getauxval(AT_PHDR));
	CHECK_U64(auxv.page_size, getauxval(AT_PAGESZ));
	CHECK_U64(auxv.base, getauxval(AT_BASE));
	CHECK_U64(auxv.entry, getauxval(AT_ENTRY));
	CHECK_U64(auxv.vdso, getauxval(AT_SYSINFO_EHDR));
	CHECK_U64(auxv.random, getauxval(AT_RANDOM));
}

int main(void)
{
	test_wide();
	test_narrow();
	test_bad();
	test_live();
	TEST_END;
}
