// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "set_name.h"
#include "stop.h"
#include "vmatlas/render/report_share.h"

/* Classes need the ELF files of each process: unasked, for so many processes. */
#define CLASSES_UNASKED 20u

static const struct cli_option share_options[] = {
	{ "files", NULL, "one row per mapped object instead of processes" },
	{ "classes", NULL, "one row per class of memory instead" },
	{ "forks", NULL, "one row per parent and child, all compared" },
	{ "pairs-of", NULL, "one row per pair of processes instead" },
	{ "openmetrics", NULL, "print OpenMetrics text, for a collector of metrics" },
	SELECT_OPTIONS,
	SET_NAME_OPTION,
	STOP_OPTION,
	{ NULL, NULL, NULL },
};

static const struct cli_rows other_rows[] = {
	{ "files", share_object_columns },
	{ "classes", share_class_columns },
	{ "forks", share_fork_columns },
	{ "pairs-of", share_pair_columns },
	{ NULL, NULL },
};

/* The last one wins, as with any option that is given twice. */
static enum share_rows rows_of(const struct cli *cli)
{
	static const char *const options[SHARE_ROWS_MAX] = {
		[SHARE_ROWS_OBJECTS] = "files", [SHARE_ROWS_CLASSES] = "classes",
		[SHARE_ROWS_FORKS] = "forks", [SHARE_ROWS_PAIRS] = "pairs-of",
	};
	enum share_rows rows = SHARE_ROWS_PROCESSES;

	for (int i = 0; i < SHARE_ROWS_MAX; i++)
		if (options[i] && cli_has(cli, options[i]))
			rows = (enum share_rows)i;
	return rows;
}

/* -o is about the rows that are asked for; the others have their defaults. */
static int choose_columns(const struct cli *cli, struct share_show *show, struct error *error)
{
	static const struct column *const columns[SHARE_ROWS_MAX] = {
		[SHARE_ROWS_PROCESSES] = share_columns,
		[SHARE_ROWS_OBJECTS] = share_object_columns,
		[SHARE_ROWS_CLASSES] = share_class_columns,
		[SHARE_ROWS_FORKS] = share_fork_columns,
		[SHARE_ROWS_PAIRS] = share_pair_columns,
	};
	int rc = 0;

	show->rows = rows_of(cli);
	for (int i = 0; i < SHARE_ROWS_MAX && rc >= 0; i++)
		rc = column_set_choose(&show->columns[i], columns[i],
				       i == (int)show->rows ? cli->columns : NULL,
				       cli->report.verbose, error);
	return rc;
}

static void step(void *ctx, uint64_t done, uint64_t total)
{
	progress_step(ctx, done, total);
}

static int load(struct cli *cli, const struct selection *selection, struct share **share,
		struct error *error)
{
	CLEANUP_FREE pid_t *pids = calloc(selection->count, sizeof(*pids));
	struct progress progress;
	struct share_request request = {
		.pids = pids, .count = selection->count, .threads = cli->threads,
		.classes = cli_has(cli, "classes") || selection->count <= CLASSES_UNASKED,
		.outside = cli_has_outside(cli) || selection->refused,
		.all_forks = cli_has(cli, "forks"), .progress = step, .ctx = &progress,
	};
	int rc;

	if (!pids)
		return error_nomem(error);
	for (size_t i = 0; i < selection->count; i++)
		pids[i] = selection->processes[i].pid;
	progress_init(&progress, "processes");
	rc = share_load(cli->source, &request, share, error);
	progress_done(&progress);
	return rc;
}

struct share_data {
	struct selection selection;
	struct stop stop;
	struct share *share;
	struct share_show show;
};

static void data_done(struct share_data *data)
{
	stop_done(&data->stop);
	selection_done(&data->selection);
	share_free(data->share);
}

/* The set runs again when this returns. */
static int collect(struct cli *cli, struct share_data *data, struct error *error)
{
	int rc = cli_select(cli, 0, &data->selection, error);

	if (rc >= 0)
		rc = stop_begin(cli, &data->selection, &data->stop, error);
	if (rc >= 0)
		rc = load(cli, &data->selection, &data->share, error);
	stop_end(&data->stop);
	if (!cli_narrows(cli))
		data->show.left = (struct share_left) {
			data->selection.kernel, data->selection.gone, data->selection.refused
		};
	return rc;
}

static int share_one(struct cli *cli, struct report *report, struct source_process *none,
		     struct error *error)
{
	CLEANUP(data_done) struct share_data data = { 0 };

	(void)none;
	if (choose_columns(cli, &data.show, error) < 0 || collect(cli, &data, error) < 0 ||
	    stop_report(cli, report, &data.stop) < 0 ||
	    report_share(report, data.share, &data.show) < 0)
		return -1;
	return data.selection.failed ? STATUS_FAILED : 0;
}

static int run_metrics(struct cli *cli)
{
	CLEANUP(data_done) struct share_data data = { 0 };
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	struct error error = ERROR_INIT;
	int status;

	if (cli->report.format != REPORT_TEXT || cli->columns)
		return cli_usage_error(cli, "--openmetrics is a format of its own");
	status = cli_set_name(cli, true, &name);
	if (status)
		return status;
	data.show.set_name = buf_span(&name);
	if (collect(cli, &data, &error) < 0 ||
	    report_share_metrics(stdout, data.share, &data.show, &error) < 0)
		return cli_error(&error);
	return data.selection.failed ? STATUS_FAILED : STATUS_OK;
}

static int share_run(struct cli *cli)
{
	if (cli_has(cli, "openmetrics"))
		return run_metrics(cli);
	if (cli_has(cli, "set-name"))
		return cli_usage_error(cli, "--set-name is for --openmetrics");
	return cli_one_document(cli, "vmatlas/share", share_one);
}

const struct command cmd_share = {
	.name = "share",
	.operands = "PID...",
	.summary = "who of several processes shares what with whom, frames once",
	.options = share_options,
	.columns = share_columns,
	.others = other_rows,
	.run = share_run,
};
