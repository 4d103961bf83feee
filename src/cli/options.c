// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <ctype.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>

#include "cli.h"

enum {
	OPTION_OWN = 256,	/* + index in the command's array */
	OPTION_COMMON = 512	/* + index in common[] */
};

struct common {
	const char *name;
	char letter;
	const char *argument;
	const char *help;
	/* Returns 0, or what cli_parse() is to return; NULL: the member is set. */
	int (*set)(struct cli *cli, const char *value);
	size_t member;	/* of struct cli: a string if there is an argument, else a bool */
};

static int set_json(struct cli *cli, const char *value)
{
	(void)value;
	cli->report.format = REPORT_JSON;
	return 0;
}

static int set_raw(struct cli *cli, const char *value)
{
	(void)value;
	cli->report.format = REPORT_RAW;
	return 0;
}

static int set_pairs(struct cli *cli, const char *value)
{
	(void)value;
	cli->report.format = REPORT_PAIRS;
	return 0;
}

static int set_color(struct cli *cli, const char *value)
{
	static const char *const words[] = {
		[REPORT_AUTO] = "auto", [REPORT_ALWAYS] = "always", [REPORT_NEVER] = "never"
	};

	if (!value)
		value = "always";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(value, words[i])) {
			cli->report.color = (enum report_when)i;
			return 0;
		}
	return cli_usage_error(cli, "--color takes auto, always or never, not \"%s\"",
			       value) + 1;
}

static int set_threads(struct cli *cli, const char *value)
{
	uint64_t n;

	if (!span_number(span_of(value), &n) || !n || n > 1024)
		return cli_usage_error(cli, "--threads takes a number from 1 to 1024, not \"%s\"",
				       value) + 1;
	cli->threads = (unsigned)n;
	return 0;
}

/* START-END as in maps (hexadecimal, with or without 0x) or START+LENGTH. */
static int set_range(struct cli *cli, const char *value)
{
	struct span s = span_of(value);
	uint64_t start, end;
	bool length;

	if (span_starts(s, "0x"))
		s = (struct span) { s.ptr + 2, s.len - 2 };
	if (!span_take_hex(&s, &start))
		goto bad;
	length = span_take_char(&s, '+');
	if (!length && !span_take_char(&s, '-'))
		goto bad;
	if (span_starts(s, "0x"))
		s = (struct span) { s.ptr + 2, s.len - 2 };
	if (!span_take_hex(&s, &end) || s.len ||
	    (length && __builtin_add_overflow(start, end, &end)) || end <= start)
		goto bad;
	cli->range_start = start;
	cli->range_end = end;
	return 0;
bad:
	return cli_usage_error(cli, "--range takes START-END or START+LENGTH in hexadecimal, "
			       "not \"%s\"", value) + 1;
}

static int list_columns(struct cli *cli, const char *value)
{
	const struct command *command = cli->command;
	const struct column *c;

	(void)value;
	if (!command->columns)
		return cli_usage_error(cli, "%s has no columns to choose", command->name) + 1;
	for (c = command->columns; c->name; c++)
		printf("%-16s %s\n", c->name, c->help ? c->help : "");
	for (const struct cli_rows *rows = command->others; rows && rows->option; rows++)
		for (c = rows->columns; c->name; c++)
			if (!column_named(command->columns, c->name))
				printf("%-16s %s (--%s)\n", c->name, c->help ? c->help : "",
				       rows->option);
	return STATUS_OK + 1;
}

static int list_options(struct cli *cli, const char *value);

static int show_help(struct cli *cli, const char *value)
{
	(void)value;
	cli_usage(stdout, cli->command);
	return STATUS_OK + 1;
}

static int show_version(struct cli *cli, const char *value)
{
	(void)cli;
	(void)value;
	puts(PACKAGE_STRING);
	return STATUS_OK + 1;
}

#define MEMBER(member) NULL, offsetof(struct cli, member)

