// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/analyse/watch.h"

#include <stdio.h>

const struct name watch_counter_names[] = {
	{ WATCH_RSS, "rss", "resident memory" },
	{ WATCH_PSS, "pss", "resident memory, each page divided by its mappings" },
	{ WATCH_USS, "uss", "resident memory that nobody else maps" },
	{ WATCH_SWAP, "swap", "memory in swap slots" },
	{ WATCH_COPIED, "copied", "private copies of file pages" },
	{ WATCH_SHARED, "shared", "private memory that others map too" },
	{ WATCH_ANON, "anon", "resident anonymous memory" },
	{ WATCH_VSS, "vss", "address space" },
	{ WATCH_TABLES, "pagetables", "page tables" },
	{ WATCH_VMAS, "vmas", "number of VMAs" },
	{ WATCH_THREADS, "threads", "number of threads" },
	{ WATCH_FAULTS, "faults", "page faults" },
	{ WATCH_MAJOR, "majflt", "major page faults" },
	{ 0, NULL, NULL }
};

static const unsigned counter_needs[WATCH_COUNTER_MAX] = {
	[WATCH_RSS] = WATCH_NEED_STAT,
	[WATCH_PSS] = WATCH_NEED_ROLLUP,
	[WATCH_USS] = WATCH_NEED_ROLLUP,
	[WATCH_SWAP] = WATCH_NEED_STAT,
	[WATCH_COPIED] = WATCH_NEED_PAGES,
	[WATCH_SHARED] = WATCH_NEED_PAGES,
	[WATCH_ANON] = WATCH_NEED_STAT,
	[WATCH_VSS] = WATCH_NEED_STAT,
	[WATCH_TABLES] = WATCH_NEED_STAT,
	[WATCH_VMAS] = WATCH_NEED_PAGES,
	[WATCH_THREADS] = WATCH_NEED_STAT,
	[WATCH_FAULTS] = WATCH_NEED_STAT,
	[WATCH_MAJOR] = WATCH_NEED_STAT,
};

unsigned watch_counter_needs(enum watch_counter counter)
{
	return counter_needs[counter];
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{ "", 1 }, { "B", 1 },
	{ "K", 1ull << 10 }, { "KiB", 1ull << 10 }, { "k", 1ull << 10 },
	{ "M", 1ull << 20 }, { "MiB", 1ull << 20 },
	{ "G", 1ull << 30 }, { "GiB", 1ull << 30 },
	{ "T", 1ull << 40 }, { "TiB", 1ull << 40 },
	{ NULL, 0 }
};

static const struct unit times[] = {
	{ "ms", 1 }, { "", 1000 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 },
	{ "h", 3600000 }, { NULL, 0 }
};

static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };

/* Digits behind the point as a part of 10^9; more than nine are cut. */
static bool take_fraction(struct span *s, uint64_t *billionths)
{
	uint64_t scale = 1000000000, value = 0;
	size_t digits = 0;

	while (s->len && s->ptr[0] >= '0' && s->ptr[0] <= '9') {
		scale /= 10;
		value += (uint64_t)(s->ptr[0] - '0') * scale;
		*s = (struct span) { s->ptr + 1, s->len - 1 };
		digits++;
	}
	*billionths = value;
	return digits > 0;
}

/* "1.5G": nothing may follow. */
static bool number_parse(struct span s, const struct unit *units, uint64_t *number)
{
	uint64_t whole, billionths = 0, value;

	if (!span_take_dec(&s, &whole) ||
	    (span_take_char(&s, '.') && !take_fraction(&s, &billionths)))
		return false;
	for (; units->name; units++)
		if (span_is(s, units->name))
			break;
	if (!units->name || __builtin_mul_overflow(whole, units->factor, &value) ||
	    (billionths && units->factor == 1) ||
	    __builtin_add_overflow(value, (uint64_t)((unsigned __int128)units->factor *
						     billionths / 1000000000), &value) ||
	    value > INT64_MAX)
		return false;
	*number = value;
	return true;
}

bool watch_time_parse(struct span text, uint64_t *milliseconds)
{
	return number_parse(text, times, milliseconds);
}

static const struct {
	const char *text;
	enum watch_relation relation;
} relations[] = {
	{ ">=", RELATION_NOT_BELOW }, { "<=", RELATION_NOT_ABOVE }, { "==", RELATION_EQUAL },
	{ "!=", RELATION_NOT_EQUAL }, { ">", RELATION_ABOVE }, { "<", RELATION_BELOW },
	{ "=", RELATION_EQUAL },
};

