// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "snapshot_content.h"
#include "snapshot_files.h"

#define STAT_BYTES 4096

static void snapshot_free(struct source *source)
{
	struct snapshot *snapshot = snapshot_of(source);

	snapshot_frames_done(snapshot);
	pthread_mutex_destroy(&snapshot->lock);
	snapshot_files_free(snapshot->files);
	snapshot_store_done(&snapshot->store);
	snapshot_missing_done(&snapshot->missing);
	free(snapshot->members);
	free(snapshot);
}

static int snapshot_pids(struct source *source, pid_t **pids, size_t *count, struct error *error)
{
	struct snapshot *snapshot = snapshot_of(source);
	pid_t *list = calloc(snapshot->member_count + 1, sizeof(*list));

	if (!list)
		return error_nomem(error);
	for (size_t i = 0; i < snapshot->member_count; i++)
		list[i] = snapshot->members[i].pid;
	*pids = list;
	*count = snapshot->member_count;
	return 0;
}

static int compare_member(const void *key, const void *element)
{
	pid_t pid = *(const pid_t *)key, other = ((const struct snapshot_member *)element)->pid;

	return (pid > other) - (pid < other);
}

static bool has_thread(struct snapshot *snapshot, const struct snapshot_member *member, pid_t tid)
{
	char name[SNAPSHOT_NAME_MAX];

	if (snapshot->has_manifest)
		snprintf(name, sizeof(name), "%d/task/%d", member->pid, tid);
	else
		snprintf(name, sizeof(name), "task/%d", tid);
	return snapshot_store_has_folder(&snapshot->store, name);
}

/* The process of that id, or the one that has a thread of that id. */
static const struct snapshot_member *member_find(struct snapshot *snapshot, pid_t pid)
{
	const struct snapshot_member *member;

	/* Without members there is no array to search. */
	if (!snapshot->member_count)
		return NULL;
	member = bsearch(&pid, snapshot->members, snapshot->member_count, sizeof(*member),
			 compare_member);
	if (member || !pid)
		return member;
	for (size_t i = 0; i < snapshot->member_count; i++)
		if (has_thread(snapshot, &snapshot->members[i], pid))
			return &snapshot->members[i];
	return NULL;
}

static int member_absent(struct snapshot *snapshot, pid_t pid, struct error *error)
{
	const struct snapshot_member *only = snapshot->members;
	char item[16];

	snprintf(item, sizeof(item), "%d", pid);
	if (snapshot_missing_has(&snapshot->missing, item))
		return snapshot_missing_why(&snapshot->missing, item, error);
	if (!pid)
		return error_set(error, ERROR_NOT_FOUND, NULL, "the snapshot holds %zu processes; "
				 "say which", snapshot->member_count);
	if (snapshot->member_count == 1 && only->pid)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "the snapshot does not hold process %d but %d", pid, only->pid);
	if (snapshot->member_count == 1)
		return error_set(error, ERROR_NOT_FOUND, NULL,
				 "the snapshot does not tell its process id; give none");
	return error_set(error, ERROR_NOT_RECORDED, NULL, "the snapshot does not hold process %d",
			 pid);
}

static int process_begin(struct snapshot *snapshot, struct snapshot_process *p,
			 struct error *error)
{
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	if (snapshot->has_manifest) {
		snprintf(p->folder, sizeof(p->folder), "%d", p->base.pid);
		if (!snapshot_store_has_folder(&snapshot->store, p->folder))
			return error_set(error, ERROR_DAMAGED, p->folder,
					 "the manifest names it, but there is no such folder");
		strcat(p->folder, "/");
	}
	snprintf(name, sizeof(name), "%smissing", p->folder);
	rc = snapshot_missing_load(&p->missing, &snapshot->store, name, error);
	return rc < 0 ? rc : snapshot_content_load(p, error);
}

static void snapshot_process_free(struct source_process *process)
{
	struct snapshot_process *p = snapshot_process_of(process);

	snapshot_names_free(p->names);
	snapshot_runs_free(p->pagemap);
	snapshot_runs_free(p->scan);
	snapshot_content_free(p->content);
	snapshot_missing_done(&p->missing);
	free(p);
}

static int snapshot_process_open(struct source *source, pid_t pid,
				 struct source_process **process, struct error *error)
{
	struct snapshot *snapshot = snapshot_of(source);
	const struct snapshot_member *member = !pid && snapshot->member_count == 1 ?
		snapshot->members : member_find(snapshot, pid);
	struct snapshot_process *p;
	int rc;

	if (!member)
		return member_absent(snapshot, pid, error);
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_nomem(error);
	source_process_init(&p->base, source, member->pid);
	p->base.tid = member->tid;
	rc = process_begin(snapshot, p, error);
	if (rc < 0)
		snapshot_process_free(&p->base);
	else
		*process = &p->base;
	return rc;
}

