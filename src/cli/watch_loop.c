// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "watch.h"

/* What ends it from outside: a summary is still due. */
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* Signals wait until the sample at work is told: they are let in only while we sleep. */
static void catch_signals(sigset_t *sleeping)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal }, old;
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&blocked, numbers[i]);
	sigprocmask(SIG_BLOCK, &blocked, sleeping);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		sigdelset(sleeping, numbers[i]);
		/* nohup: what outlives its terminal shall go on. */
		if (numbers[i] != SIGHUP || sigaction(SIGHUP, NULL, &old) < 0 ||
		    old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

/* The next time on a grid from the start; what is overdue is left out. */
static void sleep_until_next(const struct watch *watch, const sigset_t *sleeping)
{
	uint64_t step = watch->interval_ms * 1000;
	uint64_t past = report_clock_us() - watch->start_us;
	uint64_t wait = step - past % step;
	struct timespec time = { (time_t)(wait / 1000000), (long)(wait % 1000000 * 1000) };

	if (ppoll(NULL, 0, &time, sleeping) < 0 && errno != EINTR)
		stopped = 1;
}

/* A bound that cannot be measured must not look as if it held. */
static int check_known(const struct watch_target *target, const struct watch_condition *condition,
		       struct error *error)
{
	enum gap gap = target->watched.now.gap[condition->counter];
	char item[64];

	/* What changed while it was read may be known the next time. */
	if (gap == GAP_NONE || gap == GAP_CHANGED || target->watched.event == WATCH_EXIT)
		return 0;
	snprintf(item, sizeof(item), "%.*s", (int)condition->text.len, condition->text.ptr);
	return error_set(error, ERROR_DENIED, item, "cannot be told of %d: %s",
			 (int)target->watched.pid, gap_phrase(gap));
}

static int check(struct watch_target *target, const struct watch_condition *conditions,
		 size_t count, bool *met, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		int64_t number;

		if (check_known(target, &conditions[i], error) < 0)
			return -ERROR_DENIED;
		if (watch_condition_met(&conditions[i], &target->watched, &number) <= 0)
			continue;
		*met = true;
		target->met = conditions[i].text.ptr;
	}
	return 0;
}

static struct watch_view view_of(const struct watch *watch, const struct watch_target *target)
{
	return (struct watch_view) {
		.watched = &target->watched, .curve = &target->curve, .counter = watch->counter,
		.met = target->met, .json = watch->cli->report.format == REPORT_JSON,
	};
}

static int take_sample(struct watch *watch, struct watch_target *target, struct error *error)
{
	int rc = watched_sample(&target->watched, error);

	target->met = NULL;
	if (rc >= 0)
		rc = check(target, watch->until, watch->until_count, &watch->met_until, error);
	if (rc >= 0)
		rc = check(target, watch->fail, watch->fail_count, &watch->met_fail, error);
	if (rc < 0)
		return rc;
	target->ended = target->watched.event == WATCH_EXIT;
	if (target->watched.now.gap[watch->counter] == GAP_NONE)
		watch_curve_add(&target->curve, target->watched.now.value[watch->counter]);
	return 0;
}

static int tell_document(struct cli *cli, struct report *report, struct source_process *process,
			 struct error *error)
{
	const struct watch *watch = cli->own;
	struct watch_view view = view_of(watch, watch->at);

	(void)process;
	(void)error;
	return report_watch_sample(report, &view);
}

/* One document a line, complete when its sample is. */
static int tell_json(struct watch *watch, struct watch_target *target)
{
	int status;

	watch->at = target;
	watch->cli->start_us = target->watched.now.at_us;
	status = cli_one_document(watch->cli, "vmatlas/watch", tell_document);
	return fflush(stdout) ? STATUS_FAILED : status;
}

static int tell_row(const struct watch *watch, const struct watch_target *target,
		    struct report *report)
{
	struct watch_view view = view_of(watch, target);

