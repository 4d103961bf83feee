/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MODEL_READ_AHEAD_H
#define MODEL_READ_AHEAD_H

#include <pthread.h>
#include <semaphore.h>

#include "vmatlas/base/lines.h"
#include "vmatlas/source/source.h"

/*
 * Making the text of a map is the kernel's work, parsing it ours: a second thread reads a long
 * text into blocks while the first one parses. Blocks become the window of the lines and go back
 * as the old window, so nothing is copied but the line that a block ends in. Short texts, and
 * all where one thread is asked for, are read directly.
 */
#define READ_AHEAD_BLOCKS 3u

struct read_ahead {
	struct source_stream *stream;
	size_t chunk;			/* bytes asked for per read */
	uint64_t seen;			/* bytes read without the thread */
	bool direct;			/* there will be no thread */
	bool started;
	bool stop;			/* atomic: the reader is not to go on */
	pthread_t thread;
	sem_t filled, emptied;		/* blocks on their way to either side */
	struct read_block {
		struct buf data;	/* room for the begin of a line, then what was read */
		size_t len;		/* of what was read */
		int result;		/* 1, or what ended the text: 0 or negative */
	} blocks[READ_AHEAD_BLOCKS];
	unsigned next;			/* block that is taken next */
	int result;			/* of the block that was taken last */
	struct error error;		/* for a negative result */
};

/* The stream stays the caller's and must live until read_ahead_done(). A chunk has at
 * most 64 KiB. */
void read_ahead_init(struct read_ahead *ahead, struct source_stream *stream, size_t chunk);
void read_ahead_done(struct read_ahead *ahead);
/* Lines of the stream; `lines` must not outlive the record. */
void read_ahead_lines(struct read_ahead *ahead, struct lines *lines);

#endif