static int snapshot_threads(struct source_process *process, pid_t **tids, size_t *count,
			    struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);
	struct error local = ERROR_INIT;
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	if (snapshot_missing_has(&p->missing, "task"))
		return snapshot_missing_why(&p->missing, "task", error);
	snprintf(name, sizeof(name), "%stask", p->folder);
	rc = snapshot_store_numbers(&snapshot_of(process->source)->store, name, tids, count,
				    &local);
	if (rc < 0 && error)
		*error = local;
	return rc;
}

static bool snapshot_exclusive_mark(struct source *source)
{
	return snapshot_of(source)->exclusive_mark;
}

static uint64_t snapshot_frames_end(struct source *source)
{
	return snapshot_of(source)->frames_end;
}

static const struct source_ops snapshot_ops = {
	.free = snapshot_free,
	.pids = snapshot_pids,
	.system_open = snapshot_system_open,
	.frames = snapshot_frames,
	.frames_access = snapshot_frames_access,
	.frames_end = snapshot_frames_end,
	.exclusive_mark = snapshot_exclusive_mark,
	.path_open = snapshot_path_open,
	.process_open = snapshot_process_open,
	.process_free = snapshot_process_free,
	.threads = snapshot_threads,
	.text_open = snapshot_text_open,
	.exe = snapshot_exe,
	.mapped_name = snapshot_mapped_name,
	.pagemap = snapshot_pagemap,
	.hole = snapshot_hole,
	.scan = snapshot_scan,
	.mem = snapshot_mem,
	.difference = snapshot_difference,
	.malloc_size = snapshot_malloc_size,
	.file_open = snapshot_file_open,
};

/* The id is the first field of `stat`; without a readable one the process is nameless. */
static pid_t flat_pid(struct snapshot *snapshot)
{
	CLEANUP(snapshot_file_done) struct snapshot_file file = SNAPSHOT_FILE_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct span span;
	uint64_t pid;

	if (snapshot_store_file(&snapshot->store, "stat", &file, NULL) < 0 ||
	    snapshot_file_text(&snapshot->base, &file, "stat", STAT_BYTES, &text, NULL) < 0)
		return 0;
	span = buf_span(&text);
	return span_take_dec(&span, &pid) && span_take_char(&span, ' ') && pid <= INT32_MAX ?
		(pid_t)pid : 0;
}

/* Without a manifest: `maps` must be there; its time is that of the recording. */
static int flat_begin(struct snapshot *snapshot, struct error *error)
{
	CLEANUP(snapshot_file_done) struct snapshot_file file = SNAPSHOT_FILE_INIT;
	struct stat st;
	int rc = snapshot_store_file(&snapshot->store, "maps", &file, error);

	if (rc == -ERROR_NOT_RECORDED)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "no snapshot: it has neither a manifest nor a text maps");
	if (rc < 0)
		return rc;
	snapshot->base.host.page_size = 4096;
	snapshot->base.host.time = fstat(file.fd, &st) < 0 ? 0 : st.st_mtime;
	snapshot->members = calloc(1, sizeof(*snapshot->members));
	if (!snapshot->members)
		return error_nomem(error);
	snapshot->members[0].pid = snapshot->members[0].tid = flat_pid(snapshot);
	snapshot->member_count = 1;
	return 0;
}

static int snapshot_begin(struct snapshot *snapshot, struct error *error)
{
	struct error local = ERROR_INIT;
	int rc = snapshot_manifest_load(snapshot, &local);

	if (rc == -ERROR_NOT_RECORDED)
		return flat_begin(snapshot, error);
	if (!rc)
		rc = snapshot_missing_load(&snapshot->missing, &snapshot->store, "missing", &local);
	if (rc < 0 && error)
		*error = local;
	return rc;
}

int source_folder(struct source **source, const char *path, struct error *error)
{
	CLEANUP(source_freep) struct source *guard = NULL;
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	int rc;

	if (!snapshot)
		return error_nomem(error);
	source_init(&snapshot->base, &snapshot_ops, SOURCE_KIND_SNAPSHOT);
	snapshot->store.dir = -1;
	pthread_mutex_init(&snapshot->lock, NULL);
	guard = &snapshot->base;
	rc = snapshot_store_init(&snapshot->store, guard, path, error);
	if (!rc)
		rc = snapshot_begin(snapshot, error);
	if (!rc)
		rc = snapshot_files_load(&snapshot->store, &snapshot->missing, &snapshot->files,
					 error);
	if (rc < 0)
		return rc;
	guard = NULL;
	*source = &snapshot->base;
	return 0;
}
