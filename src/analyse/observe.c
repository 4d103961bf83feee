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

struct watch {
	struct process *process;
	struct causes *causes;
	const struct observe_sink *sink;
	struct piece *pieces;
	size_t piece_count, piece_cap;
	struct copy *copies;
	size_t copy_count, copy_cap;
};

static void watch_done(struct watch *watch)
{
	causes_free(watch->causes);
	free(watch->pieces);
	free(watch->copies);
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
	struct watch *watch = ctx;

	return causes_begin(watch->causes, vma);
}

static int on_run(void *ctx, uint32_t vma, const struct cow_run *run)
{
	struct watch *watch = ctx;

	(void)vma;
	if (array_grow((void **)&watch->pieces, &watch->piece_cap, watch->piece_count,
		       sizeof(*watch->pieces)) < 0)
		return -ERROR_NOMEM;
	watch->pieces[watch->piece_count++] =
		(struct piece) { run->start, run->pages, run->verdict.state };
	return causes_run(watch->causes, run);
}

static int on_end(void *ctx, uint32_t vma, const struct cow_counts *counts)
{
	struct watch *watch = ctx;

	return causes_end(watch->causes, vma, counts);
}

static int on_page(void *ctx, uint32_t vma, const struct cause_page *page)
{
	struct watch *watch = ctx;

	if (array_grow((void **)&watch->copies, &watch->copy_cap, watch->copy_count,
		       sizeof(*watch->copies)) < 0)
		return -ERROR_NOMEM;
	watch->copies[watch->copy_count++] = (struct copy) {
		page->address, watch->process->vmas[vma].object, page->mask, page->swapped
	};
	return 0;
}

static enum page_state state_at(const struct watch *watch, uint64_t address)
{
	const struct piece *pieces = watch->pieces;
	size_t low = SEARCH_FIRST(i, watch->piece_count, pieces[i].start + pieces[i].pages *
				  watch->process->page_size <= address);

	if (low == watch->piece_count || watch->pieces[low].start > address)
		return STATE_UNTOUCHED;
	return watch->pieces[low].state;
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

static int tell(struct watch *watch, struct observation *seen, struct observed_page *page)
{
	page->vaddr = page->address - seen->load_bias;
	page->state = state_at(watch, page->address);
	page->verdict = !page->foretold ? OBSERVE_LATER :
			page->causes ? OBSERVE_AGREES : OBSERVE_NOT_COPIED;
	count(seen, page);
	return watch->sink->page ? watch->sink->page(watch->sink->ctx, seen, page) : 0;
}

/* Index of the next copy of the object, copy_count if none. */
static size_t next_copy(const struct watch *watch, uint32_t object, size_t at)
{
	while (at < watch->copy_count && watch->copies[at].object != object)
		at++;
	return at;
}

/* Two ascending lists: what the file foretells, and what was copied. */
static int compare_pages(struct watch *watch, const struct forecast *forecast,
			 struct observation *seen)
{
	size_t copy = next_copy(watch, seen->object, 0);
	struct forecast_page next;
	uint64_t at = 0;
	bool more = forecast_page_next(forecast, &at, &next);
	int rc = 0;

	while (rc >= 0 && (more || copy < watch->copy_count)) {
		uint64_t foretold = more ? next.address + seen->load_bias : UINT64_MAX;
		uint64_t copied = copy < watch->copy_count ? watch->copies[copy].address :
							     UINT64_MAX;
		struct observed_page page = { .address = foretold < copied ? foretold : copied };

		if (copied == page.address) {
			page.causes = watch->copies[copy].causes;
			copy = next_copy(watch, seen->object, copy + 1);
		}
		if (more && foretold == page.address) {
			page.foretold = true;
			page.forecast = next;
			more = forecast_page_next(forecast, &at, &next);
		}
		rc = tell(watch, seen, &page);
	}
	return rc;
}

static uint8_t perms_of(uint32_t flags)
{
	return (uint8_t)((flags & PF_R ? VMA_READ : 0) | (flags & PF_W ? VMA_WRITE : 0) |
			 (flags & PF_X ? VMA_EXEC : 0));
}

static void compare_vma(const struct watch *watch, const struct elf_vma *want,
			struct observation *seen)
{
	uint64_t start = want->start + seen->load_bias, end = want->end + seen->load_bias;
	uint32_t next, index = process_find(watch->process, start, &next);
	const struct vma *vma;

	seen->vmas_foretold++;
	if (index == VMA_NONE)
		return;
	vma = &watch->process->vmas[index];
	if ((vma->perms & (VMA_READ | VMA_WRITE | VMA_EXEC)) != perms_of(want->perms))
		return;
	if (vma->start == start && vma->end == end)
		seen->vmas_found++;
	else if (vma->start <= start && vma->end >= end)
		seen->vmas_merged++;
}

static int observe_object(struct watch *watch, uint32_t index, struct error *error)
{
	CLEANUP(forecast_freep) struct forecast *forecast = NULL;
	const struct object *object = &watch->process->objects[index];
	struct observation seen = { .object = index, .load_bias = object->load_bias };
	int rc = forecast_new(object->elf, watch->process->page_size, &forecast, error);

	if (rc < 0)
		return rc;
	if (watch->sink->begin)
		rc = watch->sink->begin(watch->sink->ctx, index);
	if (rc >= 0)
		rc = compare_pages(watch, forecast, &seen);
	for (size_t i = 0; i < forecast->layout->count; i++)
		compare_vma(watch, &forecast->layout->vmas[i], &seen);
	return rc < 0 ? rc : watch->sink->end(watch->sink->ctx, &seen);
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
	CLEANUP(watch_done) struct watch watch = { .process = process, .sink = sink };
	struct cow_request request = { .end = UINT64_MAX, .selects = selects };
	struct cow_sink walk = { .ctx = &watch, .begin = on_begin, .run = on_run, .end = on_end };
	struct cow_counts totals;
	int rc = causes_new(process, &watch.causes, error);

	if (rc < 0)
		return rc;
	causes_each_page(watch.causes, on_page, &watch);
	cow_counts_init(&totals);
	rc = cow_walk(process, &request, &walk, &totals, error);
	cow_counts_done(&totals);
	for (uint32_t i = 0; rc >= 0 && i < process->object_count; i++)
		if (is_loaded(process, i))
			rc = observe_object(&watch, i, error);
	return rc;
}
