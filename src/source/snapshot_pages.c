// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_runs.h"

#include <stdio.h>

static int runs_open(struct source_process *process, const char *item, const char *head,
		     uint64_t *number, struct snapshot_runs **runs, struct error *error)
{
	struct snapshot_file file = SNAPSHOT_FILE_INIT;
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	if (*runs)
		return 0;
	rc = snapshot_process_file(process, item, &file, error);
	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "%s%s", snapshot_process_of(process)->folder, item);
	return snapshot_runs_new(process->source, &file, name, head, number, runs, error);
}

static unsigned page_shift(const struct source *source)
{
	return (unsigned)__builtin_ctz(source->host.page_size);
}

/* The upper half of the addresses is the kernel's on every architecture: pagemap ends there. */
int snapshot_pagemap(struct source_process *process, uint64_t first, uint64_t *words,
		     size_t count, size_t *got, struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);
	uint64_t end = 1ULL << (63 - page_shift(process->source));
	int rc = runs_open(process, "pagemap", NULL, NULL, &p->pagemap, error);

	if (rc < 0)
		return rc;
	if (first > end)
		first = end;
	if (count > end - first)
		count = end - first;
	rc = snapshot_runs_words(p->pagemap, first, words, count, 0, error);
	if (!rc)
		*got = count;
	return rc;
}

/* A failure is told by whoever reads the words. */
bool snapshot_hole(struct source_process *process, uint64_t page, uint64_t *end)
{
	struct snapshot_process *p = snapshot_process_of(process);
	struct snapshot_run run;
	int rc = runs_open(process, "pagemap", NULL, NULL, &p->pagemap, NULL);

	if (!rc)
		rc = snapshot_runs_seek(p->pagemap, page, &run, NULL);
	if (rc < 0 || (rc && run.first <= page))
		return false;
	*end = rc ? run.first : UINT64_MAX;
	return true;
}

/* As pagemap_scan_is_interesting_page() in fs/proc/task_mmu.c. */
static bool matches(const struct source_scan *scan, uint64_t categories)
{
	categories ^= scan->inverted;
	return (categories & scan->mask) == scan->mask &&
	       (!scan->anyof || categories & scan->anyof);
}

static int scan_refuse(const struct snapshot_process *p, const struct source_scan *scan,
		       struct error *error)
{
	uint64_t asked = scan->mask | scan->inverted | scan->anyof | scan->report;

	if (asked & ~p->categories)
		return error_set(error, ERROR_NOT_IN_KERNEL, "scan",
				 "not all of these categories are recorded");
	if (matches(scan, 0))
		return error_set(error, ERROR_NOT_RECORDED, "scan",
				 "pages without a category are not recorded");
	return 0;
}

int snapshot_scan(struct source_process *process, const struct source_scan *scan,
		  struct source_region *regions, size_t count, size_t *got, uint64_t *walked,
		  struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);
	unsigned shift = page_shift(process->source);
	uint64_t first = scan->start >> shift, end = scan->end >> shift;
	struct snapshot_run run;
	size_t n = 0;
	int rc = runs_open(process, "scan", "categories", &p->categories, &p->scan, error);

	if (!rc)
		rc = scan_refuse(p, scan, error);
	if (rc < 0)
		return rc;
	rc = snapshot_runs_seek(p->scan, first, &run, error);
	while (rc > 0 && run.first < end && n < count) {
		if (run.step)
			return error_set(error, ERROR_DAMAGED, "scan", "a run of it has a step");
		if (matches(scan, run.word))
			regions[n++] = (struct source_region) {
				.start = (run.first > first ? run.first : first) << shift,
				.end = (run.end < end ? run.end : end) << shift,
				.categories = run.word & scan->report,
			};
		rc = snapshot_runs_next(p->scan, &run, error);
	}
	if (rc < 0)
		return rc;
	*walked = n == count && n ? regions[n - 1].end : scan->end;
	*got = n;
	return 0;
}
