// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "snapshot_runs.h"

static const char *const names[SOURCE_FRAMES_MAX] = {
	[SOURCE_KPAGEFLAGS] = "frames/kpageflags",
	[SOURCE_KPAGECOUNT] = "frames/kpagecount",
	[SOURCE_KPAGECGROUP] = "frames/kpagecgroup",
};

static int frames_new(struct snapshot *snapshot, enum source_frames what, struct error *error)
{
	struct snapshot_file file = SNAPSHOT_FILE_INIT;
	const char *name = names[what];
	struct error local = ERROR_INIT;
	int rc = snapshot_store_file(&snapshot->store, name, &file, &local);

	if (rc == -ERROR_NOT_RECORDED)
		rc = snapshot_missing_why(&snapshot->missing, name, &local);
	else if (!rc)
		rc = snapshot_runs_new(&snapshot->base, &file, name, NULL, NULL,
				       &snapshot->frames[what], &local);
	if (rc < 0 && error)
		*error = local;
	source_note_damage(&snapshot->base, rc, &local);
	snapshot->base.frames_gap[what] = rc < 0 ? gap_from_error(&local) : GAP_NONE;
	return rc;
}

/* With the lock held. */
static int frames_open(struct snapshot *snapshot, enum source_frames what, struct error *error)
{
	return snapshot->frames[what] ? 0 : frames_new(snapshot, what, error);
}

/* Frames whose count is not in kpagecount are mapped once, if they are recorded at all. */
static int add_counts(struct snapshot *snapshot, uint64_t first, uint64_t *words, size_t count,
		      struct error *error)
{
	struct snapshot_run run;
	int rc = frames_open(snapshot, SOURCE_KPAGEFLAGS, NULL);

	/* Without flags nothing tells which frames are recorded. */
	if (rc < 0)
		return 0;
	rc = snapshot_runs_seek(snapshot->frames[SOURCE_KPAGEFLAGS], first, &run, error);
	while (rc > 0 && run.first < first + count) {
		uint64_t at = run.first > first ? run.first : first;

		for (; at < run.end && at < first + count; at++)
			if (words[at - first] == SOURCE_FRAME_NOT_RECORDED)
				words[at - first] = 1;
		if (run.end >= first + count)
			break;
		rc = snapshot_runs_next(snapshot->frames[SOURCE_KPAGEFLAGS], &run, error);
	}
	return rc < 0 ? rc : 0;
}

int snapshot_frames(struct source *source, enum source_frames what, uint64_t first,
		    uint64_t *words, size_t count, size_t *got, struct error *error)
{
	struct snapshot *snapshot = snapshot_of(source);
	uint64_t end = snapshot->frames_end;
	int rc;

	pthread_mutex_lock(&snapshot->lock);
	rc = frames_open(snapshot, what, error);
	if (first > end)
		first = end;
	if (count > end - first)
		count = end - first;
	if (!rc)
		rc = snapshot_runs_words(snapshot->frames[what], first, words, count,
					 SOURCE_FRAME_NOT_RECORDED, error);
	if (!rc && what == SOURCE_KPAGECOUNT)
		rc = add_counts(snapshot, first, words, count, error);
	pthread_mutex_unlock(&snapshot->lock);
	if (!rc)
		*got = count;
	return rc;
}

enum gap snapshot_frames_access(struct source *source, enum source_frames what)
{
	struct snapshot *snapshot = snapshot_of(source);

	pthread_mutex_lock(&snapshot->lock);
	frames_open(snapshot, what, NULL);
	pthread_mutex_unlock(&snapshot->lock);
	return source->frames_gap[what];
}

void snapshot_frames_done(struct snapshot *snapshot)
{
	for (int i = 0; i < SOURCE_FRAMES_MAX; i++)
		snapshot_runs_free(snapshot->frames[i]);
}
