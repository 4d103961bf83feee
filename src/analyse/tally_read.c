// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tally.h"
#include "vmatlas/parse/stat.h"

#define MAPS_CHUNK (32u << 10)
/* Scan first when VMAs are this much larger than what is resident: an empty page costs 3.5 ns,
 * a scan of a dense one 11. */
#define SPARSE_LEAST (1ULL << 30)
#define SPARSE_FACTOR 8
#define REGIONS 512u
#define MAYBE_HUGE (64u << 10)		/* the smallest huge page of any architecture */

static struct tally_process *record_of(struct tally_reader *reader)
{
	return &reader->tally->processes[reader->process];
}

static int range_add(struct tally_ranges *ranges, const struct tally_range *range,
		     struct error *error)
{
	if (array_grow((void **)&ranges->items, &ranges->cap, ranges->count,
		       sizeof(*ranges->items)) < 0)
		return error_nomem(error);
	ranges->items[ranges->count++] = *range;
	return 0;
}

static uint32_t group_of(struct tally_reader *reader, const struct maps_line *line)
{
	struct tally *tally = reader->tally;
	uint32_t group;

	if (!tally->request.group)
		return 0;
	pthread_mutex_lock(&tally->lock);
	group = tally->request.group(tally->request.ctx, reader->process, line);
	pthread_mutex_unlock(&tally->lock);
	return group;
}

/* [vsyscall] lies in the kernel's half: pagemap ends below it. A line that goes back (mappings
 * changed meanwhile) is cut: no page counts twice. */
static int add_line(struct tally_reader *reader, const struct maps_line *line,
		    struct error *error)
{
	struct tally_ranges *ranges = &reader->ranges;
	uint32_t size = reader->tally->page_size;
	struct tally_range range = {
		.page = line->start / size, .end = line->end / size,
		.anonymous = !line->inode && !line->name.len,
		.maybe_hugetlb = line->inode &&
			!((line->start | line->end | line->offset) & (MAYBE_HUGE - 1)),
	};
	struct tally_process *record = record_of(reader);

	if (line->start >> 63)
		return 0;
	if (ranges->count && range.page < ranges->items[ranges->count - 1].end)
		range.page = ranges->items[ranges->count - 1].end;
	if (range.page >= range.end)
		return 0;
	record->vss += (range.end - range.page) * size;
	record->vmas++;
	range.group = group_of(reader, line);
	return range_add(ranges, &range, error);
}

static int read_maps(struct tally_reader *reader, struct error *error)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(lines_done) struct lines lines;
	struct maps_line line;
	struct span text;
	int rc;

	reader->ranges.count = 0;
	lines_init(&lines, source_stream_read, NULL, MAPS_CHUNK);
	rc = source_stream_open(reader->source, SOURCE_MAPS, &stream, error);
	if (rc < 0)
		return rc;
	lines.ctx = stream;
	while ((rc = lines_next(&lines, &text, error)) > 0)
		if (maps_parse_line(text, &line, NULL) == 0 &&
		    (rc = add_line(reader, &line, error)) < 0)
			break;
	return rc;
}

static bool is_sparse(struct tally_reader *reader)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint64_t size = record_of(reader)->vss, memory;
	struct statm_record statm;

	if (size < SPARSE_LEAST)
		return false;
	/* Whatever statm says: so much cannot be resident. */
	memory = reader->tally->frames.count * reader->tally->page_size;
	if (size > SPARSE_FACTOR * memory + SPARSE_LEAST)
		return true;
	return source_text(reader->source, 0, SOURCE_STATM, &text, NULL) == 0 &&
	       statm_parse(buf_span(&text), &statm, NULL) == 0 &&
	       size > SPARSE_FACTOR * statm.resident * reader->tally->page_size + SPARSE_LEAST;
}

/* The parts of ranges that a populated region covers. */
static int add_region(struct tally_reader *reader, const struct source_region *region,
		      size_t *at, struct error *error)
{
	uint64_t page = region->start / reader->tally->page_size;
	uint64_t end = region->end / reader->tally->page_size;

	while (*at < reader->ranges.count) {
		struct tally_range part = reader->ranges.items[*at];

		if (part.page < page)
			part.page = page;
		if (part.end > end)
			part.end = end;
		if (part.page < part.end && range_add(&reader->pieces, &part, error) < 0)
			return -ERROR_NOMEM;
		if (reader->ranges.items[*at].end > end)
			break;
		++*at;
	}
	return 0;
}

