// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fixture.h"
#include "test.h"

#include <unistd.h>

#include "vmatlas/base/cleanup.h"
#include "vmatlas/parse/limits.h"
#include "vmatlas/parse/numa_maps.h"
#include "vmatlas/parse/status.h"

static struct buf text;

static struct status parse(const char *name)
{
	struct status status = { 0 };

	fixture_read(name, &text);
	CHECK(status_parse(buf_span(&text), &status, NULL) == 0);
	return status;
}

static uint64_t value_of(const struct status *status, enum status_key key)
{
	return status_has(status, key) ? status->value[key] : UINT64_MAX;
}

static void test_full(void)
{
	static const uint64_t want[STATUS_KEY_MAX] = {
		[STATUS_TGID] = 4242, [STATUS_PID] = 4242, [STATUS_PPID] = 4100,
		[STATUS_NSTGID] = 4242, [STATUS_UID] = 1000, [STATUS_GID] = 1000,
		[STATUS_THREADS] = 3, [STATUS_VM_PEAK] = 9000 << 10,
		[STATUS_VM_SIZE] = 8952 << 10, [STATUS_VM_LCK] = 4 << 10,
		[STATUS_VM_PIN] = 8 << 10, [STATUS_VM_HWM] = 3712 << 10,
		[STATUS_VM_RSS] = 3584 << 10, [STATUS_RSS_ANON] = 488 << 10,
		[STATUS_RSS_FILE] = 3000 << 10, [STATUS_RSS_SHMEM] = 96 << 10,
		[STATUS_VM_DATA] = 812 << 10, [STATUS_VM_STK] = 132 << 10,
		[STATUS_VM_EXE] = 888 << 10, [STATUS_VM_LIB] = 1600 << 10,
		[STATUS_VM_PTE] = 60 << 10, [STATUS_VM_PMD] = UINT64_MAX,
		[STATUS_VM_SWAP] = 12 << 10, [STATUS_HUGETLB_PAGES] = 2048 << 10,
		[STATUS_CORE_DUMPING] = 0, [STATUS_THP_ENABLED] = 1,
	};
	struct status status = parse("status/good-6.18.txt");
	int key;

	for (key = 0; key < STATUS_KEY_MAX; key++) {
		if (value_of(&status, key) != want[key])
			printf("%s:\n", status_key_names[key].name);
		CHECK_U64(value_of(&status, key), want[key]);
		CHECK_U64(status_key_names[key].value, (uint64_t)key);
	}
	CHECK(status.state == 'S');
	CHECK_SPAN(status.name, "bash");
	CHECK_U64(status.effective_uid, 1001);
}

static void test_kinds(void)
{
	CLEANUP(buf_done) struct buf comm = BUF_INIT;
	struct status status = parse("status/good-namespaces.txt");

	CHECK_U64(value_of(&status, STATUS_NSTGID), 1);
	CHECK_U64(value_of(&status, STATUS_PID), 98765);
	status = parse("status/good-zombie.txt");
	CHECK(status.state == 'Z');
	CHECK(!status_has(&status, STATUS_VM_RSS) && !status_has(&status, STATUS_VM_PTE));
	CHECK_U64(value_of(&status, STATUS_THREADS), 1);
	status = parse("status/good-kernel-thread.txt");
	CHECK(status.state == 'I' && !status_has(&status, STATUS_VM_SIZE));
	CHECK_SPAN(status.name, "kworker/0:1-eve");
	status = parse("status/good-4.9.txt");
	CHECK_U64(value_of(&status, STATUS_VM_PMD), 12 << 10);
	CHECK_U64(value_of(&status, STATUS_VM_PTE), 60 << 10);
	status = parse("status/good-escapes.txt");
	CHECK_SPAN(status.name, "a\\nb\\\\c: \xff");
	CHECK(!status_add_comm(&status, &comm));
	CHECK_STR(buf_str(&comm), "a\nb\\c: \xff");
}

/* A damaged line is missing, not zero; the others count. */
static void test_damaged(void)
{
	struct status status = parse("status/good-damaged-values.txt");
	struct error error = ERROR_INIT;

	CHECK_U64(status.present, 1 << STATUS_VM_PTE);
	CHECK_U64(value_of(&status, STATUS_VM_PTE), 60 << 10);
	status.state = 'x';
	fixture_read("status/bad-no-keys.txt", &text);
	CHECK(status_parse(buf_span(&text), &status, &error) == -ERROR_PARSE);
	CHECK(error.code == ERROR_PARSE && status.state == 'x');
}

