// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <fnmatch.h>

#include "cli.h"

static bool name_matches(const char *pattern, const struct object *object)
{
	const char *slash;

	if (!object)
		return false;
	slash = strrchr(object->name, '/');
	return !fnmatch(pattern, object->name, 0) || (slash && !fnmatch(pattern, slash + 1, 0));
}

/* "[heap]" is no pattern here but the name itself. */
static bool name_is(const char *word, const struct object *object)
{
	return object && !strcmp(word, object->name);
}

bool cli_wants_vma(const struct cli *cli, const struct process *process, const struct vma *vma)
{
	const struct object *object;
	const char *role;
	uint64_t address;

	if (vma->end <= cli->range_start || vma->start >= cli->range_end)
		return false;
	if (!cli->vma)
		return true;
	if (span_number(span_of(cli->vma), &address))
		return address >= vma->start && address < vma->end;
	if (strlen(cli->vma) == 1 && !strcmp(cli->vma, name_of(vma_class_names, vma->vma_class)))
		return true;
	object = vma_object(process, vma);
	role = name_of(vma_role_names, vma->role);
	return name_is(cli->vma, object) || name_matches(cli->vma, object) ||
		(role && !strcmp(cli->vma, role));
}

bool cli_filters(const struct cli *cli)
{
	return cli->vma || cli->range_start || cli->range_end != UINT64_MAX;
}

int cli_filter_check(const struct cli *cli, const struct process *process, struct error *error)
{
	if (!cli_filters(cli))
		return 0;
	for (size_t i = 0; i < process->vma_count; i++)
		if (cli_wants_vma(cli, process, &process->vmas[i]))
			return 0;
	return error_set(error, ERROR_NOT_FOUND, NULL, "no VMA is left by %s; `vmatlas map` "
			 "without it lists them all", cli->vma ? "--vma" : "--range");
}
