// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "pieces.h"
#include "snapshot_lines.h"
#include "vmatlas/source/file_about.h"

#define FILES_MAX 65536u

struct recorded_file {
	struct file_about about;
	struct piece_list pieces, code;
	bool has_pieces, has_code;
	struct recorded_cache cache;
};

struct snapshot_files {
	struct snapshot_store *store;
	const struct snapshot_missing *missing;
	struct recorded_file *items;	/* [i] is files/(i + 1) */
	size_t count;
	size_t cap;
};

void snapshot_files_free(struct snapshot_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++) {
		file_about_done(&files->items[i].about);
		piece_list_done(&files->items[i].pieces);
		piece_list_done(&files->items[i].code);
		piece_list_done(&files->items[i].cache.in);
		piece_list_done(&files->items[i].cache.swapped);
	}
	free(files->items);
	free(files);
}

DEFINE_CLEANUP(snapshot_files_free, struct snapshot_files)

static int read_lines(struct snapshot_lines *text, struct file_about *about)
{
	struct span line;
	int rc;

	while ((rc = snapshot_lines_next(text, &line)) > 0) {
		rc = file_about_take(about, line);
		if (rc == -ERROR_NOMEM)
			return error_nomem(text->error);
		if (rc < 0)
			return snapshot_lines_bad(text, "not a key with a value that it can have");
	}
	if (rc == 0 && !about->path.len)
		return error_set(text->error, ERROR_DAMAGED, text->name, "it names no file");
	return rc;
}

static int read_pieces(struct snapshot_files *files, struct recorded_file *made,
		       struct error *error)
{
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "files/%zu", files->count);
	rc = piece_list_load(&made->pieces, files->store, name, made->about.file.size, error);
	made->has_pieces = rc == 0;
	if (rc < 0)
		return rc == -ERROR_NOT_RECORDED ? 0 : rc;
	snprintf(name, sizeof(name), "files/%zu/code", files->count);
	rc = piece_list_load(&made->code, files->store, name, made->about.file.size, error);
	made->has_code = rc == 0;
	return rc == -ERROR_NOT_RECORDED ? 0 : rc;
}

/* Absent: why it could not be asked. */
static int read_cache(struct snapshot_files *files, struct recorded_cache *cache,
		      struct error *error)
{
	struct error local = ERROR_INIT;
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "files/%zu/cached", files->count);
	rc = piece_list_ranges(&cache->in, files->store, name, UINT64_MAX, &local);
	if (rc == -ERROR_NOT_RECORDED) {
		snapshot_missing_why(files->missing, name, &cache->why);
		return 0;
	}
	if (!rc) {
		snprintf(name, sizeof(name), "files/%zu/swapped", files->count);
		rc = piece_list_ranges(&cache->swapped, files->store, name, UINT64_MAX, &local);
	}
	if (rc == -ERROR_NOT_RECORDED)
		rc = 0;
	if (rc < 0 && error)
		*error = local;
	return rc;
}

int recorded_cache_ask(const struct recorded_cache *cache, uint64_t page_size, uint64_t offset,
		       uint64_t len, struct source_cached *cached, struct error *error)
{
	if (cache->why.code) {
		if (error)
			*error = cache->why;
		return -(int)cache->why.code;
	}
	if (!len)
		len = UINT64_MAX - offset;
	cached->pages = piece_list_covered(&cache->in, offset, len) / page_size;
	cached->evicted = piece_list_covered(&cache->swapped, offset, len) / page_size;
	return 0;
}

static int read_file(struct snapshot_files *files, struct error *error)
{
	CLEANUP(snapshot_lines_done) struct snapshot_lines text;
	char name[SNAPSHOT_NAME_MAX];
	struct recorded_file *made;
	int rc;

	snprintf(name, sizeof(name), "files/%zu/about", files->count + 1);
	rc = snapshot_lines_open(&text, files->store, name, error);
	if (rc < 0)
		return rc;
	if (files->count == FILES_MAX)
		return error_set(error, ERROR_LIMIT, "files", "too many of them");
	if (array_grow((void **)&files->items, &files->cap, files->count, sizeof(*made)) < 0)
		return error_nomem(error);
	made = &files->items[files->count++];
	*made = (struct recorded_file) { .has_pieces = false };
	file_about_init(&made->about);
	rc = read_lines(&text, &made->about);
	if (!rc)
		rc = read_pieces(files, made, error);
	return rc < 0 ? rc : read_cache(files, &made->cache, error);
}

