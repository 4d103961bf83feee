// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "set_name.h"
#include "stop.h"
#include "vmatlas/render/report_ps.h"

static const struct cli_option ps_options[] = {
	SELECT_OPTIONS,
	STOP_OPTION,
	{ "top", "N", "only the N first rows of the order" },
	{ "openmetrics", NULL, "print OpenMetrics text, for a collector of metrics" },
	SET_NAME_OPTION,
	{ "no-ledger", NULL, "without what the memory of the machine is used for" },
	{ NULL, NULL, NULL },
};

static void step(void *ctx, uint64_t done, uint64_t total)
{
	progress_step(ctx, done, total);
}

static int read_roster(struct cli *cli, const struct selection *selection, unsigned needs,
		       struct roster *roster, struct error *error)
{
	CLEANUP_FREE pid_t *pids = selection_pids(selection, error);
	struct progress progress;
	struct roster_request request = {
		.pids = pids, .count = selection->count, .needs = needs,
		.threads = cli->threads, .progress = step, .ctx = &progress,
	};
	int rc;

	if (!pids)
		return -ERROR_NOMEM;
	progress_init(&progress, "processes");
	rc = roster_read(cli->source, &request, roster, error);
	progress_done(&progress);
	return rc;
}

/* A set that is not all does not tell what the machine holds. */
static int read_machine(struct cli *cli, const struct roster *roster, struct machine *machine,
			const struct machine **shown, struct error *error)
{
	struct error local = ERROR_INIT;
	int rc;

	if (!cli_selects_all(cli) || cli_has(cli, "no-ledger"))
		return 0;
	/* What a recording does not hold would seem to be unused. */
	rc = machine_read(cli->source, cli_has_outside(cli) ? NULL : roster->tally, machine,
			  &local);
	if (rc >= 0)
		*shown = machine;
	else if (local.code != ERROR_NOT_RECORDED)
		*error = local;
	return rc >= 0 || local.code == ERROR_NOT_RECORDED ? 0 : rc;
}

struct ps_data {
	struct selection selection;
	struct stop stop;
	struct roster roster;
	struct machine machine;
	struct ps_show show;
};

static void data_done(struct ps_data *data)
{
	stop_done(&data->stop);
	selection_done(&data->selection);
	roster_done(&data->roster);
}

static int collect(struct cli *cli, unsigned needs, struct ps_data *data, struct error *error)
{
	int rc = cli_select(cli, SELECT_ALL | SELECT_UNREAD, &data->selection, error);

	if (cli_has_outside(cli))
		needs |= ROSTER_NEED_OUTSIDE;
	if (data->selection.unread)
		needs |= ROSTER_LISTED;
	if (rc >= 0)
		rc = stop_begin(cli, &data->selection, &data->stop, error);
	if (rc >= 0)
		rc = read_roster(cli, &data->selection, needs, &data->roster, error);
	stop_end(&data->stop);
	if (rc >= 0)
		rc = roster_name_users(&data->roster, cli->source, error);
	if (rc >= 0)
		rc = read_machine(cli, &data->roster, &data->machine, &data->show.machine, error);
	if (!cli_narrows(cli))
		data->show.left = (struct ps_left) {
			data->selection.kernel, data->selection.gone, data->selection.refused,
			cli_selects_all(cli)
		};
	return rc;
}

static int ps_one(struct cli *cli, struct report *report, struct source_process *none,
		  struct error *error)
{
	CLEANUP(data_done) struct ps_data data = { 0 };
	struct column_set columns;

	(void)none;
	if (column_set_choose(&columns, ps_columns, cli->columns, cli->report.verbose, error) < 0)
		return -1;
	data.show.columns = &columns;
	if (collect(cli, report_needs(report, &columns), &data, error) < 0 ||
	    stop_report(cli, report, &data.stop) < 0 ||
	    report_ps(report, &data.roster, &data.show, error) < 0)
		return -1;
	return data.selection.failed ? STATUS_FAILED : 0;
}

static int run_metrics(struct cli *cli)
{
	CLEANUP(data_done) struct ps_data data = { .show.top = cli->report.top };
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	struct error error = ERROR_INIT;
	int status;

	if (cli->report.format != REPORT_TEXT || cli->columns)
		return cli_usage_error(cli, "--openmetrics is a format of its own");
	status = cli_set_name(cli, false, &name);
	if (status)
		return status;
	data.show.set_name = buf_span(&name);
	if (collect(cli, ROSTER_NEED_CGROUP, &data, &error) < 0 ||
	    report_ps_metrics(stdout, &data.roster, &data.show, &error) < 0)
		return cli_error(&error);
	return data.selection.failed ? STATUS_FAILED : STATUS_OK;
}

/* Without the right to look at pages only the kernel's RSS is known of most. */
static int ps_run(struct cli *cli)
{
	struct error error = ERROR_INIT;
	int rc = cli_top(cli);

	if (rc)
		return rc;
	if (cli_has(cli, "openmetrics"))
		return run_metrics(cli);
	if (cli_has(cli, "set-name"))
		return cli_usage_error(cli, "--set-name is for --openmetrics");
	if (cli_source(cli, &error) < 0)
		return cli_error(&error);
	if (!cli->report.sort)
		cli->report.sort = source_host(cli->source)->frames_visible ? "-pss" : "-rss";
	return cli_one_document(cli, "vmatlas/ps", ps_one);
}

const struct command cmd_ps = {
	.name = "ps",
	.operands = "[PID...]",
	.summary = "all processes, and what the machine uses its memory for",
	.options = ps_options,
	.columns = ps_columns,
	.run = ps_run,
};
