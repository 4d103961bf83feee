// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"
#include "vmatlas/analyse/classify.h"
#include "vmatlas/model/moved.h"
#include "vmatlas/render/report_cow.h"
#include "vmatlas/render/report_family.h"

/* smaps costs a walk of its own, so VmFlags are read only where that is soon done. They tell
 * PFN maps and userfaultfd ranges, which are otherwise recognised by name or entry. */
#define FLAGS_RESIDENT (64u << 20)

static const struct cli_option cow_options[] = {
	{ "pages", NULL, "list runs of pages with the same state" },
	{ "states", NULL, "show the number of pages in each state, and what writes do" },
	{ "files", NULL, "one row per ELF file instead of VMAs: what is copied of it, and why" },
	{ "no-causes", NULL, "do not ask why pages were copied: no file is compared" },
	{ "picture", NULL, "draw one lettered cell per page or group of pages" },
	{ "family", NULL, "what is still shared with the parent and children, and what diverged" },
	{ "exact", NULL, "read smaps too, whatever it costs: for userfaultfd and PFN maps" },
	{ "no-scan", NULL, "do not use PAGEMAP_SCAN" },
	{ NULL, NULL, NULL },
};

static unsigned process_needs(const struct cli *cli, struct source_process *process)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct statm_record statm;
	uint32_t page_size = source_host(source_process_source(process))->page_size;

	if (cli_has(cli, "exact") ||
	    source_text(process, 0, SOURCE_STATM, &text, NULL) < 0 ||
	    statm_parse(buf_span(&text), &statm, NULL) < 0 ||
	    statm.resident * page_size <= FLAGS_RESIDENT)
		return PROCESS_NEED_ELF | PROCESS_NEED_SMAPS;
	return PROCESS_NEED_ELF;
}

static bool selects(const void *ctx, const struct process *process, uint32_t index)
{
	return cli_wants_vma(ctx, process, &process->vmas[index]);
}

struct chosen {
	struct column_set vmas, runs, files;
};

/* -o is about the rows that are asked for; the others have their defaults. */
static int choose_columns(const struct cli *cli, struct chosen *chosen, struct error *error)
{
	const char *list = cli_has(cli, "states") ? "+states,next_write" : NULL;
	bool pages = cli_has(cli, "pages"), files = cli_has(cli, "files"), v = cli->report.verbose;
	int rc;

	if (cli->columns && !pages && !files)
		list = cli->columns;
	rc = column_set_choose(&chosen->vmas, cow_columns, list, v, error);
	if (rc >= 0)
		rc = column_set_choose(&chosen->runs, cow_run_columns,
				       pages && !files ? cli->columns : NULL, v, error);
	if (rc >= 0)
		rc = column_set_choose(&chosen->files, cow_file_columns,
				       files ? cli->columns : NULL, v, error);
	return rc;
}

static int show(struct cli *cli, struct report *report, struct process *process,
		const struct chosen *chosen, struct error *error)
{
	CLEANUP(causes_freep) struct causes *causes = NULL;
	struct cow_request request = {
		.start = cli->range_start, .end = cli->range_end,
		.selects = selects, .selects_ctx = cli, .plain = cli_has(cli, "no-scan"),
	};
	struct cow_show show = {
		.columns = &chosen->vmas, .file_columns = &chosen->files,
		.runs = cli_has(cli, "pages") ? &chosen->runs : NULL,
		.picture = cli_has(cli, "picture"), .files = cli_has(cli, "files"),
	};

	if (!cli_has(cli, "no-causes") && !show.picture &&
	    causes_new(process, &causes, error) < 0)
		return -1;
	show.causes = causes;
	return report_cow(report, process, &request, &show, error);
}

static int add_family(const struct cli *cli, struct report *report, struct process *process,
		      struct error *error)
{
	CLEANUP(pagetable_freep) struct pagetable *table = NULL;
	struct table_filter all = { .end = UINT64_MAX };
	enum certainty certainty;
	struct family family;
	int rc = family_load(process, &family, error);

	if (rc >= 0)
		rc = pagetable_build(process, pagetable_geometry(process, &certainty), &all,
				     &table, error);
	if (rc >= 0)
		rc = report_family(report, process, &family, table, cli->report.verbose,
				   error);
	family_done(&family);
	return rc;
}

static int cow_one(struct cli *cli, struct report *report, struct source_process *source,
		   struct error *error)
{
	CLEANUP(process_freep) struct process *process = NULL;
	struct chosen chosen;

	struct activity before;

	if (cli_has(cli, "files") && (cli_has(cli, "no-causes") || cli_has(cli, "pages") ||
				      cli_has(cli, "picture")))
		return error_set(error, ERROR_USAGE, NULL,
				 "--files goes neither with --no-causes nor --pages nor --picture");
	if (choose_columns(cli, &chosen, error) < 0)
		return -ERROR_USAGE;
	activity_read(source, &before);
	if (cli_load(report, source, process_needs(cli, source), &process, error) < 0 ||
	    classify_process(process, error) < 0 || cli_filter_check(cli, process, error) < 0)
		return -1;
	if (show(cli, report, process, &chosen, error) < 0 ||
	    cli_warn_moved(report, process, &before, error) < 0)
		return -1;
	return cli_has(cli, "family") ? add_family(cli, report, process, error) : 0;
}

static int cow_run(struct cli *cli)
{
	return cli_each_process(cli, "vmatlas/cow", cow_one);
}

static const struct cli_rows other_rows[] = {
	{ "pages", cow_run_columns },
	{ "files", cow_file_columns },
	{ NULL, NULL },
};

const struct command cmd_cow = {
	.name = "cow",
	.operands = "PID...",
	.summary = "the state of every page, and what the next write to it costs",
	.options = cow_options,
	.columns = cow_columns,
	.others = other_rows,
	.filters = true,
	.run = cow_run,
};
