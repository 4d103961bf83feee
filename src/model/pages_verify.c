// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pages_impl.h"

#include "vmatlas/parse/stat.h"

/* A process that takes no fault and keeps its size did not change its entries; what the kernel
 * does to them on its own shows as a contradiction at most. */
void pages_pulse(struct pages *pages, struct pages_pulse *pulse)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;

	*pulse = (struct pages_pulse) { 0 };
	if (source_host(pages->source)->kind != SOURCE_KIND_LIVE ||
	    source_text(pages->process, 0, SOURCE_STAT, &text, NULL) < 0 ||
	    stat_parse(buf_span(&text), &stat, NULL) < 0)
		return;
	*pulse = (struct pages_pulse) { stat.minflt, stat.majflt, stat.rss };
}

static bool same_pulse(const struct pages_pulse *a, const struct pages_pulse *b)
{
	return a->minflt == b->minflt && a->majflt == b->majflt && a->rss == b->rss;
}

static int add_stale(struct pages *pages, uint64_t page, struct error *error)
{
	if (array_grow((void **)&pages->stale, &pages->stale_cap, pages->stale_count,
		       sizeof(*pages->stale)) < 0)
		return error_nomem(error);
	pages->stale[pages->stale_count++] = page;
	return 0;
}

/* The words of a run against what is in the window now. */
static int compare_run(struct pages *pages, const struct word_run *run, uint64_t first,
		       struct error *error)
{
	for (uint64_t i = 0; i < run->pages; i++)
		if (pages->words[run->page + i - first] != pages_run_word(run, i) &&
		    add_stale(pages, run->page + i, error) < 0)
			return -1;
	return 0;
}

/* The end of the read that begins with runs[*at]; *next: the first run it does not cover. */
static uint64_t plan(const struct pages *pages, size_t at, size_t *next)
{
	uint64_t first = pages->runs[at].page, end = first;

	for (*next = at; *next < pages->run_count; ++*next) {
		const struct word_run *run = &pages->runs[*next];

		if (*next > at && (run->page + run->pages > first + PAGES_WINDOW ||
				   run->page > end + PAGES_JOIN_GAP))
			break;
		end = run->page + run->pages;
	}
	return end;
}

/* One window of runs. A run longer than the window is huge pages or a hole: it is taken as read. */
static int verify_window(struct pages *pages, size_t at, size_t *next, struct error *error)
{
	uint64_t first = pages->runs[at].page, end = plan(pages, at, next);

	if (end - first > PAGES_WINDOW || pages->runs[at].kind == PAGE_UNREADABLE)
		return 0;
	if (pages_read_words(pages, first, end, error) < 0)
		return -1;
	for (size_t i = at; i < *next; i++)
		if (pages->runs[i].kind != PAGE_UNREADABLE &&
		    compare_run(pages, &pages->runs[i], first, error) < 0)
			return -1;
	return 0;
}

/* If the process was active while the chunk was read, its entries are read again; pages whose
 * word changed are then read one by one, with flags and count. */
int pages_verify(struct pages *pages, struct pages_pulse *before, struct error *error)
{
	struct pages_pulse now;
	size_t at = 0, next;

	pages->stale_count = 0;
	pages->output.stale = 0;
	if (!pages_use_frames(pages))
		return 0;
	pages_pulse(pages, &now);
	if (same_pulse(before, &now))
		return 0;
	*before = now;
	for (; at < pages->run_count; at = next)
		if (verify_window(pages, at, &next, error) < 0)
			return -1;
	return 0;
}
