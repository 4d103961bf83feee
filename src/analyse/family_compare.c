// SPDX-License-Identifier: LGPL-2.1-or-later
#include "family_pages.h"
#include "vmatlas/analyse/state.h"

/* Window by window, so that memory is bounded whatever the processes' size, and of so many
 * relatives at a time, whose folders and pagemaps are open meanwhile. */
#define WINDOW_PAGES (1u << 16)
#define WINDOW_RANGES 4096u
#define BATCH 64u

struct window {
	struct process *process;
	struct page_range ranges[WINDOW_RANGES];
	size_t count;
	size_t at;
	uint32_t vma;			/* next VMA, and from where on */
	uint64_t from;
	uint32_t page_size;
};

/*
 * The process' own pages are read once for all relatives, with their flags. Of a relative first
 * the entries alone: what has the frame of ours is shared, and that is most. Only for the rest
 * are flags asked for, of which each frame costs more than three entries.
 */
struct comparison {
	struct window window;
	struct pages *marked;		/* reads flags */
	struct pages *plain;		/* frames only */
	struct frame_runs own;		/* of the window */
	struct frame_runs theirs;
	struct frame_runs own_rest;	/* without what is shared */
	struct frame_runs their_rest;
	bool sparse;
};

struct relative {
	struct family_member *member;
	struct source_process *source;	/* NULL: not to be compared, or not any more */
};

/* Only private memory can have been copied; pages of the kernel are nobody's. */
static bool may_share(const struct process *process, const struct vma *vma)
{
	struct state_facts facts;

	state_facts_of(process, vma, &facts);
	return !(vma->perms & VMA_SHARED) && !facts.hidden && !facts.kernel;
}

static bool is_sparse(const struct process *process)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < process->vma_count; i++)
		if (may_share(process, &process->vmas[i]))
			bytes += process->vmas[i].end - process->vmas[i].start;
	return process_is_sparse(process, bytes);
}

/* The ranges of the next window: false at the end. */
static bool window_fill(struct window *window)
{
	const struct process *process = window->process;
	uint64_t room = (uint64_t)WINDOW_PAGES * window->page_size;

	window->count = 0;
	while (window->vma < process->vma_count && window->count < WINDOW_RANGES && room) {
		const struct vma *vma = &process->vmas[window->vma];
		uint64_t start = window->from ? window->from : vma->start, end = vma->end;

		if (may_share(process, vma)) {
			if (end - start > room)
				end = start + room;
			room -= end - start;
			window->ranges[window->count++] = (struct page_range) {
				.start = start, .end = end, .index = window->vma,
			};
		}
		window->from = end < vma->end ? end : 0;
		window->vma += !window->from;
	}
	return window->count > 0;
}

static int next_range(void *ctx, struct page_range *range)
{
	struct window *window = ctx;

	if (window->at == window->count)
		return 0;
	*range = window->ranges[window->at++];
	return 1;
}

struct rest {
	const struct frame_runs *runs;
	size_t at;
	uint32_t page_size;
};

static int next_rest(void *ctx, struct page_range *range)
{
	struct rest *rest = ctx;
	const struct frame_run *run;

	if (rest->at == rest->runs->count)
		return 0;
	run = &rest->runs->items[rest->at++];
	*range = (struct page_range) {
		.start = run->start, .end = run->start + run->pages * rest->page_size,
		.index = run->vma,
	};
	return 1;
}

/* The mark of a page of a large folio that PTEs map is the head's: it says nothing. */
static bool mark_known(const struct page_run *run)
{
	if (!run->mark_known)
		return false;
	return !(run->flags & KPF_COMPOUND_TAIL) || run->leaf == LEAF_PMD ||
	       run->leaf == LEAF_PUD || run->flags & KPF_HUGE;
}

static int add_marked(void *ctx, uint32_t index, const struct page_run *run)
{
	if (run->kind != PAGE_PRESENT || !run->flags_known || run->zero ||
	    !(run->flags & KPF_ANON))
		return 0;
	return frame_runs_add(ctx, &(struct frame_run) {
		.start = run->start, .pages = run->pages, .frame = run->frame, .vma = index,
		.exclusive = run->flags & KPF_ANON_EXCLUSIVE,
		.exclusive_known = mark_known(run),
		.once = run->entry & PAGEMAP_EXCLUSIVE,
	});
}

/* Anonymous pages and the zero page: of other pages the entry has bit 61. */
static int add_plain(void *ctx, uint32_t index, const struct page_run *run)
{
	if (run->kind != PAGE_PRESENT || run->entry & PAGEMAP_FILE)
		return 0;
	return frame_runs_add(ctx, &(struct frame_run) {
		.start = run->start, .pages = run->pages, .frame = run->frame, .vma = index,
		.once = run->entry & PAGEMAP_EXCLUSIVE,
	});
}

/* All of the window, of the process itself or a relative. */
static int read_window(struct comparison *c, struct pages *pages, struct source_process *source,
		       int (*add)(void *ctx, uint32_t index, const struct page_run *run),
		       struct frame_runs *runs, struct error *error)
{
	struct page_ranges ranges = { next_range, &c->window, c->sparse };

	c->window.at = 0;
	runs->count = 0;
	pages_set_process(pages, source);
	return pages_walk(pages, &ranges, add, runs, error);
}

