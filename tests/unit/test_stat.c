// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"
#include "test.h"

#include <unistd.h>

#include "vmatlas/parse/stat.h"

static struct buf text;

static void test_live(void)
{
	struct stat_record stat;
	struct statm_record statm;

	buf_clear(&text);
	file_read("/proc/self/stat", &text);
	CHECK(stat_parse(buf_span(&text), &stat, NULL) == 0);
	CHECK(stat.state == 'R' && stat.threads == 1 && stat.addresses_known);
	CHECK(stat.ppid == getppid() && stat.fields >= 44);
	CHECK((uintptr_t)&stat < stat.start_stack && (uintptr_t)&text < stat.start_brk);
	buf_clear(&text);
	file_read("/proc/self/statm", &text);
	CHECK(statm_parse(buf_span(&text), &statm, NULL) == 0);
	CHECK(statm.size >= statm.resident && statm.resident >= statm.shared && statm.shared);
}

int main(void)
{
	test_live();
	buf_done(&text);
	TEST_END;
}
