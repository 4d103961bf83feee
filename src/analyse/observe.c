// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/analyse/observe.h"

#include <elf.h>
#include <stdlib.h>

#include "vmatlas/base/search.h"

const struct name observe_verdict_names[] = {
	{ OBSERVE_AGREES, "agrees", "foretold and copied" },
	{ OBSERVE_LATER, "later", "copied, though not foretold" },
	{ OBSERVE_NOT_COPIED, "not-copied", "foretold, but not copied" },
	{ 0, NULL, NULL }
};

/* Runs of pages of all ELF mappings, ascending. */
struct piece {
	uint64_t start;
	uint64_t pages;
	enum page_state state;
};

struct copy {
	uint64_t address;
	uint32_t object;
	unsigned causes;
	bool swapped;
};

struct observer {
	struct process *process;
	struct causes *causes;
	const struct observe_sink *sink;
	struct piece *pieces;
	size_t piece_count, piece_cap;
	struct copy *copies;
	size_t copy_count, copy_cap;
};

static void observer_done(struct observer *observer)
{
	causes_free(observer->causes);
	free(observer->pieces);
	free(observer->copies);
}

static bool selects(const void *ctx, const struct process *process, uint32_t index)
{
	const struct vma *vma = &process->vmas[index];
	const struct object *object = vma_object(process, vma);

	(void)ctx;
	return object && object->inode && object->elf && object->bias_known && vma->segment &&
	       !(vma->perms & VMA_SHARED);
}

static int on_begin(void *ctx, uint32_t vma)
{
	struct observer *observer = ctx;

	return causes_begin(observer->causes, vma);
}

static int on_run(void *ctx, uint32_t vma, const struct cow_run *run)
{
	struct observer *observer = ctx;

	(void)vma;
	if (array_grow((void **)&observer->pieces, &observer->piece_cap, observer->piece_count,
		       sizeof(*observer->pieces)) < 0)
		return -ERROR_NOMEM;
	observer->pieces[observer->piece_count++] =
		(struct piece) { run->start, run->pages, run->verdict.state };
	return causes_run(observer->causes, run);
}

static int on_end(void *ctx, uint32_t vma, const struct cow_counts *counts)
{
	struct observer *observer = ctx;

	return causes_end(observer->causes, vma, counts);
}

static int on_page(void *ctx, uint32_t vma, const struct cause_page *page)
{
	struct observer *observer = ctx;

	if (array_grow((void **)&observer->copies, &observer->copy_cap, observer->copy_count,
		       sizeof(*observer->copies)) < 0)
		return -ERROR_NOMEM;
	observer->copies[observer->copy_count++] = (struct copy) {
		page->address, observer->process->vmas[vma].object, page->mask, page->swapped
	};
	return 0;
}

static enum page_state state_at(const struct observer *observer, uint64_t address)
{
	const struct piece *pieces = observer->pieces;
	size_t low = SEARCH_FIRST(i, observer->piece_count, pieces[i].start + pieces[i].pages *
				  observer->process->page_size <= address);

	if (low == observer->piece_count || observer->pieces[low].start > address)
		return STATE_UNTOUCHED;
	return observer->pieces[low].state;
}

static void count(struct observation *seen, const struct observed_page *page)
{
	bool copied = page->causes != 0;

	seen->foretold += page->foretold;
	seen->copied += copied;
	seen->agrees += page->verdict == OBSERVE_AGREES;
	seen->later += page->verdict == OBSERVE_LATER;
	seen->not_copied += page->verdict == OBSERVE_NOT_COPIED;
	seen->not_mapped += page->verdict == OBSERVE_NOT_COPIED && page->state == STATE_UNTOUCHED;
	for (int i = 0; i < CAUSE_MAX; i++)
		seen->later_by[i] += page->verdict == OBSERVE_LATER && page->causes >> i & 1;
}

static int tell(struct observer *observer, struct observation *seen, struct observed_page *page)
{
	page->vaddr = page->address - seen->load_bias;
	page->state = state_at(observer, page->address);
	page->verdict = !page->foretold ? OBSERVE_LATER :
			page->causes ? OBSERVE_AGREES : OBSERVE_NOT_COPIED;
	count(seen, page);
	return observer->sink->page ? observer->sink->page(observer->sink->ctx, seen, page) : 0;
}

