// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE	/* memfd_create */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/source/snapshot_runs.h"
#include "fuzz.h"

/* The first byte of the input says which file of a snapshot the rest is. */
enum fuzz_target { TARGET_RUNS, TARGET_SCAN, TARGET_MANIFEST, TARGET_MISSING };

const struct fuzz_seed fuzz_seeds[] = {
	{ "fixtures/text/snapshot_runs", TARGET_RUNS },
	{ "fixtures/text/snapshot_runs", TARGET_SCAN },
	{ "fixtures/text/snapshot_manifest", TARGET_MANIFEST },
	{ "fixtures/text/snapshot_missing", TARGET_MISSING },
	{ NULL, -1 }
};

#define ABSENT 0xab5e47ULL
#define WORDS 300u

static struct snapshot_file file_of(struct span text)
{
	struct snapshot_file file = { .fd = memfd_create("fuzz", MFD_CLOEXEC), .size = text.len };

	FUZZ_CHECK(file.fd >= 0);
	FUZZ_CHECK(write(file.fd, text.ptr, text.len) == (ssize_t)text.len);
	return file;
}

/* Runs ascend, and each is found again from anywhere. */
static void check_runs(struct snapshot_runs *runs)
{
	struct snapshot_run run, again;
	uint64_t above = 0, words[WORDS];
	struct error error = ERROR_INIT;
	int rc = snapshot_runs_seek(runs, 0, &run, &error);

	for (int i = 0; rc > 0 && i < 1000; i++) {
		FUZZ_CHECK(run.first >= above && run.end > run.first && run.end <= 1ULL << 54);
		above = run.end;
		FUZZ_CHECK(snapshot_runs_seek(runs, run.end - 1, &again, NULL) == 1);
		FUZZ_CHECK(!memcmp(&run, &again, sizeof(run)));
		if (!snapshot_runs_words(runs, run.first, words, WORDS, ABSENT, NULL)) {
			FUZZ_CHECK(words[0] == run.word);
			FUZZ_CHECK(run.end - run.first < 2 || words[1] == run.word + run.step);
		}
		FUZZ_CHECK(snapshot_runs_seek(runs, 0, &again, NULL) == 1);
		rc = snapshot_runs_seek(runs, run.end, &run, &error);
	}
	FUZZ_CHECK(rc >= 0 || (error.code == ERROR_DAMAGED && error.line) ||
		   error.code == ERROR_LIMIT);
}

static void fuzz_runs(struct source *source, struct span text, const char *head)
{
	CLEANUP(snapshot_runs_freep) struct snapshot_runs *runs = NULL;
	struct snapshot_file file = file_of(text);
	struct error error = ERROR_INIT;
	uint64_t number = 0;

	if (snapshot_runs_new(source, &file, "fuzz", head, &number, &runs, &error) < 0)
		FUZZ_CHECK(error.code == ERROR_DAMAGED && !runs);
	else
		check_runs(runs);
	FUZZ_CHECK(file.fd == -1);
}

static void fuzz_manifest(struct snapshot *snapshot, struct span text)
{
	const struct source_host *host = &snapshot->base.host;
	struct error error = ERROR_INIT;

	if (snapshot_manifest_parse(snapshot, text, &error) < 0) {
		FUZZ_CHECK(error.code == ERROR_DAMAGED);
	} else {
		FUZZ_CHECK(host->page_size >= 1024 && !(host->page_size & (host->page_size - 1)));
		FUZZ_CHECK(snapshot->frames_end <= SNAPSHOT_FRAMES_MAX);
	}
	for (size_t i = 1; i < snapshot->member_count; i++)
		FUZZ_CHECK(snapshot->members[i - 1].pid < snapshot->members[i].pid);
	free(snapshot->members);
}

static void fuzz_missing(struct span text)
{
	CLEANUP(snapshot_missing_done) struct snapshot_missing missing = { .lacks = NULL };
	struct error error = ERROR_INIT;

	if (snapshot_missing_parse(&missing, text, "fuzz", &error) < 0)
		FUZZ_CHECK(error.code == ERROR_DAMAGED && error.line);
	for (size_t i = 0; i < missing.count; i++) {
		CLEANUP(buf_done) struct buf item = BUF_INIT;

		FUZZ_CHECK(!buf_add_span(&item, missing.lacks[i].item));
		FUZZ_CHECK(snapshot_missing_why(&missing, buf_str(&item), NULL) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot snapshot = { .member_count = 0 };
	struct span text = { (const char *)data + 1, size - 1 };
	char *copy;

	if (!size)
		return 0;
	/* In memory of its own: a sanitizer sees a byte too many. */
	copy = malloc(size);
	FUZZ_CHECK(copy);
	text.ptr = memcpy(copy, text.ptr, text.len);
	switch (data[0] % (TARGET_MISSING + 1)) {
	case TARGET_RUNS:
		fuzz_runs(&snapshot.base, text, NULL);
		break;
	case TARGET_SCAN:
		fuzz_runs(&snapshot.base, text, "categories");
		break;
	case TARGET_MANIFEST:
		fuzz_manifest(&snapshot, text);
		break;
	case TARGET_MISSING:
		fuzz_missing(text);
		break;
	}
	free(copy);
	return 0;
}
