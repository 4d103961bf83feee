// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "elf_pieces.h"
#include "vmatlas/analyse/symbol_cache.h"

struct mapped_files *mapped_files_new(void)
{
	struct mapped_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	files->dir = -1;
	pthread_mutex_init(&files->lock, NULL);
	return files;
}

static void mapped_file_free(struct mapped_file *file)
{
	if (!file)
		return;
	file_about_done(&file->about);
	code_done(file);
	free(file);
}

DEFINE_CLEANUP(mapped_file_free, struct mapped_file)

void mapped_files_free(struct mapped_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++)
		mapped_file_free(files->items[i]);
	free(files->items);
	cleanup_close(&files->dir);
	pthread_mutex_destroy(&files->lock);
	free(files);
}

/* Which file: what a process asks for. */
static int compare_key(const struct file_about *a, const struct file_about *b)
{
	int order = span_compare(buf_span(&a->path), buf_span(&b->path));

	if (order)
		return order;
	if (a->debug != b->debug)
		return a->debug - b->debug;
	if (a->deleted != b->deleted)
		return a->deleted - b->deleted;
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	return (a->inode > b->inode) - (a->inode < b->inode);
}

static int outcome(const struct file_about *about, struct buf *text)
{
	struct file_about plain = *about;

	plain.pid_count = 0;
	return file_about_write(&plain, text);
}

static int compare_outcome(const struct file_about *a, const struct file_about *b, bool *failed)
{
	CLEANUP(buf_done) struct buf left = BUF_INIT;
	CLEANUP(buf_done) struct buf right = BUF_INIT;

	*failed = outcome(a, &left) < 0 || outcome(b, &right) < 0;
	return *failed ? 0 : span_compare(buf_span(&left), buf_span(&right));
}

static int add_pid(struct file_about *about, pid_t pid)
{
	if (array_grow((void **)&about->pids, &about->pid_cap, about->pid_count,
		       sizeof(pid)) < 0)
		return -ERROR_NOMEM;
	about->pids[about->pid_count++] = pid;
	return 0;
}

static struct mapped_file *find(struct mapped_files *files, const struct file_about *about,
				bool *failed)
{
	for (size_t i = 0; i < files->count && !*failed; i++) {
		struct file_about *other = &files->items[i]->about;

		if (other->inode == about->inode && !compare_key(other, about) &&
		    !compare_outcome(other, about, failed))
			return files->items[i];
	}
	return NULL;
}

/* Adds it, or the process to the one that is the same, which *file then is: 1 if it is new, and
 * taken. */
static int enter(struct recording *recording, struct mapped_file **file, pid_t pid,
		 struct error *error)
{
	struct mapped_files *files = recording->files;
	struct mapped_file *known;
	bool failed = false;
	int rc = 0;

	pthread_mutex_lock(&files->lock);
	if (files->dir < 0) {
		rc = place_folder(recording->place.root, "files", error);
		files->dir = rc;
	}
	known = rc < 0 ? NULL : find(files, &(*file)->about, &failed);
	if (rc >= 0 && !known && !failed)
		failed = array_grow((void **)&files->items, &files->cap, files->count,
				    sizeof(known)) < 0;
	if (rc >= 0 && !failed && pid)
		failed = add_pid(known ? &known->about : &(*file)->about, pid) < 0;
	if (rc >= 0 && !failed && !known) {
		snprintf((*file)->name, sizeof((*file)->name), "new%zu", files->count);
		files->items[files->count++] = *file;
	}
	if (known)
		*file = known;
	pthread_mutex_unlock(&files->lock);
	if (rc >= 0 && failed)
		rc = error_nomem(error);
	return rc < 0 ? rc : !known;
}

/* Room for so many bytes of this file beside the others? */
static bool take_bytes(struct mapped_files *files, uint64_t bytes)
{
	bool fits;

	pthread_mutex_lock(&files->lock);
	fits = bytes <= FILES_BYTES_MAX - files->bytes;
	if (fits)
		files->bytes += bytes;
	pthread_mutex_unlock(&files->lock);
	return fits;
}

static int write_pieces(struct recording *recording, struct mapped_file *file, int dir,
			const struct trace *trace, struct error *error)
{
	if (trace->nomem)
		return error_nomem(error);
	file->limited = trace->limited;
	if (take_bytes(recording->files, trace->total))
		return pieces_write(recording, dir, trace, error);
	file->limited = true;
	return 0;
}

static struct mapped_file *mapped_file_new(struct span path, struct error *error)
{
	struct mapped_file *file = calloc(1, sizeof(*file));

	if (file)
		file_about_init(&file->about);
	if (!file || buf_add_span(&file->about.path, path) < 0) {
		mapped_file_free(file);
		error_nomem(error);
		return NULL;
	}
	return file;
}

