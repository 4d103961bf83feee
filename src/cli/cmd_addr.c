// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "vmatlas/analyse/classify.h"
#include "vmatlas/render/escape.h"
#include "vmatlas/render/report_addr.h"

#define SCHEMA "vmatlas/addr"
#define NEEDS (PROCESS_NEED_ELF | PROCESS_NEED_THREADS | PROCESS_NEED_LIMITS)
#define STDIN_MAX (16u << 20)

static const struct cli_option options[] = {
	{ "sharers", NULL, "find the other processes that map the same frame" },
	{ "all", NULL, "as --sharers, but search every mapping of every process" },
	{ "flags", NULL,
	  "read the VMA's flags and counters, however much lies before it in smaps" },
	{ NULL, NULL, NULL },
};

/* The addresses of the call: operands behind the process, then the words of stdin for "-". */
struct queries {
	struct span *items;
	size_t count;
	size_t cap;
	struct buf stdin_text;
	bool stdin_read;
};

static void queries_done(struct queries *queries)
{
	free(queries->items);
	buf_done(&queries->stdin_text);
}

static int queries_add(struct queries *queries, struct span word, struct error *error)
{
	if (array_grow((void **)&queries->items, &queries->cap, queries->count,
		       sizeof(*queries->items)) < 0)
		return error_nomem(error);
	queries->items[queries->count++] = word;
	return 0;
}

static int read_stdin(struct queries *queries, struct error *error)
{
	char chunk[4096];
	size_t got;

	while ((got = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
		if (buf_add(&queries->stdin_text, chunk, got) < 0)
			return error_nomem(error);
		if (queries->stdin_text.len > STDIN_MAX)
			return error_set(error, ERROR_LIMIT, "stdin",
					 "more than %u MiB of addresses", STDIN_MAX >> 20);
	}
	return 0;
}

/* One address per line, or several with blanks between. */
static int add_stdin(struct queries *queries, struct error *error)
{
	struct span rest, line, word;
	int rc = 0;

	if (queries->stdin_read)
		return 0;
	queries->stdin_read = true;
	rc = read_stdin(queries, error);
	rest = buf_span(&queries->stdin_text);
	while (rest.len && rc >= 0) {
		line = span_take_until(&rest, '\n');
		span_take_char(&rest, '\n');
		while (rc >= 0 && span_take_word(&line, &word))
			rc = queries_add(queries, word, error);
	}
	return rc;
}

/* With a snapshot the process need not be named: the first operand is it only if it is one of
 * the PIDs in there. */
static bool names_process(struct cli *cli, const char *word)
{
	CLEANUP_FREE pid_t *pids = NULL;
	size_t count = 0;
	uint64_t pid;

	if (!cli->from)
		return true;
	if (!span_number(span_of(word), &pid) || word[1] == 'x' ||
	    source_pids(cli->source, &pids, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if ((uint64_t)pids[i] == pid)
			return true;
	return false;
}

static int collect(struct cli *cli, struct queries *queries, struct error *error)
{
	size_t first;
	int rc = cli_source(cli, error);

	if (rc < 0)
		return rc;
	first = cli->operand_count && names_process(cli, cli->operands[0]) ? 1 : 0;
	for (size_t i = first; i < cli->operand_count && rc >= 0; i++)
		rc = !strcmp(cli->operands[i], "-") ? add_stdin(queries, error) :
			queries_add(queries, span_of(cli->operands[i]), error);
	cli->operand_count = first;
	if (rc >= 0 && !queries->count)
		return error_set(error, ERROR_USAGE, NULL, "which address? give numbers, symbols, "
				 "or - to read them from stdin");
	return rc;
}

static void tell_candidates(struct span text)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;

	while (text.len) {
		buf_clear(&line);
		escape_add(&line, span_take_until(&text, '\n'), ESCAPE_TERMINAL);
		span_take_char(&text, '\n');
		fprintf(stderr, "  %s\n", buf_str(&line));
	}
}

/* Nothing can be mapped there, so it is most likely mistyped: told, and answered all the same. */
static int refuse_kind(const struct address *address, struct span query)
{
	struct error error = ERROR_INIT;
	CLEANUP(buf_done) struct buf item = BUF_INIT;

	if (address->vma != VMA_NONE || address->kind == ADDRESS_USER)
		return STATUS_OK;
	buf_add_span(&item, query);
	error_set(&error, ERROR_NOT_FOUND, buf_str(&item), "%s",
		  name_meaning(address_kind_names, address->kind));
	return cli_error(&error);
}

static int explain(struct cli *cli, struct report *report, struct address_context *ctx,
		   struct addr_view *view, uint64_t number, int *status, struct error *error)
{
	CLEANUP(sharers_done) struct sharers sharers = { 0 };
	CLEANUP(address_done) struct address address = { 0 };
	bool all = cli_has(cli, "all");
	int rc = address_explain(ctx, number, &address, error);

	if (rc >= 0 && (all || cli_has(cli, "sharers"))) {
		rc = sharers_find(ctx, &address, all, &sharers, error);
		view->sharers = &sharers;
	}
	if (rc < 0)
		return rc;
	*status = refuse_kind(&address, view->query);
	view->address = &address;
	return report_addr(report, view);
}

static int answer(struct cli *cli, struct report *report, struct address_context *ctx,
		  struct span query, int *status, struct error *error)
{
	CLEANUP(buf_done) struct buf candidates = BUF_INIT;
	struct error why = ERROR_INIT;
	struct addr_view view = { .ctx = ctx, .query = query, .error = &why };
	uint64_t number;

	if (address_resolve(ctx, query, &number, &candidates, &why) < 0) {
		*status = cli_error(&why);
		tell_candidates(buf_span(&candidates));
		view.candidates = buf_span(&candidates);
		return report_addr(report, &view);
	}
	return explain(cli, report, ctx, &view, number, status, error);
}

static int answer_all(struct cli *cli, struct report *report, struct address_context *ctx,
		      struct error *error)
{
	const struct queries *queries = cli->own;
	int worst = STATUS_OK, rc = 0;

	report_addr_begin(report);
	for (size_t i = 0; i < queries->count && rc >= 0; i++) {
		int status = STATUS_OK;

		rc = answer(cli, report, ctx, queries->items[i], &status, error);
		if (status > worst)
			worst = status;
	}
	if (rc < 0)
		return rc;
	rc = report_addr_end(report);
	return rc < 0 ? rc : worst;
}

static int one(struct cli *cli, struct report *report, struct source_process *source,
	       struct error *error)
{
	struct process *CLEANUP(process_freep) process = NULL;
	CLEANUP(address_context_done) struct address_context ctx = { 0 };
	int rc = cli_load(report, source, NEEDS, &process, error);

	if (rc >= 0)
		rc = classify_process(process, error);
	if (rc >= 0)
		rc = address_context_init(&ctx, process, error);
	if (cli_has(cli, "flags"))
		ctx.flags_budget = UINT64_MAX;
	return rc < 0 ? rc : answer_all(cli, report, &ctx, error);
}

static int run(struct cli *cli)
{
	CLEANUP(queries_done) struct queries queries = { 0 };
	struct error error = ERROR_INIT;

	if (collect(cli, &queries, &error) < 0)
		return cli_error(&error);
	cli->own = &queries;
	return cli_each_process(cli, SCHEMA, one);
}

const struct command cmd_addr = {
	.name = "addr",
	.operands = "PID ADDR...",
	.summary = "everything about an address, and what an access there would do",
	.options = options,
	.run = run,
};
