// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render.h"

/* The pid of a snapshot may not be recorded: 0 is no process. */
static struct cell pid_cell(pid_t pid)
{
	return pid ? cell_count((uint64_t)pid) : cell_missing(GAP_NOT_RECORDED);
}

static struct cell stat_cell(const struct process *process, uint64_t value)
{
	return process->has_stat ? cell_count(value) : cell_missing(process->stat_gap);
}

static struct cell bytes_cell(const struct buf *bytes, enum gap gap)
{
	return bytes->len ? cell_path(buf_span(bytes)) : cell_missing(gap);
}

int report_document_process(struct report *report, const struct process *process)
{
	bool exe = process->exe.len != 0;
	struct cell items[] = {
		cell_named("pid", pid_cell(process->pid)),
		cell_named("comm", bytes_cell(&process->comm, process->stat_gap)),
		cell_named("exe", bytes_cell(&process->exe, process->exe_gap)),
		cell_named("exe_deleted", exe ? cell_bool(process->exe_deleted) :
			   cell_missing(process->exe_gap)),
		cell_named("start_time", stat_cell(process, process->stat.start_time)),
		cell_named("threads", stat_cell(process, process->stat.threads)),
	};

	for (size_t i = 0; i < process->warning_count; i++)
		report_warning(report, process->warnings[i].code,
			       buf_span(&process->warnings[i].message));
	return report_fact(report, "process", NULL, cell_object(items, ARRAY_SIZE(items)),
			   REPORT_JSON_ONLY);
}

/* A command that failed early has not told which process it was about. */
int document_process_missing(struct report *report)
{
	struct cell pid;

	if (!report->process)
		return report_fact(report, "process", NULL, cell_null(), REPORT_JSON_ONLY);
	pid = cell_named("pid", pid_cell(source_process_pid(report->process)));
	return report_fact(report, "process", NULL, cell_object(&pid, 1), REPORT_JSON_ONLY);
}
