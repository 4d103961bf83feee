// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"

#include "vmatlas/analyse/classify.h"
#include "vmatlas/render/report_map.h"

static bool wants(const void *cli, const struct process *process, const struct vma *vma)
{
	return cli_wants_vma(cli, process, vma);
}

/* What was read stands above, or in the document with a warning: still, it is only a part. */
static int tell_cut(const struct process *process)
{
	struct error error = ERROR_INIT;
	char pid[16];

	if (process->maps_gap == GAP_NONE)
		return STATUS_OK;
	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	error_set(&error, process->maps_gap == GAP_GONE ? ERROR_GONE : ERROR_CHANGED, pid,
		  "its map broke off while it was read: the rows are only its first part");
	return cli_error(&error);
}

static int map_one(struct cli *cli, struct report *report, struct source_process *source,
		   struct error *error)
{
	struct process CLEANUP(process_freep) *process = NULL;
	struct column_set columns;
	const struct map_filter filter = { wants, cli };
	unsigned needs;
	int ret = column_set_choose(&columns, map_columns, cli->columns, cli->report.verbose,
				    error);

	if (ret < 0)
		return ret;
	needs = report_needs(report, &columns);
	if (!columns.given)
		needs |= PROCESS_NEED_LIMITS;
	ret = process_load(source, needs, &process, error);
	if (ret < 0)
		return ret;
	ret = classify_process(process, error);
	if (ret >= 0)
		ret = cli_filter_check(cli, process, error);
	if (ret < 0)
		return ret;
	ret = report_map(report, process, &columns, &filter);
	return ret < 0 ? ret : tell_cut(process);
}

static int map_run(struct cli *cli)
{
	return cli_each_process(cli, "vmatlas/map", map_one);
}

const struct command cmd_map = {
	.name = "map",
	.operands = "PID...",
	.summary = "the classified map: one row per VMA",
	.columns = map_columns,
	.filters = true,
	.run = map_run,
};
