// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "pieces.h"

#include <inttypes.h>
#include <stdlib.h>

#include "files.h"

#define WORDS 4096u		/* of pagemap at a time */
#define BYTES_AT_ONCE 65536u

int ranges_text(const struct trace *trace, struct buf *text)
{
	int rc = 0;

	for (size_t i = 0; i < trace->count && rc >= 0; i++)
		rc = buf_addf(text, "%" PRIx64 "+%" PRIx64 "\n", trace->ranges[i].offset,
			      trace->ranges[i].len);
	return rc < 0 ? rc : buf_add_str(text, "end\n");
}

static int write_ranges(struct recording *recording, int dir, const struct trace *trace,
			struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (ranges_text(trace, &text) < 0)
		return error_nomem(error);
	return out_text(recording, dir, "ranges", buf_span(&text), error);
}

/* A file that became shorter meanwhile: *got is smaller. */
static int copy_range(struct out *out, const struct trace *trace, const struct trace_range *range,
		      uint64_t *got, struct error *error)
{
	CLEANUP_FREE char *data = malloc(BYTES_AT_ONCE);

	if (!data)
		return error_nomem(error);
	for (*got = 0; *got < range->len;) {
		uint64_t left = range->len - *got;
		ssize_t read = trace->inner.read(trace->inner.ctx, range->offset + *got, data,
						 left < BYTES_AT_ONCE ? left : BYTES_AT_ONCE,
						 NULL);

		if (read <= 0)
			return 0;
		if (out_add(out, data, (size_t)read, error) < 0)
			return -1;
		*got += (uint64_t)read;
	}
	return 0;
}

int pieces_write(struct recording *recording, int dir, const struct trace *trace,
		 struct error *error)
{
	struct trace kept = *trace;
	struct out out;
	size_t count = 0;
	int rc = out_open(&out, recording, dir, "bytes", error);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < trace->count && rc >= 0; i++) {
		uint64_t got = 0;

		rc = copy_range(&out, trace, &trace->ranges[i], &got, error);
		kept.ranges[count] = (struct trace_range) { trace->ranges[i].offset, got };
		count += got > 0;
	}
	kept.count = count;
	if (rc >= 0)
		rc = out_end(&out, error);
	out_done(&out);
	return rc < 0 ? rc : write_ranges(recording, dir, &kept, error);
}

static bool maps_private_file(const struct process *process, const struct vma *vma)
{
	const struct object *object = vma_object(process, vma);

	return object && object->inode && !(vma->perms & VMA_SHARED);
}

static bool is_copied(uint64_t word)
{
	return word & PAGEMAP_PRESENT && !(word & PAGEMAP_FILE);
}

static int copied_words(struct pieces *pieces, const struct vma *vma, uint64_t first,
			const uint64_t *words, size_t count, copied_fn *fn, void *ctx,
			struct error *error)
{
	uint64_t size = pieces->process->page_size;
	size_t at = 0, from;
	int rc = 0;

	while (at < count && rc >= 0) {
		if (!is_copied(words[at])) {
			at++;
			continue;
		}
		for (from = at; at < count && is_copied(words[at]);)
			at++;
		rc = fn(ctx, vma, (first + from) * size, at - from, error);
	}
	return rc;
}

static int copied_of_vma(struct pieces *pieces, const struct vma *vma, copied_fn *fn, void *ctx,
			 uint64_t *words, struct error *failure, struct error *error)
{
	uint64_t size = pieces->process->page_size, page = vma->start / size;
	uint64_t end = vma->end / size;
	size_t got = 1;
	int rc = 0;

	while (page < end && rc >= 0 && got) {
		size_t want = end - page < WORDS ? (size_t)(end - page) : WORDS;

		if (source_pagemap(pieces->process->source, page, words, want, &got, failure) < 0)
			return 1;
		rc = recording_stopped(pieces->recording, error);
		if (rc >= 0)
			rc = copied_words(pieces, vma, page, words, got, fn, ctx, error);
		page += got;
	}
	return rc;
}

int copied_pages(struct pieces *pieces, copied_fn *fn, void *ctx, struct error *failure,
		 struct error *error)
{
	CLEANUP_FREE uint64_t *words = malloc(WORDS * sizeof(*words));
	const struct process *process = pieces->process;
	int rc = 0;

	if (!words)
		return error_nomem(error);
	for (size_t i = 0; i < process->vma_count && rc == 0; i++)
		if (maps_private_file(process, &process->vmas[i]))
			rc = copied_of_vma(pieces, &process->vmas[i], fn, ctx, words, failure,
					   error);
	return rc < 0 ? rc : 0;
}

static int all_pieces(struct pieces *pieces, struct error *error)
{
	int rc = mapped_files_add(pieces->recording, pieces->process, &pieces->files, error);

	if (rc >= 0)
		rc = differences_record(pieces, error);
	if (rc >= 0)
		rc = mallocs_record(pieces, error);
	if (rc >= 0 && pieces->recording->options->memory)
		rc = memory_record(pieces, error);
	return rc;
}

int pieces_record(struct recording *recording, struct recorded *process,
		  struct source_process *source, int dir, struct error *error)
{
	CLEANUP(process_freep) struct process *loaded = NULL;
	struct pieces pieces = { .recording = recording, .dir = dir,
				 .missing = &process->missing[JOB_PIECES] };
	struct error failure = ERROR_INIT;
	int rc;

	/* A kernel thread has no files; what else fails here, fails where texts are recorded. */
	if (process_load(source, PROCESS_NEED_ELF, &loaded, &failure) < 0)
		return failure.code == ERROR_NOMEM ? error_nomem(error) : 0;
	pieces.process = loaded;
	rc = all_pieces(&pieces, error);
	free(pieces.files);
	return rc;
}
