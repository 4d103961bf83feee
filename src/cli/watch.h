/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "cli.h"
#include "vmatlas/render/report_watch.h"

#define WATCH_CONDITIONS 16	/* of --until and --fail-if each */

struct watch_target {
	struct watched watched;
	struct watch_curve curve;
	bool ended;
	const char *met;	/* condition that the last sample met */
};

struct watch {
	struct cli *cli;
	struct watch_target *targets;
	size_t count;
	struct column_set columns;
	uint64_t interval_ms;
	uint64_t samples;		/* --count, 0: no end */
	uint64_t time_ms;		/* --until TIME, 0: no end */
	struct watch_condition until[WATCH_CONDITIONS], fail[WATCH_CONDITIONS];
	size_t until_count, fail_count;
	enum watch_counter counter;	/* of the curve */
	unsigned needs;
	struct watch_target *at;	/* whose sample is told */
	uint64_t start_us;
	uint64_t rounds;
	bool met_until;
	bool met_fail;
};

/* watch_options.c: everything but the processes. */
int watch_options(struct watch *watch, struct error *error);
/* watch_loop.c: until it ends; what the exit status is. */
int watch_loop(struct watch *watch);

#endif