static void take_facts(struct file_about *about, const struct source_file *file)
{
	about->file = *file;
	about->file.fd = -1;
	about->file.pieces = NULL;
	about->file.code = NULL;
	about->file.cache = NULL;
}

/* debug_file_open() found it by the build-id if its path says so; else by its checksum. */
static void take_sum(struct file_about *about, const struct source_file *file)
{
	CLEANUP(elf_image_freep) struct elf_image *image = NULL;

	if (!about->file.has_sum && !strstr(buf_str(&about->path), "/.build-id/"))
		about->file.has_sum = elf_image_open_file(file, &image, NULL) == 0 &&
				      elf_file_sum(image, &about->file.sum) == 0;
}

static ssize_t read_file(void *ctx, uint64_t offset, void *data, size_t len,
			 struct error *error)
{
	return source_file_read(ctx, offset, data, len, error);
}

static struct elf_reader file_reader(const struct source_file *file)
{
	return (struct elf_reader) { read_file, (void *)file, file->size };
}

/* Its symbols stand for those of a mapped file. */
static int add_debug_file(struct recording *recording, struct process *process, const char *path,
			  struct error *error)
{
	CLEANUP(source_file_freep) struct source_file *opened = NULL;
	CLEANUP(mapped_file_freep) struct mapped_file *guard = NULL;
	CLEANUP(trace_done) struct trace trace = { .ranges = NULL };
	CLEANUP_CLOSE int dir = -1;
	struct elf_reader reader;
	struct mapped_file *file;
	int rc;

	if (source_path_open(recording->source, process->source, path, &opened, NULL) < 0)
		return 0;
	file = guard = mapped_file_new(span_of(path), error);
	if (!file)
		return -ERROR_NOMEM;
	take_facts(&file->about, opened);
	take_sum(&file->about, opened);
	file->about.debug = true;
	rc = enter(recording, &file, 0, error);
	if (rc <= 0)
		return rc;
	guard = NULL;
	reader = file_reader(opened);
	trace_init(&trace, &reader, FILE_BYTES_MAX);
	debug_pieces_trace(&trace);
	dir = place_folder(recording->files->dir, file->name, error);
	return dir < 0 ? dir : write_pieces(recording, file, dir, &trace, error);
}

static int add_elf(struct recording *recording, struct process *process,
		   const struct object *object, struct mapped_file *file, int dir,
		   const struct elf_reader *reader, struct error *error)
{
	CLEANUP(debug_search_done) struct debug_search search = {
		.opener = symbol_cache_opener(process),
	};
	CLEANUP(trace_done) struct trace trace = { .ranges = NULL };
	int rc;

	trace_init(&trace, reader, FILE_BYTES_MAX);
	rc = elf_pieces_trace(&trace, object->name, object->elf ? &search : NULL, error);
	if (rc == -ERROR_NOMEM)
		return rc;
	rc = write_pieces(recording, file, dir, &trace, error);
	return rc < 0 || !search.used ? rc :
		add_debug_file(recording, process, search.path, error);
}

static int add_content(struct recording *recording, struct process *process,
		       const struct object *object, const struct source_file *opened,
		       struct mapped_file *file, struct error *error)
{
	CLEANUP(trace_done) struct trace cached = { .ranges = NULL };
	CLEANUP_CLOSE int dir = place_folder(recording->files->dir, file->name, error);
	struct elf_reader reader;
	int rc;

	if (dir < 0)
		return dir;
	if (object->memory)
		return add_elf(recording, process, object, file, dir, &object->elf->reader, error);
	if (!opened)
		return 0;
	rc = cached_record(recording, opened, dir, &cached, &file->uncached, error);
	if (rc < 0 || !object->elf_tried || file->about.file.no_elf)
		return rc < 0 ? rc : 0;
	reader = file_reader(opened);
	if (add_elf(recording, process, object, file, dir, &reader, error) < 0)
		return -1;
	if (!rc)
		cached_restore(recording, opened, &cached);
	return 0;
}

static int take_build_id(struct file_about *about, const struct elf_image *image)
{
	int rc = 0;

	for (size_t i = 0; i < image->build_id_size && rc >= 0; i++)
		rc = buf_add_hex(&about->build_id, image->build_id[i], 2);
	return rc;
}

/* What the process knows of the file already, and what came of opening it now. */
static int take_outcome(const struct object *object, const struct source_file *opened,
			const struct error *failure, struct file_about *about)
{
	if (opened)
		take_facts(about, opened);
	else if (object->memory)
		about->file = (struct source_file) { .fd = -1, .match = FILE_MATCH_MAPPED,
						     .size = object->elf->reader.size };
	else
		about->failed = failure->code;
	if (about->failed && buf_add_str(&about->why, failure->text) < 0)
		return -ERROR_NOMEM;
	about->deleted = object->deleted;
	about->major = object->major;
	about->minor = object->minor;
	about->inode = object->inode;
	about->file.mapped_build_id = object->mapped_build_id;
	about->file.no_elf = opened && object->elf_tried && !object->elf &&
			     object->elf_gap == GAP_NOT_APPLICABLE;
	return object->elf ? take_build_id(about, object->elf) : 0;
}

