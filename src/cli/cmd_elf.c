// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli.h"
#include "vmatlas/analyse/classify.h"
#include "vmatlas/analyse/forecast.h"
#include "vmatlas/render/report_elf.h"
#include "vmatlas/render/report_observe.h"

#define SCHEMA "vmatlas/elf"

static const struct cli_option options[] = {
	{ "pages", NULL, "list every page that will be private" },
	{ "page-size", "BYTES", "page size to assume instead of the machine's own" },
	{ NULL, NULL, NULL },
};

static int page_size(const struct cli *cli, uint64_t *size, struct error *error)
{
	const char *value = cli_value(cli, "page-size");

	if (!value) {
		*size = source_host(cli->source)->page_size;
		return 0;
	}
	if (!span_number(span_of(value), size) || *size < 1024 || *size > 1u << 20 ||
	    *size & (*size - 1))
		return error_set(error, ERROR_USAGE, value,
				 "not a page size: a power of two from 1024 to 1048576");
	return 0;
}

static int show(struct cli *cli, struct report *report, const struct elf_image *image,
		struct span path, struct error *error)
{
	CLEANUP(forecast_freep) struct forecast *forecast = NULL;
	struct elf_view view = { .path = path, .pages = cli_has(cli, "pages") };
	uint64_t size;
	int rc = page_size(cli, &size, error);

	if (rc >= 0)
		rc = forecast_new(image, size, &forecast, error);
	if (rc < 0)
		return rc;
	view.forecast = forecast;
	return report_elf(report, &view);
}

static int one_file(struct cli *cli, struct report *report, struct source_process *source,
		    struct error *error)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	CLEANUP(elf_image_freep) struct elf_image *image = NULL;
	const char *path = cli->operands[0];
	int rc = source_path_open(cli->source, source, path, &file, error);

	if (rc < 0)
		return rc;
	rc = elf_image_open_file(file, &image, error);
	if (rc < 0) {
		if (error && !error->item[0])
			snprintf(error->item, sizeof(error->item), "%s", path);
		return rc;
	}
	return show(cli, report, image, span_of(path), error);
}

/* The program's own file. */
static int show_program(struct cli *cli, struct report *report, const struct process *process,
			struct error *error)
{
	bool recorded = true;

	for (size_t i = 0; i < process->object_count; i++) {
		const struct object *object = &process->objects[i];

		recorded = recorded && object->elf_gap != GAP_NOT_RECORDED;

		if (object->is_program && object->elf)
			return show(cli, report, object->elf,
				    object_name(object), error);
	}
	if (!recorded)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "the snapshot does not hold its program");
	return error_set(error, ERROR_NOT_FOUND, NULL, "its program cannot be read");
}

static int one_process(struct cli *cli, struct report *report, struct source_process *source,
		       struct error *error)
{
	CLEANUP(process_freep) struct process *process = NULL;
	int rc = cli_load(report, source, PROCESS_NEED_ELF, &process, error);

	if (rc >= 0)
		rc = classify_process(process, error);
	if (rc >= 0)
		rc = show_program(cli, report, process, error);
	if (rc < 0 || cli_value(cli, "page-size"))
		return rc;
	return report_observe(report, process, cli_has(cli, "pages"), error);
}

/* Without a slash a word is a file only if it can be nothing else: numbers and self are
 * processes, and with --from names are those of the snapshot. */
static int is_file(struct cli *cli, const char *word, bool *file, struct error *error)
{
	CLEANUP(source_file_freep) struct source_file *here = NULL;
	size_t processes = 0;
	uint64_t number;
	int rc;

	*file = strchr(word, '/');
	if (*file || cli->from || !strcmp(word, "self") || span_number(span_of(word), &number))
		return 0;
	rc = cli_source(cli, error);
	if (rc >= 0)
		rc = cli_named(cli, word, &processes, error);
	if (rc < 0)
		return rc;
	*file = source_path_open(cli->source, NULL, word, &here, NULL) >= 0;
	if (*file && processes)
		return error_set(error, ERROR_NOT_FOUND, word, "a file here has this name and a "
				 "process too: say ./%s, or a PID", word);
	if (!*file && !processes)
		return error_set(error, ERROR_NOT_FOUND, word, "no file here and no process has "
				 "this name");
	return 0;
}

static int run_operand(struct cli *cli)
{
	struct error error = ERROR_INIT;
	bool file = false;

	if (!cli->operand_count && !cli->from)
		return cli_usage_error(cli, "which file or process? give a path, a PID, self, or a "
				       "name");
	if (cli->operand_count && is_file(cli, cli->operands[0], &file, &error) < 0)
		return cli_error(&error);
	if (file)
		return cli_one_document(cli, SCHEMA, one_file);
	return cli_each_process(cli, SCHEMA, one_process);
}

/* Files and processes may be mixed: each operand is a document of its own. */
static int run(struct cli *cli)
{
	size_t count = cli->operand_count;
	int status = STATUS_OK;

	if (count < 2)
		return run_operand(cli);
	cli->operand_count = 1;
	for (size_t i = 0; i < count; i++, cli->operands++)
		status = cli_worse(status, run_operand(cli));
	return status;
}

const struct command cmd_elf = {
	.name = "elf",
	.operands = "FILE|PID...",
	.summary = "what the loader makes of a file, and which pages will be private",
	.options = options,
	.own_paths = true,
	.run = run,
};
