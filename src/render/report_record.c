// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "vmatlas/render/report_record.h"

struct context {
	uint32_t page_size;
};

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct record_process *process, expression)

GETTER(pid, cell_count((uint64_t)process->pid))
GETTER(comm, process->comm.len ? cell_path(buf_span(&process->comm)) :
		cell_missing(process->ended ? GAP_GONE : GAP_NOT_RECORDED))

COLUMN_GETTER(get_present)
{
	const struct context *context = about;
	const struct record_process *process = data;

	*cell = process->ended ? cell_missing(GAP_GONE) :
		process->pages_gap != GAP_NONE ? cell_missing(process->pages_gap) :
		cell_size(process->pages * context->page_size);
}

GETTER(ended, cell_bool(process->ended))

static size_t line_count(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	return count;
}

static struct cell lines_cell(struct span text, struct scratch *scratch)
{
	size_t count = line_count(text), n = 0;
	struct cell *items = scratch_cells(scratch, count);

	if (!items && count)
		return cell_null();
	while (n < count) {
		items[n++] = cell_words(span_take_until(&text, '\n'));
		span_take_char(&text, '\n');
	}
	return cell_list(items, n);
}

GETTER(gaps, lines_cell(buf_span(&process->missing_text), scratch))

const struct column record_columns[] = {
	{ "pid", "PID", "process id", NUMBER, 0, 7, get_pid },
	{ "comm", "COMM", "name", BOTH, 0, 15, get_comm },
	{ "present", "PRESENT", "size of the pages that were present", NUMBER, 0, 7, get_present },
	{ "ended", "ENDED", "it ended meanwhile and is left out", COLUMN_JSON, 0, 5, get_ended },
	{ "gaps", "MISSING", "what could not be read, and the error", BOTH | COLUMN_TRUNC, 0, 30,
	  get_gaps },
	{ NULL }
};

int report_record(struct report *report, const struct record_result *result, const char *target,
		  uint32_t page_size, const struct column_set *columns)
{
	struct context context = { page_size };
	struct scratch *scratch = scratch_new();

	report_fact(report, "snapshot", "Snapshot", cell_path(span_of(target)), 0);
	report_fact(report, "format", NULL, cell_text(result->stored ? "archive" : "folder"),
		    REPORT_JSON_ONLY);
	report_fact(report, "bytes", "Texts", cell_size(result->bytes), 0);
	report_fact(report, "stored", "Archive", result->stored ? cell_size(result->stored) :
		    cell_null(), result->stored ? 0 : REPORT_JSON_ONLY);
	report_fact(report, "frames", "Frames", result->frames_visible ?
		    cell_count(result->frames) : cell_missing(GAP_NEEDS_PRIVILEGE), 0);
	if (scratch)
		report_fact(report, "gaps", "Missing",
			    lines_cell(buf_span(&result->missing_text), scratch),
			    result->missing_text.len ? 0 : REPORT_JSON_ONLY);
	scratch_free(scratch);
	report_table_begin(report, "processes", NULL, columns, &context, result->count);
	for (size_t i = 0; i < result->count; i++)
		report_row(report, &result->processes[i]);
	return report_table_end(report);
}
