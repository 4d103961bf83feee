// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "select_choice.h"

static int compare_candidates(const void *a, const void *b)
{
	pid_t x = ((const struct candidate *)a)->selected.pid;
	pid_t y = ((const struct candidate *)b)->selected.pid;

	return (x > y) - (x < y);
}

static struct candidate *candidate_of(struct choice *choice, pid_t pid)
{
	struct candidate key = { .selected.pid = pid };

	return choice->count ? bsearch(&key, choice->candidates, choice->count, sizeof(key),
				       compare_candidates) : NULL;
}

static struct candidate *parent_of(struct choice *choice, const struct candidate *candidate)
{
	return candidate->selected.ppid > 0 ? candidate_of(choice, candidate->selected.ppid) : NULL;
}

static int candidate_add(struct choice *choice, pid_t pid, struct error *error)
{
	if (array_grow((void **)&choice->candidates, &choice->cap, choice->count,
		       sizeof(*choice->candidates)) < 0)
		return error_nomem(error);
	choice->candidates[choice->count++] = (struct candidate) { .selected.pid = pid };
	return 0;
}

static int list_all(struct choice *choice, struct error *error)
{
	CLEANUP_FREE pid_t *pids = NULL;
	size_t count = 0;
	int rc = source_pids(choice->cli->source, &pids, &count, error);

	for (size_t i = 0; i < count && rc >= 0; i++)
		rc = candidate_add(choice, pids[i], error);
	return rc;
}

/* A TID names its process. What cannot be found is told; the others are answered. */
static int find_root(struct choice *choice, const char *word, bool tree, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	struct source *source = choice->cli->source;
	struct error local = ERROR_INIT;
	pid_t pid = 0;
	int rc = cli_pid(choice->cli, word, &pid, &local);

	if (rc >= 0)
		rc = source_process_open(source, pid, &process, &local);
	if (rc < 0) {
		if (!local.item[0])
			snprintf(local.item, sizeof(local.item), "%s", word);
		cli_error(&local);
		choice->selection->failed++;
		return 0;
	}
	if (array_grow((void **)&choice->roots, &choice->root_cap, choice->root_count,
		       sizeof(*choice->roots)) < 0)
		return error_nomem(error);
	choice->roots[choice->root_count++] = (struct root) { source_process_pid(process), tree };
	return 0;
}

static int find_roots(struct choice *choice, struct error *error)
{
	struct cli *cli = choice->cli;
	const char *word;
	int rc = 0;

	for (size_t i = 0; i < cli->operand_count && rc >= 0; i++)
		rc = find_root(choice, cli->operands[i], false, error);
	for (size_t i = 0; rc >= 0 && (word = cli_value_at(cli, "tree", i)); i++)
		rc = find_root(choice, word, true, error);
	return rc;
}

/* Ascending, each once, and those that were named are chosen. */
static void mark_roots(struct choice *choice, bool all)
{
	size_t kept = 0;

	if (choice->count)
		qsort(choice->candidates, choice->count, sizeof(*choice->candidates),
		      compare_candidates);
	for (size_t i = 0; i < choice->count; i++)
		if (!kept || choice->candidates[kept - 1].selected.pid !=
		    choice->candidates[i].selected.pid)
			choice->candidates[kept++] = choice->candidates[i];
	choice->count = kept;
	for (size_t i = 0; i < kept; i++)
		choice->candidates[i].chosen = all;
	for (size_t i = 0; i < choice->root_count; i++) {
		struct candidate *root = candidate_of(choice, choice->roots[i].pid);

		if (!root) {
			choice->selection->gone++;
			continue;
		}
		root->chosen = true;
		if (choice->roots[i].tree)
			root->tree = TREE_IN;
	}
}

/* Up to an ancestor of whom it is known, then back. A recorded tree may be a ring. */
static void walk_tree(struct choice *choice, struct candidate *candidate)
{
	struct candidate *at = candidate;
	enum tree verdict;

	for (; at && at->tree == TREE_UNKNOWN; at = parent_of(choice, at))
		at->tree = TREE_WALKED;
	verdict = at && at->tree == TREE_IN ? TREE_IN : TREE_OUT;
	for (at = candidate; at && at->tree == TREE_WALKED; at = parent_of(choice, at))
		at->tree = verdict;
	candidate->chosen |= candidate->tree == TREE_IN;
}

