// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>

#include "cli.h"
#include "vmatlas/render/escape.h"

const struct command *cli_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

void cli_help(FILE *out)
{
	fputs("Usage: vmatlas COMMAND [OPTIONS] PID|self|NAME|--from SNAPSHOT\n"
	      "What the memory of running processes is, page by page.\n\nCommands:\n", out);
	for (size_t i = 0; commands[i]; i++)
		cli_wrapped(out, (size_t)fprintf(out, "  %s", commands[i]->name), 14,
			    commands[i]->summary);
	fputs("\nvmatlas help COMMAND tells about one of them, vmatlas-COMMAND(1) all about it.\n"
	      "Exit status: 0 answered, 1 failed, 2 usage, 3 --strict and something was\n"
	      "missing, 4 a condition that was asked for is met.\n", out);
}

static int unknown_command(const char *word)
{
	const char *names[64] = { NULL };
	const char *near;

	for (size_t i = 0; commands[i] && i + 1 < ARRAY_SIZE(names); i++)
		names[i] = commands[i]->name;
	near = cli_nearest(word, names);
	if (near)
		return cli_usage_error(NULL, "unknown command \"%s\"; did you mean %s?", word,
				       near);
	return cli_usage_error(NULL, "unknown command \"%s\"", word);
}

static int help_command(int argc, char **argv)
{
	const struct command *command;

	if (argc < 3) {
		cli_help(stdout);
		return STATUS_OK;
	}
	command = cli_command(argv[2]);
	if (!command)
		return unknown_command(argv[2]);
	cli_usage(stdout, command);
	return STATUS_OK;
}

static int list_commands(void)
{
	for (size_t i = 0; commands[i]; i++)
		puts(commands[i]->name);
	return STATUS_OK;
}

/* What can be said without a command: -1 if it is none of these. */
static int run_plain(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		return puts(PACKAGE_STRING), STATUS_OK;
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
		return help_command(argc, argv);
	if (!strcmp(word, "--list-commands"))
		return list_commands();
	if (argc < 2) {
		cli_help(stderr);
		return STATUS_USAGE;
	}
	if (word[0] == '-')
		return cli_usage_error(NULL, "the command comes first, not %s", word);
	return -1;
}

/* The terminal's wishes; the report finds its size itself. */
static void environment(struct cli *cli)
{
	const char *columns = getenv("COLUMNS"), *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	uint64_t width;

	if ((no_color && *no_color) || (term && !strcmp(term, "dumb")))
		cli->report.color = REPORT_NEVER;
	if (columns && isatty(STDOUT_FILENO) && span_number(span_of(columns), &width) &&
	    width > 0 && width < 10000)
		cli->report.width = (unsigned)width;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	CLEANUP(cli_done) struct cli cli = {
		.command = command,
		.range_end = UINT64_MAX,
		.start_us = report_clock_us(),
	};
	int rc;

	environment(&cli);
	rc = cli_parse(&cli, argc - 1, argv + 1);
	return rc ? rc - 1 : command->run(&cli);
}

/* A full disk must not look like success. */
static int close_stdout(int status)
{
	struct error error = ERROR_INIT;
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return status;
	if (status == STATUS_FAILED)
		return status;		/* it was told where it happened */
	error_errno(&error, errno ? errno : EIO, "output", "write");
	return cli_error(&error);
}

int main(int argc, char **argv)
{
	const struct command *command;
	int status;

	setlocale(LC_ALL, "");
	escape_set_utf8(!strcmp(nl_langinfo(CODESET), "UTF-8"));
	status = run_plain(argc, argv);
	if (status >= 0)
		return close_stdout(status);
	command = cli_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return close_stdout(run_command(command, argc, argv));
}
