// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recorded.h"

#include "vmatlas/analyse/classify.h"
#include "vmatlas/analyse/compare.h"

static void compared_load(struct recorded *r, const char *maps)
{
	recorded_load(r, maps);
	if (classify_process(r->process, NULL) < 0)
		exit(1);
}

static void add_side(struct buf *text, const struct compare_range *range)
{
	if (range->vma == VMA_NONE)
		buf_add_str(text, "none");
	else
		buf_addf(text, "%llx-%llx", (unsigned long long)range->start,
			 (unsigned long long)range->end);
}

/* "grown+moved 1000-2000 5000-8000 at 1000=5000\n", one line a match; the same is left out. */
static void add_match(struct buf *text, const struct compare_match *match)
{
	for (int i = 0; i < CHANGE_MAX; i++)
		if (match->changes >> i & 1)
			buf_addf(text, "%s%s", match->changes & ((1u << i) - 1) ? "+" : "",
				 name_of(compare_change_names, i));
	buf_add_char(text, ' ');
	add_side(text, &match->side[BEFORE]);
	buf_add_char(text, ' ');
	add_side(text, &match->side[AFTER]);
	if (match->bytes)
		buf_addf(text, " at %llx=%llx+%llx", (unsigned long long)match->common[BEFORE],
			 (unsigned long long)match->common[AFTER],
			 (unsigned long long)match->bytes);
	buf_add_char(text, '\n');
}

struct check {
	const char *what;
	enum compare_kin kin;
	const char *before, *after, *want;
};

static void check_frames(const struct check *check, const struct compare_probe *probe)
{
	struct recorded before = { NULL, NULL, NULL }, after = { NULL, NULL, NULL };
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error error = ERROR_INIT;
	struct compare_map map;

	compared_load(&before, check->before);
	compared_load(&after, check->after);
	if (compare_map_build(before.process, after.process, probe, &map, &error) < 0) {
		printf("%s: %s\n", check->what, error.text);
		exit(1);
	}
	for (size_t i = 0; i < map.count; i++)
		add_match(&text, &map.matches[i]);
	if (strcmp(buf_str(&text), check->want) || map.kin != check->kin) {
		printf("%s: kin %d\n%snot kin %d\n%s", check->what, map.kin, buf_str(&text),
		       check->kin, check->want);
		test_failures++;
	}
	compare_map_done(&map);
	recorded_done(&before);
	recorded_done(&after);
}

#define PROGRAM "00010000-00012000 r-xp 00000000 08:01 11 /bin/p\n"
#define TOP "7fff0000-7fff8000 rw-p 00000000 00:00 0 [stack]\n"

