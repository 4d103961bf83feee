// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmatlas/parse/auxv.h"
#include "vmatlas/parse/maps.h"
#include "vmatlas/source/file_about.h"
#include "vmatlas/parse/stat.h"

/* A read of smaps of less than a page never begins a record that does not fit: the kernel walks
 * each VMA once. The others are walked once whatever the read. */
#define SMAPS_CHUNK 3000u
#define TEXT_CHUNK (64u << 10)

static const enum source_text long_texts[] = { SOURCE_SMAPS, SOURCE_NUMA_MAPS };

static const enum source_text short_texts[] = {
	SOURCE_STATUS, SOURCE_STAT, SOURCE_STATM, SOURCE_COMM, SOURCE_LIMITS, SOURCE_CGROUP,
	SOURCE_SYSCALL, SOURCE_SMAPS_ROLLUP,
};

/* `stat` first: without it the thread has ended. */
static const enum source_text thread_texts[] = {
	SOURCE_STAT, SOURCE_COMM, SOURCE_STATUS, SOURCE_SYSCALL, SOURCE_CHILDREN,
};

struct vma_range {
	uint64_t start;
	uint64_t end;
};

struct texts {
	struct recording *recording;
	struct recorded *process;
	struct source_process *source;
	struct missing *missing;
	int dir;
	bool sysv;		/* some VMA is a SysV segment */
	struct buf text;	/* used again and again */
	char *chunk;
	struct vma_range *links;	/* VMAs whose link may not be what maps shows */
	size_t link_count;
	size_t link_cap;
};

static int not_read(struct texts *t, const char *item, const struct error *failure,
		    struct error *error)
{
	return missing_add(t->missing, item, failure, error);
}

static int copy_stream(struct texts *t, struct source_stream *stream, struct out *out,
		       size_t chunk, struct error *failure, struct error *error)
{
	for (;;) {
		ssize_t got = source_stream_read(stream, t->chunk, chunk, failure);

		if (got < 0)
			return 1;
		if (!got)
			return out_end(out, error);
		if (recording_stopped(t->recording, error) < 0 ||
		    out_add(out, t->chunk, (size_t)got, error) < 0)
			return -1;
	}
}

/* A text that breaks off is missing. */
static int long_text(struct texts *t, enum source_text what, struct error *error)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	const char *name = source_text_name(what);
	struct error failure = ERROR_INIT;
	struct out out;
	int rc;

	if (source_stream_open(t->source, what, &stream, &failure) < 0)
		return not_read(t, name, &failure, error);
	rc = out_open(&out, t->recording, t->dir, name, error);
	if (rc < 0)
		return rc;
	rc = copy_stream(t, stream, &out, what == SOURCE_SMAPS ? SMAPS_CHUNK : TEXT_CHUNK,
			 &failure, error);
	out_done(&out);
	if (rc <= 0)
		return rc;
	unlinkat(t->dir, name, 0);
	return not_read(t, name, &failure, error);
}

/* A name of the user takes the place of the path; backslash 012 may be a newline or not. */
static int note_line(struct texts *t, struct span text, struct error *error)
{
	struct maps_line line;

	if (maps_parse_line(text, &line, NULL) < 0)
		return 0;
	t->sysv |= line.deleted && span_starts(line.name, "/SYSV");
	if ((!line.newline_escape && !span_starts(line.name, "[anon_shmem:")))
		return 0;
	if (array_grow((void **)&t->links, &t->link_cap, t->link_count, sizeof(*t->links)) < 0)
		return error_nomem(error);
	t->links[t->link_count++] = (struct vma_range) { line.start, line.end };
	return 0;
}

static int copy_maps(struct texts *t, struct lines *lines, struct out *out,
		     struct error *failure, struct error *error)
{
	struct span line;
	int rc;

	while ((rc = lines_next(lines, &line, failure)) > 0)
		if (note_line(t, line, error) < 0 || out_add(out, line.ptr, line.len, error) < 0 ||
		    out_add(out, "\n", 1, error) < 0 || recording_stopped(t->recording, error) < 0)
			return -1;
	return rc < 0 ? 1 : out_end(out, error);
}

