// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"
#include "vmatlas/analyse/classify.h"
#include "vmatlas/render/report_pagetable.h"

#define SCHEMA "vmatlas/pagetable"

static const struct cli_option options[] = {
	{ "entries", NULL, "list the entries that are set" },
	{ "tree", NULL, "draw the tables as a tree, equal neighbours as one" },
	{ "split", "ADDR", "the address in bits: index per level and offset" },
	{ "vmas", NULL, "list every VMA, not only those with most tables" },
	{ "arch", "NAME", "geometry to assume instead of the machine's own" },
	{ "list-arch", NULL, "list the geometries and exit" },
	{ NULL, NULL, NULL },
};

#define TREE_ITEMS 16		/* entries shown of one table */
#define TREE_ITEMS_VERBOSE 512

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
		   struct pagetable_view *view, const char *columns, struct error *error)
{
	struct pagetable *CLEANUP(pagetable_freep) table = NULL;
	struct table_filter filter = { cli->range_start, cli->range_end, wants, cli };
	int rc = pagetable_build(process, view->geometry, &filter, &table, error);

	if (rc < 0)
		return rc;
	view->table = table;
	read_vmpte(view);
	rc = report_pagetable(report, view, columns, error);
	view->table = NULL;
	return rc;
}

/* Hands every run of the process to fn. */
static int walk(struct cli *cli, const struct pagetable_view *view, unsigned needs,
		int (*fn)(void *ctx, uint32_t vma, const struct page_run *run), void *ctx,
		struct error *error)
{
	struct table_filter filter = { cli->range_start, cli->range_end, wants, cli };
	struct pages *CLEANUP(pages_freep) pages = NULL;
	struct table_ranges state;
	struct page_ranges ranges;
	int rc = pages_new(view->process->source, needs, &pages, error);

	if (rc < 0)
		return rc;
	ranges = table_ranges_init(&state, view->process, view->geometry, &filter);
	return pages_walk(pages, &ranges, fn, ctx, error);
}

struct entries_walk {
	struct pagetable_entries entries;
	enum gap gap;			/* why ranges could not be read */
};

static int entries_run(void *ctx, uint32_t vma, const struct page_run *run)
{
	struct entries_walk *state = ctx;

	if (run->kind == PAGE_UNREADABLE && run->gap != GAP_NOT_APPLICABLE)
		state->gap = run->gap;
	return report_entries_run(&state->entries, vma, run);
}

static void warn_gap(struct report *report, enum gap gap)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (gap == GAP_NONE)
		return;
	buf_addf(&text, "pagemap could not be read: %s", gap_phrase(gap));
	report_warning(report, gap_name(gap), buf_span(&text));
}

/* The document holds the summary as well; people asked for the entries. */
static int entries(struct cli *cli, struct report *report, struct process *process,
		   struct pagetable_view *view, struct error *error)
{
	struct entries_walk state = { .gap = GAP_NONE };
	int rc = 0, end;

	if (report_is_json(report))
		rc = summary(cli, report, process, view, NULL, error);
	if (rc >= 0)
		rc = report_entries_begin(&state.entries, report, view, cli->columns, error);
	if (rc < 0)
		return rc;
	rc = walk(cli, view, PAGE_NEED_FLAGS | PAGE_NEED_COUNT | PAGE_NEED_LEAF, entries_run,
		  &state, error);
	end = report_entries_end(&state.entries);
	warn_gap(report, state.gap);
	return rc < 0 ? rc : end;
}

struct tree_walk {
	struct report *report;
	struct pagetable_view *view;
	struct table_tree tree;
	enum gap gap;
};

static int tree_node(void *ctx, const struct tree_node *node)
{
	struct tree_walk *state = ctx;

	return report_tree_node(state->report, state->view, node);
}

static int tree_run(void *ctx, uint32_t vma, const struct page_run *pages)
{
	struct tree_walk *state = ctx;
	struct table_run run;

	if (pages->kind == PAGE_UNREADABLE && pages->gap != GAP_NOT_APPLICABLE)
		state->gap = pages->gap;
	if (!table_run_from_pages(state->view->process, vma, pages, &run))
		return 0;
	return table_tree_add(&state->tree, &run, entry_kind_of(pages));
}

static int tree(struct cli *cli, struct report *report, struct pagetable_view *view,
		struct error *error)
{
	struct tree_walk state = { .report = report, .view = view };
	int rc;

	table_tree_init(&state.tree, view->geometry,
			cli->report.verbose ? TREE_ITEMS_VERBOSE : TREE_ITEMS, tree_node, &state);
	report_tree_begin(report, view);
	rc = walk(cli, view, PAGE_NEED_FLAGS | PAGE_NEED_LEAF | PAGE_JOIN_FRAMES, tree_run, &state,
		  error);
	if (rc >= 0)
		rc = table_tree_finish(&state.tree);
	report_tree_end(report);
	table_tree_done(&state.tree);
	warn_gap(report, state.gap);
	return rc == -ERROR_NOMEM ? error_nomem(error) : rc;
}