/* One layout: addresses count. */
static const struct check here[] = {
	{ "heap grown, stack grown down", KIN_FORK,
	  PROGRAM "00020000-00022000 rw-p 00000000 00:00 0 [heap]\n" TOP,
	  PROGRAM "00020000-00025000 rw-p 00000000 00:00 0 [heap]\n"
	  "7ffef000-7fff8000 rw-p 00000000 00:00 0 [stack]\n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "grown 20000-22000 20000-25000 at 20000=20000+2000\n"
	  "grown 7fff0000-7fff8000 7ffef000-7fff8000 at 7fff0000=7fff0000+8000\n" },
	{ "split by mprotect", KIN_FORK,
	  PROGRAM "00030000-00036000 rw-p 00000000 00:00 0 \n",
	  PROGRAM "00030000-00032000 rw-p 00000000 00:00 0 \n"
	  "00032000-00033000 r--p 00000000 00:00 0 \n"
	  "00033000-00036000 rw-p 00000000 00:00 0 \n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "split 30000-32000 30000-32000 at 30000=30000+2000\n"
	  "protection+split 32000-33000 32000-33000 at 32000=32000+1000\n"
	  "split 33000-36000 33000-36000 at 33000=33000+3000\n" },
	{ "merged again, and a hole unmapped", KIN_FORK,
	  PROGRAM "00030000-00032000 rw-p 00000000 00:00 0 \n"
	  "00032000-00036000 r--p 00000000 00:00 0 \n"
	  "00040000-00046000 rw-p 00000000 00:00 0 \n",
	  PROGRAM "00030000-00036000 rw-p 00000000 00:00 0 \n"
	  "00040000-00042000 rw-p 00000000 00:00 0 \n"
	  "00044000-00046000 rw-p 00000000 00:00 0 \n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "merged 30000-32000 30000-32000 at 30000=30000+2000\n"
	  "protection+merged 32000-36000 32000-36000 at 32000=32000+4000\n"
	  "shrunk+split 40000-44000 40000-42000 at 40000=40000+2000\n"
	  "split 44000-46000 44000-46000 at 44000=44000+2000\n" },
	{ "a file moved, another one in its place", KIN_FORK,
	  PROGRAM "00020000-00021000 r--p 00002000 08:01 11 /bin/p\n"
	  "00050000-00054000 r--p 00001000 08:01 22 /lib/a\n",
	  PROGRAM "00020000-00021000 r--p 00002000 08:01 11 /bin/p\n"
	  "00050000-00054000 r--p 00000000 08:01 33 /lib/b\n"
	  "00060000-00064000 r--p 00001000 08:01 22 /lib/a\n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "same 20000-21000 20000-21000 at 20000=20000+1000\n"
	  "added none 50000-54000\n"
	  "moved 50000-54000 60000-64000 at 50000=60000+4000\n" },
	{ "the same file at another offset is another part of it", KIN_FORK,
	  PROGRAM "00050000-00052000 r--p 00000000 08:01 22 /lib/a\n",
	  PROGRAM "00050000-00052000 r--p 00010000 08:01 22 /lib/a\n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "added none 50000-52000\n"
	  "removed 50000-52000 none\n" },
	{ "deleted since, and replaced", KIN_FORK,
	  PROGRAM "00050000-00052000 r--p 00000000 08:01 22 /lib/a\n"
	  "00060000-00061000 r--p 00000000 08:01 44 /lib/c\n",
	  PROGRAM "00050000-00052000 r--p 00000000 08:01 22 /lib/a (deleted)\n"
	  "00060000-00061000 r--p 00000000 08:01 45 /lib/c\n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "file 50000-52000 50000-52000 at 50000=50000+2000\n"
	  "file 60000-61000 60000-61000 at 60000=60000+1000\n" },
	{ "private and shared anonymous memory are not the same", KIN_FORK,
	  PROGRAM "00070000-00072000 rw-p 00000000 00:00 0 \n",
	  PROGRAM "00070000-00072000 rw-s 00000000 00:01 7 /dev/zero (deleted)\n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "added none 70000-72000\n"
	  "removed 70000-72000 none\n" },
	{ "front cut off, end grown", KIN_FORK,
	  PROGRAM "00070000-00074000 rw-p 00000000 00:00 0 \n",
	  PROGRAM "00072000-00079000 rw-p 00000000 00:00 0 \n",
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "grown+shrunk 70000-74000 72000-79000 at 72000=72000+2000\n" },
	{ "nothing in common but the program", KIN_FORK, PROGRAM, PROGRAM TOP,
	  "same 10000-12000 10000-12000 at 10000=10000+2000\n"
	  "added none 7fff0000-7fff8000\n" },
	{ NULL, KIN_SAME, NULL, NULL, NULL },
};

