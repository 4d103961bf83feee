// SPDX-License-Identifier: LGPL-2.1-or-later
#include <strings.h>

#include "render.h"

static bool name_matches(const char *name, struct span word)
{
	return name && strlen(name) == word.len && !strncasecmp(name, word.ptr, word.len);
}

/* A heading may be the name of another column: names come first. */
static int column_find(const struct column *columns, struct span word)
{
	for (int i = 0; columns[i].name; i++)
		if (name_matches(columns[i].name, word))
			return i;
	for (int i = 0; columns[i].name; i++)
		if (name_matches(columns[i].title, word))
			return i;
	return -1;
}

const struct column *column_named(const struct column *columns, const char *name)
{
	int i = column_find(columns, span_of(name));

	return i < 0 ? NULL : &columns[i];
}

static void set_add(struct column_set *set, size_t index)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->chosen[i] == index)
			return;
	if (set->count < TABLE_COLUMNS)
		set->chosen[set->count++] = (uint8_t)index;
}

static void set_defaults(struct column_set *set, bool verbose)
{
	unsigned shown = COLUMN_DEFAULT | (verbose ? COLUMN_VERBOSE : 0);

	for (size_t i = 0; set->columns[i].name && i < TABLE_COLUMNS; i++) {
		if (set->columns[i].flags & shown)
			set_add(set, i);
		if (set->columns[i].flags & COLUMN_JSON)
			set->json |= 1ull << i;
	}
}

#define NAMES_MAX 200u

static int unknown_column(const struct column *columns, struct span word, struct error *error)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT;
	CLEANUP(buf_done) struct buf item = BUF_INIT;

	for (; columns->name; columns++)
		buf_addf(&names, "%s%s", names.len ? " " : "", columns->name);
	buf_add_span(&item, word);
	if (names.len > NAMES_MAX)	/* the text of an error would be cut in their midst */
		return error_set(error, ERROR_USAGE, buf_str(&item), "no such column; "
				 "--list-columns lists them");
	return error_set(error, ERROR_USAGE, buf_str(&item), "no such column; there are: %s",
			 buf_str(&names));
}

int column_set_choose(struct column_set *set, const struct column *columns, const char *list,
		      bool verbose, struct error *error)
{
	struct column_set made = { .columns = columns };
	struct span rest = span_of(list), word;
	bool add = list && span_take_char(&rest, '+');

	if (!list || add)
		set_defaults(&made, verbose);
	made.given = list && !add;
	while (rest.len) {
		int i;

		word = span_trim(span_take_until(&rest, ','));
		span_take_char(&rest, ',');
		i = column_find(columns, word);
		if (i < 0)
			return unknown_column(columns, word, error);
		set_add(&made, (size_t)i);
		made.json |= 1ull << i;
	}
	if (!made.count && !made.json)
		return error_set(error, ERROR_USAGE, list, "the list of columns is empty");
	*set = made;
	return 0;
}

unsigned column_set_needs(const struct column_set *set, bool json)
{
	unsigned needs = 0;

	for (size_t i = 0; i < TABLE_COLUMNS && set->columns[i].name; i++)
		if (json && (set->json & 1ull << i))
			needs |= set->columns[i].needs;
	for (size_t i = 0; i < set->count && !json; i++)
		needs |= set->columns[set->chosen[i]].needs;
	return needs;
}

unsigned report_needs(const struct report *report, const struct column_set *set)
{
	const char *name = report->options.sort;
	const struct column *sort = name ?
		column_named(set->columns, name + (*name == '-')) : NULL;

	return column_set_needs(set, report_is_json(report)) | (sort ? sort->needs : 0);
}