/* In the order of the help. */
static const struct common common[] = {
	{ "json", 0, NULL, "print a JSON document", set_json },
	{ "raw", 0, NULL, "print rows separated by blanks, sizes in bytes", set_raw },
	{ "pairs", 0, NULL, "print rows of KEY=\"value\"", set_pairs },
	{ "from", 0, "SNAPSHOT", "read a recorded process instead of a live one", MEMBER(from) },
	{ "columns", 'o', "LIST", "columns to show; +LIST adds to the default", MEMBER(columns) },
	{ "list-columns", 0, NULL, "list the columns and exit", list_columns },
	{ "sort", 0, "COLUMN", "sort rows; -COLUMN: largest first", MEMBER(report.sort) },
	{ "no-headings", 0, NULL, "leave out the headings of tables", MEMBER(report.no_headings) },
	{ "color", 0, "[=WHEN]", "auto, always or never", set_color },
	{ "bytes", 'b', NULL, "print sizes in bytes", MEMBER(report.bytes) },
	{ "threads", 0, "N", "threads to read with, at most", set_threads },
	{ "vma", 0, "WHICH", "only VMAs that hold this address or have this name", MEMBER(vma) },
	{ "range", 0, "START-END", "only this address range", set_range },
	{ "remote-files", 0, NULL, "read also files on FUSE and network file systems",
	  MEMBER(remote_files) },
	{ "strict", 0, NULL, "exit 3 when something was missing", MEMBER(strict) },
	{ "verbose", 'v', NULL, "show more", MEMBER(report.verbose) },
	/* For completion, not in the help. */
	{ "list-options", 0, NULL, NULL, list_options },
	{ "help", 'h', NULL, "show this help and exit", show_help },
	{ "version", 'V', NULL, "show the version and exit", show_version },
};

/* What the help and completion offer. */
static bool applies(const struct command *command, const struct common *option)
{
	if (!option->help || (option->set == list_columns && !command->columns))
		return false;
	return command->filters || (option->set != set_range &&
				    option->member != offsetof(struct cli, vma));
}

static const struct cli_option no_options[] = { { NULL, NULL, NULL } };

static const struct cli_option *own_options(const struct command *command)
{
	return command->options ? command->options : no_options;
}

/* --name, with a = behind it when it takes a value. */
static int list_options(struct cli *cli, const char *value)
{
	const struct cli_option *own = own_options(cli->command);

	(void)value;
	for (; own->name; own++)
		printf("--%s%s\n", own->name, own->argument ? "=" : "");
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (applies(cli->command, &common[i]))
			printf("--%s%s\n", common[i].name, common[i].argument ? "=" : "");
	return STATUS_OK + 1;
}

static int argument_kind(const char *argument)
{
	return !argument ? no_argument : argument[0] == '[' ? optional_argument :
		required_argument;
}

/* Own options first: they come before common ones of the same name. */
static void fill_long(const struct command *command, struct option *out)
{
	const struct cli_option *own = own_options(command);
	size_t n = 0;

	for (int i = 0; own[i].name && i < CLI_OWN_OPTIONS; i++)
		out[n++] = (struct option) { own[i].name, argument_kind(own[i].argument), NULL,
					     OPTION_OWN + i };
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		out[n++] = (struct option) { common[i].name, argument_kind(common[i].argument),
					     NULL, OPTION_COMMON + (int)i };
}

static int unknown_option(struct cli *cli, const struct option *known, const char *word)
{
	const char *names[ARRAY_SIZE(common) + CLI_OWN_OPTIONS + 1] = { NULL };
	const char *near;

	for (size_t i = 0; known[i].name; i++)
		names[i] = known[i].name;
	if (strncmp(word, "--", 2))
		return cli_usage_error(cli, "unknown option -%c", optopt) + 1;
	near = cli_nearest(word + 2, names);
	if (near)
		return cli_usage_error(cli, "unknown option %s; did you mean --%s?", word,
				       near) + 1;
	return cli_usage_error(cli, "unknown option %s", word) + 1;
}

static int bad_option(struct cli *cli, const struct option *known, int c, char **argv)
{
	const char *word = optind > 0 ? argv[optind - 1] : "";

	if (c == ':')
		return cli_usage_error(cli, "option %s needs a value", word) + 1;
	for (size_t i = 0; optopt && known[i].name; i++)
		if (known[i].val == optopt)
			return cli_usage_error(cli, "option --%s takes no value",
					       known[i].name) + 1;
	return unknown_option(cli, known, word);
}

static int take_common(struct cli *cli, const struct common *option)
{
	char *member = (char *)cli + option->member;

	if (option->set)
		return option->set(cli, optarg);
	if (option->argument)
		*(const char **)member = optarg;
	else
		*(bool *)member = true;
	return 0;
}

