// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"
#include "vmatlas/parse/stat.h"
#include "vmatlas/source/archive_write.h"

#define THREADS_MAX 16u
#define THREADS_USUAL 2u	/* more do not help: the kernel walks one table at a time */

int recording_stopped(struct recording *recording, struct error *error)
{
	const struct record_options *options = recording->options;

	if (__atomic_load_n(&recording->failed, __ATOMIC_RELAXED))
		return error_set(error, ERROR_SYSTEM, NULL, "another thread failed");
	if (!options->stop || !options->stop(options->ctx))
		return 0;
	error_set(error, ERROR_SYSTEM, recording->place.target, "interrupted; nothing is left of it");
	if (error)
		error->errnum = EINTR;
	return -ERROR_SYSTEM;
}

/* Two openings of one process must be of one process, and of one program of it. */
static int process_identify(struct recording *recording, struct recorded *process,
			    struct source_process *source, struct error *failure)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct stat_record stat = { 0 };
	bool same;
	int rc = source_text(source, 0, SOURCE_STAT, &text, failure);

	/* A recording without it cannot change either. */
	if (rc == -ERROR_NOT_RECORDED)
		return 0;
	if (rc >= 0)
		rc = stat_parse(buf_span(&text), &stat, failure);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&recording->lock);
	same = !process->seen || (process->start_time == stat.start_time &&
				  process->start_code == stat.start_code);
	process->seen = true;
	process->tid = source_process_tid(source);
	process->start_time = stat.start_time;
	process->start_code = stat.start_code;
	pthread_mutex_unlock(&recording->lock);
	/* One that is just ending shows no addresses any more. */
	if (!same && source_process_check(source, failure) == 0)
		return error_set(failure, ERROR_CHANGED, NULL,
				 "process %d executed another program meanwhile", process->pid);
	return same ? 0 : -(int)failure->code;
}

static int (*const job_of[JOB_MAX])(struct recording *recording, struct recorded *process,
				  struct source_process *source, int dir,
				  struct error *error) = {
	[JOB_WORDS] = words_record,
	[JOB_TEXTS] = texts_record,
	[JOB_PIECES] = pieces_record,
};

static int process_job(struct recording *recording, struct recorded *process, enum record_job job,
		       int dir, struct error *failure, struct error *error)
{
	CLEANUP(source_process_freep) struct source_process *source = NULL;
	int rc;

	if (source_process_open(recording->source, process->pid, &source, failure) < 0 ||
	    process_identify(recording, process, source, failure) < 0)
		return 1;
	rc = job_of[job](recording, process, source, dir, error);
	if (rc < 0)
		return rc;
	return source_process_check(source, failure) < 0;
}

/* A process that ended is left out where that is allowed, with the reason of the first job. */
static int process_ended(struct recording *recording, struct recorded *process,
			 const struct error *failure, struct error *error)
{
	pthread_mutex_lock(&recording->lock);
	if (!process->ended)
		process->reason = *failure;
	process->ended = true;
	pthread_mutex_unlock(&recording->lock);
	if (recording->options->may_end)
		return 0;
	if (error) {
		*error = *failure;
		if (!error->item[0])
			snprintf(error->item, sizeof(error->item), "%d", (int)process->pid);
	}
	return -(int)failure->code;
}

