// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"
#include "vmatlas/base/library.h"

/* Raw and pairs have no room for warnings: they go where they are seen. */
static void tell_warnings(const struct cli *cli, const struct report *report)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (cli->report.format != REPORT_RAW && cli->report.format != REPORT_PAIRS)
		return;
	for (size_t i = 0; report_warning_get(report, i, &text); i++) {
		fprintf(stderr, "vmatlas: %s\n", buf_str(&text));
		buf_clear(&text);
	}
}

/* The document says that it is not complete, and so does stderr. */
static void warn_failure(struct report *report, const struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	enum gap gap = gap_from_error(error);

	if (error->item[0])
		buf_addf(&text, "%s: ", error->item);
	buf_add_str(&text, error->text);
	report_warning(report, gap_name(gap)[0] ? gap_name(gap) : gap_name(GAP_DAMAGED),
		       buf_span(&text));
}

/* What is not shown because a library that is loaded on demand is not on this machine. */
static void warn_libraries(struct report *report)
{
	for (const struct library *l = library_missing(NULL); l; l = library_missing(l)) {
		CLEANUP(buf_done) struct buf text = BUF_INIT;

		buf_addf(&text, "%s cannot be loaded, so %s: install the package %s", l->file,
			 l->use, l->package);
		report_warning(report, "library", buf_span(&text));
	}
}

int cli_load(struct report *report, struct source_process *process, unsigned needs,
	     struct process **loaded, struct error *error)
{
	int rc = process_load(process, needs, loaded, error);

	return rc < 0 ? rc : report_document_process(report, *loaded);
}

int cli_warn_moved(struct report *report, const struct process *process,
		   const struct activity *before, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct activity after;
	uint64_t moved = 0;

	if (source_host(source_process_source(process->source))->kind != SOURCE_KIND_LIVE)
		return 0;
	activity_read(process->source, &after);
	if (activity_none(before, &after))
		return 0;
	if (process_moved(process, &moved, error) < 0)
		return -1;
	if (!moved)
		return 0;
	buf_addf(&text, "%llu VMA%s appeared, went or changed bounds or permissions while the "
		 "pages were read", (unsigned long long)moved, plural(moved));
	return report_warning(report, gap_name(GAP_CHANGED), buf_span(&text));
}

/* In JSON always. A text that breaks off says so in a file; on a terminal, and where nothing
 * stands above, stderr is enough. */
static bool failure_belongs(const struct report *report)
{
	return report_is_json(report) || (report_is_text(report) && !report_is_empty(report) &&
					  !isatty(STDOUT_FILENO));
}

/* The model does not know by which name the user called the process. */
static void error_name(struct error *error, const struct cli *cli,
		       const struct source_process *process)
{
	pid_t pid = process ? source_process_pid(process) : 0;

	if (error->item[0])
		return;
	if (pid)
		snprintf(error->item, sizeof(error->item), "%d", (int)pid);
	else if (cli->from)
		snprintf(error->item, sizeof(error->item), "%s", cli->from);
}

int cli_damage(struct source *source, int rc, struct error *error)
{
	struct error damage;

	if (!source_take_damage(source, &damage) || (rc < 0 && error->code != ERROR_DAMAGED))
		return rc;
	*error = damage;
	return -(int)damage.code;
}

static int run_document(struct cli *cli, const char *schema, struct source_process *process,
			cli_one_fn *one)
{
	struct error error = ERROR_INIT, end_error = ERROR_INIT;
	struct report *report;
	int rc, status = STATUS_OK;

	if (report_new(stdout, schema, &cli->report, &report, &error) < 0)
		return cli_error(&error);
	rc = report_document_begin(report, cli->source, process, cli->start_us);
	if (rc >= 0)
		rc = cli_damage(cli->source, one(cli, report, process, &error), &error);
	if (rc < 0 && error.code != ERROR_NONE) {
		error_name(&error, cli, process);
		if (failure_belongs(report))
			warn_failure(report, &error);
		status = cli_error(&error);
	} else if (rc > 0) {
		status = rc;
	}
	warn_libraries(report);
	if (report_end(report, &end_error) < 0)
		status = cli_error(&end_error);
	else if (rc < 0)
		status = status ? status : STATUS_FAILED;
	tell_warnings(cli, report);
	if (status == STATUS_OK && cli->strict && report_incomplete(report))
		status = STATUS_MISSING;
	report_free(report);
	return status;
}

/* Documents for people and scripts are kept apart by an empty line. */
static int run_next(struct cli *cli, const char *schema, struct source_process *process,
		    cli_one_fn *one)
{
	if (cli->documents++ && cli->report.format != REPORT_JSON)
		putchar('\n');
	return run_document(cli, schema, process, one);
}

int cli_worse(int a, int b)
{
	if (a == STATUS_FAILED || b == STATUS_FAILED)
		return STATUS_FAILED;
	return a > b ? a : b;
}

int cli_each_process(struct cli *cli, const char *schema, cli_one_fn *one)
{
	CLEANUP_FREE pid_t *pids = NULL;
	struct error error = ERROR_INIT;
	struct progress progress;
	size_t count = 0;
	int status = STATUS_OK;

	if (cli_pids(cli, &pids, &count, &error) < 0)
		return cli_error(&error);
	progress_init(&progress, "processes");
	for (size_t i = 0; i < count; i++) {
		CLEANUP(source_process_freep) struct source_process *process = NULL;

		progress_step(&progress, i, count);
		if (source_process_open(cli->source, pids[i], &process, &error) < 0)
			status = cli_worse(status, cli_error(&error));
		else
			status = cli_worse(status, run_next(cli, schema, process, one));
	}
	progress_done(&progress);
	return status;
}

int cli_one_document(struct cli *cli, const char *schema, cli_one_fn *one)
{
	struct error error = ERROR_INIT;

	if (cli_source(cli, &error) < 0)
		return cli_error(&error);
	return run_next(cli, schema, NULL, one);
}
