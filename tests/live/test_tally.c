// SPDX-License-Identifier: LGPL-2.1-or-later
/* The tally on a family of stopped processes whose overlap is known, against smaps_rollup. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "vmatlas/analyse/tally.h"

#include "../unit/test.h"

#define PAGE 4096ULL
#define PAGES 512u
#define KIDS 3
#define MEMBERS (KIDS + 1)

enum { GROUP_REST, GROUP_HEAP, GROUP_FILE, GROUPS };

static char *heap, *file;
static pid_t pids[MEMBERS + 2];
static size_t pid_count;

/* Child k writes every page whose number is a multiple of its step. */
static const unsigned steps[KIDS] = { 2, 3, 4 };

static bool wrote(size_t member, unsigned page)
{
	return member && page % steps[member - 1] == 0;
}

static void wait_stopped(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) {
		printf("a child did not stop\n");
		exit(1);
	}
}

static void child(size_t member)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < PAGES; i++)
		if (wrote(member, i))
			heap[i * PAGE] = (char)member;
	/* Fault-around maps neighbours too: all of them, then. */
	for (unsigned i = 0; i < PAGES; i++)
		((volatile char *)file)[i * PAGE];
	raise(SIGSTOP);
	_exit(0);
}

/* The parent of the family: the first member. */
static void family(int to)
{
	pid_t list[MEMBERS] = { getpid() };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	madvise(heap, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(heap, 1, PAGES * PAGE);
	for (size_t i = 1; i < MEMBERS; i++) {
		list[i] = fork();
		if (!list[i])
			child(i);
		wait_stopped(list[i]);
	}
	for (unsigned i = 0; i < PAGES; i++)
		((volatile char *)file)[i * PAGE];
	if (write(to, list, sizeof(list)) != sizeof(list))
		_exit(1);
	raise(SIGSTOP);
	_exit(0);
}

static void make_file(void)
{
	char name[] = "/tmp/vmatlas-tally-XXXXXX";
	int fd = mkstemp(name);
	char page[PAGE];

	memset(page, 7, sizeof(page));
	for (unsigned i = 0; i < PAGES; i++)
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
			exit(1);
	unlink(name);
	file = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
}

static void start(void)
{
	int ends[2];

	heap = mmap((void *)0x200000000000, PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	make_file();
	if (pipe(ends))
		exit(1);
	pids[0] = fork();
	if (!pids[0])
		family(ends[1]);
	if (read(ends[0], pids, MEMBERS * sizeof(*pids)) != MEMBERS * sizeof(*pids))
		exit(1);
	wait_stopped(pids[0]);
	pid_count = MEMBERS;
}

static void stop(void)
{
	for (size_t i = MEMBERS; i-- > 0;)
		kill(pids[i], SIGKILL);
	waitpid(pids[0], NULL, 0);
}

static uint32_t group_of(void *ctx, size_t process, const struct maps_line *line)
{
	(void)ctx;
	(void)process;
	if (line->start == (uintptr_t)heap)
		return GROUP_HEAP;
	return line->start == (uintptr_t)file ? GROUP_FILE : GROUP_REST;
}

static struct tally *run_request(struct source *source, const struct tally_request *request)
{
	struct error error = ERROR_INIT;
	struct tally *tally = NULL;

	if (tally_run(source, request, &tally, &error) < 0) {
		printf("tally failed: %s: %s\n", error.item, error.text);
		exit(1);
	}
	return tally;
}

static struct tally *run(struct source *source, const pid_t *list, size_t count, unsigned needs,
			 unsigned threads)
{
	return run_request(source, &(struct tally_request) {
		.pids = list, .count = count, .needs = needs, .threads = threads,
		.group = group_of,
	});
}

static uint64_t rollup(pid_t pid, const char *key)
{
	char name[64], line[256];
	uint64_t value = 0, sum = 0;
	FILE *in;

	snprintf(name, sizeof(name), "/proc/%d/smaps_rollup", (int)pid);
	in = fopen(name, "r");
	while (in && fgets(line, sizeof(line), in))
		if (!strncmp(line, key, strlen(key)) && strchr(":_", line[strlen(key)]) &&
		    sscanf(strchr(line, ':') + 1, "%" SCNu64, &value) == 1) {
			sum += value;
			if (line[strlen(key)] == ':')
				break;
		}
	if (in)
		fclose(in);
	return sum * 1024;
}

/* Pages of the heap that both see: those neither wrote. */
static uint64_t heap_common(size_t a, size_t b)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < PAGES; i++)
		pages += !wrote(a, i) && !wrote(b, i);
	return pages;
}

