// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "cli.h"
#include "vmatlas/render/report_pagetable.h"

#define SCHEMA "vmatlas/pagetable"

static const struct cli_option options[] = {
	{ "vmas", NULL, "list every VMA, not only those with most tables" },
	{ "arch", "NAME", "geometry to assume instead of the machine's own" },
	{ "list-arch", NULL, "list the geometries and exit" },
	{ NULL, NULL, NULL },
};

static int choose_geometry(struct cli *cli, const struct process *process,
			   struct pagetable_view *view, struct error *error)
{
	const char *name = cli_value(cli, "arch");

	if (!name) {
		view->geometry = pagetable_geometry(process, &view->geometry_certainty);
		return 0;
	}
	view->geometry = geometry_named(name);
	view->geometry_certainty = CERTAINTY_OBSERVED;
	if (!view->geometry)
		return error_set(error, ERROR_USAGE, name,
				 "no such geometry; --list-arch lists them");
	if (1u << view->geometry->page_shift != process->page_size)
		return error_set(error, ERROR_USAGE, name, "its pages are of another size than "
				 "the %u bytes of this process", process->page_size);
	return 0;
}

/* status as it is after the walk; what was read at first tells whether the process ran. */
static void read_vmpte(struct pagetable_view *view)
{
	const struct process *process = view->process;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error error = ERROR_INIT;
	struct status status;

	if (view->partial) {
		view->vmpte_gap = GAP_NOT_APPLICABLE;
		return;
	}
	if (source_text(process->source, 0, SOURCE_STATUS, &text, &error) < 0 ||
	    status_parse(buf_span(&text), &status, &error) < 0) {
		view->vmpte_gap = gap_from_error(&error);
		return;
	}
	view->vmpte_gap = status_has(&status, STATUS_VM_PTE) ? GAP_NONE : GAP_NOT_IN_KERNEL;
	view->vmpte = status.value[STATUS_VM_PTE] + status.value[STATUS_VM_PMD];
	view->ran = process->has_status && process->status.value[STATUS_VM_PTE] !=
		status.value[STATUS_VM_PTE];
}

static bool wants(const void *ctx, const struct process *process, const struct vma *vma)
{
	return cli_wants_vma(ctx, process, vma);
}

static int summary(struct cli *cli, struct report *report, struct process *process,
		   struct pagetable_view *view, struct error *error)
{
	struct pagetable *CLEANUP(pagetable_freep) table = NULL;
	struct table_filter filter = { cli->range_start, cli->range_end, wants, cli };
	int rc = pagetable_build(process, view->geometry, &filter, &table, error);

	if (rc < 0)
		return rc;
	view->table = table;
	read_vmpte(view);
	return report_pagetable(report, view, cli->columns, error);
}

static int one(struct cli *cli, struct report *report, struct source_process *source,
	       struct error *error)
{
	struct process *CLEANUP(process_freep) process = NULL;
	struct pagetable_view view = {
		.partial = cli->vma || cli->range_start || cli->range_end != UINT64_MAX,
		.all_vmas = cli_has(cli, "vmas"),
	};
	int rc = cli_load(report, source, 0, &process, error);

	if (rc < 0)
		return rc;
	view.process = process;
	rc = choose_geometry(cli, process, &view, error);
	if (rc < 0)
		return rc;
	return summary(cli, report, process, &view, error);
}

static int list_arch(struct cli *cli, struct report *report, struct source_process *source,
		     struct error *error)
{
	(void)cli;
	(void)source;
	(void)error;
	return report_geometries(report);
}

static int run(struct cli *cli)
{
	if (cli_has(cli, "list-arch"))
		return cli_one_document(cli, SCHEMA, list_arch);
	return cli_each_process(cli, SCHEMA, one);
}

const struct command cmd_pagetable = {
	.name = "pagetable",
	.operands = "PID|self|NAME|--from SNAPSHOT",
	.summary = "the page table: tables per level and VMA, cost, checked against VmPTE",
	.options = options,
	.columns = pagetable_columns,
	.run = run,
};