static int add_object(struct recording *recording, struct process *process,
		      const struct object *object, struct mapped_file **entered,
		      struct error *error)
{
	CLEANUP(source_file_freep) struct source_file *own = NULL;
	CLEANUP(mapped_file_freep) struct mapped_file *guard = NULL;
	struct source_file_key key = object_key(process, object);
	const struct source_file *opened = object->file;
	struct error failure = ERROR_INIT;
	struct mapped_file *file;
	int rc;

	if (!opened && !object->memory) {
		if (source_file_open(process->source, &key, &own, &failure) ==
		    -ERROR_NOT_RECORDED && !failure.item[0])
			return 0;
		opened = own;
	}
	file = guard = mapped_file_new(key.path, error);
	if (!file)
		return -ERROR_NOMEM;
	if (take_outcome(object, opened, &failure, &file->about) < 0)
		return error_nomem(error);
	rc = enter(recording, &file, process->pid, error);
	if (rc < 0)
		return rc;
	*entered = file;
	if (!rc)
		return 0;
	guard = NULL;
	return add_content(recording, process, object, opened, file, error);
}

int mapped_files_add(struct recording *recording, struct process *process,
		     struct mapped_file ***of_object, struct error *error)
{
	CLEANUP_FREE struct mapped_file **list = calloc(process->object_count + 1, sizeof(*list));
	int rc = list ? 0 : error_nomem(error);

	for (size_t i = 0; i < process->object_count && rc >= 0; i++) {
		const struct object *object = &process->objects[i];

		if (object->inode || (object_is_vdso(object) && object->elf))
			rc = add_object(recording, process, object, &list[i], error);
		if (rc >= 0)
			rc = recording_stopped(recording, error);
	}
	if (rc < 0)
		return rc;
	*of_object = list;
	list = NULL;
	return 0;
}

static int compare_files(const void *a, const void *b)
{
	const struct file_about *x = &(*(struct mapped_file *const *)a)->about;
	const struct file_about *y = &(*(struct mapped_file *const *)b)->about;
	bool failed;
	int order = compare_key(x, y);

	return order ? order : compare_outcome(x, y, &failed);
}

static int compare_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* Where all processes find the same, none is named. A process may map a file twice (dlmopen). */
static void settle_pids(struct mapped_files *files, size_t at)
{
	struct file_about *about = &files->items[at]->about;
	bool shared = (at && !compare_key(&files->items[at - 1]->about, about)) ||
		      (at + 1 < files->count &&
		       !compare_key(&files->items[at + 1]->about, about));
	size_t kept = 0;

	if (about->pid_count)
		qsort(about->pids, about->pid_count, sizeof(pid_t), compare_pid);
	for (size_t i = 0; shared && i < about->pid_count; i++)
		if (!kept || about->pids[kept - 1] != about->pids[i])
			about->pids[kept++] = about->pids[i];
	about->pid_count = kept;
}

static int finish_file(struct recording *recording, size_t at, struct error *error)
{
	struct mapped_files *files = recording->files;
	struct mapped_file *file = files->items[at];
	struct error limit = { .code = ERROR_LIMIT };
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP_CLOSE int dir = -1;
	char name[32], item[48];

	snprintf(name, sizeof(name), "%zu", at + 1);
	if (renameat(files->dir, file->name, files->dir, name) < 0)
		return error_errno(error, errno, name, "naming the folder");
	dir = openat(files->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(error, errno, name, "opening the folder");
	if (code_write(recording, file, dir, error) < 0)
		return -1;
	settle_pids(files, at);
	if (file_about_write(&file->about, &text) < 0)
		return error_nomem(error);
	snprintf(item, sizeof(item), "files/%zu/bytes", at + 1);
	if (file->limited && missing_add(&recording->missing[0], item, &limit, error) < 0)
		return -ERROR_NOMEM;
	snprintf(item, sizeof(item), "files/%zu/cached", at + 1);
	if (file->uncached.code && file->uncached.code != ERROR_NOT_RECORDED &&
	    missing_add(&recording->missing[0], item, &file->uncached, error) < 0)
		return -ERROR_NOMEM;
	return out_text(recording, dir, "about", buf_span(&text), error);
}

int mapped_files_finish(struct recording *recording, struct error *error)
{
	struct mapped_files *files = recording->files;
	int rc = 0;

	if (files->count)
		qsort(files->items, files->count, sizeof(*files->items), compare_files);
	for (size_t i = 0; i < files->count && rc >= 0; i++)
		rc = finish_file(recording, i, error);
	return rc;
}
