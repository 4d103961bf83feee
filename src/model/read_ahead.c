// SPDX-License-Identifier: LGPL-2.1-or-later
#include "read_ahead.h"

#include <stdlib.h>

#define BUFFER_SIZE (128u << 10)
#define DIRECT_BYTES (256u << 10)	/* a text up to this size needs no thread */

void read_ahead_init(struct read_ahead *ahead, struct source_stream *stream, size_t chunk)
{
	*ahead = (struct read_ahead) { .stream = stream, .chunk = chunk };
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
}

void read_ahead_done(struct read_ahead *ahead)
{
	if (ahead->started) {
		pthread_mutex_lock(&ahead->lock);
		ahead->stop = true;
		pthread_cond_broadcast(&ahead->changed);
		pthread_mutex_unlock(&ahead->lock);
		pthread_join(ahead->thread, NULL);
	}
	for (unsigned i = 0; i < READ_AHEAD_BUFFERS; i++)
		free(ahead->buffers[i].data);
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->lock);
}

/* Fills one buffer as far as whole chunks fit; what ended the text in *result, else 1. */
static size_t buffer_fill(struct read_ahead *ahead, char *data, int *result)
{
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len + ahead->chunk <= BUFFER_SIZE) {
		got = source_stream_read(ahead->stream, data + len, ahead->chunk, &ahead->error);
		if (got > 0)
			len += (size_t)got;
	}
	*result = got > 0 ? 1 : (int)got;
	return len;
}

static void *reader(void *arg)
{
	struct read_ahead *ahead = arg;
	int result = 1;

	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stop && result > 0) {
		unsigned i = ahead->filled % READ_AHEAD_BUFFERS;
		size_t len;

		if (ahead->filled - ahead->emptied == READ_AHEAD_BUFFERS) {
			pthread_cond_wait(&ahead->changed, &ahead->lock);
			continue;
		}
		pthread_mutex_unlock(&ahead->lock);
		len = buffer_fill(ahead, ahead->buffers[i].data, &result);
		pthread_mutex_lock(&ahead->lock);
		ahead->buffers[i].len = len;
		ahead->filled++;
		ahead->ended = result <= 0;
		ahead->result = result;
		pthread_cond_signal(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

static bool reader_start(struct read_ahead *ahead)
{
	ahead->failed_to_start = true;
	for (unsigned i = 0; i < READ_AHEAD_BUFFERS; i++) {
		ahead->buffers[i].data = malloc(BUFFER_SIZE);
		if (!ahead->buffers[i].data)
			return false;
	}
	if (pthread_create(&ahead->thread, NULL, reader, ahead))
		return false;
	ahead->failed_to_start = false;
	ahead->started = true;
	return true;
}

/* The buffer to empty next, -1 at the end of the text. */
static int buffer_wait(struct read_ahead *ahead)
{
	int index;

	pthread_mutex_lock(&ahead->lock);
	while (ahead->filled == ahead->emptied && !ahead->ended)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	index = ahead->filled == ahead->emptied ? -1 :
						  (int)(ahead->emptied % READ_AHEAD_BUFFERS);
	pthread_mutex_unlock(&ahead->lock);
	return index;
}

static void buffer_give_back(struct read_ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->emptied++;
	ahead->at = 0;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
}

static ssize_t buffered_read(struct read_ahead *ahead, void *data, size_t len, struct error *error)
{
	int i;

	while ((i = buffer_wait(ahead)) >= 0) {
		size_t left = ahead->buffers[i].len - ahead->at;
		size_t part = left < len ? left : len;

		if (!left) {
			buffer_give_back(ahead);
			continue;
		}
		memcpy(data, ahead->buffers[i].data + ahead->at, part);
		ahead->at += part;
		return (ssize_t)part;
	}
	if (ahead->result < 0 && error)
		*error = ahead->error;
	return ahead->result;
}

ssize_t read_ahead_read(void *ctx, void *data, size_t len, struct error *error)
{
	struct read_ahead *ahead = ctx;
	ssize_t got;

	if (ahead->started ||
	    (ahead->seen >= DIRECT_BYTES && !ahead->failed_to_start && reader_start(ahead)))
		return buffered_read(ahead, data, len, error);
	got = source_stream_read(ahead->stream, data, len < ahead->chunk ? len : ahead->chunk,
				 error);
	if (got > 0)
		ahead->seen += (uint64_t)got;
	return got;
}
