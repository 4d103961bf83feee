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

#define HELP_COLUMNS 80

void cli_wrapped(FILE *out, size_t used, size_t column, const char *text)
{
	struct span rest = span_of(text), word;
	size_t at = used < column ? column : used + 1;

	fprintf(out, "%*s", (int)(at - used), "");
	for (bool first = true; span_take_word(&rest, &word); first = false) {
		if (!first && at + 1 + word.len > HELP_COLUMNS) {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
		} else if (!first) {
			fputc(' ', out);
			at++;
		}
		fwrite(word.ptr, 1, word.len, out);
		at += word.len;
	}
	fputc('\n', out);
}

#define WORD_MAX 31

/* Optimal string alignment: insertions, deletions, exchanges, and neighbours that changed places
 * (mpa for map). Longer words are never near. */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t m = strlen(a), n = strlen(b);

	if (m > WORD_MAX || n > WORD_MAX)
		return 99;
	for (size_t i = 0; i <= m; i++)
		for (size_t j = 0; j <= n; j++) {
			unsigned best = i && j ? d[i - 1][j - 1] + (a[i - 1] != b[j - 1]) :
				(unsigned)(i + j);

			if (i && d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (j && d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[m][n];
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
