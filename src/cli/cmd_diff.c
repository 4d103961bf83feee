// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cli.h"
#include "vmatlas/analyse/classify.h"
#include "vmatlas/analyse/compare.h"
#include "vmatlas/render/report_diff.h"

/* Counters of every VMA cost a walk of their own: above this much resident memory they are read
 * only where pages cannot be. */
#define SMAPS_RESIDENT (64u << 20)

static const struct cli_option diff_options[] = {
	{ "all", NULL, "list also VMAs that are as before" },
	{ "exit-code", NULL, "exit 4 when there is a difference" },
	{ "no-causes", NULL, "do not ask why pages were copied: no file is compared" },
	{ NULL, NULL, NULL },
};

/* One of the two operands: a snapshot, SNAPSHOT:PID, or a live PID. */
struct operand {
	const char *word;
	bool snapshot;
	struct source *source;		/* NULL: the live system */
	pid_t pid;			/* 0: what the snapshot holds */
	struct source_process *process;
	struct process *loaded;
};

struct diff {
	struct operand side[SIDE_MAX];
};

static void diff_done(struct diff *diff)
{
	for (int side = 0; side < SIDE_MAX; side++) {
		process_free(diff->side[side].loaded);
		source_process_free(diff->side[side].process);
		source_free(diff->side[side].source);
	}
}

/* "DIR:4242": a colon with digits at the end names one of several processes. */
static int open_snapshot(struct operand *operand, struct error *error)
{
	CLEANUP_FREE char *path = strdup(operand->word);
	char *colon = path ? strrchr(path, ':') : NULL;
	uint64_t pid;

	if (!path)
		return error_nomem(error);
	if (colon && span_number(span_of(colon + 1), &pid) && pid <= INT32_MAX) {
		*colon = '\0';
		operand->pid = (pid_t)pid;
	}
	return source_folder(&operand->source, path, error);
}

static struct source *operand_source(const struct cli *cli, const struct operand *operand)
{
	return operand->source ? operand->source : cli->source;
}

static int open_live(struct cli *cli, struct operand *operand, struct error *error)
{
	if (!cli->source && source_live(&cli->source, error) < 0)
		return -1;
	source_set_remote_files(cli->source, cli->remote_files);
	return cli_pid(cli, operand->word, &operand->pid, error);
}

static int open_operand(struct cli *cli, struct operand *operand, struct error *error)
{
	int rc = operand->snapshot ? open_snapshot(operand, error) : open_live(cli, operand, error);

	if (rc >= 0)
		rc = source_process_open(operand_source(cli, operand), operand->pid,
					 &operand->process, error);
	if (rc < 0 && !error->item[0])
		snprintf(error->item, sizeof(error->item), "%s", operand->word);
	return rc;
}

/* --from names the first one. */
static int take_operands(struct cli *cli, struct diff *diff, struct error *error)
{
	size_t given = cli->operand_count + (cli->from != NULL), at = 0;

	if (given != SIDE_MAX)
		return error_set(error, ERROR_USAGE, NULL, "which two? give two of PID, self, "
				 "NAME, and paths of snapshots with a /, SNAPSHOT:PID");
	if (cli->from)
		diff->side[at++] = (struct operand) { .word = cli->from, .snapshot = true };
	for (size_t i = 0; i < cli->operand_count; i++)
		diff->side[at++] = (struct operand) {
			.word = cli->operands[i], .snapshot = strchr(cli->operands[i], '/') != NULL
		};
	cli->from = NULL;	/* PIDs are live ones */
	return 0;
}

/* What differs here makes everything differ. */
static int check_hosts(const struct cli *cli, const struct diff *diff, struct error *error)
{
	const struct source_host *before = source_host(operand_source(cli, &diff->side[BEFORE]));
	const struct source_host *after = source_host(operand_source(cli, &diff->side[AFTER]));

	if (before->page_size != after->page_size)
		return error_set(error, ERROR_USAGE, NULL, "pages of %u and of %u bytes cannot be "
				 "compared", before->page_size, after->page_size);
	if (before->machine[0] && after->machine[0] && strcmp(before->machine, after->machine))
		return error_set(error, ERROR_USAGE, NULL, "processes of %s and of %s cannot be "
				 "compared", before->machine, after->machine);
	return 0;
}

