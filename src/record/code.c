// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "files.h"

/*
 * Pages of files behind patched code, as src/analyse/cause_patch.c shows it: decoded from the
 * start of a function in front of the patch on.
 */
#define CODE_PAGES_MAX 4096u	/* of one file */

void code_done(struct mapped_file *file)
{
	for (size_t i = 0; i < file->code_count; i++)
		free(file->code[i].bytes);
	free(file->code);
}

/* Where the page is or belongs. */
static size_t code_place(const struct mapped_file *file, uint64_t offset)
{
	size_t low = 0, high = file->code_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->code[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int code_insert(struct mapped_file *file, size_t at, const struct elf_reader *reader,
		       uint64_t offset, size_t len)
{
	CLEANUP_FREE char *bytes = malloc(len);
	ssize_t got;

	if (!bytes || array_grow((void **)&file->code, &file->code_cap, file->code_count,
				 sizeof(*file->code)) < 0)
		return -ERROR_NOMEM;
	got = reader->read(reader->ctx, offset, bytes, len, NULL);
	if (got <= 0)
		return 0;
	memmove(file->code + at + 1, file->code + at,
		(file->code_count - at) * sizeof(*file->code));
	file->code[at] = (struct code_page) { offset, (size_t)got, bytes };
	file->code_count++;
	bytes = NULL;
	return 0;
}

int code_add(struct mapped_files *files, struct mapped_file *file, const struct elf_reader *reader,
	     uint64_t page_size, uint64_t offset, uint64_t len, struct error *error)
{
	uint64_t end = offset + len + page_size;
	int rc = 0;

	offset = offset < page_size ? 0 : offset - page_size;
	pthread_mutex_lock(&files->lock);
	for (; offset < end && offset < reader->size && rc >= 0; offset += page_size) {
		size_t at = code_place(file, offset);

		if (at < file->code_count && file->code[at].offset == offset)
			continue;
		if (file->code_count == CODE_PAGES_MAX)
			file->limited = true;
		else
			rc = code_insert(file, at, reader, offset, page_size);
	}
	pthread_mutex_unlock(&files->lock);
	return rc < 0 ? error_nomem(error) : 0;
}

static ssize_t code_read(void *ctx, uint64_t offset, void *data, size_t len, struct error *error)
{
	const struct mapped_file *file = ctx;
	size_t at = code_place(file, offset + 1);
	const struct code_page *page = at ? &file->code[at - 1] : NULL;
	uint64_t skip;

	(void)error;
	if (!page || offset - page->offset >= page->len)
		return 0;
	skip = offset - page->offset;
	len = len < page->len - skip ? len : (size_t)(page->len - skip);
	memcpy(data, page->bytes + skip, len);
	return (ssize_t)len;
}

int code_write(struct recording *recording, const struct mapped_file *file, int dir,
	       struct error *error)
{
	const struct elf_reader reader = { code_read, (void *)file, UINT64_MAX };
	CLEANUP(trace_done) struct trace trace;
	CLEANUP_CLOSE int folder = -1;

	trace_init(&trace, &reader, UINT64_MAX);
	for (size_t i = 0; i < file->code_count; i++)
		trace_note(&trace, file->code[i].offset, file->code[i].len);
	if (trace.nomem)
		return error_nomem(error);
	if (!trace.count)
		return 0;
	folder = place_folder(dir, "code", error);
	return folder < 0 ? folder : pieces_write(recording, folder, &trace, error);
}
