// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "diff.h"
#include "vmatlas/analyse/classify.h"

/* Counters of every VMA cost a walk of their own: above this much resident memory they are read
 * only where pages cannot be. */
#define SMAPS_RESIDENT (64u << 20)

static void close_pair(struct diff *diff)
{
	for (int side = 0; side < SIDE_MAX; side++) {
		process_free(diff->at[side].loaded);
		source_process_free(diff->at[side].source);
		diff->at[side] = (struct diff_process) { .source = NULL };
	}
}

void diff_done(struct diff *diff)
{
	close_pair(diff);
	compare_group_done(&diff->group);
	for (int side = 0; side < SIDE_MAX; side++) {
		free(diff->side[side].pids);
		source_free(diff->side[side].source);
	}
}

struct source *diff_source(const struct diff *diff, enum compare_side side)
{
	return diff->side[side].source ? diff->side[side].source : diff->live;
}

bool diff_is_group(const struct diff *diff)
{
	return diff->side[BEFORE].count > 1 || diff->side[AFTER].count > 1;
}

static int one_pid(struct diff_operand *operand, pid_t pid, struct error *error)
{
	operand->pids = calloc(1, sizeof(*operand->pids));
	if (!operand->pids)
		return error_nomem(error);
	operand->pids[0] = pid;
	operand->count = 1;
	return 0;
}

/* "DIR:4242": a colon with digits at the end names one of several processes. */
static int open_snapshot(const struct diff *diff, struct diff_operand *operand,
			 struct error *error)
{
	CLEANUP_FREE char *path = strdup(operand->word);
	char *colon = path ? strrchr(path, ':') : NULL;
	uint64_t pid = 0;
	bool named;

	if (!path)
		return error_nomem(error);
	named = colon && span_number(span_of(colon + 1), &pid) && pid && pid <= INT32_MAX;
	if (named)
		*colon = '\0';
	if (source_folder(&operand->source, path, error) < 0)
		return -1;
	if (!diff->live)
		cli_set_reader(false);
	if (named)
		return one_pid(operand, (pid_t)pid, error);
	if (source_pids(operand->source, &operand->pids, &operand->count, error) < 0)
		return -1;
	return operand->count ? 0 : error_set(error, ERROR_NOT_FOUND, operand->word,
					      "no process is recorded there");
}

static int open_live(struct diff *diff, struct diff_operand *operand, struct error *error)
{
	struct cli *cli = diff->cli;
	pid_t pid = 0;
	int rc = 0;

	if (!cli->source) {
		rc = source_live(&cli->source, error);
		if (rc < 0)
			return rc;
		source_set_remote_files(cli->source, cli->remote_files);
		cli_set_reader(true);
	}
	diff->live = cli->source;
	rc = cli_pid(cli, operand->word, &pid, error);
	return rc < 0 ? rc : one_pid(operand, pid, error);
}

/* --from names the first one. */
static int take_operands(struct diff *diff, struct error *error)
{
	struct cli *cli = diff->cli;
	size_t given = cli->operand_count + (cli->from != NULL), at = 0;

	if (given != SIDE_MAX)
		return error_set(error, ERROR_USAGE, NULL, "which two? give two of PID, self, "
				 "NAME, and paths of snapshots with a /, SNAPSHOT:PID");
	if (cli->from)
		diff->side[at++] = (struct diff_operand) { .word = cli->from, .snapshot = true };
	for (size_t i = 0; i < cli->operand_count; i++)
		diff->side[at++] = (struct diff_operand) {
			.word = cli->operands[i], .snapshot = strchr(cli->operands[i], '/') != NULL
		};
	cli->from = NULL;	/* PIDs are live ones */
	return 0;
}

/* What differs here makes everything differ. */
static int check_hosts(const struct diff *diff, struct error *error)
{
	const struct source_host *before = source_host(diff_source(diff, BEFORE));
	const struct source_host *after = source_host(diff_source(diff, AFTER));

	if (before->page_size != after->page_size)
		return error_set(error, ERROR_USAGE, NULL, "pages of %u and of %u bytes cannot be "
				 "compared", before->page_size, after->page_size);
	if (before->machine[0] && after->machine[0] && strcmp(before->machine, after->machine))
		return error_set(error, ERROR_USAGE, NULL, "processes of %s and of %s cannot be "
				 "compared", before->machine, after->machine);
	return 0;
}

