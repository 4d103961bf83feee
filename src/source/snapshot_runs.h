/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_SNAPSHOT_RUNS_H
#define SOURCE_SNAPSHOT_RUNS_H

#include "snapshot.h"

/*
 * A file of runs: lines "FIRST[+COUNT] WORD[+STEP|-STEP]", ascending, and "end". It is read
 * through one window, mostly ascending; the place of every few KiB is noted, so that going
 * back costs no more than that. Memory does not depend on the number of pages.
 */
struct snapshot_run {
	uint64_t first;
	uint64_t end;		/* one more than the last */
	uint64_t word;		/* of the first; each further one is larger by step */
	uint64_t step;
};

struct snapshot_runs;

/* Takes the file, also on failure. With `head` the first line is that word and a number, which
 * is handed out. */
int snapshot_runs_new(struct source *source, struct snapshot_file *file, const char *name,
		      const char *head, uint64_t *number, struct snapshot_runs **runs,
		      struct error *error);
void snapshot_runs_free(struct snapshot_runs *runs);
DEFINE_CLEANUP(snapshot_runs_free, struct snapshot_runs)

/* The first run that ends above `at`: 1, or 0 when there is none. */
int snapshot_runs_seek(struct snapshot_runs *runs, uint64_t at, struct snapshot_run *run,
		       struct error *error);
/* The one behind what the last call gave. */
int snapshot_runs_next(struct snapshot_runs *runs, struct snapshot_run *run,
		       struct error *error);
/* Words [first, first + count); `absent` for those that are in no run. */
int snapshot_runs_words(struct snapshot_runs *runs, uint64_t first, uint64_t *words,
			size_t count, uint64_t absent, struct error *error);

#endif