/* Frames of the group that both spaces map, from the sets. */
static uint64_t common(const struct tally *tally, uint32_t group, uint32_t a, uint32_t b)
{
	size_t count, members;
	const struct tally_set *sets = tally_sets(tally, &count);
	const struct tally_member *list = tally_members(tally, &members);
	uint64_t frames = 0;

	for (size_t i = TALLY_KIND_MAX; i < count; i++) {
		bool has_a = false, has_b = false;

		for (uint32_t at = (uint32_t)i; at >= TALLY_KIND_MAX; at = sets[at].parent) {
			if (sets[at].member == TALLY_NONE || list[sets[at].member].group != group)
				continue;
			has_a |= list[sets[at].member].space == a;
			has_b |= list[sets[at].member].space == b;
		}
		if (has_a && has_b)
			frames += sets[i].frames;
	}
	return frames;
}

/* The first member keeps the first copy of all. */
static uint64_t heap_frames(void)
{
	uint64_t frames = PAGES;

	for (size_t member = 1; member < MEMBERS; member++)
		for (unsigned i = 0; i < PAGES; i++)
			frames += wrote(member, i);
	return frames;
}

/* Each page's part as the kernel cuts it. */
static uint64_t heap_pss(size_t member)
{
	uint64_t pss = 0;

	for (unsigned i = 0; i < PAGES; i++) {
		uint64_t mappers = wrote(member, i);

		for (size_t other = 0; other < MEMBERS && !wrote(member, i); other++)
			mappers += !wrote(other, i);
		pss += (PAGE << 12) / mappers;
	}
	return pss >> 12;
}

static void check_sums(const struct tally *tally)
{
	size_t count;
	const struct tally_process *list = tally_processes(tally, &count);

	for (size_t i = 0; i < MEMBERS; i++) {
		uint64_t pss = rollup(pids[i], "Pss");

		CHECK_U64(list[i].state, TALLY_COUNTED);
		CHECK_U64(list[i].sum.rss, rollup(pids[i], "Rss"));
		CHECK_U64(list[i].sum.anon, rollup(pids[i], "Anonymous"));
		CHECK_U64(list[i].sum.uss, rollup(pids[i], "Private"));
		/* Others come and go that map the C library too. */
		CHECK(list[i].sum.pss / 1024 + 64 > pss / 1024 &&
		      list[i].sum.pss / 1024 < pss / 1024 + 64);
	}
}

static void test_family(struct source *source, unsigned threads)
{
	struct tally *tally = run(source, pids, MEMBERS, TALLY_NEED_COUNTS | TALLY_NEED_SETS,
				  threads);
	size_t sets, members;
	const struct tally_set *set = tally_sets(tally, &sets);
	const struct tally_member *list = tally_members(tally, &members);
	uint64_t heap_pages = 0;

	check_sums(tally);
	CHECK_U64(tally_totals(tally)->counted, MEMBERS);
	CHECK_U64(tally_totals(tally)->same_space, 0);
	CHECK_U64(tally_totals(tally)->over, 0);
	for (uint32_t a = 0; a < MEMBERS; a++)
		for (uint32_t b = a + 1; b < MEMBERS; b++) {
			CHECK_U64(common(tally, GROUP_HEAP, a, b), heap_common(a, b));
			CHECK_U64(common(tally, GROUP_FILE, a, b), PAGES);
		}
	for (size_t i = TALLY_KIND_MAX; i < sets; i++)
		if (set[i].member != TALLY_NONE && list[set[i].member].group == GROUP_HEAP &&
		    set[i].first_of_group)
			heap_pages += set[i].below;
	CHECK_U64(heap_pages, heap_frames());
	for (size_t i = 0; i < members; i++) {
		if (list[i].group == GROUP_FILE)
			CHECK_U64(list[i].sum.pss, PAGES * PAGE / MEMBERS);
		if (list[i].group == GROUP_HEAP)
			CHECK_U64(list[i].sum.pss, heap_pss(list[i].space));
	}
	tally_free(tally);
}