static int do_process(struct recording *recording, size_t job, struct error *error)
{
	struct recorded *process = &recording->processes[job / JOB_MAX];
	struct error failure = ERROR_INIT;
	CLEANUP_CLOSE int dir = -1;
	char name[16];
	int rc;

	snprintf(name, sizeof(name), "%d", process->pid);
	dir = openat(recording->place.root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(error, errno, name, "opening the folder");
	rc = process_job(recording, process, job % JOB_MAX, dir, &failure, error);
	return rc > 0 ? process_ended(recording, process, &failure, error) : rc;
}

/* Frames come after all pagemaps. Those are with other threads by now, so this ends. */
static void wait_for_words(struct recording *recording)
{
	pthread_mutex_lock(&recording->lock);
	while (recording->words_left)
		pthread_cond_wait(&recording->words_done, &recording->lock);
	pthread_mutex_unlock(&recording->lock);
}

static int do_job(struct recording *recording, size_t job, struct error *error)
{
	size_t processes = recording->count * JOB_MAX;
	int rc;

	if (job >= processes) {
		wait_for_words(recording);
		return job == processes ? frames_record_flags(recording, error) :
			frames_record_cgroups(recording, error);
	}
	rc = recording_stopped(recording, error);
	if (rc >= 0)
		rc = do_process(recording, job, error);
	if (job % JOB_MAX == JOB_WORDS) {
		pthread_mutex_lock(&recording->lock);
		if (!--recording->words_left)
			pthread_cond_broadcast(&recording->words_done);
		pthread_mutex_unlock(&recording->lock);
	}
	return rc;
}

static void *work(void *ctx)
{
	struct recording *recording = ctx;
	size_t jobs = recording->count * JOB_MAX + 2, job;

	while ((job = __atomic_fetch_add(&recording->next_job, 1, __ATOMIC_RELAXED)) < jobs) {
		struct error error = ERROR_INIT;

		if (do_job(recording, job, &error) >= 0)
			continue;
		pthread_mutex_lock(&recording->lock);
		if (!recording->failed && recording->error)
			*recording->error = error;
		__atomic_store_n(&recording->failed, true, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&recording->lock);
	}
	return NULL;
}

static unsigned thread_count(const struct record_options *options)
{
	cpu_set_t cpus;

	if (options->threads)
		return options->threads < THREADS_MAX ? options->threads : THREADS_MAX;
	return !sched_getaffinity(0, sizeof(cpus), &cpus) && CPU_COUNT(&cpus) > 1 ?
		THREADS_USUAL : 1;
}

/* A thread that cannot be had is no failure: the others do its work. */
static int do_jobs(struct recording *recording, struct error *error)
{
	unsigned count = thread_count(recording->options), made = 0;
	pthread_t threads[THREADS_MAX];

	recording->error = error;
	recording->words_left = recording->count;
	while (made + 1 < count && !pthread_create(&threads[made], NULL, work, recording))
		made++;
	work(recording);
	while (made)
		pthread_join(threads[--made], NULL);
	return recording->failed ? -1 : 0;
}

static int make_folders(struct recording *recording, struct error *error)
{
	int root = recording->place.root;
	char name[16];

	recording->frames_dir = place_folder(root, "frames", error);
	if (recording->frames_dir < 0)
		return -1;
	for (size_t i = 0; i < recording->count; i++) {
		CLEANUP_CLOSE int dir = -1;

		snprintf(name, sizeof(name), "%d", recording->processes[i].pid);
		dir = place_folder(root, name, error);
		if (dir < 0)
			return -1;
	}
	return 0;
}

static int finish_process(struct recording *recording, struct recorded *process,
			  struct record_process *result, struct error *error)
{
	CLEANUP_CLOSE int dir = -1;
	struct missing *missing = &process->missing[0];
	char name[16];

	*result = (struct record_process) {
		.pid = process->pid, .ended = process->ended, .comm = process->comm,
		.pages = process->pages, .pages_gap = process->pages_gap,
	};
	process->comm = (struct buf)BUF_INIT;
	snprintf(name, sizeof(name), "%d", process->pid);
	if (process->ended) {
		place_remove(recording->place.root, name);
		return missing_add(&recording->missing[0], name, &process->reason, error);
	}
	for (int job = 1; job < JOB_MAX; job++)
		if (missing_take(missing, &process->missing[job], error) < 0)
			return -1;
	if (missing_text(missing, &result->missing_text, error) < 0)
		return -1;
	result->missing = missing->count;
	dir = openat(recording->place.root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(error, errno, name, "opening the folder");
	return missing->count ? out_text(recording, dir, "missing", buf_span(&result->missing_text),
					 error) : 0;
}

static int finish(struct recording *recording, struct record_result *result, struct error *error)
{
	struct missing *missing = &recording->missing[0];

	for (size_t i = 0; i < recording->count; i++) {
		if (finish_process(recording, &recording->processes[i], &result->processes[i],
				   error) < 0)
			return -1;
		result->recorded += !result->processes[i].ended;
	}
	if (!result->recorded)
		return error_set(error, ERROR_GONE, NULL, "all processes ended meanwhile");
	if (mapped_files_finish(recording, error) < 0)
		return -1;
	if (missing_take(missing, &recording->missing[1], error) < 0 ||
	    missing_text(missing, &result->missing_text, error) < 0 ||
	    (missing->count && out_text(recording, recording->place.root, "missing",
					buf_span(&result->missing_text), error) < 0))
		return -1;
	return manifest_record(recording, error);
}

static int record_all(struct recording *recording, struct record_result *result,
		      struct error *error)
{
	const struct place *place = &recording->place;
	bool archive = archive_named(place->name, NULL);
	int rc = make_folders(recording, error);

	if (rc >= 0)
		rc = frame_set_new(&recording->frames, recording->source, error);
	if (rc >= 0)
		rc = host_record(recording, error);
	if (rc >= 0)
		rc = do_jobs(recording, error);
	if (rc >= 0)
		rc = finish(recording, result, error);
	if (rc >= 0 && archive)
		rc = pack_record(recording, &result->stored, error);
	if (rc >= 0)
		rc = place_publish(&recording->place, archive ? PLACE_ARCHIVE : PLACE_SNAPSHOT,
				   error);
	result->frames = frame_set_count(&recording->frames);
	result->bytes = recording->bytes;
	result->frames_visible = source_host(recording->source)->frames_visible;
	return rc;
}

static int recording_init(struct recording *recording, const pid_t *pids, size_t count,
			  struct record_result *result, struct error *error)
{
	*result = (struct record_result) { .count = count };
	recording->processes = calloc(count ? count : 1, sizeof(*recording->processes));
	result->processes = calloc(count ? count : 1, sizeof(*result->processes));
	recording->files = mapped_files_new();
	if (!recording->processes || !result->processes || !recording->files)
		return error_nomem(error);
	recording->count = count;
	for (size_t i = 0; i < count; i++)
		recording->processes[i].pid = recording->processes[i].tid = pids[i];
	return 0;
}

static void recording_done(struct recording *recording)
{
	for (size_t i = 0; i < recording->count; i++) {
		struct recorded *process = &recording->processes[i];

		buf_done(&process->comm);
		for (int job = 0; job < JOB_MAX; job++)
			missing_done(&process->missing[job]);
	}
	free(recording->processes);
	missing_done(&recording->missing[0]);
	missing_done(&recording->missing[1]);
	frame_set_done(&recording->frames);
	mapped_files_free(recording->files);
	if (recording->frames_dir >= 0)
		close(recording->frames_dir);
	pthread_mutex_destroy(&recording->lock);
	pthread_cond_destroy(&recording->words_done);
}

int record_snapshot(struct source *source, const pid_t *pids, size_t count,
		    const struct record_options *options, const char *target,
		    struct record_result *result, struct error *error)
{
	struct recording recording = {
		.source = source, .options = options, .frames_dir = -1,
		.page_size = source_host(source)->page_size,
	};
	struct record_result made;
	int rc;

	pthread_mutex_init(&recording.lock, NULL);
	pthread_cond_init(&recording.words_done, NULL);
	rc = recording_init(&recording, pids, count, &made, error);
	if (rc >= 0) {
		rc = place_begin(&recording.place, target, error);
		if (rc >= 0)
			rc = record_all(&recording, &made, error);
		place_done(&recording.place);
	}
	recording_done(&recording);
	if (rc < 0)
		record_result_done(&made);
	else
		*result = made;
	return rc;
}

void record_result_done(struct record_result *result)
{
	for (size_t i = 0; result->processes && i < result->count; i++) {
		buf_done(&result->processes[i].comm);
		buf_done(&result->processes[i].missing_text);
	}
	free(result->processes);
	buf_done(&result->missing_text);
}
