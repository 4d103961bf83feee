// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_content.h"

#include <stdio.h>
#include <stdlib.h>

#include "snapshot_files.h"

void snapshot_content_free(struct snapshot_content *content)
{
	if (!content)
		return;
	snapshot_differences_done(&content->differences);
	snapshot_mallocs_done(&content->mallocs);
	pieces_free(content->memory);
	piece_list_done(&content->ranges);
	free(content);
}

DEFINE_CLEANUP(snapshot_content_free, struct snapshot_content)

static int load_memory(struct snapshot_content *content, struct snapshot_store *store,
		       const char *folder, struct error *error)
{
	struct error local = ERROR_INIT;
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "%smemory", folder);
	rc = piece_list_load(&content->ranges, store, name, UINT64_MAX, &local);
	if (rc == -ERROR_NOT_RECORDED)
		return 0;
	if (!rc)
		rc = pieces_open(store, name, &content->ranges, &content->memory, &local);
	if (rc < 0 && error)
		*error = local;
	return rc;
}

int snapshot_content_load(struct snapshot_process *process, struct error *error)
{
	CLEANUP(snapshot_content_freep) struct snapshot_content *made = calloc(1, sizeof(*made));
	struct snapshot *snapshot = snapshot_of(process->base.source);
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	if (!made)
		return error_nomem(error);
	snprintf(name, sizeof(name), "%sdifferences", process->folder);
	rc = snapshot_differences_load(&made->differences, &snapshot->store, name,
				       snapshot->base.host.page_size, error);
	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "%smalloc", process->folder);
	rc = snapshot_mallocs_load(&made->mallocs, &snapshot->store, name, error);
	if (!rc)
		rc = load_memory(made, &snapshot->store, process->folder, error);
	if (rc < 0)
		return rc;
	process->content = made;
	made = NULL;
	return 0;
}

int snapshot_difference(struct source_process *process, uint64_t page, uint8_t *marks,
			struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);

	return p->content->differences.recorded ?
		snapshot_differences_page(&p->content->differences, page, marks, error) :
		snapshot_missing_why(&p->missing, "differences", error);
}

int snapshot_malloc_size(struct source_process *process, enum source_malloc what,
			 uint64_t address, uint64_t *size, struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);

	return p->content->mallocs.recorded ?
		snapshot_mallocs_size(&p->content->mallocs, what, address, size, error) :
		snapshot_missing_why(&p->missing, "malloc", error);
}

int snapshot_mem(struct source_process *process, uint64_t address, void *data, size_t len,
		 size_t *got, struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);
	size_t done = 0;
	ssize_t read = 1;

	if (!p->content->memory)
		return snapshot_missing_why(&p->missing, "mem", error);
	while (done < len) {
		read = pieces_read(p->content->memory, address + done, (char *)data + done,
				   len - done, error);
		if (read <= 0)
			break;
		done += (size_t)read;
	}
	if (read < 0 && !done)
		return (int)read;
	*got = done;
	return 0;
}

/* map_files was refused where a file was opened by its name all the same. */
static void note_access(struct source_process *process, const struct source_file *file)
{
	struct error refused = { .code = ERROR_DENIED };

	if (file->match == FILE_MATCH_MAPPED)
		source_note(process, ACCESS_MAP_FILES, 0, NULL);
	else
		source_note(process, ACCESS_MAP_FILES, -ERROR_DENIED, &refused);
}

int snapshot_file_open(struct source_process *process, const struct source_file_key *key,
		       struct source_file **file, struct error *error)
{
	struct error local = ERROR_INIT;
	int rc = snapshot_files_mapped(snapshot_of(process->source)->files, process->pid, key, file,
				       &local);

	if (rc < 0 && error)
		*error = local;
	if (rc == -ERROR_NOT_RECORDED && key->start < key->end)
		source_note(process, ACCESS_MAP_FILES, rc, &local);
	else if (!rc && key->start < key->end)
		note_access(process, *file);
	return rc;
}

int snapshot_path_open(struct source *source, struct source_process *process, const char *path,
		       struct source_file **file, struct error *error)
{
	(void)process;
	return snapshot_files_named(snapshot_of(source)->files, path, file, error);
}
