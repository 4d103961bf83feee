// SPDX-License-Identifier: LGPL-2.1-or-later
#include <time.h>

#include "tally.h"

/* More threads than this wait for each other's folding. */
#define THREADS_USEFUL 2u

const char *tally_state_name(enum tally_state state)
{
	static const char *const names[] = {
		[TALLY_COUNTED] = "counted", [TALLY_NO_SPACE] = "no-space", [TALLY_GONE] = "gone",
		[TALLY_REFUSED] = "refused", [TALLY_FAILED] = "failed",
	};

	return names[state];
}

void tally_fail(struct tally *tally, const struct error *error)
{
	pthread_mutex_lock(&tally->lock);
	if (tally->rc >= 0) {
		if (error)
			tally->error = *error;
		else
			error_nomem(&tally->error);
		tally->rc = -(int)tally->error.code;
	}
	pthread_mutex_unlock(&tally->lock);
}

static unsigned threads_wanted(const struct tally *tally, size_t jobs)
{
	unsigned threads = tally->request.threads;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (!threads)
		threads = cores < (long)THREADS_USEFUL ? 1 : THREADS_USEFUL;
	if (threads > TALLY_THREADS_MAX)
		threads = TALLY_THREADS_MAX;
	return threads > jobs ? (jobs ? (unsigned)jobs : 1) : threads;
}

static void reader_done(struct tally_reader *reader)
{
	free(reader->words);
	free(reader->ranges.items);
	free(reader->pieces.items);
	free(reader->member_of);
	free(reader->member_stamp);
}

struct thread {
	struct tally_reader reader;
	void (*run)(struct tally_reader *reader);
	pthread_t id;
	bool started;
};

static void *thread_main(void *arg)
{
	struct thread *thread = arg;

	thread->run(&thread->reader);
	return NULL;
}

/* The caller is the first thread; where no other can be had it does all. */
int tally_each_thread(struct tally *tally, size_t jobs, void (*run)(struct tally_reader *reader))
{
	unsigned count = threads_wanted(tally, jobs);
	CLEANUP_FREE struct thread *threads = calloc(count, sizeof(*threads));

	if (!threads)
		return error_nomem(&tally->error);
	for (unsigned i = 0; i < count; i++) {
		threads[i].run = run;
		threads[i].reader = (struct tally_reader) { .tally = tally, .number = i };
		threads[i].reader.words = malloc(TALLY_WINDOW * sizeof(uint64_t));
		if (!threads[i].reader.words)
			tally_fail(tally, &(struct error) { .code = ERROR_NOMEM,
							    .text = "out of memory" });
	}
	for (unsigned i = 1; i < count && tally->rc >= 0; i++)
		threads[i].started = !pthread_create(&threads[i].id, NULL, thread_main,
						     &threads[i]);
	if (tally->rc >= 0)
		run(&threads[0].reader);
	for (unsigned i = 0; i < count; i++) {
		if (threads[i].started)
			pthread_join(threads[i].id, NULL);
		reader_done(&threads[i].reader);
	}
	return tally->rc;
}

/* The next process nobody has taken; false at the end, or after a failure. */
static bool take_process(struct tally_reader *reader)
{
	struct tally *tally = reader->tally;
	bool taken;

	pthread_mutex_lock(&tally->lock);
	taken = tally->rc >= 0 && tally->next < tally->request.count;
	if (taken)
		reader->process = tally->next++;
	pthread_mutex_unlock(&tally->lock);
	return taken;
}

static void note_done(struct tally *tally)
{
	const struct tally_request *request = &tally->request;

	pthread_mutex_lock(&tally->lock);
	tally->done++;
	if (request->progress)
		request->progress(request->ctx, tally->done, request->count);
	pthread_mutex_unlock(&tally->lock);
}

static void read_processes(struct tally_reader *reader)
{
	while (take_process(reader)) {
		tally_read(reader);
		note_done(reader->tally);
	}
}

/* Those that referred to a process which ended before it was read: their own pages then. */
static void read_orphans(struct tally_reader *reader)
{
	struct tally *tally = reader->tally;

	for (size_t i = 0; i < tally->request.count && tally->rc >= 0; i++) {
		struct tally_process *process = &tally->processes[i];

		if (process->state != TALLY_COUNTED || process->space == i ||
		    tally->processes[process->space].state == TALLY_COUNTED)
			continue;
		reader->process = i;
		tally_read(reader);
	}
}

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Pages under one entry of the level above: the size of a huge page, of which there may be none. */
static uint32_t block_of(struct source *source, uint32_t page_size)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct span span;
	uint64_t bytes;

	if (source_system_text(source, SOURCE_THP_SIZE, &text, NULL) < 0)
		return 0;
	span = span_trim(buf_span(&text));
	if (!span_take_dec(&span, &bytes) || bytes & (bytes - 1) || bytes <= page_size)
		return 0;
	bytes /= page_size;
	return bytes <= TALLY_WINDOW ? (uint32_t)bytes : 0;
}