/* process NULL: the arithmetic alone. */
static int split(struct cli *cli, struct report *report, const struct process *process,
		 const struct pagetable_view *view, struct error *error)
{
	struct table_lookup found;
	const char *word;
	uint64_t address;
	int rc = 0;

	report_geometry(report, view->geometry, view->geometry_certainty);
	report_array_begin(report, "split", NULL);
	for (size_t i = 0; (word = cli_value_at(cli, "split", i)) && rc >= 0; i++) {
		if (!span_number(span_of(word), &address))
			return error_set(error, ERROR_USAGE, word, "is no address");
		if (process)
			rc = pagetable_lookup(process, view->geometry, address, &found, error);
		if (rc >= 0)
			report_split(report, view->geometry, address, process ? &found : NULL);
	}
	report_array_end(report);
	return rc;
}

/* Only smaps tells gigantic hugetlb pages from huge ones. It costs a walk of its own, so it is
 * read only where a mapping has the size and place for them. */
static bool may_be_gigantic(const struct process *process)
{
	const uint64_t gib = 1ULL << 30;

	for (size_t i = 0; i < process->vma_count; i++) {
		const struct vma *vma = &process->vmas[i];
		const struct object *object = vma_object(process, vma);

		if (object && object->inode && !(vma->start % gib) && !(vma->end % gib))
			return true;
	}
	return false;
}

/* Roles, which --vma may name, need the ELF files; nothing else here does. */
static int load(struct cli *cli, struct report *report, struct source_process *source,
		struct process **process, struct error *error)
{
	unsigned needs = cli->vma ? PROCESS_NEED_ELF | PROCESS_NEED_THREADS : 0;
	struct process *CLEANUP(process_freep) loaded = NULL;
	int rc = process_load(source, needs, &loaded, error);

	if (rc >= 0 && may_be_gigantic(loaded)) {
		process_free(loaded);
		loaded = NULL;
		rc = process_load(source, needs | PROCESS_NEED_SMAPS, &loaded, error);
	}
	if (rc >= 0 && cli->vma)
		rc = classify_process(loaded, error);
	if (rc >= 0)
		rc = cli_filter_check(cli, loaded, error);
	if (rc < 0)
		return rc;
	*process = loaded;
	loaded = NULL;
	return report_document_process(report, *process);
}

static int one(struct cli *cli, struct report *report, struct source_process *source,
	       struct error *error)
{
	struct process *CLEANUP(process_freep) process = NULL;
	struct pagetable_view view = {
		.partial = cli_filters(cli),
		.all_vmas = cli_has(cli, "vmas"),
	};
	int rc = load(cli, report, source, &process, error);

	if (rc < 0)
		return rc;
	view.process = process;
	rc = choose_geometry(cli, process, &view, error);
	if (rc < 0)
		return rc;
	if (cli_has(cli, "split"))
		return split(cli, report, process, &view, error);
	if (cli_has(cli, "tree"))
		return tree(cli, report, &view, error);
	if (cli_has(cli, "entries"))
		return entries(cli, report, process, &view, error);
	return summary(cli, report, process, &view, cli->columns, error);
}

/* No process: the geometry that --arch names, or this machine's. */
static int split_alone(struct cli *cli, struct report *report, struct source_process *source,
		       struct error *error)
{
	const struct source_host *host = source_host(cli->source);
	const char *name = cli_value(cli, "arch");
	CLEANUP(buf_done) struct buf cpuinfo = BUF_INIT;
	struct pagetable_view view = { .geometry_certainty = CERTAINTY_INFERRED };

	(void)source;
	source_system_text(cli->source, SOURCE_CPUINFO, &cpuinfo, NULL);
	view.geometry = name ? geometry_named(name) :
		geometry_detect(host->machine, host->page_size, buf_span(&cpuinfo), 0);
	if (!view.geometry)
		return error_set(error, ERROR_USAGE, name ? name : host->machine,
				 "no such geometry; --list-arch lists them");
	if (name)
		view.geometry_certainty = CERTAINTY_OBSERVED;
	return split(cli, report, NULL, &view, error);
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
	if (cli_has(cli, "split") && !cli->operand_count && !cli->from)
		return cli_one_document(cli, SCHEMA, split_alone);
	return cli_each_process(cli, SCHEMA, one);
}

const struct command cmd_pagetable = {
	.name = "pagetable",
	.operands = "PID|self|NAME|--from SNAPSHOT",
	.summary = "the page table: tables per level and VMA, checked against VmPTE",
	.options = options,
	.columns = pagetable_columns,
	.filters = true,
	.run = run,
};
