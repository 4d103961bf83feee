// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/stat.h"

#include <stddef.h>

#define FIELD(n, member) [n] = offsetof(struct stat_record, member) + 1

/* Offset + 1 of the member of a field, numbered as in proc(5); 0: not kept. */
static const size_t members[] = {
	FIELD(4, ppid),
	FIELD(9, flags),
	FIELD(10, minflt),
	FIELD(12, majflt),
	FIELD(20, threads),
	FIELD(22, start_time),
	FIELD(23, vsize),
	FIELD(24, rss),
	FIELD(26, start_code),
	FIELD(27, end_code),
	FIELD(28, start_stack),
	FIELD(45, start_data),
	FIELD(46, end_data),
	FIELD(47, start_brk),
	FIELD(48, arg_start),
	FIELD(49, arg_end),
	FIELD(50, env_start),
	FIELD(51, env_end),
};

#define FIELD_COUNT (sizeof(members) / sizeof(members[0]))
#define FIELD_RSS 24		/* every kernel since 2.0 has so many */

static const char *last_bracket(struct span text)
{
	while (text.len && text.ptr[text.len - 1] != ')')
		text.len--;
	return text.len ? text.ptr + text.len - 1 : NULL;
}

static bool take_head(struct span *text, struct stat_record *stat)
{
	const char *open, *close;
	uint64_t pid;

	if (!span_take_dec(text, &pid) || !span_take_char(text, ' ') || !text->len)
		return false;
	open = text->ptr;
	close = last_bracket(*text);
	if (*open != '(' || !close || text->ptr + text->len - close < 4 || close[1] != ' ')
		return false;
	stat->comm = (struct span) { open + 1, (size_t)(close - open - 1) };
	stat->state = close[2];
	text->len -= (size_t)(close + 3 - text->ptr);
	text->ptr = close + 3;
	return true;
}

/* Signed and unsigned fields stand side by side: a negative one is kept as two's complement. */
static bool take_field(struct span *text, uint64_t *value)
{
	struct span rest = *text;
	uint64_t magnitude;
	bool negative;

	if (!span_take_char(&rest, ' '))
		return false;
	negative = span_take_char(&rest, '-');
	if (!span_take_dec(&rest, &magnitude) ||
	    (rest.len && *rest.ptr != ' ' && *rest.ptr != '\n'))
		return false;
	*value = negative ? -magnitude : magnitude;
	*text = rest;
	return true;
}

int stat_parse(struct span text, struct stat_record *stat, struct error *error)
{
	struct stat_record parsed = { .fields = 3 };
	uint64_t value;

	if (!take_head(&text, &parsed))
		return error_set(error, ERROR_PARSE, "stat", "no name in parentheses");
	while (take_field(&text, &value)) {
		unsigned n = ++parsed.fields;

		if (n < FIELD_COUNT && members[n])
			memcpy((char *)&parsed + members[n] - 1, &value, sizeof(value));
	}
	span_take_char(&text, '\n');
	if (parsed.fields < FIELD_RSS || text.len)
		return error_set(error, ERROR_PARSE, "stat", "field %u is missing or no number",
				 parsed.fields + 1);
	/* do_task_stat prints 1 without ptrace-read right and 0 without an mm. */
	parsed.addresses_known = parsed.start_code > 1;
	*stat = parsed;
	return 0;
}

int statm_parse(struct span text, struct statm_record *statm, struct error *error)
{
	struct statm_record parsed = { .has_data = false };
	uint64_t lib;

	if (!span_take_dec(&text, &parsed.size) || !take_field(&text, &parsed.resident) ||
	    !take_field(&text, &parsed.shared))
		return error_set(error, ERROR_PARSE, "statm", "fewer than three numbers");
	parsed.has_data = take_field(&text, &parsed.text) && take_field(&text, &lib) &&
		take_field(&text, &parsed.data);
	*statm = parsed;
	return 0;
}