/* Some 80 bytes each, and some 150 where sets are handed out. */
static size_t sets_max(const struct tally_request *request)
{
	if (request->sets_max)
		return request->sets_max;
	return (request->needs & TALLY_NEED_SETS ? 1u << 20 : 1u << 18) + 256 * request->count;
}

static int tally_init(struct tally *tally, struct source *source,
		      const struct tally_request *request)
{
	const struct source_host *host = source_host(source);
	uint64_t frames = 0;

	tally->source = source;
	tally->request = *request;
	tally->page_size = host->page_size;
	tally->totals.frames_visible = host->frames_visible;
	tally->totals.frames_gap = host->frames_visible ? GAP_NONE :
		host->kind == SOURCE_KIND_LIVE ? GAP_NEEDS_PRIVILEGE : GAP_NOT_RECORDED;
	tally->totals.counts_gap = tally->totals.flags_gap = GAP_NOT_READ;
	tally->processes = calloc(request->count + 1, sizeof(*tally->processes));
	tally->works = calloc(request->count + 1, sizeof(*tally->works));
	tally->spaces = calloc(request->count + 1, sizeof(*tally->spaces));
	if (!tally->processes || !tally->works || !tally->spaces ||
	    tally_nodes_init(&tally->nodes, sets_max(request)) < 0)
		return error_nomem(&tally->error);
	for (size_t i = 0; i < request->count; i++) {
		tally->processes[i].pid = request->pids[i];
		tally->processes[i].same_as = tally->processes[i].space = TALLY_NONE;
		tally->works[i].first = TALLY_NONE;
	}
	if (!host->frames_visible)
		return 0;
	frames = source_frames_end(source);
	tally->zero_frame = source_zero_frame(source);
	tally->flags_readable = source_frames_access(source, SOURCE_KPAGEFLAGS) == GAP_NONE;
	tally->block = block_of(source, host->page_size);
	if (frames > TALLY_SLOTS_MAX)
		frames = TALLY_SLOTS_MAX;
	if (tally_slots_grow(&tally->frames, frames ? frames : 1) < 0)
		return error_nomem(&tally->error);
	return 0;
}

static int tally_work(struct tally *tally)
{
	uint64_t start = clock_us();
	int rc = tally_each_thread(tally, tally->request.count, read_processes);

	if (rc >= 0)
		rc = tally_each_thread(tally, 1, read_orphans);
	tally->totals.duration_us = clock_us() - start;
	if (rc < 0)
		return rc;
	tally_spaces_settle(tally);
	rc = tally_counts(tally);
	if (rc >= 0)
		rc = tally_crowd(tally);
	return rc < 0 ? rc : tally_sum_up(tally);
}

int tally_run(struct source *source, const struct tally_request *request, struct tally **tally,
	      struct error *error)
{
	CLEANUP(tally_freep) struct tally *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return error_nomem(error);
	pthread_mutex_init(&t->lock, NULL);
	rc = tally_init(t, source, request);
	if (rc >= 0)
		rc = tally_work(t);
	if (rc < 0) {
		if (error)
			*error = t->error;
		return rc;
	}
	*tally = t;
	t = NULL;
	return 0;
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	free(tally->processes);
	free(tally->works);
	free(tally->spaces);
	free(tally->members);
	tally_nodes_done(&tally->nodes);
	tally_slots_done(&tally->frames);
	for (size_t i = 0; i < ARRAY_SIZE(tally->swap); i++)
		tally_slots_done(&tally->swap[i]);
	free(tally->sizes);
	free(tally->sets);
	pthread_mutex_destroy(&tally->lock);
	free(tally);
}

const struct tally_totals *tally_totals(const struct tally *tally)
{
	return &tally->totals;
}

const struct tally_process *tally_processes(const struct tally *tally, size_t *count)
{
	*count = tally->request.count;
	return tally->processes;
}

const struct tally_member *tally_members(const struct tally *tally, size_t *count)
{
	*count = tally->member_count;
	return tally->members;
}

const struct tally_set *tally_sets(const struct tally *tally, size_t *count)
{
	*count = tally->set_count;
	return tally->sets;
}

uint32_t tally_page_size(const struct tally *tally)
{
	return tally->page_size;
}