static int maps_text(struct texts *t, struct error *error)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(lines_done) struct lines lines;
	struct error failure = ERROR_INIT;
	struct out out;
	int rc;

	lines_init(&lines, source_stream_read, NULL, TEXT_CHUNK);
	if (source_stream_open(t->source, SOURCE_MAPS, &stream, &failure) < 0)
		return not_read(t, "maps", &failure, error);
	lines.ctx = stream;
	rc = out_open(&out, t->recording, t->dir, "maps", error);
	if (rc < 0)
		return rc;
	rc = copy_maps(t, &lines, &out, &failure, error);
	out_done(&out);
	if (rc <= 0)
		return rc;
	unlinkat(t->dir, "maps", 0);
	return not_read(t, "maps", &failure, error);
}

static int short_text(struct texts *t, enum source_text what, struct error *error)
{
	const char *name = source_text_name(what);
	struct error failure = ERROR_INIT;

	buf_clear(&t->text);
	if (source_text(t->source, 0, what, &t->text, &failure) < 0)
		return not_read(t, name, &failure, error);
	if (what == SOURCE_COMM && buf_add_span(&t->process->comm, span_trim(buf_span(&t->text))) < 0)
		return error_nomem(error);
	return out_text(t->recording, t->dir, name, buf_span(&t->text), error);
}

/* Reading the arguments is reading memory of the process, up to the end of its environment (where
 * they were rewritten: get_mm_cmdline() in fs/proc/base.c), so all of it must be present. */
static bool cmdline_present(struct texts *t, struct error *failure)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint64_t page = t->recording->page_size, word, at;
	struct stat_record stat;
	size_t got = 0;

	if (source_host(t->recording->source)->kind != SOURCE_KIND_LIVE)
		return true;
	if (source_text(t->source, 0, SOURCE_STAT, &text, failure) < 0 ||
	    stat_parse(buf_span(&text), &stat, failure) < 0)
		return false;
	if (!stat.env_end) {
		error_errno(failure, EACCES, "cmdline", "finding its pages");
		return false;
	}
	for (at = stat.arg_start / page * page; at < stat.env_end; at += page) {
		if (source_pagemap(t->source, at / page, &word, 1, &got, failure) < 0)
			return false;
		if (got && word & PAGEMAP_PRESENT)
			continue;
		error_set(failure, ERROR_SYSTEM, "cmdline", "not in memory");
		failure->errnum = EAGAIN;
		return false;
	}
	return true;
}

static int cmdline_text(struct texts *t, struct error *error)
{
	struct error failure = ERROR_INIT;

	if (!cmdline_present(t, &failure))
		return not_read(t, "cmdline", &failure, error);
	return short_text(t, SOURCE_CMDLINE, error);
}

static int exe_text(struct texts *t, struct error *error)
{
	struct error failure = ERROR_INIT;

	buf_clear(&t->text);
	if (source_exe(t->source, &t->text, &failure) < 0)
		return not_read(t, "exe", &failure, error);
	return out_text(t->recording, t->dir, "exe", buf_span(&t->text), error);
}

/* "word_size 8", then "TAG VALUE". A list that does not end is written with words of 8. */
static int auxv_lines(struct span bytes, struct buf *out)
{
	struct auxv auxv = { .word_size = 8 };
	size_t size;
	int rc;

	auxv_parse(bytes, &auxv, NULL);
	size = auxv.word_size;
	rc = buf_addf(out, "word_size %zu\n", size);
	for (size_t at = 0; rc >= 0 && at + 2 * size <= bytes.len; at += 2 * size) {
		uint64_t entry[2] = { 0, 0 };
		uint32_t narrow[2];

		if (size == 4) {
			memcpy(narrow, bytes.ptr + at, sizeof(narrow));
			entry[0] = narrow[0];
			entry[1] = narrow[1];
		} else {
			memcpy(entry, bytes.ptr + at, sizeof(entry));
		}
		rc = buf_addf(out, "%llu %llx\n", (unsigned long long)entry[0],
			      (unsigned long long)entry[1]);
	}
	return rc;
}

static int auxv_text(struct texts *t, struct error *error)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct error failure = ERROR_INIT;

	buf_clear(&t->text);
	if (source_text(t->source, 0, SOURCE_AUXV, &t->text, &failure) < 0)
		return not_read(t, "auxv", &failure, error);
	if (auxv_lines(buf_span(&t->text), &out) < 0)
		return error_nomem(error);
	return out_text(t->recording, t->dir, "auxv", buf_span(&out), error);
}