/* Two runs: nothing lies where it lay. */
static const struct check there[] = {
	{ "every part of a program", KIN_OTHER,
	  "55550000-55552000 r--p 00000000 08:01 11 /bin/p\n"
	  "55552000-55556000 r-xp 00002000 08:01 11 /bin/p\n"
	  "55556000-55557000 r--p 00006000 08:01 11 /bin/p\n"
	  "55557000-55558000 rw-p 00006000 08:01 11 /bin/p\n"
	  "55558000-5555a000 rw-p 00000000 00:00 0 \n"
	  "56000000-56021000 rw-p 00000000 00:00 0 [heap]\n"
	  "70000000-70010000 rw-p 00000000 00:00 0 \n"
	  "70010000-70012000 r--p 00000000 08:01 5 /lib/l.so\n"
	  "70012000-70013000 rw-p 00000000 00:00 0 \n"
	  "7fff0000-7fff8000 rw-p 00000000 00:00 0 [stack]\n"
	  "7fffa000-7fffc000 r-xp 00000000 00:00 0 [vdso]\n",
	  "65550000-65552000 r--p 00000000 08:01 11 /bin/p\n"
	  "65552000-65556000 r-xp 00002000 08:01 11 /bin/p\n"
	  "65556000-65557000 r--p 00006000 08:01 11 /bin/p\n"
	  "65557000-65558000 rw-p 00006000 08:01 11 /bin/p\n"
	  "65558000-6555a000 rw-p 00000000 00:00 0 \n"
	  "66000000-66042000 rw-p 00000000 00:00 0 [heap]\n"
	  "71000000-71010000 rw-p 00000000 00:00 0 \n"
	  "71010000-71012000 r--p 00000000 08:01 5 /lib/l.so\n"
	  "71012000-71013000 rw-p 00000000 00:00 0 \n"
	  "7ffe0000-7ffea000 rw-p 00000000 00:00 0 [stack]\n"
	  "7ffea000-7ffec000 r-xp 00000000 00:00 0 [vdso]\n",
	  "same 55550000-55552000 65550000-65552000 at 55550000=65550000+2000\n"
	  "same 55552000-55556000 65552000-65556000 at 55552000=65552000+4000\n"
	  "same 55556000-55557000 65556000-65557000 at 55556000=65556000+1000\n"
	  "same 55557000-55558000 65557000-65558000 at 55557000=65557000+1000\n"
	  "same 55558000-5555a000 65558000-6555a000 at 55558000=65558000+2000\n"
	  "grown 56000000-56021000 66000000-66042000 at 56000000=66000000+21000\n"
	  "same 70000000-70010000 71000000-71010000 at 70000000=71000000+10000\n"
	  "same 70010000-70012000 71010000-71012000 at 70010000=71010000+2000\n"
	  "same 70012000-70013000 71012000-71013000 at 70012000=71012000+1000\n"
	  "grown 7fff0000-7fff8000 7ffe0000-7ffea000 at 7fff0000=7ffe2000+8000\n"
	  "same 7fffa000-7fffc000 7ffea000-7ffec000 at 7fffa000=7ffea000+2000\n" },
	{ "libraries in another order, one more, one split", KIN_OTHER,
	  "70000000-70006000 rw-p 00000000 08:01 5 /lib/a\n"
	  "70010000-70012000 r--p 00000000 08:01 6 /lib/b\n",
	  "71000000-71002000 r--p 00000000 08:01 6 /lib/b\n"
	  "71010000-71012000 rw-p 00000000 08:01 5 /lib/a\n"
	  "71012000-71016000 r--p 00002000 08:01 5 /lib/a\n"
	  "71020000-71022000 r--p 00000000 08:01 7 /lib/c\n",
	  "same 70010000-70012000 71000000-71002000 at 70010000=71000000+2000\n"
	  "split 70000000-70002000 71010000-71012000 at 70000000=71010000+2000\n"
	  "protection+split 70002000-70006000 71012000-71016000 at 70002000=71012000+4000\n"
	  "added none 71020000-71022000\n" },
	{ NULL, KIN_SAME, NULL, NULL, NULL },
};

/* Frames as the range tells them: two ranges that begin with the same digit hold the same. */
static int frame_of(void *ctx, enum compare_side side, const struct compare_range *range,
		    uint64_t *address, uint64_t *frame)
{
	const uint64_t *frames = ctx;

	if (range->start == frames[0] && side == BEFORE)
		*frame = 7;
	else if (range->start == frames[1] && side == AFTER)
		*frame = 7;
	else
		return 0;
	*address = range->start + frames[2 + side];
	return 1;
}

static const struct check moved = {
	"anonymous memory moved and grown, told by its frames", KIN_FORK,
	PROGRAM "00080000-00084000 rw-p 00000000 00:00 0 \n",
	PROGRAM "00090000-00094000 rw-p 00000000 00:00 0 \n"
	"000a0000-000a6000 rw-p 00000000 00:00 0 \n",
	"same 10000-12000 10000-12000 at 10000=10000+2000\n"
	"added none 90000-94000\n"
	"grown+moved 80000-84000 a0000-a6000 at 80000=a0000+4000\n",
};

static const struct check not_moved = {
	"of the same size, but with other frames", KIN_FORK,
	PROGRAM "00080000-00084000 rw-p 00000000 00:00 0 \n",
	PROGRAM "00090000-00094000 rw-p 00000000 00:00 0 \n",
	"same 10000-12000 10000-12000 at 10000=10000+2000\n"
	"removed 80000-84000 none\n"
	"added none 90000-94000\n",
};