/* Replaces the ranges by their populated parts; they stay as they are if there is no scan. */
static int find_populated(struct tally_reader *reader, struct error *error)
{
	uint32_t size = reader->tally->page_size;
	struct source_region regions[REGIONS];
	struct source_scan scan = {
		.start = reader->ranges.items[0].page * size,
		.end = reader->ranges.items[reader->ranges.count - 1].end * size,
		.anyof = SCAN_PRESENT | SCAN_SWAPPED,
		.report = SCAN_PRESENT | SCAN_SWAPPED,
	};
	struct tally_ranges whole = reader->ranges;
	size_t at = 0, got = 0;

	reader->pieces.count = 0;
	while (scan.start < scan.end) {
		uint64_t walked = 0;

		if (source_pagemap_scan(reader->source, &scan, regions, REGIONS, &got, &walked,
					NULL) < 0)
			return 0;
		for (size_t i = 0; i < got; i++)
			if (add_region(reader, &regions[i], &at, error) < 0)
				return -ERROR_NOMEM;
		scan.start = walked > scan.start ? walked : scan.end;
	}
	reader->ranges = reader->pieces;
	reader->pieces = whole;
	return 0;
}

/* The member of a group of this process; a new one has nothing yet. */
static int member_of(struct tally_reader *reader, uint32_t group, uint32_t *member)
{
	struct tally *tally = reader->tally;
	uint32_t stamp = (uint32_t)reader->process + 1;

	while (group >= reader->group_cap) {
		size_t cap = reader->group_cap ? reader->group_cap * 2 : 64;
		uint32_t *of = realloc(reader->member_of, cap * sizeof(*of));
		uint32_t *stamps;

		if (!of)
			return -ERROR_NOMEM;
		reader->member_of = of;
		stamps = realloc(reader->member_stamp, cap * sizeof(*stamps));
		if (!stamps)
			return -ERROR_NOMEM;
		reader->member_stamp = stamps;
		memset(stamps + reader->group_cap, 0,
		       (cap - reader->group_cap) * sizeof(*stamps));
		reader->group_cap = cap;
	}
	if (reader->member_stamp[group] != stamp) {
		if (tally->member_count >= TALLY_OUTSIDE ||
		    array_grow((void **)&tally->members, &tally->member_cap, tally->member_count,
			       sizeof(*tally->members)) < 0)
			return -ERROR_NOMEM;
		reader->member_of[group] = (uint32_t)tally->member_count;
		reader->member_stamp[group] = stamp;
		tally->members[tally->member_count++] = (struct tally_member) {
			.space = (uint32_t)reader->process, .group = group,
		};
	}
	*member = reader->member_of[group];
	return 0;
}

/* From here on others with the same space refer to this process; 0 if it refers to another. */
static int enter_space(struct tally_reader *reader, struct error *error)
{
	struct tally *tally = reader->tally;
	struct tally_work *work = &tally->works[reader->process];
	struct tally_process *record = record_of(reader);
	int rc = 1;

	source_process_space(reader->source, &work->space);
	record->image = work->space.key;
	pthread_mutex_lock(&tally->lock);
	record->space = tally_space_enter(tally, reader->process);
	if (record->space == reader->process) {
		work->registered = true;
		for (size_t i = 0; i < reader->ranges.count && rc > 0; i++) {
			struct tally_range *range = &reader->ranges.items[i];

			if (member_of(reader, range->group, &range->group) < 0)
				rc = error_nomem(error);
		}
	} else {
		rc = 0;
	}
	pthread_mutex_unlock(&tally->lock);
	return rc;
}

/* Pages [first, end) of one read, and the range it ends in. */
struct window {
	uint64_t first;
	uint64_t end;
	size_t range;		/* the first one */
	size_t behind;		/* the first one that is not in it, or goes on behind it */
};

/* Up to the next window boundary, over small gaps; false when nothing is left. */
static bool next_window(const struct tally_ranges *ranges, struct window *window)
{
	uint64_t limit, from = window->end;
	size_t i = window->behind;

	if (i == ranges->count)
		return false;
	window->range = i;
	window->first = ranges->items[i].page > from ? ranges->items[i].page : from;
	window->end = window->first;
	limit = (window->first | (TALLY_WINDOW - 1)) + 1;
	for (; i < ranges->count; i++) {
		const struct tally_range *range = &ranges->items[i];

		if (range->page >= limit || (i > window->range &&
					     range->page > window->end + TALLY_JOIN_GAP))
			break;
		window->end = range->end < limit ? range->end : limit;
		if (range->end > limit)
			break;
	}
	window->behind = i;
	return true;
}

