// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"
#include "pieces.h"

#define WINDOW 64u		/* pages read at once */

struct memory {
	struct pieces *pieces;
	struct out ranges, bytes;
	uint64_t start, end;	/* written to bytes, not yet to ranges */
	uint8_t *data;
	struct error failure;	/* the first one */
};

static int write_range(struct memory *m, struct error *error)
{
	char line[48];
	int len = snprintf(line, sizeof(line), "%" PRIx64 "+%" PRIx64 "\n", m->start,
			   m->end - m->start);

	return m->start == m->end ? 0 : out_add(&m->ranges, line, (size_t)len, error);
}

static int add_bytes(struct memory *m, uint64_t address, size_t len, struct error *error)
{
	int rc = 0;

	if (address != m->end) {
		rc = write_range(m, error);
		m->start = address;
	}
	m->end = address + len;
	return rc < 0 ? rc : out_add(&m->bytes, m->data, len, error);
}

/* Copied pages of code were patched: what the file has there is shown beside it. */
static int code_pages(struct memory *m, const struct vma *vma, uint64_t address, uint64_t pages,
		      struct error *error)
{
	struct pieces *pieces = m->pieces;
	const struct elf_image *image = pieces->process->objects[vma->object].elf;
	struct mapped_file *file = pieces->files[vma->object];

	if (!image || !file || !vma->segment ||
	    !(image->segments[vma->segment - 1].flags & PF_X))
		return 0;
	return code_add(pieces->recording->files, file, &image->reader,
			pieces->process->page_size, vma->offset + (address - vma->start),
			pages * pieces->process->page_size, error);
}

static int memory_pages(void *ctx, const struct vma *vma, uint64_t address, uint64_t pages,
			struct error *error)
{
	struct memory *m = ctx;
	uint64_t size = m->pieces->process->page_size;
	int rc = code_pages(m, vma, address, pages, error);

	while (pages && rc >= 0) {
		uint64_t count = pages < WINDOW ? pages : WINDOW;
		struct error failure = ERROR_INIT;
		size_t got = 0;

		if (source_mem(m->pieces->process->source, address, m->data, count * size, &got,
			       &failure) < 0 && !m->failure.code)
			m->failure = failure;
		if (got)
			rc = add_bytes(m, address, got, error);
		address += count * size;
		pages -= count;
	}
	return rc;
}

static int write_memory(struct memory *m, struct error *error)
{
	int rc = copied_pages(m->pieces, memory_pages, m, &m->failure, error);

	if (rc >= 0)
		rc = write_range(m, error);
	if (rc >= 0)
		rc = out_add(&m->ranges, "end\n", 4, error);
	if (rc >= 0)
		rc = out_end(&m->ranges, error);
	return rc < 0 ? rc : out_end(&m->bytes, error);
}

static int open_memory(struct memory *m, struct error *error)
{
	CLEANUP_CLOSE int dir = place_folder(m->pieces->dir, "memory", error);
	int rc;

	if (dir < 0)
		return dir;
	rc = out_open(&m->ranges, m->pieces->recording, dir, "ranges", error);
	if (rc < 0)
		return rc;
	rc = out_open(&m->bytes, m->pieces->recording, dir, "bytes", error);
	if (rc < 0)
		out_done(&m->ranges);
	return rc;
}

int memory_record(struct pieces *pieces, struct error *error)
{
	struct memory m = { .pieces = pieces };
	int rc;

	m.data = malloc((size_t)WINDOW * pieces->process->page_size);
	if (!m.data)
		return error_nomem(error);
	rc = open_memory(&m, error);
	if (rc >= 0) {
		rc = write_memory(&m, error);
		out_done(&m.ranges);
		out_done(&m.bytes);
	}
	free(m.data);
	return rc < 0 || !m.failure.code ? rc :
		missing_add(pieces->missing, "mem", &m.failure, error);
}