static int take_chosen(struct choice *choice, struct error *error)
{
	struct selection *selection = choice->selection;
	size_t chosen = 0;

	selection->processes = calloc(choice->count ? choice->count : 1,
				      sizeof(*selection->processes));
	if (!selection->processes)
		return error_nomem(error);
	for (size_t i = 0; i < choice->count; i++) {
		struct candidate *c = &choice->candidates[i];

		chosen += c->chosen;
		selection->kernel += c->chosen && c->spaceless;
		if (c->chosen && c->alive && c->named && choice_has_user(choice, c->selected.pid) &&
		    choice_has_cgroup(choice, c->selected.pid))
			selection->processes[selection->count++] = c->selected;
	}
	if (selection->count)
		return 0;
	return error_set(error, ERROR_NOT_FOUND, NULL, "no process with an address space is in the "
			 "set%s", chosen && selection->kernel == chosen ?
			 ": kernel threads have none, and zombies have it no more" : "");
}

/* All, whatever they are: neither a name nor a parent has to be known, nor who would be stopped. */
static bool need_no_stat(const struct cli *cli, unsigned how)
{
	return how & SELECT_UNREAD && cli_selects_all(cli) && !cli_has(cli, "tree") &&
	       !cli_has(cli, "stop") && !cli->from;
}

static void take_all(struct choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		choice->candidates[i].alive = choice->candidates[i].named = true;
}

static void choose_trees(struct choice *choice)
{
	choice_read_candidates(choice);
	for (size_t i = 0; i < choice->count; i++)
		walk_tree(choice, &choice->candidates[i]);
}

static int choose(struct choice *choice, unsigned how, struct error *error)
{
	struct cli *cli = choice->cli;
	bool narrowed = cli_narrows(cli);
	bool rooted = cli->operand_count || cli_has(cli, "tree");
	bool all = cli_has(cli, "all") ||
		   (!rooted && (how & SELECT_ALL || narrowed || cli->from));
	int rc = choice_read_users(choice, error);

	if (rc >= 0 && !all && !rooted)
		rc = error_set(error, ERROR_USAGE, NULL, "which processes? give PIDs, --tree, "
			       "--cgroup, --user, --name or --all");
	if (rc >= 0)
		rc = find_roots(choice, error);
	if (rc >= 0 && (all || cli_has(cli, "tree")))
		rc = list_all(choice, error);
	else
		for (size_t i = 0; i < choice->root_count && rc >= 0; i++)
			rc = candidate_add(choice, choice->roots[i].pid, error);
	if (rc < 0)
		return rc;
	mark_roots(choice, all);
	choice->selection->unread = need_no_stat(cli, how);
	if (choice->selection->unread)
		take_all(choice);
	else
		choose_trees(choice);
	return take_chosen(choice, error);
}

int cli_select(struct cli *cli, unsigned how, struct selection *selection, struct error *error)
{
	struct selection found = { 0 };
	struct choice choice = { .cli = cli, .selection = &found, .text = BUF_INIT };
	int rc = cli_source(cli, error);

	if (rc >= 0)
		rc = choose(&choice, how, error);
	free(choice.candidates);
	free(choice.roots);
	free(choice.uids);
	buf_done(&choice.text);
	if (rc < 0) {
		selection_done(&found);
		return rc;
	}
	*selection = found;
	return 0;
}

void selection_done(struct selection *selection)
{
	free(selection->processes);
	*selection = (struct selection) { 0 };
}

pid_t *selection_pids(const struct selection *selection, struct error *error)
{
	pid_t *pids = calloc(selection->count + 1, sizeof(*pids));

	if (!pids)
		error_nomem(error);
	for (size_t i = 0; pids && i < selection->count; i++)
		pids[i] = selection->processes[i].pid;
	return pids;
}

bool cli_narrows(const struct cli *cli)
{
	return cli_has(cli, "user") || cli_has(cli, "name") || cli_has(cli, "cgroup");
}

bool cli_selects_all(const struct cli *cli)
{
	if (cli_narrows(cli))
		return false;
	return cli_has(cli, "all") || (!cli->operand_count && !cli_has(cli, "tree"));
}

/* include/linux/proc_ns.h: PROC_PID_INIT_INO, where all processes of the machine are. */
#define FIRST_PID_NAMESPACE 0xeffffffcULL

static bool in_first_namespace(const struct cli *cli)
{
	CLEANUP(source_process_freep) struct source_process *self = NULL;
	uint64_t number;

	return !cli->source || source_process_open(cli->source, getpid(), &self, NULL) < 0 ||
	       source_namespace(self, SOURCE_NAMESPACE_PID, &number, NULL) < 0 ||
	       number == FIRST_PID_NAMESPACE;
}

bool cli_has_outside(const struct cli *cli)
{
	return cli->from || !cli_selects_all(cli) || !in_first_namespace(cli);
}

int cli_top(struct cli *cli)
{
	const char *top = cli_value(cli, "top");
	uint64_t rows = 0;

	if (top && (!span_number(span_of(top), &rows) || !rows))
		return cli_usage_error(cli, "--top takes a number from 1, not \"%s\"", top);
	cli->report.top = rows;
	return 0;
}
