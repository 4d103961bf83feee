// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "watch.h"

static const struct cli_option watch_cli_options[] = {
	{ "interval", "TIME", "time between samples: 250ms, 2s, 5m; 1s if not given" },
	{ "count", "N", "end after so many samples" },
	{ "until", "WHEN", "end after a time (30s), at a condition ('rss>1G'), or at exit" },
	{ "fail-if", "CONDITION", "end and exit 4 when this is met: 'copied>100M'" },
	{ "curve", "COUNTER", "counter that is drawn; rss if not given" },
	{ NULL, NULL, NULL },
};

static void watch_done(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		watched_done(&watch->targets[i].watched);
	free(watch->targets);
}

/* With several processes each row says whose it is. */
static int name_rows(struct watch *watch, struct error *error)
{
	if (watch->count < 2 || watch->cli->columns)
		return 0;
	return column_set_choose(&watch->columns, watch_columns,
				 "time,pid,rss,pss,uss,swap,copied,shared,faults,curve,what",
				 watch->cli->report.verbose, error);
}

static int open_targets(struct watch *watch, struct error *error)
{
	CLEANUP_FREE pid_t *pids = NULL;
	size_t count = 0;
	int rc = cli_pids(watch->cli, &pids, &count, error);

	if (rc < 0)
		return rc;
	watch->targets = calloc(count + 1, sizeof(*watch->targets));
	if (!watch->targets)
		return error_nomem(error);
	for (size_t i = 0; i < count; i++) {
		rc = watched_init(&watch->targets[i].watched, watch->cli->source, pids[i],
				  watch->needs, error);
		if (rc < 0)
			return rc;
		watch->count++;
	}
	return name_rows(watch, error);
}

static int watch_run(struct cli *cli)
{
	CLEANUP(watch_done) struct watch watch = { .cli = cli };
	struct error error = ERROR_INIT;

	if (watch_options(&watch, &error) < 0 || open_targets(&watch, &error) < 0)
		return cli_error(&error);
	return watch_loop(&watch);
}

const struct command cmd_watch = {
	.name = "watch",
	.operands = "PID...",
	.summary = "memory of processes over time: counters, what changed, a curve",
	.options = watch_cli_options,
	.columns = watch_columns,
	.run = watch_run,
};
