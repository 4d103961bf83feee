// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <signal.h>
#include <stdlib.h>

#include "select.h"
#include "vmatlas/record/record.h"
#include "vmatlas/render/report_record.h"

static const struct cli_option options[] = {
	SELECT_OPTIONS,
	{ "cmdline", NULL, "record the arguments of the processes, too" },
	{ "memory", NULL, "record what is in copied pages of files, too" },
	{ NULL, NULL, NULL },
};

static const char *const set_options[] = { "all", "tree", "cgroup", "user", "name" };
static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static bool is_interrupted(void *ctx)
{
	(void)ctx;
	return interrupted;
}

/* What was made so far is taken back before the program ends. Ignored signals stay so (nohup). */
static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = note_signal }, old;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
	/* A full disk may be told so: the write fails as well. */
	signal(SIGXFSZ, SIG_IGN);
}

static bool is_set(const struct cli *cli)
{
	for (size_t i = 0; i < ARRAY_SIZE(set_options); i++)
		if (cli_has(cli, set_options[i]))
			return true;
	return false;
}

static void tell_sensitive(const struct record_result *result)
{
	if (result->frames_visible)
		fputs("vmatlas: the snapshot holds frame numbers and addresses of this machine; "
		      "they help attacks on it, so give it only to whom you trust\n", stderr);
}

/* Of a set it is no news that kernel threads are not recorded. */
static void tell_left_out(const struct cli *cli, const struct selection *selection,
			  const struct record_result *result)
{
	if (selection->kernel && !is_set(cli))
		fprintf(stderr, "vmatlas: left out because they have no address space (kernel "
			"threads, zombies): %zu of %zu processes\n", selection->kernel,
			selection->kernel + selection->count);
	if (result->recorded < result->count)
		fprintf(stderr, "vmatlas: left out because they ended meanwhile: %zu of %zu "
			"processes\n", result->count - result->recorded, result->count);
}

static int record_selected(struct cli *cli, const struct selection *selection,
			   struct record_result *result, struct error *error)
{
	const struct record_options how = {
		.tool = PACKAGE_STRING,
		.threads = cli->threads,
		.cmdline = cli_has(cli, "cmdline"),
		.memory = cli_has(cli, "memory"),
		.may_end = is_set(cli),
		.stop = is_interrupted,
	};
	CLEANUP_FREE pid_t *pids = malloc(selection->count * sizeof(*pids));

	if (!pids)
		return error_nomem(error);
	for (size_t i = 0; i < selection->count; i++)
		pids[i] = selection->processes[i].pid;
	catch_signals();
	return record_snapshot(cli->source, pids, selection->count, &how, cli->own, result, error);
}

static int record(struct cli *cli, struct report *report, struct source_process *process,
		  struct error *error)
{
	struct record_result result = { 0 };
	struct selection selection = { 0 };
	struct column_set columns;
	int rc = column_set_choose(&columns, record_columns, cli->columns, cli->report.verbose,
				   error);

	(void)process;
	if (rc >= 0)
		rc = cli_select(cli, 0, &selection, error);
	if (rc >= 0 && selection.failed)
		rc = -1;	/* it was told */
	if (rc >= 0)
		rc = record_selected(cli, &selection, &result, error);
	if (rc >= 0) {
		tell_sensitive(&result);
		tell_left_out(cli, &selection, &result);
		report_fact(report, "process", NULL, cell_null(), REPORT_JSON_ONLY);
		rc = report_record(report, &result, cli->own,
				   source_host(cli->source)->page_size, &columns);
	}
	record_result_done(&result);
	selection_done(&selection);
	return rc;
}

/* The last operand is the target; a forgotten one must not make a folder that is called as a
 * process. */
static int run(struct cli *cli)
{
	const char *target;
	uint64_t number;

	if (!cli->operand_count)
		return cli_usage_error(cli, "record what, and where? give PIDs, and then the "
				       "folder or archive to make");
	target = cli->operands[--cli->operand_count];
	if (span_number(span_of(target), &number))
		return cli_usage_error(cli, "%s looks like a process: the folder or archive to "
				       "make comes last (./%s for one of that name)", target,
				       target);
	cli->own = (void *)(uintptr_t)target;
	return cli_one_document(cli, "vmatlas/record", record);
}

const struct command cmd_record = {
	.name = "record",
	.operands = "PID... DIR|FILE.tar.zst",
	.summary = "write processes down, to look at them later and elsewhere",
	.options = options,
	.columns = record_columns,
	.own_paths = true,
	.run = run,
};
