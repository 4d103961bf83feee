/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_REPORT_OUTPUT_H
#define TESTS_REPORT_OUTPUT_H

#include "test.h"
#include "vmatlas/base/cleanup.h"
#include "vmatlas/render/report.h"

/* Rows and columns of a kind that only tests have, and what a report makes of them. */
struct row {
	uint64_t start;
	uint64_t size;
	const char *path;
	size_t path_len;
	enum gap gap;
};

#define PATH(s) (s), sizeof(s) - 1

static const struct row rows[] = {
	{ 0x1000, 1572864, PATH("/bin/plain"), GAP_NONE },
	{ 0x2000, 0, PATH("/tmp/a b\"$`q\\x41\\y"), GAP_NONE },
	{ 0x3000, 512, PATH("/tmp/\033[31m\n\302\233\342\200\256\303\244\377"), GAP_NONE },
	{ 0x4000, UINT64_MAX, PATH(""), GAP_NEEDS_PRIVILEGE },
	{ 0x5000, 4096, PATH("-"), GAP_NOT_APPLICABLE },
};

static inline void get_start(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	(void)s;
	*cell = cell_hex(((const struct row *)row)->start);
}

static inline void get_size(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	(void)s;
	*cell = cell_size(((const struct row *)row)->size);
}

static inline void get_path(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	const struct row *r = row;

	(void)ctx;
	(void)s;
	*cell = cell_bytes((struct span) { r->path, r->path_len });
}

static inline void get_pss(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	const struct row *r = row;

	(void)ctx;
	(void)s;
	if (r->gap != GAP_NOT_APPLICABLE)	/* a getter may leave the cell as it is: null */
		*cell = r->gap ? cell_missing(r->gap) : cell_count(7);
}

static inline void get_list(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	struct cell *items = scratch_cells(s, 2);

	(void)ctx;
	(void)row;
	items[0] = cell_named("a", cell_count(1));
	items[1] = cell_named("b", cell_bytes(scratch_printf(s, "%s", "two")));
	*cell = cell_object(items, 2);
}

static inline void get_words(const void *ctx, const void *row, struct cell *cell, struct scratch *s)
{
	(void)ctx;
	(void)row;
	(void)s;
	*cell = cell_text("one two three four five six seven eight nine ten eleven");
}

static const struct column columns[] = {
	{ "start", "START", "first address", COLUMN_DEFAULT | COLUMN_JSON, 1, 8, get_start },
	{ "size", "SIZE", "bytes", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 2, 6, get_size },
	{ "pss", "PSS", "share", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_RIGHT, 4, 6, get_pss },
	{ "parts", "PARTS", "parts", COLUMN_JSON, 8, 6, get_list },
	{ "path", "PATH", "name", COLUMN_DEFAULT | COLUMN_JSON | COLUMN_TRUNC | COLUMN_HEX_BYTES,
	  16, 10, get_path },
	{ "tail", "TAIL", "name, of which the end tells more", COLUMN_TRUNC | COLUMN_TAIL, 32, 10,
	  get_path },
	{ "words", "WORDS", "a sentence", COLUMN_PROSE, 64, 20, get_words },
	{ NULL }
};

/* What a report prints: the caller frees it. */
struct output {
	char *text;
	size_t len;
	FILE *file;
	struct report *report;
};

static inline void output_begin(struct output *o, const struct report_options *options)
{
	*o = (struct output) { NULL };
	o->file = open_memstream(&o->text, &o->len);
	CHECK(!report_new(o->file, "vmatlas/test", options, &o->report, NULL));
}

static inline int output_end(struct output *o)
{
	int rc = report_end(o->report, NULL);

	report_free(o->report);
	fclose(o->file);
	return rc;
}

static inline void output_table(struct output *o, const char *list, size_t hint, size_t count)
{
	struct column_set set;

	CHECK(!column_set_choose(&set, columns, list, false, NULL));
	report_table_begin(o->report, "rows", "Rows", &set, NULL, hint);
	for (size_t i = 0; i < count; i++)
		report_row(o->report, &rows[i % ARRAY_SIZE(rows)]);
	report_table_end(o->report);
}

static inline char *table_text(const struct report_options *options, const char *list, size_t hint)
{
	struct output o;

	output_begin(&o, options);
	output_table(&o, list, hint, ARRAY_SIZE(rows));
	CHECK(!output_end(&o));
	return o.text;
}

#endif
