/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RECORD_RECORDING_H
#define RECORD_RECORDING_H

#include <pthread.h>

#include "vmatlas/parse/pagemap.h"
#include "vmatlas/record/record.h"

/*
 * How a snapshot is written:
 *   place.c    the temporary folder beside the target, renaming, taking it back
 *   out.c      one file of it
 *   missing.c  what could not be read
 *   runs.c     words as runs
 *   texts.c    texts of a process and its threads   } one job each for a process; jobs are done
 *   words.c    pagemap and PAGEMAP_SCAN             } by as many threads as there are
 *   pieces.c   copied pages, mapped files           }
 *   frames.c   words of frames, once all pagemaps are read
 *   host.c     manifest and texts of the machine
 *   pack.c     the folder into an archive
 *   record.c   all of it
 *
 * A source's failure is noted as missing and recording goes on; a failure to write ends it.
 */
struct recording;

/* place.c */
struct place {
	char *target;		/* as given */
	char *name;		/* last part of it */
	char *temporary;	/* beside it: a folder */
	int parent;		/* folder of the target */
	int outer;		/* the temporary folder */
	int root;		/* "snapshot" in it: what is being built */
};

#define PLACE_SNAPSHOT "snapshot"
#define PLACE_ARCHIVE "archive"

int place_begin(struct place *place, const char *target, struct error *error);
/* `what` in the temporary folder becomes the target, on stable storage. */
int place_publish(struct place *place, const char *what, struct error *error);
void place_done(struct place *place);	/* removes the temporary */
int place_folder(int dir, const char *name, struct error *error);
void place_remove(int dir, const char *name);	/* with all that is in it */

/* out.c */
struct out {
	struct recording *recording;
	const char *name;	/* borrowed */
	int fd;
	char *data;
	size_t used;
};

int out_open(struct out *out, struct recording *recording, int dir, const char *name,
	     struct error *error);
int out_add(struct out *out, const void *data, size_t len, struct error *error);
int out_end(struct out *out, struct error *error);
void out_done(struct out *out);		/* what was not ended is cut off */
/* A whole file at once. */
int out_text(struct recording *recording, int dir, const char *name, struct span text,
	     struct error *error);

/* missing.c */
struct missing_item {
	char *name;
	int errnum;
};

struct missing {
	struct missing_item *items;
	size_t count;
	size_t cap;
};

int missing_add(struct missing *missing, const char *name, const struct error *failure,
		struct error *error);
int missing_take(struct missing *missing, struct missing *other, struct error *error);
/* Sorted lines. */
int missing_text(struct missing *missing, struct buf *text, struct error *error);
void missing_done(struct missing *missing);

/* runs.c */
struct runs {
	struct out *out;
	bool steps;		/* words of pagemap: frames and slots may count up and down */
	bool skip_zero;
	/* Told each run of present words; or NULL. */
	void (*done)(void *ctx, uint64_t word, uint64_t count, uint64_t step);
	void *ctx;
	uint64_t first, count, word, step;
};

/* Neighbouring words from number `first` on. */
int runs_words(struct runs *runs, uint64_t first, const uint64_t *words, size_t count,
	       struct error *error);
/* `count` times the same word. */
int runs_same(struct runs *runs, uint64_t first, uint64_t count, uint64_t word,
	      struct error *error);
int runs_end(struct runs *runs, struct error *error);

/* frames.c: which frames the recorded processes map. */
struct frame_set {
	uint64_t end;		/* one more than the highest; 0: none are known */
	uint64_t *wanted;	/* bit per frame; several threads set them */
	uint64_t *counted;	/* those not known to be mapped once */
};

int frame_set_new(struct frame_set *set, struct source *source, struct error *error);
void frame_set_done(struct frame_set *set);
void frame_set_add(void *set, uint64_t word, uint64_t count, uint64_t step);
uint64_t frame_set_count(const struct frame_set *set);
/* frames/kpageflags and frames/kpagecount, frames/kpagecgroup. */
int frames_record_flags(struct recording *recording, struct error *error);
int frames_record_cgroups(struct recording *recording, struct error *error);

/* record.c */
enum record_job { JOB_WORDS, JOB_TEXTS, JOB_PIECES, JOB_MAX };

struct recorded {
	pid_t pid;
	pid_t tid;
	uint64_t start_time;	/* told by the first job that came to it */
	uint64_t start_code;
	bool seen;
	bool ended;
	struct error reason;	/* why it is left out */
	struct buf comm;
	uint64_t pages;		/* present */
	enum gap pages_gap;
	struct missing missing[JOB_MAX];
};

struct recording {
	struct source *source;
	const struct record_options *options;
	struct place place;
	uint64_t page_size;
	struct frame_set frames;
	int frames_dir;
	struct mapped_files *files;
	struct missing missing[2];	/* of the machine: from host.c and flags, from cgroups */
	struct recorded *processes;
	size_t count;
	uint64_t bytes;			/* written, by all threads */
	bool failed;			/* in one of the threads; the others end */
	pthread_mutex_t lock;		/* of `processes` and what follows */
	pthread_cond_t words_done;
	size_t next_job;
	size_t words_left;
	struct error *error;
};

/* Negative, with the record filled, when recording is to end: asked by whoever takes long. */
int recording_stopped(struct recording *recording, struct error *error);

/* texts.c, words.c. The folder of the process is open. */
int texts_record(struct recording *recording, struct recorded *process,
		 struct source_process *source, int dir, struct error *error);
int words_record(struct recording *recording, struct recorded *process,
		 struct source_process *source, int dir, struct error *error);

/* pieces.c, with differences.c, mallocs.c and memory.c; files.c gathers files of all processes. */
int pieces_record(struct recording *recording, struct recorded *process,
		  struct source_process *source, int dir, struct error *error);

/* host.c */
int host_record(struct recording *recording, struct error *error);
int manifest_record(struct recording *recording, struct error *error);

/* pack.c: the snapshot into PLACE_ARCHIVE of the temporary folder. */
int pack_record(struct recording *recording, uint64_t *stored, struct error *error);

#endif