static int take_option(struct cli *cli, int c)
{
	if (c >= OPTION_COMMON)
		return take_common(cli, &common[c - OPTION_COMMON]);
	if (c >= OPTION_OWN) {
		cli->given[cli->given_count++] = (struct cli_given) {
			&own_options(cli->command)[c - OPTION_OWN], optarg
		};
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (common[i].letter == c)
			return take_common(cli, &common[i]);
	return 0;
}

static int check_sort(struct cli *cli)
{
	const char *name = cli->report.sort;
	const struct column *columns = cli->command->columns;

	if (!name)
		return 0;
	for (const struct cli_rows *rows = cli->command->others; rows && rows->option; rows++)
		if (cli_has(cli, rows->option))
			columns = rows->columns;
	if (!columns)
		return cli_usage_error(cli, "%s has no rows to sort", cli->command->name) + 1;
	if (!column_named(columns, name + (*name == '-')))
		return cli_usage_error(cli, "--sort: no column \"%s\"; --list-columns lists "
				       "them", name) + 1;
	return 0;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
	struct option known[ARRAY_SIZE(common) + CLI_OWN_OPTIONS + 1] = { 0 };
	int c, rc;

	cli->given = calloc((size_t)argc + 1, sizeof(*cli->given));
	if (!cli->given)
		return cli_usage_error(cli, "out of memory") + 1;
	fill_long(cli->command, known);
	optind = 0;
	while ((c = getopt_long(argc, argv, ":o:bvhV", known, NULL)) != -1) {
		rc = c == '?' || c == ':' ? bad_option(cli, known, c, argv) :
			take_option(cli, c);
		if (rc)
			return rc;
	}
	cli->operands = argv + optind;
	cli->operand_count = (size_t)(argc - optind);
	if (cli_filters(cli) && !cli->command->filters)
		return cli_usage_error(cli, "--vma and --range do not go with %s",
				       cli->command->name) + 1;
	return check_sort(cli);
}

void cli_done(struct cli *cli)
{
	free(cli->given);
	source_free(cli->source);
}

const char *cli_value_at(const struct cli *cli, const char *option, size_t nth)
{
	for (size_t i = 0; i < cli->given_count; i++)
		if (!strcmp(cli->given[i].option->name, option) && !nth--)
			return cli->given[i].value;
	return NULL;
}

const char *cli_value(const struct cli *cli, const char *option)
{
	const char *value = NULL;

	for (size_t i = 0; i < cli->given_count; i++)
		if (!strcmp(cli->given[i].option->name, option))
			value = cli->given[i].value;
	return value;
}

bool cli_has(const struct cli *cli, const char *option)
{
	for (size_t i = 0; i < cli->given_count; i++)
		if (!strcmp(cli->given[i].option->name, option))
			return true;
	return false;
}

static void help_line(FILE *out, char letter, const char *name, const char *argument,
		      const char *help)
{
	bool optional = argument && argument[0] == '[';
	int used = fprintf(out, "  %c%c%c --%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
			   letter ? ',' : ' ', name, !argument ? "" : optional ? "" : " ",
			   !argument ? "" : argument);

	cli_wrapped(out, (size_t)used, 30, help);
}

static void help_columns(FILE *out, const struct column *column)
{
	for (; column && column->name; column++)
		cli_wrapped(out, (size_t)fprintf(out, "  %s", column->name), 20,
			    column->help ? column->help : "");
}

void cli_usage(FILE *out, const struct command *command)
{
	const struct cli_option *own = own_options(command);

	fprintf(out, "Usage: vmatlas %s [OPTIONS] %s\n%c%s.\n", command->name,
		command->operands, toupper((unsigned char)command->summary[0]),
		command->summary + 1);
	if (own->name)
		fprintf(out, "\nOptions of %s:\n", command->name);
	for (; own->name; own++)
		help_line(out, 0, own->name, own->argument, own->help);
	fputs("\nCommon options:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (applies(command, &common[i]))
			help_line(out, common[i].letter, common[i].name, common[i].argument,
				  common[i].help);
	if (command->columns)
		fputs("\nColumns:\n", out);
	help_columns(out, command->columns);
	for (const struct cli_rows *rows = command->others; rows && rows->option; rows++) {
		fprintf(out, "\nColumns with --%s:\n", rows->option);
		help_columns(out, rows->columns);
	}
}
