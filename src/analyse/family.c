// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/family.h"

#include "family_pages.h"
#include "vmatlas/analyse/state.h"

/* Both sides are read window by window, so that memory is bounded whatever their size. */
#define WINDOW_PAGES (1u << 16)
#define WINDOW_RANGES 4096u

struct window {
	struct process *process;
	struct page_range ranges[WINDOW_RANGES];
	size_t count;
	size_t at;
	uint32_t vma;			/* next VMA, and from where on */
	uint64_t from;
	uint32_t page_size;
};

struct side {
	struct pages *pages;
	struct frame_runs runs;
};

uint64_t family_diverged(const struct family_pages *pages)
{
	return pages->here + pages->there + pages->both + pages->unknown;
}

static void member_done(struct family_member *member)
{
	buf_done(&member->comm);
	free(member->vmas);
}

void family_done(struct family *family)
{
	for (size_t i = 0; i < family->count; i++)
		member_done(&family->members[i]);
	free(family->members);
	*family = (struct family) { NULL, 0, 0, GAP_NONE };
}

/* Only private memory can have been copied; pages of the kernel are nobody's. */
static bool may_share(const struct process *process, const struct vma *vma)
{
	struct state_facts facts;

	state_facts_of(process, vma, &facts);
	return !(vma->perms & VMA_SHARED) && !facts.hidden && !facts.kernel;
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
			window->ranges[window->count++] =
				(struct page_range) { .start = start, .end = end, .index = window->vma };
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

/* The mark of a page of a large folio that PTEs map is the head's: it says nothing. */
static bool mark_known(const struct page_run *run)
{
	if (!run->mark_known)
		return false;
	return !(run->flags & KPF_COMPOUND_TAIL) || run->leaf == LEAF_PMD ||
	       run->leaf == LEAF_PUD || run->flags & KPF_HUGE;
}

static int add_run(void *ctx, uint32_t index, const struct page_run *run)
{
	struct frame_runs *runs = ctx;

	if (run->kind != PAGE_PRESENT || !run->flags_known || run->zero ||
	    !(run->flags & KPF_ANON))
		return 0;
	if (array_grow((void **)&runs->items, &runs->cap, runs->count, sizeof(*runs->items)) < 0)
		return -ERROR_NOMEM;
	runs->items[runs->count++] = (struct frame_run) {
		.start = run->start, .pages = run->pages, .frame = run->frame, .vma = index,
		.exclusive = run->flags & KPF_ANON_EXCLUSIVE,
		.exclusive_known = mark_known(run),
		.once = run->entry & PAGEMAP_EXCLUSIVE,
	};
	return 0;
}

static int side_read(struct side *side, struct window *window, struct error *error)
{
	struct page_ranges ranges = { next_range, window, true };

	window->at = 0;
	side->runs.count = 0;
	return pages_walk(side->pages, &ranges, add_run, &side->runs, error);
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

static int compare_windows(struct process *process, struct family_member *member,
			   struct side sides[2], struct error *error)
{
	CLEANUP_FREE struct window *window = calloc(1, sizeof(*window));
	int rc = 0;

	member->vmas = calloc(process->vma_count, sizeof(*member->vmas));
	if (!window || !member->vmas)
		return error_nomem(error);
	window->process = process;
	window->page_size = process->page_size;
	while (rc >= 0 && !member->same_mm && window_fill(window)) {
		rc = side_read(&sides[0], window, error);
		if (rc >= 0)
			rc = side_read(&sides[1], window, error);
		if (rc >= 0)
			family_merge(member, &sides[0].runs, &sides[1].runs, process->page_size);
	}
	return rc;
}

static int compare(struct process *process, struct source_process *other,
		   struct family_member *member, struct error *error)
{
	unsigned needs = PAGE_NEED_FLAGS | PAGE_NEED_LEAF;
	struct side sides[2] = { { 0 } };
	int rc = pages_new(process->source, needs, &sides[0].pages, error);

	if (rc >= 0)
		rc = pages_new(other, needs, &sides[1].pages, error);
	if (rc >= 0)
		rc = compare_windows(process, member, sides, error);
	for (int i = 0; i < 2; i++) {
		pages_free(sides[i].pages);
		free(sides[i].runs.items);
	}
	if (rc >= 0)
		sum_up(member, process);
	return rc;
}

/* Without frame numbers there is nothing to compare. */
static enum gap frames_gap(struct source *source)
{
	if (!source_host(source)->frames_visible)
		return GAP_NEEDS_PRIVILEGE;
	return source_frames_access(source, SOURCE_KPAGEFLAGS);
}

int family_add(struct process *process, struct family *family, pid_t pid,
	       enum family_relation relation, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *other = NULL;
	struct source *source = source_process_source(process->source);
	struct family_member *member;
	struct error local = ERROR_INIT;

	if (array_grow((void **)&family->members, &family->cap, family->count,
		       sizeof(*family->members)) < 0)
		return error_nomem(error);
	member = &family->members[family->count++];
	*member = (struct family_member) { .pid = pid, .relation = relation };
	if (source_process_open(source, pid, &other, &local) < 0) {
		member->gap = gap_from_error(&local);
		return 0;
	}
	if (source_text(other, 0, SOURCE_COMM, &member->comm, NULL) == 0)
		member->comm.len -= span_ends(buf_span(&member->comm), "\n");
	member->gap = frames_gap(source);
	if (member->gap != GAP_NONE || compare(process, other, member, &local) >= 0)
		return 0;
	if (local.code == ERROR_NOMEM)
		return error_nomem(error);
	member->gap = gap_from_error(&local);
	return 0;
}

/* Each thread has its own list of the children that it made. */
static int add_children(struct process *process, struct family *family, struct error *error)
{
	CLEANUP_FREE pid_t *tids = NULL;
	struct error local = ERROR_INIT;
	size_t count = 0;

	if (source_threads(process->source, &tids, &count, &local) < 0)
		family->gap = gap_from_error(&local);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_done) struct buf text = BUF_INIT;
		struct span rest, word;
		uint64_t pid;

		if (source_text(process->source, tids[i], SOURCE_CHILDREN, &text, &local) < 0) {
			family->gap = gap_from_error(&local);
			continue;
		}
		rest = buf_span(&text);
		while (span_take_word(&rest, &word))
			if (span_take_dec(&word, &pid) && pid && pid <= INT32_MAX &&
			    family_add(process, family, (pid_t)pid, FAMILY_CHILD, error) < 0)
				return -ERROR_NOMEM;
	}
	return 0;
}

int family_load(struct process *process, struct family *family, struct error *error)
{
	*family = (struct family) { NULL, 0, 0, GAP_NONE };
	if (process->has_stat && process->stat.ppid > 0 &&
	    family_add(process, family, (pid_t)process->stat.ppid, FAMILY_PARENT, error) < 0)
		return -ERROR_NOMEM;
	return add_children(process, family, error);
}