int snapshot_files_load(struct snapshot_store *store, const struct snapshot_missing *missing,
			struct snapshot_files **files, struct error *error)
{
	CLEANUP(snapshot_files_freep) struct snapshot_files *made = calloc(1, sizeof(*made));
	struct error local = ERROR_INIT;
	int rc = 0;

	if (!made)
		return error_nomem(error);
	made->store = store;
	made->missing = missing;
	while (rc >= 0)
		rc = read_file(made, &local);
	if (rc != -ERROR_NOT_RECORDED) {
		if (error)
			*error = local;
		return rc;
	}
	*files = made;
	made = NULL;
	return 0;
}

static bool is_for(const struct file_about *about, pid_t pid)
{
	for (size_t i = 0; i < about->pid_count; i++)
		if (about->pids[i] == pid)
			return true;
	return false;
}

/* Without a range only the name is asked for, and " (deleted)" may be part of it. */
static bool is_key(const struct file_about *about, const struct source_file_key *key)
{
	return !about->debug && about->inode == key->inode && about->major == key->major &&
	       about->minor == key->minor && about->deleted == key->deleted &&
	       span_equal(buf_span(&about->path), key->path);
}

/* The recorded outcome: the file with its pieces, or the refusal. */
static int file_open(struct snapshot_files *files, const struct recorded_file *found,
		     struct source_file **file, struct error *error)
{
	const struct file_about *about = &found->about;
	CLEANUP(source_file_freep) struct source_file *made = NULL;
	char name[SNAPSHOT_NAME_MAX];
	int rc = 0;

	if (about->failed)
		return error_set(error, about->failed, buf_str(&about->path), "%s",
				 buf_str(&about->why));
	made = malloc(sizeof(*made));
	if (!made)
		return error_nomem(error);
	*made = about->file;
	made->cache = &found->cache;
	snprintf(name, sizeof(name), "files/%zu", (size_t)(found - files->items) + 1);
	if (found->has_pieces)
		rc = pieces_open(files->store, name, &found->pieces, &made->pieces, error);
	strcat(name, "/code");
	if (!rc && found->has_code)
		rc = pieces_open(files->store, name, &found->code, &made->code, error);
	if (rc < 0)
		return rc;
	*file = made;
	made = NULL;
	return 0;
}

int snapshot_files_mapped(struct snapshot_files *files, pid_t pid,
			  const struct source_file_key *key, struct source_file **file,
			  struct error *error)
{
	const struct recorded_file *found = NULL;
	int rc;

	for (size_t i = 0; i < files->count; i++) {
		const struct file_about *about = &files->items[i].about;
		bool own = is_for(about, pid);

		if (!is_key(about, key) || (about->pid_count && !own) || (found && !own))
			continue;
		found = &files->items[i];
		if (own)
			break;
	}
	if (!found)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "the snapshot does not tell of this file");
	/* What has a deleted file's name by now was not looked up. */
	if (key->deleted && key->start >= key->end)
		return error_set(error, ERROR_NOT_RECORDED, NULL,
				 "the snapshot does not tell who has its name");
	rc = file_open(files, found, file, error);
	if (!rc && key->start >= key->end && (*file)->match == FILE_MATCH_MAPPED)
		(*file)->match = FILE_MATCH_SAME;
	return rc;
}

int snapshot_files_named(struct snapshot_files *files, const char *path,
			 struct source_file **file, struct error *error)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct file_about *about = &files->items[i].about;

		if (!about->deleted && span_is(buf_span(&about->path), path))
			return file_open(files, &files->items[i], file, error);
	}
	return error_set(error, ERROR_NOT_RECORDED, path, "the snapshot does not hold it");
}
