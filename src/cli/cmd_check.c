// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stop.h"
#include "vmatlas/render/report_check.h"

static const struct cli_option check_options[] = {
	{ "stop", NULL, "stop the process while it is read" },
	{ NULL, NULL, NULL },
};

static int name_it(struct source_process *source, struct selected *selected, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;
	int rc = source_text(source, 0, SOURCE_STAT, &text, error);

	if (rc >= 0)
		rc = stat_parse(buf_span(&text), &stat, error);
	if (rc < 0)
		return rc;
	selected->pid = source_process_pid(source);
	selected->start_time = stat.start_time;
	return 0;
}

/* Nothing is written before it runs again. */
static int read_standing(struct cli *cli, struct source_process *source, struct stop *stop,
			 struct ledger *ledger, struct error *error)
{
	struct selected one = { .pid = 0 };
	struct selection selection = { .processes = &one, .count = 1 };
	int rc = cli_has(cli, "stop") ? name_it(source, &one, error) : 0;

	if (rc >= 0)
		rc = stop_begin(cli, &selection, stop, error);
	if (rc >= 0)
		rc = ledger_read(source, ledger, error);
	stop_end(stop);
	return rc;
}

static int check_one(struct cli *cli, struct report *report, struct source_process *source,
		     struct error *error)
{
	CLEANUP(ledger_done) struct ledger ledger = { .looks = 0 };
	CLEANUP(stop_done) struct stop stop = { .lifeline = -1 };
	struct column_set columns;

	if (column_set_choose(&columns, check_columns, cli->columns, cli->report.verbose,
			      error) < 0)
		return -ERROR_USAGE;
	if (read_standing(cli, source, &stop, &ledger, error) < 0 ||
	    (ledger.process && report_document_process(report, ledger.process) < 0) ||
	    stop_report(cli, report, &stop) < 0 ||
	    report_check(report, &ledger, &columns) < 0)
		return -1;
	return ledger.verdicts[LEDGER_UNEXPLAINED] ? STATUS_CONDITION : 0;
}

static int check_run(struct cli *cli)
{
	return cli_each_process(cli, "vmatlas/check", check_one);
}

const struct command cmd_check = {
	.name = "check",
	.operands = "PID...",
	.summary = "the ledger: smaps, rollup, status and pages side by side",
	.options = check_options,
	.columns = check_columns,
	.run = check_run,
};
