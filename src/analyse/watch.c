// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "watch.h"

#include <time.h>

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void set(struct watch_sample *sample, enum watch_counter counter, uint64_t value)
{
	sample->value[counter] = value;
	sample->gap[counter] = GAP_NONE;
}

/* Counters of the kernel that cost nothing: they may be off by some pages per CPU, as these are
 * added up only now and then (mm/memory.c, percpu_counter of mm_struct). */
static int take_status(struct source_process *process, struct watch_sample *sample,
		       struct error *error)
{
	static const struct {
		enum status_key key;
		enum watch_counter counter;
	} keys[] = {
		{ STATUS_VM_RSS, WATCH_RSS }, { STATUS_RSS_ANON, WATCH_ANON },
		{ STATUS_VM_SWAP, WATCH_SWAP }, { STATUS_VM_SIZE, WATCH_VSS },
		{ STATUS_VM_PTE, WATCH_TABLES }, { STATUS_THREADS, WATCH_THREADS },
	};
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct status status;
	int rc = source_text(process, 0, SOURCE_STATUS, &text, error);

	if (rc >= 0)
		rc = status_parse(buf_span(&text), &status, error);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(keys); i++) {
		if (status_has(&status, keys[i].key))
			set(sample, keys[i].counter, status.value[keys[i].key]);
		else
			sample->gap[keys[i].counter] = GAP_NOT_IN_KERNEL;
	}
	return rc;
}

static int take_stat(struct source_process *process, struct watch_sample *sample,
		     struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat;
	int rc = source_text(process, 0, SOURCE_STAT, &text, error);

	if (rc >= 0)
		rc = stat_parse(buf_span(&text), &stat, error);
	if (rc < 0)
		return rc;
	set(sample, WATCH_FAULTS, stat.minflt + stat.majflt);
	set(sample, WATCH_MAJOR, stat.majflt);
	return take_status(process, sample, error);
}

/* Exact where page counters are not, and the only place for pss without frame numbers. */
static int take_rollup(struct source_process *process, struct watch_sample *sample,
		       struct error *error)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	struct smaps_record record;
	struct smaps_reader reader;
	struct lines lines;
	int rc = source_stream_open(process, SOURCE_SMAPS_ROLLUP, &stream, error);

	if (rc < 0)
		return rc;
	lines_init(&lines, source_stream_read, stream, 4096);
	smaps_reader_init(&reader, &lines);
	smaps_record_init(&record);
	rc = smaps_next(&reader, &record, error);
	if (rc > 0) {
		set(sample, WATCH_RSS, record.value[SMAPS_RSS]);
		set(sample, WATCH_PSS, record.value[SMAPS_PSS]);
		set(sample, WATCH_USS, record.value[SMAPS_PRIVATE_CLEAN] +
				       record.value[SMAPS_PRIVATE_DIRTY]);
		set(sample, WATCH_SWAP, record.value[SMAPS_SWAP]);
		set(sample, WATCH_ANON, record.value[SMAPS_ANONYMOUS]);
	}
	smaps_record_done(&record);
	smaps_reader_done(&reader);
	lines_done(&lines);
	return rc < 0 ? rc : 0;
}

static bool is_missing(const struct watch_sample *sample, enum watch_counter counter)
{
	return sample->gap[counter] != GAP_NONE;
}

/* What one reading knows better replaces what a cheaper one said. A refusal is a gap of the
 * counters that were asked for, not a failure. */
static int take_refused(struct watch_sample *sample, unsigned need, const struct error *error)
{
	enum gap gap = gap_from_error(error);

	if (error->code == ERROR_GONE || error->code == ERROR_CHANGED ||
	    error->code == ERROR_NOMEM)
		return -(int)error->code;
	for (int i = 0; i < WATCH_COUNTER_MAX; i++)
		if (is_missing(sample, i) && watch_counter_needs(i) & need)
			sample->gap[i] = gap;
	return 0;
}

static int take(struct watched *watched, struct watch_sample *sample,
		struct watch_state **state, struct error *error)
{
	int rc = 0;

	if (watched->needs & WATCH_NEED_STAT)
		rc = take_stat(watched->process, sample, error);
	if (rc >= 0 && watched->needs & WATCH_NEED_PAGES &&
	    watch_pages(watched->process, sample, state, error) < 0)
		rc = take_refused(sample, WATCH_NEED_PAGES, error);
	if (rc >= 0 && watched->needs & WATCH_NEED_ROLLUP && is_missing(sample, WATCH_PSS) &&
	    take_rollup(watched->process, sample, error) < 0)
		rc = take_refused(sample, WATCH_NEED_ROLLUP, error);
	return rc;
}