/* Index of the next copy of the object, copy_count if none. */
static size_t next_copy(const struct observer *observer, uint32_t object, size_t at)
{
	while (at < observer->copy_count && observer->copies[at].object != object)
		at++;
	return at;
}

/* Two ascending lists: what the file foretells, and what was copied. */
static int observe_pages(struct observer *observer, const struct forecast *forecast,
			 struct observation *seen)
{
	size_t copy = next_copy(observer, seen->object, 0);
	struct forecast_page next;
	uint64_t at = 0;
	bool more = forecast_page_next(forecast, &at, &next);
	int rc = 0;

	while (rc >= 0 && (more || copy < observer->copy_count)) {
		uint64_t foretold = more ? next.address + seen->load_bias : UINT64_MAX;
		uint64_t copied =
			copy < observer->copy_count ? observer->copies[copy].address : UINT64_MAX;
		struct observed_page page = { .address = foretold < copied ? foretold : copied };

		if (copied == page.address) {
			page.causes = observer->copies[copy].causes;
			copy = next_copy(observer, seen->object, copy + 1);
		}
		if (more && foretold == page.address) {
			page.foretold = true;
			page.forecast = next;
			more = forecast_page_next(forecast, &at, &next);
		}
		rc = tell(observer, seen, &page);
	}
	return rc;
}

static uint8_t perms_of(uint32_t flags)
{
	return (uint8_t)((flags & PF_R ? VMA_READ : 0) | (flags & PF_W ? VMA_WRITE : 0) |
			 (flags & PF_X ? VMA_EXEC : 0));
}

static void observe_vma(const struct observer *observer, const struct elf_vma *want,
			struct observation *seen)
{
	uint64_t start = want->start + seen->load_bias, end = want->end + seen->load_bias;
	uint32_t next, index = process_find(observer->process, start, &next);
	const struct vma *vma;

	seen->vmas_foretold++;
	if (index == VMA_NONE)
		return;
	vma = &observer->process->vmas[index];
	if ((vma->perms & (VMA_READ | VMA_WRITE | VMA_EXEC)) != perms_of(want->perms))
		return;
	if (vma->start == start && vma->end == end)
		seen->vmas_found++;
	else if (vma->start <= start && vma->end >= end)
		seen->vmas_merged++;
}

static int observe_object(struct observer *observer, uint32_t index, struct error *error)
{
	CLEANUP(forecast_freep) struct forecast *forecast = NULL;
	const struct object *object = &observer->process->objects[index];
	struct observation seen = { .object = index, .load_bias = object->load_bias };
	int rc = forecast_new(object->elf, observer->process->page_size, &forecast, error);

	if (rc < 0)
		return rc;
	if (observer->sink->begin)
		rc = observer->sink->begin(observer->sink->ctx, index);
	if (rc >= 0)
		rc = observe_pages(observer, forecast, &seen);
	for (size_t i = 0; i < forecast->layout->count; i++)
		observe_vma(observer, &forecast->layout->vmas[i], &seen);
	return rc < 0 ? rc : observer->sink->end(observer->sink->ctx, &seen);
}

/* Does any VMA of it come from a segment? The vDSO has no file. */
static bool is_loaded(const struct process *process, uint32_t index)
{
	const struct object *object = &process->objects[index];

	for (size_t i = object->first_vma, n = 0; i < process->vma_count &&
	     n < object->vma_count; i++) {
		if (process->vmas[i].object != index)
			continue;
		if (selects(NULL, process, (uint32_t)i))
			return true;
		n++;
	}
	return false;
}

int observe_process(struct process *process, const struct observe_sink *sink,
		    struct error *error)
{
	CLEANUP(observer_done) struct observer observer = { .process = process, .sink = sink };
	struct cow_request request = { .end = UINT64_MAX, .selects = selects };
	struct cow_sink walk = {
		.ctx = &observer, .begin = on_begin, .run = on_run, .end = on_end,
	};
	struct cow_counts totals;
	int rc = causes_new(process, &observer.causes, error);

	if (rc < 0)
		return rc;
	causes_each_page(observer.causes, on_page, &observer);
	cow_counts_init(&totals);
	rc = cow_walk(process, &request, &walk, &totals, error);
	cow_counts_done(&totals);
	for (uint32_t i = 0; rc >= 0 && i < process->object_count; i++)
		if (is_loaded(process, i))
			rc = observe_object(&observer, i, error);
	return rc;
}
