// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "files.h"

/*
 * Which pages of a file the page cache holds, and which of shared memory are in swap: what an
 * access would find. Asked in halves, so a file that is there as a whole, or not at all, costs
 * one call.
 */
#define CALLS_MAX 16384u		/* for one file; one in more pieces is left out */

struct cached {
	struct recording *recording;
	const struct source_file *file;
	struct trace *in;
	struct trace *swapped;
	unsigned calls;
};

/* Pages [first, end). */
static int ask(struct cached *c, uint64_t first, uint64_t end, struct error *failure)
{
	uint64_t size = c->recording->page_size, count = end - first;
	struct source_cached got;
	int rc;

	if (c->calls++ == CALLS_MAX)
		return error_set(failure, ERROR_LIMIT, NULL, "the page cache has it in pieces");
	rc = source_file_cached(c->recording->source, c->file, first * size, count * size, &got,
				failure);
	if (rc < 0)
		return rc;
	if (got.pages >= count)
		trace_note(c->in, first * size, count * size);
	if (!got.pages && got.evicted >= count)
		trace_note(c->swapped, first * size, count * size);
	if (got.pages >= count || got.evicted >= count || (!got.pages && !got.evicted))
		return 0;
	if (count == 1)
		return 0;
	rc = ask(c, first, first + count / 2, failure);
	return rc < 0 ? rc : ask(c, first + count / 2, end, failure);
}

static int write_list(struct recording *recording, int dir, const char *name,
		      const struct trace *list, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (list->nomem || ranges_text(list, &text) < 0)
		return error_nomem(error);
	return out_text(recording, dir, name, buf_span(&text), error);
}

int cached_record(struct recording *recording, const struct source_file *opened, int dir,
		  struct trace *in, struct error *failure, struct error *error)
{
	const struct elf_reader all = { NULL, NULL, UINT64_MAX };
	CLEANUP(trace_done) struct trace swapped;
	struct cached c = { recording, opened, in, &swapped, 0 };
	uint64_t size = recording->page_size, pages = opened->size / size + !!(opened->size % size);
	int rc;

	trace_init(in, &all, UINT64_MAX);
	trace_init(&swapped, &all, UINT64_MAX);
	if (pages && ask(&c, 0, pages, failure) < 0)
		return 1;
	rc = write_list(recording, dir, "cached", in, error);
	return rc < 0 || !swapped.count ? rc :
		write_list(recording, dir, "swapped", &swapped, error);
}

void cached_restore(struct recording *recording, const struct source_file *opened,
		    const struct trace *in)
{
	uint64_t at = 0;

	for (size_t i = 0; i < in->count; i++) {
		if (in->ranges[i].offset > at)
			source_file_forget(recording->source, opened, at,
					   in->ranges[i].offset - at);
		at = in->ranges[i].offset + in->ranges[i].len;
	}
	if (at < opened->size)
		source_file_forget(recording->source, opened, at, 0);
}
