// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/parse/meminfo.h"

static void test_lines(void)
{
	struct meminfo meminfo;

	meminfo_parse(SPAN_LITERAL("MemTotal:       24684096 kB\n"
				   "MemFree:        21529704 kB\n"
				   "SomethingNew:          1 kB\n"
				   "Cached:          2411952 kB\n"
				   "AnonPages:   many kB\n"
				   "Mapped:   99999999999999999999 kB\n"
				   "no line\n"
				   "HugePages_Total:       3\n"
				   "Hugetlb:            6144 kB"), &meminfo);
	CHECK_U64(meminfo.value[MEMINFO_TOTAL], 24684096ULL << 10);
	CHECK_U64(meminfo.value[MEMINFO_FREE], 21529704ULL << 10);
	CHECK_U64(meminfo.value[MEMINFO_CACHED], 2411952ULL << 10);
	CHECK_U64(meminfo.value[MEMINFO_HUGETLB], 6144 << 10);
	CHECK(meminfo_has(&meminfo, MEMINFO_TOTAL) && meminfo_has(&meminfo, MEMINFO_HUGETLB));
	CHECK(!meminfo_has(&meminfo, MEMINFO_ANON_PAGES) && !meminfo_has(&meminfo, MEMINFO_MAPPED));
	CHECK(!meminfo_has(&meminfo, MEMINFO_BUFFERS));
	for (uint64_t key = 0; key < MEMINFO_KEY_MAX; key++)
		CHECK_U64(meminfo_key_names[key].value, key);
	meminfo_parse(SPAN_LITERAL(""), &meminfo);
	CHECK_U64(meminfo.present, 0);
}

int main(void)
{
	test_lines();
	TEST_END;
}