static void test_limits(void)
{
	struct limits limits = { 0 };
	struct error error = ERROR_INIT;

	fixture_read("limits/good-6.18.txt", &text);
	CHECK(limits_parse(buf_span(&text), &limits, NULL) == 0);
	CHECK_U64(limits.present, (1 << LIMIT_KEY_MAX) - 1);
	CHECK_U64(limits.soft[LIMIT_STACK], 8388608);
	CHECK_U64(limits.hard[LIMIT_STACK], LIMIT_UNLIMITED);
	CHECK_U64(limits.hard[LIMIT_RSS], 1048576);
	CHECK_U64(limits.hard[LIMIT_MEMLOCK], 8388609);
	CHECK_U64(limits.soft[LIMIT_AS], 4294967296);
	CHECK_U64(limits.hard[LIMIT_AS], UINT64_MAX - 1);
	fixture_read("limits/good-few.txt", &text);
	CHECK(limits_parse(buf_span(&text), &limits, NULL) == 0);
	CHECK(limits.present == 1 << LIMIT_STACK && !limits.soft[LIMIT_STACK]);
	fixture_read("limits/bad-text.txt", &text);
	CHECK(limits_parse(buf_span(&text), &limits, &error) == -ERROR_PARSE);
	CHECK_U64(error.line, 2);
	fixture_read("limits/bad-torn.txt", &text);
	CHECK(limits_parse(buf_span(&text), &limits, &error) == -ERROR_PARSE);
	fixture_read("limits/bad-other.txt", &text);
	CHECK(limits_parse(buf_span(&text), &limits, NULL) == -ERROR_PARSE);
	CHECK_U64(limits.present, 1 << LIMIT_STACK);
}

static struct numa_line numa(unsigned number)
{
	struct numa_line line = { 0 };

	CHECK(numa_parse_line(fixture_line(&text, number), &line, NULL) == 0);
	return line;
}

static void test_numa(void)
{
	struct numa_line line;
	unsigned i;

	fixture_read("numa_maps/good-lines.txt", &text);
	line = numa(0);
	CHECK_U64(line.start, 0x7f0000000000);
	CHECK_SPAN(line.policy, "default");
	CHECK(line.nodes == 3 && line.pages[0] == 2 && line.pages[1] == 1 && line.page_kb == 4);
	line = numa(1);
	CHECK_SPAN(line.policy, "bind=static:0-1");
	CHECK(line.nodes == 1ULL << 63 && line.pages[63] == 2);
	line = numa(2);
	CHECK_SPAN(line.policy, "prefer (many):1");
	CHECK(line.page_kb == 2048 && line.pages[1] == 1);
	line = numa(3);
	CHECK(!line.nodes && line.other == 5);
	line = numa(4);
	CHECK(!line.nodes && !line.page_kb);
	fixture_read("numa_maps/bad-lines.txt", &text);
	for (i = 0; fixture_line(&text, i).len; i++)
		CHECK(numa_parse_line(fixture_line(&text, i), &line, NULL) == -ERROR_PARSE);
	CHECK(i == 7 && line.start == 0x7fffada33000);
}

static void test_live(void)
{
	struct status status;
	struct limits limits;

	buf_clear(&text);
	file_read("/proc/self/status", &text);
	CHECK(status_parse(buf_span(&text), &status, NULL) == 0);
	CHECK_U64(value_of(&status, STATUS_PID), (uint64_t)getpid());
	CHECK_U64(value_of(&status, STATUS_UID), getuid());
	CHECK(value_of(&status, STATUS_VM_RSS) <= value_of(&status, STATUS_VM_HWM));
	CHECK(status_has(&status, STATUS_VM_PTE) && status.state == 'R');
	buf_clear(&text);
	file_read("/proc/self/limits", &text);
	CHECK(limits_parse(buf_span(&text), &limits, NULL) == 0);
	CHECK_U64(limits.present, (1 << LIMIT_KEY_MAX) - 1);
}

int main(void)
{
	test_full();
	test_kinds();
	test_damaged();
	test_limits();
	test_numa();
	test_live();
	buf_done(&text);
	TEST_END;
}
