// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"
#include "vmatlas/render/report_check.h"

static int check_one(struct cli *cli, struct report *report, struct source_process *source,
		     struct error *error)
{
	CLEANUP(ledger_done) struct ledger ledger = { .looks = 0 };
	struct column_set columns;

	if (column_set_choose(&columns, check_columns, cli->columns, cli->report.verbose,
			      error) < 0)
		return -ERROR_USAGE;
	if (ledger_read(source, &ledger, error) < 0 ||
	    (ledger.process && report_document_process(report, ledger.process) < 0) ||
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
	.summary = "the ledger: smaps, rollup, status, pages side by side, differences explained",
	.columns = check_columns,
	.run = check_run,
};
