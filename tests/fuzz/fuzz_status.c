// SPDX-License-Identifier: LGPL-2.1-or-later
/* The first byte chooses the parser. */
#include <string.h>

#include "fuzz.h"
#include "vmatlas/parse/auxv.h"
#include "vmatlas/parse/limits.h"
#include "vmatlas/parse/numa_maps.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/parse/status.h"

enum target { TARGET_STATUS, TARGET_STAT, TARGET_STATM, TARGET_LIMITS, TARGET_NUMA, TARGET_AUXV };

const struct fuzz_seed fuzz_seeds[] = {
	{ "fixtures/text/status", TARGET_STATUS },
	{ "fixtures/text/stat", TARGET_STAT },
	{ "fixtures/text/stat", TARGET_STATM },
	{ "fixtures/text/limits", TARGET_LIMITS },
	{ "fixtures/text/numa_maps", TARGET_NUMA },
	{ "fixtures/text/maps", TARGET_AUXV },
	{ NULL, -1 }
};

static void check_inside(struct span part, struct span whole)
{
	FUZZ_CHECK(!part.len || (part.ptr >= whole.ptr &&
				 part.ptr + part.len <= whole.ptr + whole.len));
}

static void fuzz_status(struct span text)
{
	struct status status = { 0 };
	int key;

	if (status_parse(text, &status, NULL) == 0)
		check_inside(status.name, text);
	FUZZ_CHECK(!(status.present >> STATUS_KEY_MAX));
	for (key = 0; key < STATUS_KEY_MAX; key++)
		FUZZ_CHECK(status_has(&status, key) || !status.value[key]);
}

static void fuzz_stat(struct span text)
{
	struct stat_record stat = { 0 };

	if (stat_parse(text, &stat, NULL) < 0) {
		FUZZ_CHECK(!stat.fields && !stat.comm.ptr);
		return;
	}
	check_inside(stat.comm, text);
	FUZZ_CHECK(stat.comm.ptr[-1] == '(' && stat.comm.ptr[stat.comm.len] == ')');
	FUZZ_CHECK(stat.fields >= 24 && stat.fields <= text.len / 2 + 1);
}

static void fuzz_numa(struct span text)
{
	struct numa_line line = { 0 };
	int node;

	if (numa_parse_line(text, &line, NULL) < 0) {
		FUZZ_CHECK(!line.start && !line.policy.ptr);
		return;
	}
	check_inside(line.policy, text);
	FUZZ_CHECK(line.policy.len);
	for (node = 0; node < NUMA_NODES_MAX; node++)
		FUZZ_CHECK(line.nodes >> node & 1 || !line.pages[node]);
}

static void fuzz_auxv(struct span bytes)
{
	struct auxv auxv = { 0 };

	if (auxv_parse(bytes, &auxv, NULL) == 0)
		FUZZ_CHECK(auxv.word_size == 4 || auxv.word_size == 8);
	else
		FUZZ_CHECK(!auxv.word_size && !auxv.phdr);
}

static void fuzz_target(enum target target, struct span text)
{
	struct statm_record statm = { 0 };
	struct limits limits = { 0 };

	switch (target) {
	case TARGET_STATUS:
		fuzz_status(text);
		break;
	case TARGET_STAT:
		fuzz_stat(text);
		break;
	case TARGET_STATM:
		FUZZ_CHECK(statm_parse(text, &statm, NULL) == 0 || !statm.size);
		break;
	case TARGET_LIMITS:
		FUZZ_CHECK(limits_parse(text, &limits, NULL) == 0 || !limits.present);
		break;
	case TARGET_NUMA:
		fuzz_numa(span_take_until(&text, '\n'));
		break;
	case TARGET_AUXV:
		fuzz_auxv(text);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (!size)
		return 0;
	copy = malloc(size);
	FUZZ_CHECK(copy);
	memcpy(copy, data, size);
	/* Behind its first byte: auxv reads words wherever they lie. */
	fuzz_target(data[0] % (TARGET_AUXV + 1), (struct span) { copy + 1, size - 1 });
	free(copy);
	return 0;
}
