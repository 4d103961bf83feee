// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>

#include "select.h"
#include "vmatlas/parse/cgroup.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/parse/status.h"

#define THREAD_WORTH 64u	/* processes: a thread takes as long to start as some ten of them */

enum tree { TREE_UNKNOWN, TREE_WALKED, TREE_OUT, TREE_IN };

/* One process that may be chosen. */
struct candidate {
	struct selected selected;
	enum tree tree;
	bool chosen;		/* by an operand, by --tree, or because all are */
	bool alive;		/* it has an address space */
	bool spaceless;		/* it has none: a kernel thread, or a zombie */
	bool named;		/* as --name wants it */
};

/* What an operand or --tree named. */
struct root {
	pid_t pid;
	bool tree;
};

struct choice {
	struct cli *cli;
	struct selection *selection;
	struct candidate *candidates;
	size_t count;
	size_t cap;
	struct root *roots;
	size_t root_count;
	size_t root_cap;
	uint64_t *uids;			/* of --user */
	size_t uid_count;
	struct buf text;		/* used again and again */
};

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

static int read_text(struct choice *choice, pid_t pid, enum source_text what)
{
	struct error error = ERROR_INIT;

	buf_clear(&choice->text);
	return source_pid_text(choice->cli->source, pid, what, &choice->text, &error) < 0 ?
		-(int)error.code : 0;
}

static void count_unread(struct choice *choice, int rc)
{
	if (rc == -ERROR_GONE || rc == -ERROR_NOT_FOUND)
		choice->selection->gone++;
	else
		choice->selection->refused++;
}

/* Of one that is chosen. */
static bool can_read(struct choice *choice, pid_t pid, enum source_text what)
{
	int rc = read_text(choice, pid, what);

	if (rc < 0)
		count_unread(choice, rc);
	return rc >= 0;
}

static bool has_name(const struct cli *cli, struct span comm)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	const char *pattern;

	if (!cli_has(cli, "name"))
		return true;
	if (buf_add_span(&name, comm) < 0)
		return false;
	for (size_t i = 0; (pattern = cli_value_at(cli, "name", i)); i++)
		if (!strcmp(pattern, buf_str(&name)) || !fnmatch(pattern, buf_str(&name), 0))
			return true;
	return false;
}

static bool has_user(struct choice *choice, pid_t pid)
{
	struct status status;

	if (!choice->uid_count)
		return true;
	if (!can_read(choice, pid, SOURCE_STATUS))
		return false;
	if (status_parse(buf_span(&choice->text), &status, NULL) < 0 ||
	    !status_has(&status, STATUS_UID)) {
		choice->selection->refused++;
		return false;
	}
	for (size_t i = 0; i < choice->uid_count; i++)
		if (choice->uids[i] == status.effective_uid)
			return true;
	return false;
}

static bool has_cgroup(struct choice *choice, pid_t pid)
{
	struct cgroup_line line;
	const char *pattern;
	struct span text;

	if (!cli_has(choice->cli, "cgroup"))
		return true;
	if (!can_read(choice, pid, SOURCE_CGROUP))
		return false;
	text = buf_span(&choice->text);
	while (cgroup_take_line(&text, &line))
		for (size_t i = 0; (pattern = cli_value_at(choice->cli, "cgroup", i)); i++)
			if (cgroup_matches(&line, pattern))
				return true;
	return false;
}

/* Who is not chosen by now might be of a tree, but nobody knows. A bare maps text is a process as
 * well, though nothing tells its name and parent. */
static void candidate_unread(struct choice *choice, struct candidate *candidate, int rc)
{
	candidate->alive = rc == -ERROR_NOT_RECORDED;
	candidate->named = !cli_has(choice->cli, "name");
	if (!candidate->alive && candidate->chosen)
		count_unread(choice, rc);
}

static void candidate_read(struct choice *choice, struct candidate *candidate)
{
	struct stat_record stat;
	int rc = read_text(choice, candidate->selected.pid, SOURCE_STAT);

	if (rc >= 0 && stat_parse(buf_span(&choice->text), &stat, NULL) < 0)
		rc = -ERROR_PARSE;
	if (rc < 0) {
		candidate_unread(choice, candidate, rc);
		return;
	}
	candidate->selected.ppid = (pid_t)stat.ppid;
	candidate->selected.start_time = stat.start_time;
	/* A leader that ended before its threads is a zombie with an address space. */
	candidate->alive = !(stat.flags & STAT_PF_KTHREAD) &&
		(!strchr("ZXx", stat.state) || stat.threads > 1);
	candidate->named = has_name(choice->cli, stat.comm);
	candidate->spaceless = !candidate->alive;
}

/* Every second candidate; what was left out is counted apart. */
struct half {
	struct choice choice;
	struct selection selection;
	size_t first;
};

static void *read_half(void *arg)
{
	struct half *half = arg;

	half->choice.selection = &half->selection;
	half->choice.text = (struct buf)BUF_INIT;
	for (size_t i = half->first; i < half->choice.count; i += 2)
		candidate_read(&half->choice, &half->choice.candidates[i]);
	buf_done(&half->choice.text);
	return NULL;
}

/* Where all processes are listed this takes a tenth of the whole time. */
static void read_candidates(struct choice *choice)
{
	struct half halves[2] = { { .choice = *choice, .first = 0 },
				  { .choice = *choice, .first = 1 } };
	bool threaded = choice->count >= THREAD_WORTH && choice->cli->threads != 1;
	pthread_t thread;

	threaded = threaded && !pthread_create(&thread, NULL, read_half, &halves[1]);
	read_half(&halves[0]);
	if (threaded)
		pthread_join(thread, NULL);
	else
		read_half(&halves[1]);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		choice->selection->gone += halves[i].selection.gone;
		choice->selection->refused += halves[i].selection.refused;
	}
}

static int choose_users(struct choice *choice, struct error *error)
{
	const char *name;

	for (size_t i = 0; (name = cli_value_at(choice->cli, "user", i)); i++) {
		uint64_t *uids = reallocarray(choice->uids, i + 1, sizeof(*uids));

		if (!uids)
			return error_nomem(error);
		choice->uids = uids;
		if (!span_number(span_of(name), &uids[i]) &&
		    source_user_id(choice->cli->source, name, &uids[i], error) < 0)
			return -1;
		choice->uid_count = i + 1;
	}
	return 0;
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
		if (c->chosen && c->alive && c->named && has_user(choice, c->selected.pid) &&
		    has_cgroup(choice, c->selected.pid))
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
	read_candidates(choice);
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
	int rc = choose_users(choice, error);

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
