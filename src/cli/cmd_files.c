// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "select.h"
#include "stop.h"
#include "vmatlas/render/report_files.h"

static const struct cli_option files_options[] = {
	SELECT_OPTIONS,
	STOP_OPTION,
	{ "users", NULL, "one row per object and process" },
	{ "path", "PATTERN", "only objects with this name, or last part of it" },
	{ "deleted", NULL, "only objects whose name is gone, or is another file's" },
	{ "top", "N", "only the N first rows of the order" },
	{ NULL, NULL, NULL },
};

static void step(void *ctx, uint64_t done, uint64_t total)
{
	progress_step(ctx, done, total);
}

static int load(struct cli *cli, const struct selection *selection, struct mapped **mapped,
		struct error *error)
{
	CLEANUP_FREE pid_t *pids = selection_pids(selection, error);
	struct progress progress;
	struct mapped_request request = {
		.pids = pids, .count = selection->count, .threads = cli->threads,
		.outside = cli_has_outside(cli), .progress = step, .ctx = &progress,
	};
	int rc;

	if (!pids)
		return -ERROR_NOMEM;
	progress_init(&progress, "processes");
	rc = mapped_load(cli->source, &request, mapped, error);
	progress_done(&progress);
	return rc;
}

static int choose_columns(const struct cli *cli, struct column_set *objects,
			  struct column_set *users, struct error *error)
{
	bool rows = cli_has(cli, "users");
	int rc = column_set_choose(objects, files_columns, rows ? NULL : cli->columns,
				   cli->report.verbose, error);

	return rc < 0 ? rc : column_set_choose(users, files_user_columns,
					       rows ? cli->columns : NULL, cli->report.verbose,
					       error);
}

static int files_one(struct cli *cli, struct report *report, struct source_process *none,
		     struct error *error)
{
	CLEANUP(selection_done) struct selection selection = { 0 };
	CLEANUP(mapped_freep) struct mapped *mapped = NULL;
	CLEANUP(stop_done) struct stop stop = { 0 };
	struct column_set objects, users;
	struct files_show show = {
		.objects = &objects, .users = cli_has(cli, "users") ? &users : NULL,
		.path = cli_value(cli, "path"), .deleted = cli_has(cli, "deleted"),
	};
	int rc;

	(void)none;
	if (choose_columns(cli, &objects, &users, error) < 0 ||
	    cli_select(cli, SELECT_ALL, &selection, error) < 0 ||
	    stop_begin(cli, &selection, &stop, error) < 0)
		return -1;
	rc = load(cli, &selection, &mapped, error);
	stop_end(&stop);
	if (rc < 0)
		return rc;
	mapped_look(cli->source, mapped);
	if (!cli_narrows(cli)) {
		show.gone = selection.gone;
		show.refused = selection.refused;
	}
	if (stop_report(cli, report, &stop) < 0 || report_files(report, mapped, &show) < 0)
		return -1;
	return selection.failed ? STATUS_FAILED : 0;
}

static int files_run(struct cli *cli)
{
	int rc = cli_top(cli);

	if (rc)
		return rc;
	if (!cli->report.sort)
		cli->report.sort = "-pss";
	return cli_one_document(cli, "vmatlas/files", files_one);
}

static const struct cli_rows other_rows[] = {
	{ "users", files_user_columns },
	{ NULL, NULL },
};

const struct command cmd_files = {
	.name = "files",
	.operands = "[PID...]",
	.summary = "all mapped objects: what is resident of each, and who maps it",
	.options = files_options,
	.columns = files_columns,
	.others = other_rows,
	.run = files_run,
};
