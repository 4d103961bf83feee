// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/limits.h"

#include "text.h"

static const struct name limit_names[] = {
	[LIMIT_STACK] = { LIMIT_STACK, "Max stack size" },
	[LIMIT_DATA] = { LIMIT_DATA, "Max data size" },
	[LIMIT_AS] = { LIMIT_AS, "Max address space" },
	[LIMIT_MEMLOCK] = { LIMIT_MEMLOCK, "Max locked memory" },
	[LIMIT_RSS] = { LIMIT_RSS, "Max resident set" },
};

static bool take_limit(struct span *line, uint64_t *limit)
{
	struct span word;

	if (!span_take_word(line, &word))
		return false;
	if (!span_is(word, "unlimited"))
		return span_take_dec(&word, limit) && !word.len;
	*limit = LIMIT_UNLIMITED;
	return true;
}

/* False only for a line of ours that is damaged. */
static bool limits_add(struct limits *limits, struct span line)
{
	size_t i;

	for (i = 0; i < LIMIT_KEY_MAX; i++) {
		size_t len = strlen(limit_names[i].name);
		struct span rest;

		if (!span_starts(line, limit_names[i].name))
			continue;
		rest = (struct span) { line.ptr + len, line.len - len };
		if (!take_limit(&rest, &limits->soft[i]) || !take_limit(&rest, &limits->hard[i]))
			return false;
		limits->present |= 1u << i;
	}
	return true;
}

int limits_parse(struct span text, struct limits *limits, struct error *error)
{
	struct limits parsed = { 0 };
	struct span line;
	unsigned long number;

	for (number = 1; text_take_line(&text, &line); number++)
		if (!limits_add(&parsed, line)) {
			error_set(error, ERROR_PARSE, "limits", "limit is no number");
			if (error)
				error->line = number;
			return -ERROR_PARSE;
		}
	if (!parsed.present)
		return error_set(error, ERROR_PARSE, "limits", "no limit on memory is listed");
	*limits = parsed;
	return 0;
}
