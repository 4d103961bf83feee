// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharers.h"

#define CHUNK (64u << 10)

/* Names may differ between roots; the vDSO has no inode, only a name. */
static bool same_object(const struct sharer_search *search, const struct maps_line *line)
{
	const struct maps_line *object = &search->object;

	if (line->inode != object->inode || line->major != object->major ||
	    line->minor != object->minor)
		return false;
	return object->inode || span_equal(line->name, object->name);
}

static int try_line(struct sharer_search *search, const struct maps_line *line)
{
	if (!same_object(search, line) || search->offset < line->offset ||
	    search->offset - line->offset >= line->end - line->start)
		return 0;
	return sharer_try(search, line->start + (search->offset - line->offset));
}

/* Each line of maps that lies over the page of the object; a file may be mapped many times. */
int sharer_search_object(struct sharer_search *search)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(lines_done) struct lines lines;
	struct maps_line line;
	struct span text;
	int rc = 0;

	lines_init(&lines, source_stream_read, NULL, CHUNK);
	if (source_stream_open(search->process, SOURCE_MAPS, &stream, NULL) < 0)
		return 0;
	lines.ctx = stream;
	while (rc >= 0 && lines_next(&lines, &text, NULL) > 0)
		if (maps_parse_line(text, &line, NULL) == 0)
			rc = try_line(search, &line);
	return rc;
}

struct all_ranges {
	const struct process *process;
	size_t next;
};

static int next_range(void *ctx, struct page_range *range)
{
	struct all_ranges *ranges = ctx;
	const struct vma *vma;

	if (ranges->next == ranges->process->vma_count)
		return 0;
	vma = &ranges->process->vmas[ranges->next];
	*range = (struct page_range) { .start = vma->start, .end = vma->end,
				       .index = (uint32_t)ranges->next };
	/* [vsyscall] lies above user space and has no words. */
	range->hidden = vma->start >> 63;
	ranges->next++;
	return 1;
}

/* How many pages into the run the wanted frame or slot lies; false if it does not. */
static bool run_holds(const struct sharer_search *search, const struct page_run *run,
		      uint64_t *skip)
{
	const struct page_run *wanted = &search->address->page.run;

	if (run->kind != wanted->kind)
		return false;
	if (search->swap) {
		*skip = wanted->swap.offset - run->swap.offset;
		return run->swap.kind == wanted->swap.kind &&
			run->swap.type == wanted->swap.type && *skip < run->pages;
	}
	*skip = wanted->frame - run->frame;
	return run->frame_known && *skip < run->pages;
}

static int try_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct sharer_search *search = ctx;
	uint64_t skip, at;

	(void)index;
	if (!run_holds(search, run, &skip))
		return 0;
	at = run->start + skip * search->ctx->process->page_size;
	if (search->process == search->ctx->process->source && at == search->page)
		return 0;
	return sharer_add(search, at);
}

int sharer_search_all(struct sharer_search *search)
{
	CLEANUP(process_freep) struct process *process = NULL;
	CLEANUP(pages_freep) struct pages *pages = NULL;
	struct all_ranges all = { .next = 0 };
	struct page_ranges ranges = { .next = next_range, .ctx = &all, .sparse = true };
	struct error error = ERROR_INIT;
	int rc;

	if (process_load(search->process, 0, &process, &error) < 0 ||
	    pages_new(search->process, 0, &pages, &error) < 0)
		return 0;
	all.process = process;
	rc = pages_walk(pages, &ranges, try_run, search, &error);
	return rc < 0 && search->error && search->error->code == ERROR_NOMEM ? rc : 0;
}
