// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/syscall.h"

int syscall_parse(struct span text, struct syscall_line *out, struct error *error)
{
	struct syscall_line line = { 0 };
	struct span rest = span_trim(text), word;
	unsigned words = 0;

	if (span_is(rest, "running"))
		return error_set(error, ERROR_CHANGED, NULL, "the thread runs: no stack pointer");
	if (!span_take_int(&rest, &line.number))
		return error_set(error, ERROR_PARSE, NULL, "no system call number");
	for (; span_take_word(&rest, &word); words++) {
		line.sp = line.pc;
		if (!span_number(word, &line.pc))
			return error_set(error, ERROR_PARSE, NULL, "a word is no number");
	}
	if (words < 2)
		return error_set(error, ERROR_PARSE, NULL, "no stack pointer");
	*out = line;
	return 0;
}