/* One process on a side against several: its namesake is meant. */
static int narrow(struct diff *diff, struct error *error)
{
	for (int side = 0; side < SIDE_MAX; side++) {
		struct diff_operand *one = &diff->side[side];
		struct diff_operand *many = &diff->side[side == BEFORE ? AFTER : BEFORE];

		if (one->count != 1 || many->count == 1)
			continue;
		for (size_t i = 0; i < many->count; i++)
			if (many->pids[i] == one->pids[0]) {
				many->pids[0] = many->pids[i];
				many->count = 1;
			}
		if (many->count > 1)
			return error_set(error, ERROR_USAGE, many->word, "holds %zu processes, "
					 "none of them %d: which one? SNAPSHOT:PID", many->count,
					 (int)one->pids[0]);
	}
	return 0;
}

int diff_open(struct diff *diff, struct error *error)
{
	int rc = take_operands(diff, error);

	for (int side = 0; side < SIDE_MAX && rc >= 0; side++) {
		struct diff_operand *operand = &diff->side[side];

		rc = operand->snapshot ? open_snapshot(diff, operand, error) :
					 open_live(diff, operand, error);
		if (rc < 0 && error->code != ERROR_USAGE && !error->item[0])
			snprintf(error->item, sizeof(error->item), "%s", operand->word);
	}
	if (rc >= 0)
		rc = check_hosts(diff, error);
	return rc < 0 ? rc : narrow(diff, error);
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
		if (!diff->at[side].source)
			continue;
		pages &= compare_pages_access(diff->at[side].source) == GAP_NONE;
		small &= is_small(diff->at[side].source);
	}
	if (pages && !small)
		needs = PROCESS_NEED_ELF;
	for (int side = 0; side < SIDE_MAX && rc >= 0; side++) {
		struct diff_process *at = &diff->at[side];

		if (at->source)
			activity_read(at->source, &at->before);
		if (at->source)
			rc = process_load(at->source, needs, &at->loaded, error);
		if (rc >= 0 && at->source)
			rc = classify_process(at->loaded, error);
		if (rc < 0 && !error->item[0])
			snprintf(error->item, sizeof(error->item), "%s", diff->side[side].word);
	}
	return rc;
}

static bool has_next(const struct diff *diff, enum compare_side side)
{
	return diff->next[side] < diff->side[side].count;
}

/* Which sides the next process is on: bits. Two single ones are a pair whatever their PIDs. */
static unsigned next_sides(const struct diff *diff)
{
	pid_t before, after;

	if (!has_next(diff, BEFORE) || !has_next(diff, AFTER))
		return has_next(diff, BEFORE) << BEFORE | has_next(diff, AFTER) << AFTER;
	before = diff->side[BEFORE].pids[diff->next[BEFORE]];
	after = diff->side[AFTER].pids[diff->next[AFTER]];
	if (!diff_is_group(diff) || before == after)
		return 1u << BEFORE | 1u << AFTER;
	return before < after ? 1u << BEFORE : 1u << AFTER;
}

int diff_next(struct diff *diff, struct error *error)
{
	unsigned sides = next_sides(diff);
	int rc = 0;

	close_pair(diff);
	if (!sides)
		return 0;
	for (int side = 0; side < SIDE_MAX && rc >= 0; side++)
		if (sides >> side & 1) {
			pid_t pid = diff->side[side].pids[diff->next[side]++];

			rc = source_process_open(diff_source(diff, side), pid,
						 &diff->at[side].source, error);
			if (rc < 0 && !error->item[0])
				snprintf(error->item, sizeof(error->item), "%s",
					 diff->side[side].word);
		}
	if (rc >= 0)
		rc = load(diff, error);
	return rc < 0 ? rc : 1;
}
