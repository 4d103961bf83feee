// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "watch.h"

#define INTERVAL_LEAST 10u	/* ms: more often says nothing new and only costs */

static int take_interval(struct watch *watch, struct error *error)
{
	const char *text = cli_value(watch->cli, "interval");

	watch->interval_ms = 1000;
	if (text && (!watch_time_parse(span_of(text), &watch->interval_ms) ||
		     watch->interval_ms < INTERVAL_LEAST))
		return error_set(error, ERROR_USAGE, text, "--interval takes a time of at least "
				 "10ms, like 250ms, 2s, 5m");
	return 0;
}

static int take_count(struct watch *watch, struct error *error)
{
	const char *text = cli_value(watch->cli, "count");

	if (text && (!span_number(span_of(text), &watch->samples) || !watch->samples))
		return error_set(error, ERROR_USAGE, text, "--count takes a number of samples");
	return 0;
}

static int add_condition(struct watch_condition *list, size_t *count, const char *text,
			 struct error *error)
{
	if (*count == WATCH_CONDITIONS)
		return error_set(error, ERROR_USAGE, text, "at most %d conditions",
				 WATCH_CONDITIONS);
	return watch_condition_parse(span_of(text), &list[(*count)++], error);
}

static bool is_condition(const char *text)
{
	return strpbrk(text, "<>=!") != NULL;
}

static int take_until(struct watch *watch, const char *text, struct error *error)
{
	if (!strcmp(text, "exit"))
		return 0;		/* it ends then anyway */
	if (is_condition(text))
		return add_condition(watch->until, &watch->until_count, text, error);
	if (!watch_time_parse(span_of(text), &watch->time_ms) || !watch->time_ms)
		return error_set(error, ERROR_USAGE, text, "--until takes a time like 30s, a "
				 "condition like 'rss>1G', or exit");
	return 0;
}

static int take_conditions(struct watch *watch, struct error *error)
{
	const char *text;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && (text = cli_value_at(watch->cli, "until", i)); i++)
		rc = take_until(watch, text, error);
	for (size_t i = 0; rc >= 0 && (text = cli_value_at(watch->cli, "fail-if", i)); i++)
		rc = add_condition(watch->fail, &watch->fail_count, text, error);
	return rc;
}

static int take_curve(struct watch *watch, struct error *error)
{
	const char *text = cli_value(watch->cli, "curve");
	uint64_t counter = WATCH_RSS;

	if (text && name_value(watch_counter_names, span_of(text), &counter) < 0)
		return error_set(error, ERROR_USAGE, text, "--curve takes a counter: rss pss uss "
				 "swap copied shared anon vss pagetables vmas threads faults "
				 "majflt");
	watch->counter = (enum watch_counter)counter;
	return 0;
}

/* The cheapest reading that has all that is shown or asked about. */
static void choose_needs(struct watch *watch)
{
	const struct cli *cli = watch->cli;
	bool all = cli->report.format == REPORT_JSON && !cli->columns;

	watch->needs = watch_counter_needs(watch->counter);
	watch->needs |= all ? WATCH_NEED_STAT | WATCH_NEED_ROLLUP | WATCH_NEED_PAGES :
			      column_set_needs(&watch->columns, false);
	for (size_t i = 0; i < watch->until_count; i++)
		watch->needs |= watch_counter_needs(watch->until[i].counter);
	for (size_t i = 0; i < watch->fail_count; i++)
		watch->needs |= watch_counter_needs(watch->fail[i].counter);
}

int watch_options(struct watch *watch, struct error *error)
{
	const struct cli *cli = watch->cli;

	if (cli->from)
		return error_set(error, ERROR_USAGE, cli->from, "only live processes can be "
				 "watched; diff compares snapshots");
	if (take_interval(watch, error) < 0 || take_count(watch, error) < 0 ||
	    take_conditions(watch, error) < 0 || take_curve(watch, error) < 0)
		return -ERROR_USAGE;
	if (column_set_choose(&watch->columns, watch_columns, cli->columns, cli->report.verbose,
			      error) < 0)
		return -ERROR_USAGE;
	choose_needs(watch);
	return 0;
}