/* Two of four: what the others map is outside, and counts. */
static void test_part(struct source *source)
{
	struct tally *tally = run(source, pids, 2, TALLY_NEED_COUNTS | TALLY_NEED_SETS, 1);
	size_t sets, count;
	const struct tally_set *set = tally_sets(tally, &sets);
	const struct tally_process *list = tally_processes(tally, &count);
	uint64_t outside = 0, entries = 0;

	for (size_t i = TALLY_KIND_MAX; i < sets; i++)
		if (set[i].kind == TALLY_ANON && set[i].outside)
			outside += set[i].frames;
	/* Of the heap: pages that the third or fourth has not written, still the first one's. */
	for (unsigned i = 0; i < PAGES; i++)
		entries += !wrote(2, i) || !wrote(3, i);
	CHECK(outside >= entries);
	for (size_t i = 0; i < 2; i++) {
		CHECK_U64(list[i].sum.rss, rollup(pids[i], "Rss"));
		CHECK_U64(list[i].sum.uss, rollup(pids[i], "Private"));
	}
	tally_free(tally);
}

static int twin_main(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static void wait_asleep(pid_t pid)
{
	struct timespec moment = { 0, 1000000 };
	char name[64], text[512];
	const char *end = NULL;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	while (!end || end[2] != 'S') {
		FILE *in = fopen(name, "r");

		nanosleep(&moment, NULL);
		if (!in || !fgets(text, sizeof(text), in))
			exit(1);
		fclose(in);
		end = strrchr(text, ')');
	}
}

/* Two processes with one address space; the second is a child of the first. */
static void start_twins(pid_t list[2])
{
	static char stack[65536] __attribute__((aligned(16)));
	int ends[2];

	if (pipe(ends))
		exit(1);
	list[0] = fork();
	if (!list[0]) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		list[1] = clone(twin_main, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
		if (write(ends[1], &list[1], sizeof(list[1])) != sizeof(list[1]))
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	if (read(ends[0], &list[1], sizeof(list[1])) != sizeof(list[1]))
		exit(1);
	wait_stopped(list[0]);
	wait_asleep(list[1]);
}

static void test_same_space(struct source *source)
{
	pid_t list[3] = { 0, 0, pids[0] };
	const struct tally_process *process;
	struct tally *tally;
	size_t count;

	start_twins(list);
	tally = run(source, list, 3, TALLY_NEED_COUNTS, 2);
	process = tally_processes(tally, &count);
	CHECK_U64(process[0].same_as, TALLY_NONE);
	CHECK_U64(process[1].same_as, 0);
	CHECK_U64(process[1].space, 0);
	CHECK_U64(process[0].sum.rss, rollup(list[0], "Rss"));
	CHECK_U64(process[1].sum.rss, process[0].sum.rss);
	CHECK_U64(process[1].sum.pss, process[0].sum.pss);
	CHECK_U64(tally_totals(tally)->same_space, 1);
	CHECK_U64(tally_totals(tally)->sum_rss, process[0].sum.rss + process[2].sum.rss);
	tally_free(tally);
	kill(list[1], SIGKILL);
	kill(list[0], SIGKILL);
	waitpid(list[0], NULL, 0);
}

static void test_states(struct source *source)
{
	pid_t gone = fork(), list[3] = { 0, 2, pids[0] };
	struct tally *tally;
	size_t count;
	const struct tally_process *process;

	if (!gone)
		_exit(0);
	waitpid(gone, NULL, 0);
	list[0] = gone;
	tally = run(source, list, 3, 0, 1);
	process = tally_processes(tally, &count);
	CHECK_U64(process[0].state, TALLY_GONE);
	CHECK_U64(process[1].state, TALLY_NO_SPACE);	/* kthreadd */
	CHECK_U64(process[2].state, TALLY_COUNTED);
	CHECK_U64(tally_totals(tally)->gone, 1);
	tally_free(tally);
}

/* With room for so few sets that most frames are in the crowd: the same sums all the same. */
static void test_crowd(struct source *source, size_t sets_max)
{
	struct tally_request request = {
		.pids = pids, .count = MEMBERS, .needs = TALLY_NEED_COUNTS | TALLY_NEED_SETS,
		.sets_max = sets_max, .group = group_of,
	};
	struct tally *all = run(source, pids, MEMBERS, request.needs, 1);
	struct tally *tally = run_request(source, &request);
	const struct tally_totals *few = tally_totals(tally), *many = tally_totals(all);
	size_t count, sets;
	const struct tally_process *list = tally_processes(tally, &count);
	const struct tally_set *set = tally_sets(tally, &sets);
	uint64_t frames = 0;

	CHECK_U64(many->crowd, 0);
	CHECK(few->crowd >= PAGES * PAGE);
	CHECK_U64(few->bytes_once, many->bytes_once);
	CHECK_U64(few->anon_once, many->anon_once);
	CHECK_U64(few->file_once, many->file_once);
	for (size_t i = 0; i < count; i++) {
		CHECK(list[i].from_rollup);
		CHECK_U64(list[i].sum.rss, rollup(pids[i], "Rss"));
		/* Others map the libraries as well, and come and go. */
		CHECK(list[i].sum.pss > list[i].sum.uss);
		CHECK(list[i].sum.pss < rollup(pids[i], "Pss") + 256 * 1024);
		CHECK(list[i].sum.pss + 256 * 1024 > rollup(pids[i], "Pss"));
		CHECK_U64(list[i].sum.uss, rollup(pids[i], "Private"));
	}
	for (size_t i = TALLY_KIND_MAX; i < sets; i++)
		frames += set[i].crowd ? set[i].frames : 0;
	CHECK_U64(frames * PAGE, few->crowd);
	tally_free(tally);
	tally_free(all);
}

/* A zombie has ended, but it is no news where it was listed as one. */
static void test_zombie(struct source *source)
{
	pid_t zombie = fork(), list[2] = { zombie, pids[0] };
	struct tally *tally;
	siginfo_t info;

	if (!zombie)
		_exit(0);
	waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT);
	tally = run(source, list, 2, 0, 1);
	CHECK_U64(tally_totals(tally)->gone, 1);
	CHECK_U64(tally_totals(tally)->no_space, 0);
	tally_free(tally);
	tally = run(source, list, 2, TALLY_LISTED, 1);
	CHECK_U64(tally_totals(tally)->gone, 0);
	CHECK_U64(tally_totals(tally)->no_space, 1);
	CHECK_U64(tally_totals(tally)->counted, 1);
	tally_free(tally);
	waitpid(zombie, NULL, 0);
}

int main(void)
{
	struct source *source;
	struct error error = ERROR_INIT;

	if (source_live(&source, &error) < 0) {
		printf("%s\n", error.text);
		return 1;
	}
	if (!source_host(source)->frames_visible)
		TEST_SKIP("frames are not visible: needs CAP_SYS_ADMIN");
	start();
	test_family(source, 1);
	test_family(source, 2);
	test_part(source);
	test_same_space(source);
	test_states(source);
	test_zombie(source);
	test_crowd(source, 1);
	test_crowd(source, 24);
	stop();
	source_free(source);
	TEST_END;
}