static int read_rest(struct comparison *c, struct source_process *source, struct error *error)
{
	struct rest rest = { &c->their_rest, 0, c->window.page_size };
	struct page_ranges ranges = { next_rest, &rest, false };

	c->theirs.count = 0;
	if (!c->their_rest.count)
		return 0;
	pages_set_process(c->marked, source);
	return pages_walk(c->marked, &ranges, add_marked, &c->theirs, error);
}

static int compare_window(struct comparison *c, struct relative *relative, struct error *error)
{
	struct family_member *member = relative->member;
	int rc = read_window(c, c->plain, relative->source, add_plain, &c->theirs, error);

	if (rc >= 0 && family_split(member, &c->own, &c->theirs, &c->own_rest, &c->their_rest,
				    c->window.page_size) < 0)
		rc = error_nomem(error);
	if (rc < 0 || member->same_mm)
		return rc;
	rc = read_rest(c, relative->source, error);
	if (rc >= 0)
		family_merge(member, &c->own_rest, &c->theirs, c->window.page_size);
	return rc;
}

static void sum_up(struct family_member *member, const struct process *process)
{
	struct family_pages *total = &member->total;

	for (size_t i = 0; i < process->vma_count; i++) {
		const struct family_pages *vma = &member->vmas[i];

		total->shared += vma->shared;
		total->here += vma->here;
		total->there += vma->there;
		total->both += vma->both;
		total->unknown += vma->unknown;
		total->only_here += vma->only_here;
		total->only_there += vma->only_there;
	}
}

static void relative_close(struct relative *relative)
{
	source_process_free(relative->source);
	relative->source = NULL;
}

/* A failure is the relative's alone; only want of memory ends everything. */
static int give_up(struct relative *relative, struct error *failure, struct error *error)
{
	if (failure->code == ERROR_NOMEM)
		return error_nomem(error);
	relative->member->gap = gap_from_error(failure);
	relative_close(relative);
	return 0;
}

static int compare_windows(struct comparison *c, struct relative *relatives, size_t count,
			   struct error *error)
{
	while (window_fill(&c->window)) {
		struct error failure = ERROR_INIT;
		int own = read_window(c, c->marked, c->window.process->source, add_marked,
				      &c->own, &failure);

		for (size_t i = 0; i < count; i++) {
			struct relative *relative = &relatives[i];

			if (!relative->source)
				continue;
			if ((own < 0 || compare_window(c, relative, &failure) < 0) &&
			    give_up(relative, &failure, error) < 0)
				return -ERROR_NOMEM;
			if (relative->member->same_mm)
				relative_close(relative);
		}
	}
	return 0;
}

/* Without frame numbers there is nothing to compare. */
static enum gap frames_gap(struct source *source)
{
	if (!source_host(source)->frames_visible)
		return GAP_NEEDS_PRIVILEGE;
	return source_frames_access(source, SOURCE_KPAGEFLAGS);
}

static int relative_open(struct process *process, struct relative *relative, struct error *error)
{
	struct family_member *member = relative->member;
	struct source *source = source_process_source(process->source);
	struct error failure = ERROR_INIT;

	if (source_process_open(source, member->pid, &relative->source, &failure) < 0)
		return give_up(relative, &failure, error);
	if (source_text(relative->source, 0, SOURCE_COMM, &member->comm, NULL) == 0)
		member->comm.len -= span_ends(buf_span(&member->comm), "\n");
	member->gap = frames_gap(source);
	if (member->gap != GAP_NONE) {
		relative_close(relative);
		return 0;
	}
	member->vmas = calloc(process->vma_count, sizeof(*member->vmas));
	return member->vmas ? 0 : error_nomem(error);
}

static int compare_batch(struct comparison *c, struct family_member *members, size_t count,
			 struct error *error)
{
	struct process *process = c->window.process;
	struct relative relatives[BATCH] = { 0 };
	int rc = 0;

	c->window.vma = 0;
	c->window.from = 0;
	for (size_t i = 0; i < count && rc >= 0; i++) {
		relatives[i].member = &members[i];
		rc = relative_open(process, &relatives[i], error);
	}
	if (rc >= 0)
		rc = compare_windows(c, relatives, count, error);
	for (size_t i = 0; i < count; i++) {
		if (relatives[i].source)
			sum_up(&members[i], process);
		relative_close(&relatives[i]);
	}
	return rc;
}

static void comparison_free(struct comparison *c)
{
	if (!c)
		return;
	pages_free(c->marked);
	pages_free(c->plain);
	free(c->own.items);
	free(c->theirs.items);
	free(c->own_rest.items);
	free(c->their_rest.items);
	free(c);
}
DEFINE_CLEANUP(comparison_free, struct comparison)

int family_compare(struct process *process, struct family *family, struct error *error)
{
	CLEANUP(comparison_freep) struct comparison *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return error_nomem(error);
	c->window.process = process;
	c->window.page_size = process->page_size;
	c->sparse = is_sparse(process);
	rc = pages_new(process->source, PAGE_NEED_FLAGS | PAGE_NEED_LEAF, &c->marked, error);
	if (rc >= 0)
		rc = pages_new(process->source, 0, &c->plain, error);
	for (size_t at = 0; at < family->count && rc >= 0; at += BATCH) {
		size_t left = family->count - at;

		rc = compare_batch(c, family->members + at, left < BATCH ? left : BATCH, error);
	}
	return rc;
}