static int fold_window(struct tally_reader *reader, const struct window *window, uint64_t got)
{
	struct tally *tally = reader->tally;
	uint64_t end = window->first + got;
	int rc = 0;

	for (int pass = 0; pass < 2 && rc >= 0; pass++) {
		if (pass)
			pthread_mutex_lock(&tally->lock);
		for (size_t i = window->range; i < reader->ranges.count && rc >= 0; i++) {
			struct tally_range *range = &reader->ranges.items[i];
			uint64_t page = range->page > window->first ? range->page : window->first;
			uint64_t *words = reader->words + (page - window->first);

			if (page >= end)
				break;
			uint64_t count = (range->end < end ? range->end : end) - page;

			if (pass) {
				rc = tally_fold(reader, range, words, count, reader->words + got);
				continue;
			}
			tally_drop_huge_zero(reader, range, words, page, count);
			if (range->maybe_hugetlb)
				tally_tell_hugetlb(reader, range, words, count);
		}
		if (pass)
			pthread_mutex_unlock(&tally->lock);
	}
	return rc;
}

static int read_pages(struct tally_reader *reader, struct error *error)
{
	struct window window = { 0 };
	int rc = 0;

	if (is_sparse(reader) && find_populated(reader, error) < 0)
		return -ERROR_NOMEM;
	while (rc >= 0 && next_window(&reader->ranges, &window)) {
		size_t got = 0;

		rc = source_pagemap(reader->source, window.first, reader->words,
				    window.end - window.first, &got, error);
		if (rc >= 0 && fold_window(reader, &window, got) < 0)
			rc = error_nomem(error);
	}
	return rc;
}

static int read_sums(struct tally_reader *reader, struct error *error)
{
	struct tally_process *record = record_of(reader);

	record->from_rollup = true;
	return tally_rollup(reader->source, &record->sum, &record->swap_pss_known, error);
}

static int read_space(struct tally_reader *reader, struct error *error)
{
	int rc = read_maps(reader, error);

	if (rc < 0 || !reader->ranges.count) {
		if (rc >= 0)
			record_of(reader)->state = TALLY_NO_SPACE;
		return rc;
	}
	rc = enter_space(reader, error);
	if (rc > 0)
		rc = reader->tally->totals.frames_visible ? read_pages(reader, error) :
			read_sums(reader, error);
	return rc;
}

/* A process that was there and has nothing to read is a kernel thread. */
enum tally_state tally_state_of(enum error_code code, bool opened)
{
	switch (code) {
	case ERROR_NOT_FOUND:
		return opened ? TALLY_NO_SPACE : TALLY_GONE;
	case ERROR_GONE:
	case ERROR_CHANGED:
		return TALLY_GONE;
	case ERROR_DENIED:
		return TALLY_REFUSED;
	default:
		return TALLY_FAILED;
	}
}

void tally_read(struct tally_reader *reader)
{
	CLEANUP(source_process_freep) struct source_process *source = NULL;
	struct tally *tally = reader->tally;
	struct tally_process *record = record_of(reader);
	struct error error = ERROR_INIT;
	int rc = source_process_open(tally->source, tally->request.pids[reader->process], &source,
				     &error);

	record->state = TALLY_COUNTED;
	record->gap = GAP_NONE;
	record->vss = record->vmas = 0;
	reader->source = source;
	reader->zero = reader->huge_zero = reader->special = 0;
	if (rc >= 0) {
		record->pid = source_process_pid(source);
		if (tally->request.needs & TALLY_LISTED && !source_process_has_space(source)) {
			record->state = TALLY_NO_SPACE;
			record->gap = GAP_NOT_APPLICABLE;
			return;
		}
		if (tally->request.visit &&
		    tally->request.visit(tally->request.ctx, reader->process, source) < 0)
			tally_fail(tally, NULL);
		rc = read_space(reader, &error);
	}
	record->zero = reader->zero * tally->page_size;
	record->huge_zero = reader->huge_zero * tally->page_size;
	record->special = reader->special * tally->page_size;
	if (rc >= 0)
		return;
	if (error.code == ERROR_NOMEM)
		tally_fail(tally, &error);
	record->state = tally_state_of(error.code, source != NULL);
	record->gap = record->state == TALLY_NO_SPACE ? GAP_NOT_APPLICABLE :
		record->state == TALLY_GONE ? GAP_GONE : gap_from_error(&error);
	pthread_mutex_lock(&tally->lock);
	tally->works[reader->process].registered = false;
	pthread_mutex_unlock(&tally->lock);
}
