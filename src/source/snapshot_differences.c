// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_differences.h"

#include <stdlib.h>

#include "snapshot_lines.h"
#include "vmatlas/base/search.h"
#include "vmatlas/source/difference.h"

#define TEXT_MAX (256u << 20)	/* of all lines; 1 million copied pages of ELF files have less */

void snapshot_differences_done(struct snapshot_differences *differences)
{
	buf_done(&differences->text);
	free(differences->lines);
	*differences = (struct snapshot_differences) { .recorded = false };
}

/* "7f1c2a4f4+2 " */
static bool take_pages(struct span *text, struct difference_line *line)
{
	line->count = 1;
	if (!span_take_hex(text, &line->first))
		return false;
	if (span_take_char(text, '+') && !span_take_hex(text, &line->count))
		return false;
	return line->count && line->first <= UINT64_MAX - line->count &&
	       (!text->len || text->ptr[0] == ' ');
}

static int add_line(struct snapshot_differences *differences, struct snapshot_lines *text,
		    struct span rest)
{
	const struct difference_line *last =
		differences->count ? &differences->lines[differences->count - 1] : NULL;
	struct difference_line line = { .at = differences->text.len };

	if (!take_pages(&rest, &line))
		return snapshot_lines_bad(text, "it does not begin with pages");
	if (last && line.first < last->first + last->count)
		return snapshot_lines_bad(text, "pages overlap or go back");
	if (!difference_parse(rest, differences->page_size, NULL))
		return snapshot_lines_bad(text, "not ranges that lie in a page");
	line.len = rest.len;
	if (line.at + line.len > TEXT_MAX)
		return error_set(text->error, ERROR_LIMIT, text->name, "too long");
	if (buf_add_span(&differences->text, rest) < 0 ||
	    array_grow((void **)&differences->lines, &differences->cap, differences->count,
		       sizeof(line)) < 0)
		return error_nomem(text->error);
	differences->lines[differences->count++] = line;
	return 0;
}

int snapshot_differences_load(struct snapshot_differences *differences,
			      struct snapshot_store *store, const char *name, size_t page_size,
			      struct error *error)
{
	CLEANUP(snapshot_lines_done) struct snapshot_lines text;
	struct error local = ERROR_INIT;
	struct span line;
	int rc = snapshot_lines_open(&text, store, name, &local);

	*differences = (struct snapshot_differences) { .page_size = page_size };
	if (rc == -ERROR_NOT_RECORDED)
		return 0;
	differences->recorded = true;
	while (rc >= 0 && (rc = snapshot_lines_next(&text, &line)) > 0)
		rc = add_line(differences, &text, line);
	if (rc < 0) {
		snapshot_differences_done(differences);
		if (error)
			*error = local;
	}
	return rc;
}

static const struct difference_line *find(const struct snapshot_differences *differences,
					  uint64_t page)
{
	const struct difference_line *lines = differences->lines;
	size_t above = SEARCH_FIRST(i, differences->count, lines[i].first <= page);

	return above && page - lines[above - 1].first < lines[above - 1].count ?
		&lines[above - 1] : NULL;
}

int snapshot_differences_page(const struct snapshot_differences *differences, uint64_t page,
			      uint8_t *marks, struct error *error)
{
	const struct difference_line *line = find(differences, page);

	if (!line)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "the page was not compared with its file");
	difference_parse((struct span) { differences->text.data + line->at, line->len },
			 differences->page_size, marks);
	return 0;
}
