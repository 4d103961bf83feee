// SPDX-License-Identifier: LGPL-2.1-or-later
#include "read_ahead.h"

#define BLOCK_BYTES (128u << 10)	/* smaller ones: the threads wait for each other more */
#define BEGIN_BYTES (16u << 10)		/* for the begin of a line: a path, escaped */
#define DIRECT_BYTES (256u << 10)	/* a text up to this size needs no thread */

void read_ahead_init(struct read_ahead *ahead, struct source_stream *stream, size_t chunk)
{
	*ahead = (struct read_ahead) { .stream = stream, .chunk = chunk, .result = 1 };
}

static void thread_end(struct read_ahead *ahead)
{
	__atomic_store_n(&ahead->stop, true, __ATOMIC_RELAXED);
	sem_post(&ahead->emptied);
	pthread_join(ahead->thread, NULL);
	sem_destroy(&ahead->filled);
	sem_destroy(&ahead->emptied);
}

void read_ahead_done(struct read_ahead *ahead)
{
	if (ahead->started)
		thread_end(ahead);
	for (unsigned i = 0; i < READ_AHEAD_BLOCKS; i++)
		buf_done(&ahead->blocks[i].data);
}

static void sem_take(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		continue;	/* a signal */
}

/* As many whole chunks as fit. */
static void block_fill(struct read_ahead *ahead, struct read_block *block)
{
	char *data = block->data.data + BEGIN_BYTES;
	ssize_t got;

	block->len = 0;
	do {
		got = source_stream_read(ahead->stream, data + block->len, ahead->chunk,
					 &ahead->error);
		if (got > 0)
			block->len += (size_t)got;
	} while (got > 0 && block->len + ahead->chunk <= BLOCK_BYTES);
	block->result = got > 0 ? 1 : (int)got;
}

static void *reader(void *arg)
{
	struct read_ahead *ahead = arg;
	int result = 1;

	for (unsigned i = 0; result > 0; i++) {
		struct read_block *block = &ahead->blocks[i % READ_AHEAD_BLOCKS];

		sem_take(&ahead->emptied);
		if (__atomic_load_n(&ahead->stop, __ATOMIC_RELAXED))
			break;
		block_fill(ahead, block);
		result = block->result;
		sem_post(&ahead->filled);
	}
	return NULL;
}

static bool thread_start(struct read_ahead *ahead)
{
	for (unsigned i = 0; i < READ_AHEAD_BLOCKS; i++)
		if (buf_reserve(&ahead->blocks[i].data, BEGIN_BYTES + BLOCK_BYTES) < 0)
			return false;
	sem_init(&ahead->filled, 0, 0);
	sem_init(&ahead->emptied, 0, READ_AHEAD_BLOCKS);
	ahead->started = !pthread_create(&ahead->thread, NULL, reader, ahead);
	return ahead->started;
}

/* The block becomes the window, behind what is left of the old one; a begin of a line that has
 * no room in front of it takes the long way. */
static int window_swap(struct read_block *block, struct buf *window, size_t *at)
{
	size_t left = window->len - *at;
	struct buf old = *window;

	if (left > BEGIN_BYTES) {
		memmove(window->data, window->data + *at, left);
		window->len = left;
		*at = 0;
		return buf_add(window, block->data.data + BEGIN_BYTES, block->len);
	}
	memcpy(block->data.data + BEGIN_BYTES - left, old.data + *at, left);
	*window = block->data;
	window->len = BEGIN_BYTES + block->len;
	*at = BEGIN_BYTES - left;
	old.len = 0;
	block->data = old;
	return buf_reserve(&block->data, BEGIN_BYTES + BLOCK_BYTES);
}

static int block_take(struct read_ahead *ahead, struct buf *window, size_t *at,
		      struct error *error)
{
	struct read_block *block = &ahead->blocks[ahead->next % READ_AHEAD_BLOCKS];
	int swapped;

	if (ahead->result > 0) {
		sem_take(&ahead->filled);
		ahead->next++;
		ahead->result = block->result;
		if (block->len) {
			swapped = window_swap(block, window, at);
			sem_post(&ahead->emptied);
			return swapped < 0 ? error_nomem(error) : 1;
		}
	}
	if (ahead->result < 0 && error)
		*error = ahead->error;
	return ahead->result;
}

static int window_next(void *ctx, struct buf *window, size_t *at, struct error *error)
{
	struct read_ahead *ahead = ctx;

	if (!ahead->started && ahead->seen >= DIRECT_BYTES && !ahead->direct)
		ahead->direct = source_parallel(source_stream_source(ahead->stream)) < 2 ||
			!thread_start(ahead);
	return ahead->started ? block_take(ahead, window, at, error) : LINES_READ;
}

static ssize_t direct_read(void *ctx, void *data, size_t len, struct error *error)
{
	struct read_ahead *ahead = ctx;
	ssize_t got = source_stream_read(ahead->stream, data, len, error);

	if (got > 0)
		ahead->seen += (uint64_t)got;
	return got;
}

void read_ahead_lines(struct read_ahead *ahead, struct lines *lines)
{
	lines_init(lines, direct_read, ahead, ahead->chunk);
	lines->next_window = window_next;
}