static const struct check guessed = {
	"of the same size, and nothing is known", KIN_FORK,
	PROGRAM "00080000-00084000 rw-p 00000000 00:00 0 \n",
	PROGRAM "00090000-00094000 rw-p 00000000 00:00 0 \n",
	"same 10000-12000 10000-12000 at 10000=10000+2000\n"
	"moved 80000-84000 90000-94000 at 80000=90000+4000\n",
};

/* Any map against any other: each byte of both is in exactly one match. */
static unsigned state = 1;

static unsigned pick(unsigned below)
{
	state = state * 1103515245u + 12345u;
	return (state >> 16) % below;
}

static void add_random(struct buf *text, uint64_t base)
{
	static const char *const perms[] = { "rw-p", "r--p", "r-xp", "rw-s", "---p" };
	static const char *const names[] = {
		"", "", "", "[heap]", "[stack]", "/lib/a", "/lib/a", "/lib/b (deleted)", "[anon:x]",
		"/dev/zero (deleted)", "/memfd:m (deleted)",
	};
	uint64_t at = base;

	for (unsigned i = 0, n = 1 + pick(24); i < n; i++) {
		const char *name = names[pick(ARRAY_SIZE(names))];
		uint64_t pages = 1 + pick(6);

		at += pick(3) * 0x1000;
		buf_addf(text, "%08llx-%08llx %s %08x 08:01 %u %s\n", (unsigned long long)at,
			 (unsigned long long)(at + pages * 0x1000), perms[pick(ARRAY_SIZE(perms))],
			 *name == '/' ? pick(4) * 0x1000 : 0, *name == '/' ? 5 : 0, name);
		at += pages * 0x1000;
	}
}

static int by_start(const void *left, const void *right)
{
	const struct compare_range *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void check_cover(const struct compare_map *map, enum compare_side side,
			const struct process *process)
{
	CLEANUP_FREE struct compare_range *ranges = calloc(map->count + 1, sizeof(*ranges));
	size_t count = 0, at = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->matches[i].side[side].vma != VMA_NONE)
			ranges[count++] = map->matches[i].side[side];
	qsort(ranges, count, sizeof(*ranges), by_start);
	for (uint32_t v = 0; v < process->vma_count; v++) {
		uint64_t address = process->vmas[v].start;

		for (; at < count && ranges[at].vma == v; at++) {
			CHECK_U64(ranges[at].start, address);
			address = ranges[at].end;
		}
		CHECK_U64(address, process->vmas[v].end);
	}
	CHECK_U64(at, count);
}

static void check_common(const struct compare_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		for (int side = 0; side < SIDE_MAX && map->matches[i].bytes; side++) {
			const struct compare_match *match = &map->matches[i];

			CHECK(match->common[side] >= match->side[side].start);
			CHECK(match->common[side] + match->bytes <= match->side[side].end);
		}
}

static void test_random(void)
{
	for (int round = 0; round < 600; round++) {
		struct recorded r[SIDE_MAX] = { { NULL, NULL, NULL }, { NULL, NULL, NULL } };
		struct compare_map map;

		for (int side = 0; side < SIDE_MAX; side++) {
			CLEANUP(buf_done) struct buf text = BUF_INIT;

			buf_add_str(&text, PROGRAM);
			add_random(&text, round & 1 && side ? 0x800000 : 0x100000);
			compared_load(&r[side], buf_str(&text));
		}
		if (compare_map_build(r[0].process, r[1].process, NULL, &map, NULL) < 0)
			exit(1);
		for (int side = 0; side < SIDE_MAX; side++)
			check_cover(&map, side, r[side].process);
		check_common(&map);
		compare_map_done(&map);
		recorded_done(&r[0]);
		recorded_done(&r[1]);
	}
}

int main(void)
{
	uint64_t frames[4] = { 0x80000, 0xa0000, 0x1000, 0x1000 };
	struct compare_probe probe = { frame_of, frames };

	for (const struct check *check = here; check->what; check++)
		check_frames(check, NULL);
	for (const struct check *check = there; check->what; check++)
		check_frames(check, NULL);
	check_frames(&moved, &probe);
	frames[1] = 0;
	check_frames(&not_moved, &probe);
	check_frames(&guessed, NULL);
	test_random();
	TEST_END;
}