static bool take_relation(struct span *s, enum watch_relation *relation)
{
	for (size_t i = 0; i < ARRAY_SIZE(relations); i++)
		if (span_starts(*s, relations[i].text)) {
			size_t len = strlen(relations[i].text);

			*relation = relations[i].relation;
			*s = (struct span) { s->ptr + len, s->len - len };
			return true;
		}
	return false;
}

/* "delta.rss", "rss/s" */
static bool take_measure(struct span word, struct watch_condition *condition)
{
	uint64_t counter;

	condition->measure = MEASURE_VALUE;
	if (span_starts(word, "delta.")) {
		condition->measure = MEASURE_DELTA;
		word = (struct span) { word.ptr + 6, word.len - 6 };
	} else if (span_ends(word, "/s")) {
		condition->measure = MEASURE_RATE;
		word.len -= 2;
	}
	if (name_value(watch_counter_names, word, &counter) < 0)
		return false;
	condition->counter = (enum watch_counter)counter;
	return true;
}

static int usage(struct span text, struct error *error, const char *why)
{
	char item[128];

	snprintf(item, sizeof(item), "%.*s", (int)text.len, text.ptr);
	return error_set(error, ERROR_USAGE, item, "%s", why);
}

int watch_condition_parse(struct span text, struct watch_condition *condition,
			  struct error *error)
{
	struct watch_condition made = { .text = text };
	struct span rest = text, word;
	bool negative;
	uint64_t number;
	size_t len = 0;

	while (len < text.len && !memchr("<>=!", text.ptr[len], 4))
		len++;
	word = span_trim((struct span) { text.ptr, len });
	rest = (struct span) { text.ptr + len, text.len - len };
	if (!take_relation(&rest, &made.relation))
		return usage(text, error,
			     "a condition is COUNTER > NUMBER, also with >= < <= == !=");
	if (!take_measure(word, &made))
		return usage(text, error, "not a counter; they are rss pss uss swap copied shared "
			     "anon vss pagetables vmas threads faults majflt, delta.COUNTER and "
			     "COUNTER/s");
	rest = span_trim(rest);
	negative = made.measure != MEASURE_VALUE && span_take_char(&rest, '-');
	if (!number_parse(rest, watch_is_size(made.counter) ? sizes : plain, &number))
		return usage(text, error, watch_is_size(made.counter) ?
			     "not a size; they are like 4096, 64K, 1.5M, 2G" : "not a number");
	made.number = negative ? -(int64_t)number : (int64_t)number;
	*condition = made;
	return 0;
}

static bool holds(enum watch_relation relation, int64_t a, int64_t b)
{
	switch (relation) {
	case RELATION_ABOVE:
		return a > b;
	case RELATION_BELOW:
		return a < b;
	case RELATION_EQUAL:
		return a == b;
	case RELATION_NOT_ABOVE:
		return a <= b;
	case RELATION_NOT_BELOW:
		return a >= b;
	case RELATION_NOT_EQUAL:
		return a != b;
	}
	return false;
}

/* Growth per second; two samples at one time have none. */
static int rate(const struct watched *watched, enum watch_counter counter, int64_t *number)
{
	const struct watch_sample *before = &watched->before, *now = &watched->now;
	uint64_t us = now->at_us - before->at_us;
	int64_t growth = (int64_t)(now->value[counter] - before->value[counter]);

	if (!before->number || before->gap[counter] != GAP_NONE || !us)
		return -1;
	*number = (int64_t)((__int128)growth * 1000000 / (__int128)us);
	return 0;
}

int watch_condition_met(const struct watch_condition *condition, const struct watched *watched,
			int64_t *number)
{
	enum watch_counter counter = condition->counter;

	if (watched->event == WATCH_EXIT || watched->now.gap[counter] != GAP_NONE)
		return -1;
	*number = (int64_t)watched->now.value[counter];
	if (condition->measure == MEASURE_DELTA) {
		if (watched->first.gap[counter] != GAP_NONE)
			return -1;
		*number -= (int64_t)watched->first.value[counter];
	} else if (condition->measure == MEASURE_RATE && rate(watched, counter, number) < 0) {
		return -1;
	}
	return holds(condition->relation, *number, condition->number);
}