/* A VMA that is gone by now, or has no file, has no link: no line. */
static int map_files_text(struct texts *t, struct error *error)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	for (size_t i = 0; i < t->link_count; i++) {
		const struct vma_range *vma = &t->links[i];
		struct error failure = ERROR_INIT;

		buf_clear(&t->text);
		if (source_mapped_name(t->source, vma->start, vma->end, &t->text, &failure) < 0) {
			if (failure.code == ERROR_DENIED)
				return not_read(t, "map_files", &failure, error);
			continue;
		}
		if (buf_addf(&out, "%llx-%llx ", (unsigned long long)vma->start,
			     (unsigned long long)vma->end) < 0 ||
		    name_escape(buf_span(&t->text), &out) < 0 || buf_add_char(&out, '\n') < 0)
			return error_nomem(error);
	}
	return out.len ? out_text(t->recording, t->dir, "map_files", buf_span(&out), error) : 0;
}

static int thread_text(struct texts *t, int dir, pid_t tid, enum source_text what,
		       struct error *error)
{
	const char *name = source_text_name(what);
	struct error failure = ERROR_INIT;
	char item[64];

	buf_clear(&t->text);
	if (source_text(t->source, tid, what, &t->text, &failure) < 0) {
		snprintf(item, sizeof(item), "task/%d/%s", tid, name);
		return not_read(t, item, &failure, error);
	}
	return out_text(t->recording, dir, name, buf_span(&t->text), error);
}

static int one_thread(struct texts *t, int task, pid_t tid, struct error *error)
{
	struct error failure = ERROR_INIT;
	CLEANUP_CLOSE int dir = -1;
	char name[16];

	buf_clear(&t->text);
	if (source_text(t->source, tid, thread_texts[0], &t->text, &failure) < 0 &&
	    failure.code == ERROR_GONE)
		return 0;
	snprintf(name, sizeof(name), "%d", tid);
	dir = place_folder(task, name, error);
	if (dir < 0 || recording_stopped(t->recording, error) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(thread_texts); i++)
		if (thread_text(t, dir, tid, thread_texts[i], error) < 0)
			return -1;
	return 0;
}

static int threads(struct texts *t, struct error *error)
{
	struct error failure = ERROR_INIT;
	CLEANUP_FREE pid_t *tids = NULL;
	CLEANUP_CLOSE int task = -1;
	size_t count = 0;

	if (source_threads(t->source, &tids, &count, &failure) < 0)
		return not_read(t, "task", &failure, error);
	task = place_folder(t->dir, "task", error);
	if (task < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (one_thread(t, task, tids[i], error) < 0)
			return -1;
	return 0;
}

static int all_texts(struct texts *t, struct error *error)
{
	int rc = maps_text(t, error);

	for (size_t i = 0; i < ARRAY_SIZE(long_texts) && rc >= 0; i++)
		rc = long_text(t, long_texts[i], error);
	for (size_t i = 0; i < ARRAY_SIZE(short_texts) && rc >= 0; i++)
		rc = short_text(t, short_texts[i], error);
	if (rc >= 0 && t->sysv)
		rc = short_text(t, SOURCE_SYSV_SHM, error);
	if (rc >= 0 && t->recording->options->cmdline)
		rc = cmdline_text(t, error);
	if (rc >= 0)
		rc = exe_text(t, error);
	if (rc >= 0)
		rc = auxv_text(t, error);
	if (rc >= 0)
		rc = map_files_text(t, error);
	return rc < 0 ? rc : threads(t, error);
}

int texts_record(struct recording *recording, struct recorded *process,
		 struct source_process *source, int dir, struct error *error)
{
	struct texts t = {
		.recording = recording, .process = process, .source = source, .dir = dir,
		.missing = &process->missing[JOB_TEXTS], .text = BUF_INIT,
	};
	int rc;

	t.chunk = malloc(TEXT_CHUNK);
	rc = t.chunk ? all_texts(&t, error) : error_nomem(error);
	free(t.chunk);
	free(t.links);
	buf_done(&t.text);
	return rc;
}