static bool is_small(struct source_process *process)
{
	uint32_t page_size = source_host(source_process_source(process))->page_size;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct statm_record statm;

	return source_text(process, 0, SOURCE_STATM, &text, NULL) < 0 ||
	       statm_parse(buf_span(&text), &statm, NULL) < 0 ||
	       statm.resident * page_size <= SMAPS_RESIDENT;
}

static int load(struct diff *diff, struct error *error)
{
	unsigned needs = PROCESS_NEED_ELF | PROCESS_NEED_SMAPS;
	bool pages = true, small = true;
	int rc = 0;

	for (int side = 0; side < SIDE_MAX; side++) {
		pages &= compare_pages_access(diff->side[side].process) == GAP_NONE;
		small &= is_small(diff->side[side].process);
	}
	if (pages && !small)
		needs = PROCESS_NEED_ELF;
	for (int side = 0; side < SIDE_MAX && rc >= 0; side++) {
		struct operand *operand = &diff->side[side];

		rc = process_load(operand->process, needs, &operand->loaded, error);
		if (rc >= 0)
			rc = classify_process(operand->loaded, error);
		if (rc < 0 && !error->item[0])
			snprintf(error->item, sizeof(error->item), "%s", operand->word);
	}
	return rc;
}

static bool selects(const void *ctx, const struct process *process, const struct vma *vma)
{
	return cli_wants_vma(ctx, process, vma);
}

static void warn(struct report *report, const struct process *process)
{
	for (size_t i = 0; i < process->warning_count; i++)
		report_warning(report, process->warnings[i].code,
			       buf_span(&process->warnings[i].message));
}

static int diff_one(struct cli *cli, struct report *report, struct source_process *process,
		    struct error *error)
{
	struct diff *diff = cli->own;
	CLEANUP(comparison_freep) struct comparison *comparison = NULL;
	bool part = cli->vma || cli->range_start || cli->range_end != UINT64_MAX;
	struct compare_request request = {
		.causes = !cli_has(cli, "no-causes"), .selects = part ? selects : NULL, .ctx = cli,
	};
	struct diff_show show = {
		.operand = { span_of(diff->side[BEFORE].word), span_of(diff->side[AFTER].word) },
		.all = cli_has(cli, "all"),
	};
	struct column_set columns;
	int rc;

	(void)process;
	if (column_set_choose(&columns, diff_columns, cli->columns, cli->report.verbose, error) < 0)
		return -ERROR_USAGE;
	show.columns = &columns;
	rc = load(diff, error);
	if (rc < 0)
		return rc;
	warn(report, diff->side[BEFORE].loaded);
	rc = report_document_process(report, diff->side[AFTER].loaded);
	if (rc >= 0)
		rc = comparison_new(diff->side[BEFORE].loaded, diff->side[AFTER].loaded, &request,
				    &comparison, error);
	if (rc >= 0)
		rc = report_diff(report, comparison, &show, error);
	if (rc < 0)
		return rc;
	return cli_has(cli, "exit-code") && comparison_differs(comparison) ? STATUS_CONDITION : 0;
}

/* The document is about the second one, whose source the frame knows as its own. */
static int run_diff(struct cli *cli, struct diff *diff)
{
	struct source *live = cli->source, *after = operand_source(cli, &diff->side[AFTER]);
	int status;

	cli->own = diff;
	cli->source = after;
	status = cli_one_document(cli, "vmatlas/diff", diff_one);
	cli->source = live;
	return status;
}

static int diff_run(struct cli *cli)
{
	CLEANUP(diff_done) struct diff diff = { .side[BEFORE].word = NULL };
	struct error error = ERROR_INIT;

	if (take_operands(cli, &diff, &error) < 0 ||
	    open_operand(cli, &diff.side[BEFORE], &error) < 0 ||
	    open_operand(cli, &diff.side[AFTER], &error) < 0 ||
	    check_hosts(cli, &diff, &error) < 0)
		return cli_error(&error);
	return run_diff(cli, &diff);
}

const struct command cmd_diff = {
	.name = "diff",
	.operands = "A B",
	.summary = "what changed between two processes or snapshots",
	.options = diff_options,
	.columns = diff_columns,
	.own_paths = true,
	.run = diff_run,
};