	if (report_row(report, &view) < 0)
		return -1;
	return report_sync(report);
}

static bool is_over(const struct watch *watch)
{
	size_t ended = 0;

	for (size_t i = 0; i < watch->count; i++)
		ended += watch->targets[i].ended;
	return stopped || ended == watch->count || watch->met_until || watch->met_fail ||
	       (watch->samples && watch->rounds >= watch->samples) ||
	       (watch->time_ms && report_clock_us() - watch->start_us >= watch->time_ms * 1000);
}

/* All processes once; report NULL: JSON. Positive: the status of a document that failed. */
static int round_of(struct watch *watch, struct report *report, struct error *error)
{
	int rc = 0;

	for (size_t i = 0; i < watch->count && rc == 0; i++) {
		struct watch_target *target = &watch->targets[i];

		if (target->ended)
			continue;
		rc = take_sample(watch, target, error);
		if (rc >= 0)
			rc = report ? tell_row(watch, target, report) : tell_json(watch, target);
	}
	watch->rounds++;
	return rc;
}

static int rounds(struct watch *watch, struct report *report, struct error *error)
{
	sigset_t sleeping;
	int rc;

	catch_signals(&sleeping);
	watch->start_us = report_clock_us();
	while ((rc = round_of(watch, report, error)) == 0 && !is_over(watch))
		sleep_until_next(watch, &sleeping);
	return rc;
}

/* What looking costs the target: it is held up only while the kernel walks its page table. */
static void tell_cost(const struct watch *watch, struct report *report)
{
	const struct watch_sample *now = &watch->targets[0].watched.now;
	static const char *const ways[] = {
		"stat and status: no page is looked at", "smaps_rollup", "maps and pagemap"
	};
	int way = watch->needs & WATCH_NEED_PAGES ? 2 : watch->needs & WATCH_NEED_ROLLUP ? 1 : 0;

	report_prose(report, "%llu sample%s. The last one took %llu.%02llu ms and %llu calls, from "
		     "%s.%s", (unsigned long long)watch->rounds, plural(watch->rounds),
		     (unsigned long long)now->cost_us / 1000,
		     (unsigned long long)now->cost_us / 10 % 100,
		     (unsigned long long)now->cost_calls, ways[way],
		     now->cost_us > watch->interval_ms * 100 ?
		     " That is more than a tenth of the interval; -o rss,swap,faults costs least." :
		     "");
}

static int show_table(struct cli *cli, struct report *report, struct source_process *process,
		      struct error *error)
{
	struct watch *watch = cli->own;
	int rc = report_table_begin(report, "samples", NULL, &watch->columns, NULL, 0);

	(void)process;
	if (rc >= 0)
		rc = report_sync(report);
	if (rc >= 0)
		rc = rounds(watch, report, error);
	if (rc < 0)
		return rc;
	report_table_end(report);
	for (size_t i = 0; i < watch->count; i++) {
		struct watch_view view = view_of(watch, &watch->targets[i]);

		report_watch_summary(report, &view);
	}
	tell_cost(watch, report);
	return report_sync(report);
}

static int show_json(struct watch *watch)
{
	struct error error = ERROR_INIT;
	int rc;

	watch->cli->report.one_line = true;
	rc = rounds(watch, NULL, &error);
	return rc < 0 ? cli_error(&error) : rc;
}

/* On stderr, wherever the samples go. */
static void tell_met(const struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->targets[i].met && watch->met_fail)
			fprintf(stderr, "vmatlas: %d: %s\n", (int)watch->targets[i].watched.pid,
				watch->targets[i].met);
}

int watch_loop(struct watch *watch)
{
	bool json = watch->cli->report.format == REPORT_JSON;
	int status;

	watch->cli->own = watch;
	status = json ? show_json(watch) :
			cli_one_document(watch->cli, "vmatlas/watch", show_table);
	if (status != STATUS_OK || !watch->met_fail)
		return status;
	tell_met(watch);
	return STATUS_CONDITION;
}
