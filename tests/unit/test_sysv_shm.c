// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"

#include "vmatlas/parse/sysv_shm.h"

#define HEAD "       key      shmid perms                  size  cpid  lpid nattch   uid   gid\n"

static void test_lines(void)
{
	struct span text = SPAN_LITERAL(HEAD
		"      4660     524292   600                 32768 13459 13459      1     0     0\n"
		"-559038737          0  1600  18446744073709551615     1     0     22     0     0\n"
		"         0      32769  1800                    56     1     1      2     0     0\n"
		"         0      32769  1600                    56     1\n"
		"         0          3   777                     1     0     0      0");
	struct sysv_shm_line line;

	CHECK(sysv_shm_take_line(&text, &line));
	CHECK_U64(line.id, 524292);
	CHECK_U64(line.size, 32768);
	CHECK_U64(line.attached, 1);
	CHECK(!line.destroyed);
	CHECK(sysv_shm_take_line(&text, &line));
	CHECK(line.id == 0 && line.attached == 22 && line.destroyed);
	CHECK_U64(line.size, UINT64_MAX);
	CHECK(sysv_shm_take_line(&text, &line));	/* neither 8 is octal nor a
							 * line that ends */
	CHECK(line.id == 3 && !line.attached && !line.destroyed);
	CHECK(!sysv_shm_take_line(&text, &line));
	CHECK(line.id == 3);
}

int main(void)
{
	test_lines();
	TEST_END;
}
