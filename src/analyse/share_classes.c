// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share.h"

#include "vmatlas/base/search.h"

static int keep_vmas(const struct process *process, struct share_vmas *vmas,
		     struct error *error)
{
	vmas->items = malloc((process->vma_count + 1) * sizeof(*vmas->items));
	if (!vmas->items)
		return error_nomem(error);
	for (size_t i = 0; i < process->vma_count; i++)
		vmas->items[i] = (struct share_vma) {
			process->vmas[i].start, process->vmas[i].vma_class, process->vmas[i].role,
		};
	vmas->count = process->vma_count;
	return 0;
}

/* What cannot be loaded the tally tells with its reason. */
static int read_one(struct source *source, pid_t pid, struct share_vmas *vmas,
		    struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *opened = NULL;
	CLEANUP(process_freep) struct process *process = NULL;
	struct error local = ERROR_INIT;

	if (source_process_open(source, pid, &opened, &local) < 0 ||
	    process_load(opened, PROCESS_NEED_ELF, &process, &local) < 0 ||
	    classify_process(process, &local) < 0)
		return local.code == ERROR_NOMEM ? error_nomem(error) : 0;
	return keep_vmas(process, vmas, error);
}

int share_classes_read(struct source *source, struct share_load *load, struct error *error)
{
	int rc = 0;

	load->vmas = calloc(load->request->count + 1, sizeof(*load->vmas));
	if (!load->vmas)
		return error_nomem(error);
	for (size_t i = 0; i < load->request->count && rc >= 0; i++)
		rc = read_one(source, load->request->pids[i], &load->vmas[i], error);
	return rc;
}

/* The VMA that begins there or, where it was split meanwhile, the one before; NULL: none. */
const struct share_vma *share_vma_at(const struct share_vmas *vmas, uint64_t start)
{
	size_t above = SEARCH_FIRST(i, vmas->count, vmas->items[i].start <= start);

	return above ? &vmas->items[above - 1] : NULL;
}
