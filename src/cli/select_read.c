// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <fnmatch.h>
#include <pthread.h>

#include "select_choice.h"
#include "vmatlas/parse/cgroup.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/parse/status.h"

#define THREAD_WORTH 64u	/* processes: a thread takes as long to start as some ten of them */

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

bool choice_has_user(struct choice *choice, pid_t pid)
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

bool choice_has_cgroup(struct choice *choice, pid_t pid)
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
void choice_read_candidates(struct choice *choice)
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

int choice_read_users(struct choice *choice, struct error *error)
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
