// SPDX-License-Identifier: LGPL-2.1-or-later
/* Commands that exist only to test the frame: parsing, operands, documents and exit codes. */
#include "cli.h"
#include "select.h"
#include "stop.h"

static void get_number(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	(void)s;
	*cell = cell_count(*(const uint64_t *)row);
}

static void get_gap(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	const bool *gap = ctx;

	(void)s;
	*cell = *gap ? cell_missing(GAP_NEEDS_PRIVILEGE) : cell_size(*(const uint64_t *)row << 20);
}

static void get_name(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	*cell = cell_bytes(scratch_printf(s, "row\033 %d", (int)*(const uint64_t *)row));
}

static const struct column show_columns[] = {
	{ "number", "NUMBER", "a number", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 0, 6,
	  get_number },
	{ "size", "SIZE", "a size", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 0, 6, get_gap },
	{ "name", "NAME", "hostile bytes", COLUMN_DEFAULT | COLUMN_JSON, 0, 10, get_name },
	{ NULL }
};

static const struct column other_columns[] = {
	{ "number", "NUMBER", "the same", COLUMN_DEFAULT, 0, 6, get_number },
	{ "other", "OTHER", "another", COLUMN_DEFAULT, 0, 6, get_number },
	{ NULL }
};

static const struct cli_rows other_rows[] = { { "gap", other_columns }, { NULL, NULL } };

static const struct cli_option show_options[] = {
	{ "gap", NULL, "have something missing" },
	{ "fail", "AFTER", "fail after so many rows" },
	{ "rows", "N", "so many rows" },
	{ "exit-code", NULL, "exit 4" },
	{ NULL }
};

static uint64_t number_of(const struct cli *cli, const char *option, uint64_t otherwise)
{
	const char *value = cli_value(cli, option);

	if (value)
		span_number(span_of(value), &otherwise);
	return otherwise;
}

static int show_one(struct cli *cli, struct report *report, struct source_process *process,
		    struct error *error)
{
	uint64_t rows = number_of(cli, "rows", 3), fail = number_of(cli, "fail", UINT64_MAX);
	struct cell pid = cell_named("pid", cell_null());
	bool gap = cli_has(cli, "gap");
	struct column_set set;
	int rc = column_set_choose(&set, show_columns, cli->columns, cli->report.verbose, error);

	if (rc < 0)
		return rc;
	if (process)
		pid = cell_named("pid", cell_count((uint64_t)source_process_pid(process)));
	report_fact(report, "process", NULL, process ? cell_object(&pid, 1) : cell_null(),
		    REPORT_JSON_ONLY);
	report_table_begin(report, "rows", NULL, &set, &gap, rows);
	for (uint64_t i = 0; i < rows; i++) {
		if (i == fail)
			return error_set(error, ERROR_GONE, "item\033", "ended half-way");
		report_row(report, &i);
	}
	rc = report_table_end(report);
	return rc < 0 ? rc : cli_has(cli, "exit-code") ? STATUS_CONDITION : 0;
}

static int run_show(struct cli *cli)
{
	return cli_each_process(cli, "vmatlas/show", show_one);
}

static int run_none(struct cli *cli)
{
	return cli_one_document(cli, "vmatlas/none", show_one);
}

static int vmas_one(struct cli *cli, struct report *report, struct source_process *source,
		    struct error *error)
{
	CLEANUP(process_freep) struct process *process = NULL;
	int rc = cli_load(report, source, 0, &process, error);

	if (rc < 0)
		return rc;
	report_array_begin(report, "names", NULL);
	for (size_t i = 0; i < process->vma_count; i++)
		if (cli_wants_vma(cli, process, &process->vmas[i]))
			report_element(report, cell_bytes(vma_name(process, &process->vmas[i])));
	return report_array_end(report);
}

static int run_vmas(struct cli *cli)
{
	return cli_each_process(cli, "vmatlas/vmas", vmas_one);
}

static int run_words(struct cli *cli)
{
	const char *value;

	for (size_t i = 0; (value = cli_value_at(cli, "word", i)); i++)
		printf("word=%s\n", value);
	for (size_t i = 0; i < cli->operand_count; i++)
		printf("operand=%s\n", cli->operands[i]);
	printf("range=%llx-%llx threads=%u\n", (unsigned long long)cli->range_start,
	       (unsigned long long)cli->range_end, cli->threads);
	return STATUS_OK;
}

static const struct cli_option words_options[] = {
	{ "word", "WORD", "may be repeated" },
	{ NULL }
};

static const struct command show = {
	.name = "show", .operands = "PID...", .summary = "Rows of each process",
	.options = show_options, .columns = show_columns,
	.others = other_rows, .run = run_show,
};
static const struct command none = {
	.name = "none", .operands = "", .summary = "Rows about no process",
	.options = show_options, .columns = show_columns, .run = run_none,
};
static const struct command words = {
	.name = "words", .operands = "[WORD...]", .summary = "What was given",
	.options = words_options, .filters = true, .run = run_words,
};

static const struct command vmas = {
	.name = "vmas", .operands = "PID...", .summary = "Names of VMAs", .filters = true,
	.run = run_vmas,
};

static int run_pick(struct cli *cli)
{
	CLEANUP(selection_done) struct selection selection = { 0 };
	struct error error = ERROR_INIT;

	if (cli_select(cli, false, &selection, &error) < 0)
		return cli_error(&error);
	for (size_t i = 0; i < selection.count; i++)
		printf("%d %d %d\n", (int)selection.processes[i].pid,
		       (int)selection.processes[i].ppid, selection.processes[i].start_time > 0);
	printf("kernel=%zu gone=%zu refused=%zu failed=%zu\n", selection.kernel, selection.gone,
	       selection.refused, selection.failed);
	return selection.failed ? STATUS_FAILED : STATUS_OK;
}

static const struct cli_option pick_options[] = { SELECT_OPTIONS, { NULL } };

static const struct command pick = {
	.name = "pick", .operands = "[PID...]", .summary = "A set of processes",
	.options = pick_options, .run = run_pick,
};

/* Holds the set until standard input ends. */
static int run_hold(struct cli *cli)
{
	CLEANUP(selection_done) struct selection selection = { 0 };
	CLEANUP(stop_done) struct stop stop = { 0 };
	struct error error = ERROR_INIT;

	if (cli_select(cli, false, &selection, &error) < 0)
		return cli_error(&error);
	if (cli_has(cli, "other-start"))
		selection.processes[0].start_time++;
	if (stop_begin(cli, &selection, &stop, &error) < 0)
		return cli_error(&error);
	printf("count=%zu before=%zu refused=%zu late=%zu spared=%zu guardian=%d\n",
	       stop.set.count, stop.before, stop.refused, stop.late, stop.spared,
	       (int)stop.guardian);
	fflush(stdout);
	while (getchar() != EOF)
		continue;
	stop_end(&stop);
	printf("lost=%d again=%u parents=%u\n", stop.guardian_lost, stop.end.again,
	       stop.end.parents);
	return STATUS_OK;
}

static const struct cli_option hold_options[] = {
	SELECT_OPTIONS, STOP_OPTION,
	{ "other-start", NULL, "the first process began at another time" },
	{ NULL }
};

static const struct command hold = {
	.name = "hold", .operands = "[PID...]", .summary = "A set that stands still",
	.options = hold_options, .run = run_hold,
};

const struct command *const commands[] = { &show, &none, &words, &vmas, &pick, &hold, NULL };
