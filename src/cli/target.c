// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "cli.h"
#include "vmatlas/render/escape.h"

void cli_set_reader(bool live)
{
	gap_set_reader(!live ? GAP_READER_SNAPSHOT :
		       geteuid() ? GAP_READER_USER : GAP_READER_ROOT);
}

int cli_source(struct cli *cli, struct error *error)
{
	int rc;

	if (cli->source)
		return 0;
	if (!cli->from && !cli->command->own_paths && cli->operand_count &&
	    strchr(cli->operands[0], '/')) {
		cli->from = cli->operands[0];
		cli->operands++;
		cli->operand_count--;
	}
	rc = cli->from ? source_folder(&cli->source, cli->from, error) :
			 source_live(&cli->source, error);
	if (rc < 0)
		return rc;
	cli_set_reader(!cli->from);
	source_set_remote_files(cli->source, cli->remote_files);
	source_set_parallel(cli->source, cli->threads);
	return 0;
}

struct pid_list {
	pid_t *pids;
	size_t count;
	size_t cap;
};

static int pid_list_add(struct pid_list *list, pid_t pid, struct error *error)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->pids[i] == pid)
			return 0;
	if (array_grow((void **)&list->pids, &list->cap, list->count, sizeof(pid)) < 0)
		return error_nomem(error);
	list->pids[list->count++] = pid;
	return 0;
}

/* comm without its newline. A process that ends meanwhile has none. */
static bool comm_is(struct source *source, pid_t pid, const char *name)
{
	CLEANUP(source_process_freep) struct source_process *process = NULL;
	CLEANUP(buf_done) struct buf comm = BUF_INIT;

	if (source_process_open(source, pid, &process, NULL) < 0 ||
	    source_text(process, 0, SOURCE_COMM, &comm, NULL) < 0)
		return false;
	if (comm.len && comm.data[comm.len - 1] == '\n')
		comm.len--;
	return span_is(buf_span(&comm), name);
}

static void list_candidates(const char *name, const struct pid_list *found)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	escape_add(&text, span_of(name), ESCAPE_TERMINAL);
	for (size_t i = 0; i < found->count; i++)
		fprintf(stderr, "%8d %s\n", (int)found->pids[i], buf_str(&text));
}

static int find_named(struct cli *cli, const char *name, struct pid_list *found,
		      struct error *error)
{
	CLEANUP_FREE pid_t *all = NULL;
	size_t count = 0;
	int rc = source_pids(cli->source, &all, &count, error);

	for (size_t i = 0; i < count && rc >= 0; i++)
		if (comm_is(cli->source, all[i], name))
			rc = pid_list_add(found, all[i], error);
	return rc;
}

int cli_named(struct cli *cli, const char *name, size_t *count, struct error *error)
{
	struct pid_list found = { NULL, 0, 0 };
	int rc = find_named(cli, name, &found, error);

	if (rc >= 0)
		*count = found.count;
	free(found.pids);
	return rc;
}

static int find_name(struct cli *cli, const char *name, pid_t *pid, struct error *error)
{
	struct pid_list found = { NULL, 0, 0 };
	int rc = find_named(cli, name, &found, error);

	if (rc >= 0 && found.count == 1)
		*pid = found.pids[0];
	else if (rc >= 0 && !found.count && !cli->from && access(name, F_OK) == 0)
		rc = error_set(error, ERROR_NOT_FOUND, name, "no process has this name; for the "
			       "file say ./%s", name);
	else if (rc >= 0 && !found.count)
		rc = error_set(error, ERROR_NOT_FOUND, name, "no process has this name; give a "
			       "PID, self, a name as in /proc/PID/comm, or a path with a /");
	else if (rc >= 0)
		list_candidates(name, &found);
	if (rc >= 0 && found.count > 1)
		rc = error_set(error, ERROR_NOT_FOUND, name,
			       "%zu processes have this name; give one of these PIDs",
			       found.count);
	free(found.pids);
	return rc;
}

int cli_pid(struct cli *cli, const char *word, pid_t *pid, struct error *error)
{
	uint64_t number;

	if (!strcmp(word, "self") && cli->from)
		return error_set(error, ERROR_NOT_FOUND, word, "this process is in no snapshot");
	if (!strcmp(word, "self"))
		return *pid = getpid(), 0;
	if (!span_number(span_of(word), &number))
		return find_name(cli, word, pid, error);
	if (!number || number > INT32_MAX)
		return error_set(error, ERROR_NOT_FOUND, word, "no such process");
	*pid = (pid_t)number;
	return 0;
}

static int add_operand(struct cli *cli, struct pid_list *list, const char *word,
		       struct error *error)
{
	pid_t pid = 0;
	int rc = cli_pid(cli, word, &pid, error);

	return rc < 0 ? rc : pid_list_add(list, pid, error);
}

/* All that a snapshot holds. */
static int add_recorded(struct cli *cli, struct pid_list *list, struct error *error)
{
	int rc = source_pids(cli->source, &list->pids, &list->count, error);

	if (rc >= 0 && !list->count)
		return error_set(error, ERROR_NOT_FOUND, cli->from, "no process is recorded there");
	return rc;
}

int cli_pids(struct cli *cli, pid_t **pids, size_t *count, struct error *error)
{
	struct pid_list list = { NULL, 0, 0 };
	int rc = cli_source(cli, error);

	if (rc >= 0 && !cli->operand_count && cli->from)
		rc = add_recorded(cli, &list, error);
	else if (rc >= 0 && !cli->operand_count)
		rc = error_set(error, ERROR_USAGE, NULL, "which process? give a PID, self, a "
			       "name, or --from SNAPSHOT");
	for (size_t i = 0; i < cli->operand_count && rc >= 0; i++)
		rc = add_operand(cli, &list, cli->operands[i], error);
	if (rc < 0) {
		free(list.pids);
		return rc;
	}
	*pids = list.pids;
	*count = list.count;
	return 0;
}
