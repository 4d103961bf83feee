// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "diff.h"
#include "vmatlas/render/report_diff.h"

static const struct cli_option diff_options[] = {
	{ "all", NULL, "list also VMAs that are as before" },
	{ "exit-code", NULL, "exit 4 when there is a difference" },
	{ "no-causes", NULL, "do not ask why pages were copied: no file is compared" },
	{ NULL, NULL, NULL },
};

static bool selects(const void *ctx, const struct process *process, const struct vma *vma)
{
	return cli_wants_vma(ctx, process, vma);
}

/* What the model says of the second process comes with its document. */
static void warn(struct report *report, const struct process *process)
{
	for (size_t i = 0; i < process->warning_count; i++)
		report_warning(report, process->warnings[i].code,
			       buf_span(&process->warnings[i].message));
}

static struct diff_show show_of(const struct diff *diff, const struct column_set *columns)
{
	return (struct diff_show) {
		.columns = columns, .all = cli_has(diff->cli, "all"),
		.operand = { span_of(diff->side[BEFORE].word), span_of(diff->side[AFTER].word) },
	};
}

static int pair_one(struct cli *cli, struct report *report, struct source_process *process,
		    struct error *error)
{
	struct diff *diff = cli->own;
	CLEANUP(comparison_freep) struct comparison *comparison = NULL;
	bool part = cli_filters(cli);
	struct compare_request request = {
		.causes = !cli_has(cli, "no-causes"), .selects = part ? selects : NULL, .ctx = cli,
	};
	struct column_set columns;
	struct diff_show show = show_of(diff, &columns);
	int rc;

	(void)process;
	if (column_set_choose(&columns, diff_columns, cli->columns, cli->report.verbose, error) < 0)
		return -ERROR_USAGE;
	warn(report, diff->at[BEFORE].loaded);
	rc = report_document_process(report, diff->at[AFTER].loaded);
	if (rc >= 0)
		rc = comparison_new(diff->at[BEFORE].loaded, diff->at[AFTER].loaded, &request,
				    &comparison, error);
	if (rc >= 0)
		rc = report_diff(report, comparison, &show, error);
	for (int side = 0; side < SIDE_MAX && rc >= 0; side++)
		rc = cli_warn_moved(report, diff->at[side].loaded, &diff->at[side].before, error);
	rc = cli_damage(diff_source(diff, BEFORE), rc, error);
	if (rc < 0)
		return rc;
	diff->differs |= comparison_differs(comparison);
	return diff_is_group(diff) ? compare_group_add(&diff->group, comparison, error) : 0;
}

static int group_one(struct cli *cli, struct report *report, struct source_process *process,
		     struct error *error)
{
	struct diff *diff = cli->own;
	struct diff_show show = show_of(diff, NULL);

	(void)process;
	return report_diff_group(report, &diff->group, &show, error);
}

static int alone(struct diff *diff, struct error *error)
{
	enum compare_side side = diff->at[BEFORE].loaded ? BEFORE : AFTER;

	diff->differs = true;
	return compare_group_alone(&diff->group, side, diff->at[side].loaded, error);
}

/* Each pair has a document of its own; behind those of a family come its sums. */
static int run_pairs(struct diff *diff)
{
	struct error error = ERROR_INIT;
	int status = STATUS_OK, rc;

	while ((rc = diff_next(diff, &error)) > 0) {
		if (diff->at[BEFORE].loaded && diff->at[AFTER].loaded)
			status = cli_worse(status, cli_one_document(diff->cli, "vmatlas/diff",
								    pair_one));
		else if (alone(diff, &error) < 0)
			status = cli_worse(status, cli_error(&error));
	}
	if (rc < 0)
		status = cli_worse(status, cli_error(&error));
	if (diff_is_group(diff) && status != STATUS_USAGE)
		status = cli_worse(status, cli_one_document(diff->cli, "vmatlas/diff", group_one));
	return status;
}

/* The document is about the second one, whose source the frame knows as its own. */
static int diff_run(struct cli *cli)
{
	CLEANUP(diff_done) struct diff diff = { .cli = cli };
	struct error error = ERROR_INIT;
	int status;

	if (diff_open(&diff, &error) < 0)
		return cli_error(&error);
	cli->own = &diff;
	cli->source = diff_source(&diff, AFTER);
	status = run_pairs(&diff);
	cli->source = diff.live;
	if (status == STATUS_OK && cli_has(cli, "exit-code") && diff.differs)
		return STATUS_CONDITION;
	return status;
}

const struct command cmd_diff = {
	.name = "diff",
	.operands = "A B",
	.summary = "what changed between two processes or snapshots",
	.options = diff_options,
	.columns = diff_columns,
	.own_paths = true,
	.filters = true,
	.run = diff_run,
};
