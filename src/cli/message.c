// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <stdarg.h>

#include "cli.h"
#include "vmatlas/render/escape.h"

static void print_escaped(struct span text)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	escape_add(&out, text, ESCAPE_TERMINAL);
	fwrite(buf_str(&out), 1, out.len, stderr);
}

int cli_error(const struct error *error)
{
	if (error->errnum == EPIPE)
		return STATUS_FAILED;
	fputs("vmatlas: ", stderr);
	if (error->item[0]) {
		print_escaped(span_of(error->item));
		fputs(": ", stderr);
	}
	print_escaped(span_of(error->text[0] ? error->text : "failed"));
	if (error->line)
		fprintf(stderr, " (line %lu)", error->line);
	fputc('\n', stderr);
	return error->code == ERROR_USAGE ? STATUS_USAGE : STATUS_FAILED;
}

int cli_usage_error(const struct cli *cli, const char *fmt, ...)
{
	const char *name = cli && cli->command ? cli->command->name : NULL;
	CLEANUP_FREE char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	fputs("vmatlas: ", stderr);
	if (len >= 0)
		print_escaped(span_of(text));
	else
		text = NULL;
	fprintf(stderr, "\nTry 'vmatlas %s%s--help'.\n", name ? name : "", name ? " " : "");
	return STATUS_USAGE;
}

/* Levenshtein distance with two rows; words longer than the rows are never near. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[2][32];
	size_t n = strlen(b), i;

	if (n >= 31)
		return 99;
	for (size_t j = 0; j <= n; j++)
		rows[0][j] = (unsigned)j;
	for (i = 0; a[i]; i++) {
		unsigned *above = rows[i & 1], *row = rows[~i & 1];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < n; j++) {
			unsigned best = above[j] + (a[i] != b[j]);

			best = above[j + 1] + 1 < best ? above[j + 1] + 1 : best;
			row[j + 1] = row[j] + 1 < best ? row[j] + 1 : best;
		}
	}
	return rows[i & 1][n];
}

const char *cli_nearest(const char *word, const char *const *names)
{
	unsigned best = strlen(word) < 4 ? 2 : 3;
	const char *found = NULL;

	for (; *names; names++) {
		unsigned d = distance(word, *names);

		if (d < best || (!found && strlen(word) > 1 &&
				 !strncmp(word, *names, strlen(word)))) {
			best = d < best ? d : best;
			found = *names;
		}
	}
	return found;
}