static void sample_begin(const struct watched *watched, struct watch_sample *sample)
{
	const struct source_cost *cost = source_cost(watched->source);

	*sample = (struct watch_sample) {
		.number = watched->now.number + 1, .at_us = clock_us(), .time = time(NULL),
		.cost_bytes = cost->bytes, .cost_calls = cost->calls,
	};
	for (int i = 0; i < WATCH_COUNTER_MAX; i++)
		sample->gap[i] = GAP_NOT_READ;
}

static void sample_end(const struct watched *watched, struct watch_sample *sample)
{
	const struct source_cost *cost = source_cost(watched->source);

	sample->cost_us = clock_us() - sample->at_us;
	sample->cost_bytes = cost->bytes - sample->cost_bytes;
	sample->cost_calls = cost->calls - sample->cost_calls;
}

static void read_comm(struct watched *watched)
{
	buf_clear(&watched->comm);
	if (source_text(watched->process, 0, SOURCE_COMM, &watched->comm, NULL) == 0)
		watched->comm.len -= span_ends(buf_span(&watched->comm), "\n");
}

/* The same PID runs another program: what was open is of the old address space. */
static int reopen(struct watched *watched, struct error *error)
{
	struct source_process *fresh = NULL;
	int rc = source_process_open(watched->source, watched->pid, &fresh, error);

	if (rc < 0)
		return rc;
	source_process_free(watched->process);
	watched->process = fresh;
	watch_state_free(watched->state);
	watched->state = NULL;
	read_comm(watched);
	return 0;
}

int watched_init(struct watched *watched, struct source *source, pid_t pid, unsigned needs,
		 struct error *error)
{
	*watched = (struct watched) { .source = source, .pid = pid, .needs = needs };
	if (source_process_open(source, pid, &watched->process, error) < 0)
		return -(int)(error ? error->code : ERROR_NOT_FOUND);
	watched->pid = source_process_pid(watched->process);
	read_comm(watched);
	return 0;
}

void watched_done(struct watched *watched)
{
	watch_state_free(watched->state);
	watch_state_free(watched->older);
	source_process_free(watched->process);
	buf_done(&watched->comm);
	*watched = (struct watched) { .source = NULL };
}

/* -ERROR_CHANGED: another program; -ERROR_GONE: none at all. */
static int take_checked(struct watched *watched, struct watch_sample *sample,
			struct watch_state **state, struct error *error)
{
	int rc = source_process_check(watched->process, error);

	if (rc >= 0)
		rc = take(watched, sample, state, error);
	if (rc < 0)
		source_process_check(watched->process, error);
	return rc < 0 ? -(int)error->code : 0;
}

/* Tries again where the program was replaced; what else goes wrong then is the end of it. */
static int take_or_end(struct watched *watched, struct watch_sample *sample,
		       struct watch_state **state, struct error *error)
{
	int rc = take_checked(watched, sample, state, error);

	if (rc == -ERROR_CHANGED) {
		watched->event = WATCH_EXEC;
		rc = reopen(watched, error);
		if (rc >= 0)
			rc = take_checked(watched, sample, state, error);
	}
	if (rc < 0 && error->code != ERROR_NOMEM && error->code != ERROR_DENIED) {
		watched->event = WATCH_EXIT;
		return 0;
	}
	return rc;
}

static int settle(struct watched *watched, const struct watch_sample *sample,
		  struct watch_state *state, struct error *error)
{
	int rc = 0;

	watched->before = watched->event == WATCH_EXEC ? (struct watch_sample) { .number = 0 } :
							 watched->now;
	watched->now = *sample;
	if (sample->number == 1)
		watched->began_us = sample->at_us;
	if (sample->number == 1 || watched->event == WATCH_EXEC)
		watched->first = *sample;
	if (state && watched->state)
		rc = watch_compare(watched, watched->state, state, error);
	watch_state_free(watched->older);
	watched->older = watched->state;
	watched->state = state;
	for (int i = 0; watched->event == WATCH_EXIT && i < WATCH_COUNTER_MAX; i++)
		watched->now.gap[i] = GAP_GONE;
	return rc;
}

int watched_sample(struct watched *watched, struct error *error)
{
	struct watch_state *state = NULL;
	struct error local = ERROR_INIT;
	struct watch_sample sample;
	int rc;

	watched->event = WATCH_NOTHING;
	watched->change_count = watched->change_total = 0;
	watched->changes_known = false;
	sample_begin(watched, &sample);
	rc = take_or_end(watched, &sample, &state, &local);
	sample_end(watched, &sample);
	if (rc >= 0)
		rc = settle(watched, &sample, state, &local);
	if (rc < 0 && error)
		*error = local;
	return rc;
}
