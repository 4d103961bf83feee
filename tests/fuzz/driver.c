// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs a fuzz target without libFuzzer. With arguments it replays these files. Without, it tries
 * every seed, then mutations of them, each made from its number alone: FUZZ_RUNS of them (20,000
 * by default), or as many as fit into FUZZ_SECONDS. A failing run's number is printed;
 * FUZZ_FIRST=NUMBER FUZZ_RUNS=1 repeats it, and FUZZ_SAVE=FILE keeps its input.
 */
#include <dirent.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmatlas/base/buf.h"
#include "vmatlas/base/cleanup.h"

#define INPUT_MAX 65536

static struct buf *seeds;
static size_t seed_count, seed_cap;

static void add_file(const char *path, int prefix, struct buf *text)
{
	FILE *file = fopen(path, "rb");
	char block[4096];
	size_t got;

	if (!file) {
		perror(path);
		exit(1);
	}
	if (prefix >= 0)
		buf_add_char(text, (char)prefix);
	while ((got = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(text, block, got);
	fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_folder(const struct fuzz_seed *from)
{
	const char *srcdir = getenv("srcdir");
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct dirent **files;
	int count, i;

	buf_addf(&path, "%s/%s", srcdir ? srcdir : ".", from->folder);
	count = scandir(buf_str(&path), &files, NULL, by_name);
	if (count < 0) {
		perror(buf_str(&path));
		exit(1);
	}
	for (i = 0; i < count; i++) {
		if (files[i]->d_name[0] != '.') {
			buf_clear(&path);
			buf_addf(&path, "%s/%s/%s", srcdir ? srcdir : ".", from->folder,
				 files[i]->d_name);
			if (array_grow((void **)&seeds, &seed_cap, seed_count, sizeof(*seeds)) < 0)
				exit(1);
			seeds[seed_count] = (struct buf)BUF_INIT;
			add_file(buf_str(&path), from->prefix, &seeds[seed_count++]);
		}
		free(files[i]);
	}
	free(files);
}

static uint64_t random_state;

/* splitmix64: any state is good. */
static uint64_t random_below(uint64_t limit)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % limit;
}

static void replace(struct buf *input, size_t at, size_t cut, const char *put, size_t len)
{
	CLEANUP(buf_done) struct buf old = BUF_INIT;

	buf_add_span(&old, buf_span(input));
	input->len = at;
	buf_add(input, put, len);
	buf_add(input, old.data + at + cut, old.len - at - cut);
}

static void put_token(struct buf *input, size_t at, size_t cut)
{
	static const struct span tokens[] = {
		SPAN_LITERAL("\n"), SPAN_LITERAL(" "), SPAN_LITERAL("        "), SPAN_LITERAL(":"),
		SPAN_LITERAL("-"), SPAN_LITERAL("="), SPAN_LITERAL(" kB\n"), SPAN_LITERAL(")"),
		SPAN_LITERAL("0"), SPAN_LITERAL("ffffffffffffffff"), SPAN_LITERAL("\0"),
		SPAN_LITERAL("18446744073709551615"), SPAN_LITERAL("18446744073709551616"),
		SPAN_LITERAL(" (deleted)"), SPAN_LITERAL("\\012"), SPAN_LITERAL("\t"),
		SPAN_LITERAL("\xff"), SPAN_LITERAL("10000-20000 rw-p 00000000 00:00 0 \n"),
		SPAN_LITERAL("VmFlags: rd zz \n"), SPAN_LITERAL("unlimited"),
	};
	struct span token = tokens[random_below(ARRAY_SIZE(tokens))];

	replace(input, at, cut, token.ptr, token.len);
}

static void mutate(struct buf *input)
{
	size_t at = random_below(input->len + 1), left = input->len - at;
	size_t cut = left ? random_below(left < 64 ? left : 64) + 1 : 0;
	const struct buf *other = &seeds[random_below(seed_count)];
	size_t from = random_below(other->len + 1);

	switch (random_below(8)) {
	case 0:
		replace(input, at, cut, "", 0);
		break;
	case 1:
		put_token(input, at, 0);
		break;
	case 2:
		put_token(input, at, cut);
		break;
	case 3:
		if (other->len)
			replace(input, at, left, other->data + from, other->len - from);
		break;
	case 4:
		if (other->len)
			replace(input, at, 0, other->data + from,
				random_below(other->len - from + 1));
		break;
	case 5:
		input->len = at;
		break;
	default:
		if (left)
			input->data[at] ^= (char)(1 << random_below(8));
	}
	if (input->len > INPUT_MAX)
		input->len = INPUT_MAX;
}

static void run_one(uint64_t number, const char *save)
{
	CLEANUP(buf_done) struct buf input = BUF_INIT;
	uint64_t rounds;

	random_state = number * 0x2545f4914f6cdd1dULL;
	buf_add_span(&input, buf_span(&seeds[number % seed_count]));
	rounds = number < seed_count ? 0 : 1 + random_below(6);
	while (rounds--)
		mutate(&input);
	if (save) {
		FILE *file = fopen(save, "wb");

		if (!file || fwrite(input.data, 1, input.len, file) != input.len || fclose(file))
			perror(save);
	}
	LLVMFuzzerTestOneInput((const uint8_t *)input.data, input.len);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

/* In a child, so that the number of the run that ended it is known. */
static void run_all(uint64_t *number)
{
	uint64_t seconds = setting("FUZZ_SECONDS", 0), first = setting("FUZZ_FIRST", 0);
	uint64_t last = seconds ? UINT64_MAX : first + setting("FUZZ_RUNS", 20000);
	const char *save = getenv("FUZZ_SAVE");
	time_t end = time(NULL) + (time_t)seconds;

	for (*number = first; *number < last; ++*number) {
		if (seconds && !(*number & 255) && time(NULL) >= end)
			return;
		run_one(*number, save);
	}
}

static int mutation_run(void)
{
	uint64_t *number = mmap(NULL, sizeof(*number), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct fuzz_seed *from;
	int status = 0;
	pid_t child;

	for (from = fuzz_seeds; from->folder; from++)
		add_folder(from);
	if (number == MAP_FAILED || !seed_count || (child = fork()) < 0)
		return 1;
	if (!child)
		run_all(number);
	else if (waitpid(child, &status, 0) < 0)
		return 1;
	while (seed_count)
		buf_done(&seeds[--seed_count]);
	free(seeds);
	if (!child)
		return 0;
	if (status)
		printf("run %llu failed: FUZZ_FIRST=%llu FUZZ_RUNS=1 repeats it\n",
		       (unsigned long long)*number, (unsigned long long)*number);
	else
		printf("%llu runs\n", (unsigned long long)(*number - setting("FUZZ_FIRST", 0)));
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		CLEANUP(buf_done) struct buf input = BUF_INIT;

		add_file(argv[i], -1, &input);
		LLVMFuzzerTestOneInput((const uint8_t *)input.data, input.len);
	}
	return argc > 1 ? 0 : mutation_run();
}
