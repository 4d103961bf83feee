// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define AUXV_ENTRIES_MAX 1024u
#define EXE_BYTES 65536u

static const char *const system_names[SOURCE_SYSTEM_TEXT_MAX] = {
	[SOURCE_MAX_MAP_COUNT] = "host/max_map_count",
	[SOURCE_OVERCOMMIT] = "host/overcommit_memory",
	[SOURCE_CPUINFO] = "host/cpuinfo",
	[SOURCE_MEMINFO] = "host/meminfo",
	[SOURCE_SWAPS] = "host/swaps",
	[SOURCE_THP_SIZE] = "host/hpage_pmd_size",
	[SOURCE_STACK_GUARD_GAP] = "host/stack_guard_gap",
	[SOURCE_MOUNTS] = "host/mountinfo",
	[SOURCE_KSM_SHARED] = "host/ksm_pages_shared",
	[SOURCE_CPUS_ONLINE] = "host/cpus_online",
};

int snapshot_process_file(struct source_process *process, const char *item,
			  struct snapshot_file *file, struct error *error)
{
	struct snapshot_process *p = snapshot_process_of(process);
	struct error local = ERROR_INIT;
	char name[SNAPSHOT_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "%s%s", p->folder, item);
	rc = snapshot_store_file(&snapshot_of(process->source)->store, name, file, &local);
	if (rc == -ERROR_NOT_RECORDED && snapshot_missing_has(&p->missing, item))
		return snapshot_missing_why(&p->missing, item, error);
	if (rc < 0 && error)
		*error = local;
	return rc;
}

static int open_item(struct source_process *process, const char *item, int *fd,
		     struct error *error)
{
	struct snapshot_file file;
	int rc = snapshot_process_file(process, item, &file, error);

	return rc < 0 ? rc : snapshot_file_detach(process->source, &file, fd, error);
}

/* Words as the kernel lays them out, of this machine's byte order. */
static int auxv_add(struct buf *words, unsigned word_size, uint64_t value)
{
	uint32_t narrow = (uint32_t)value;

	if (word_size == sizeof(narrow))
		return value > UINT32_MAX ? -ERROR_DAMAGED :
			buf_add(words, &narrow, sizeof(narrow));
	return buf_add(words, &value, sizeof(value));
}

/* "word_size 8", then "3 400040": tag in decimal, value. Further words are ignored. */
static int auxv_line(struct span line, unsigned *word_size, struct buf *words,
		     struct error *error)
{
	uint64_t tag, value;
	int rc;

	if (!*word_size) {
		*word_size = span_is(line, "word_size 8") ? 8 :
			     span_is(line, "word_size 4") ? 4 : 0;
		return *word_size ? 0 : error_set(error, ERROR_DAMAGED, "auxv",
						  "not word_size 8 nor word_size 4");
	}
	if (!span_take_dec(&line, &tag) || !span_take_char(&line, ' ') ||
	    !span_take_hex(&line, &value) || (line.len && line.ptr[0] != ' '))
		return error_set(error, ERROR_DAMAGED, "auxv", "not the form TAG VALUE");
	rc = auxv_add(words, *word_size, tag);
	if (!rc)
		rc = auxv_add(words, *word_size, value);
	return rc == -ERROR_DAMAGED ?
		error_set(error, ERROR_DAMAGED, "auxv", "a number beyond the word size") :
		rc < 0 ? error_nomem(error) : 0;
}

static int auxv_words(struct span text, struct buf *words, struct error *error)
{
	unsigned word_size = 0;

	for (unsigned long number = 1; text.len; number++) {
		struct span line = span_take_until(&text, '\n');
		int rc = number > AUXV_ENTRIES_MAX || !span_take_char(&text, '\n') ?
			error_set(error, ERROR_DAMAGED, "auxv", "cut off, or without end") :
			auxv_line(line, &word_size, words, error);

		if (rc < 0 && error)
			error->line = number;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int bytes_open(struct source *source, const char *item, struct span bytes, int *fd,
		      struct error *error)
{
	CLEANUP_CLOSE int memory = memfd_create(item, MFD_CLOEXEC);
	size_t done = 0;

	source_count(source, 0);
	if (memory < 0)
		return error_errno(error, errno, item, "memfd_create");
	while (done < bytes.len) {
		ssize_t put = pwrite(memory, bytes.ptr + done, bytes.len - done, (off_t)done);

		if (put <= 0)
			return error_errno(error, errno, item, "write");
		done += (size_t)put;
	}
	*fd = memory;
	memory = -1;
	return 0;
}

/* Which file of which process it was. */
static int damaged_in(struct source_process *process, const char *item, int rc,
		      struct error *error)
{
	if (rc == -ERROR_DAMAGED && error)
		snprintf(error->item, sizeof(error->item), "%s%s",
			 snapshot_process_of(process)->folder, item);
	return rc;
}

static int auxv_open(struct source_process *process, int *fd, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(buf_done) struct buf words = BUF_INIT;
	CLEANUP(snapshot_file_done) struct snapshot_file file = SNAPSHOT_FILE_INIT;
	int rc = snapshot_process_file(process, "auxv", &file, error);

	if (!rc)
		rc = snapshot_file_text(process->source, &file, "auxv", SOURCE_TEXT_BYTES, &text,
					error);
	/* Whoever made a folder by hand copied the words. */
	if (!rc && !snapshot_of(process->source)->has_manifest &&
	    !span_starts(buf_span(&text), "word_size "))
		return bytes_open(process->source, "auxv", buf_span(&text), fd, error);
	if (!rc)
		rc = damaged_in(process, "auxv", auxv_words(buf_span(&text), &words, error), error);
	return rc < 0 ? rc : bytes_open(process->source, "auxv", buf_span(&words), fd, error);
}

int snapshot_text_open(struct source_process *process, pid_t tid, enum source_text what, int *fd,
		       struct error *error)
{
	const char *name = source_text_name(what);
	char item[64];

	if (what == SOURCE_AUXV && !tid)
		return auxv_open(process, fd, error);
	if (!tid && what == SOURCE_CHILDREN)
		tid = process->tid;
	snprintf(item, sizeof(item), "task/%d/%s", tid, name);
	return open_item(process, tid ? item : name, fd, error);
}

int snapshot_system_open(struct source *source, enum source_system_text what, int *fd,
			 struct error *error)
{
	struct snapshot *snapshot = snapshot_of(source);
	const char *name = system_names[what];
	struct error local = ERROR_INIT;
	struct snapshot_file file;
	int rc;

	if (!name)
		return error_set(error, ERROR_NOT_RECORDED, NULL, "is never recorded");
	rc = snapshot_store_file(&snapshot->store, name, &file, &local);
	if (rc == -ERROR_NOT_RECORDED)
		return snapshot_missing_why(&snapshot->missing, name, error);
	if (rc < 0) {
		if (error)
			*error = local;
		return rc;
	}
	return snapshot_file_detach(source, &file, fd, error);
}

int snapshot_exe(struct source_process *process, struct buf *path, struct error *error)
{
	CLEANUP(snapshot_file_done) struct snapshot_file file = SNAPSHOT_FILE_INIT;
	int rc = snapshot_process_file(process, "exe", &file, error);

	return rc < 0 ? rc : snapshot_file_text(process->source, &file, "exe", EXE_BYTES, path,
						error);
}
