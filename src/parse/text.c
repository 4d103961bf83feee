// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text.h"

bool text_take_line(struct span *text, struct span *line)
{
	if (!text->len)
		return false;
	*line = span_take_until(text, '\n');
	span_take_char(text, '\n');
	return true;
}

bool text_take_key(struct span *line, struct span *key)
{
	struct span rest = *line;
	struct span word = span_take_until(&rest, ':');

	if (!word.len || !rest.len || memchr(word.ptr, ' ', word.len) ||
	    memchr(word.ptr, '\t', word.len))
		return false;
	span_take_char(&rest, ':');
	*line = rest;
	*key = word;
	return true;
}

bool text_size(struct span value, uint64_t *bytes)
{
	uint64_t kib;

	span_skip_blanks(&value);
	if (!span_take_dec(&value, &kib) || !span_is(value, " kB") || kib > UINT64_MAX >> 10)
		return false;
	*bytes = kib << 10;
	return true;
}

bool text_number(struct span value, uint64_t *number)
{
	uint64_t v;

	span_skip_blanks(&value);
	if (!span_take_dec(&value, &v))
		return false;
	span_skip_blanks(&value);
	if (value.len)
		return false;
	*number = v;
	return true;
}

int text_key_index(const struct name *table, size_t guess, size_t count, struct span key)
{
	size_t i;

	if (guess < count && span_is(key, table[guess].name))
		return (int)guess;
	for (i = 0; i < count; i++)
		if (table[i].name[0] == key.ptr[0] && span_is(key, table[i].name))
			return (int)i;
	return -1;
}
