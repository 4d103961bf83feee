/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MODEL_READ_AHEAD_H
#define MODEL_READ_AHEAD_H

#include <pthread.h>

#include "vmatlas/source/source.h"

/*
 * Making the text is the kernel's work, parsing it ours: for long texts a second thread reads
 * while the first one parses. Short texts are read directly.
 */
#define READ_AHEAD_BUFFERS 4u

struct read_ahead {
	struct source_stream *stream;
	size_t chunk;			/* bytes asked for per read */
	uint64_t seen;			/* bytes read without the thread */
	bool started;
	bool failed_to_start;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct {
		char *data;
		size_t len;
	} buffers[READ_AHEAD_BUFFERS];
	unsigned filled;		/* buffers handed over so far */
	unsigned emptied;		/* of them, given back */
	size_t at;			/* in the one that is being emptied */
	bool stop;
	bool ended;
	int result;			/* of the read that ended it: 0 or negative */
	struct error error;
};

/* The stream stays the caller's and must live until read_ahead_done(). */
void read_ahead_init(struct read_ahead *ahead, struct source_stream *stream, size_t chunk);
void read_ahead_done(struct read_ahead *ahead);
/* For lines_init(). */
ssize_t read_ahead_read(void *ctx, void *data, size_t len, struct error *error);

#endif
