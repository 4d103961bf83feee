// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "load.h"
#include "vmatlas/parse/syscall.h"

/* A thread that runs now may be blocked a moment later. */
#define THREAD_TRIES 3
#define THREADS_MAX 100000u

static void thread_read(struct process *process, struct thread_info *thread, struct buf *text)
{
	struct error error = ERROR_INIT;
	struct syscall_line line;

	for (int i = 0; i < THREAD_TRIES; i++) {
		buf_clear(text);
		error_clear(&error);
		if (source_text(process->source, thread->tid, SOURCE_SYSCALL, text, &error) == 0 &&
		    syscall_parse(buf_span(text), &line, &error) == 0) {
			thread->sp_known = true;
			thread->sp = line.sp;
			thread->pc = line.pc;
			thread->gap = GAP_NONE;
			return;
		}
		if (error.code != ERROR_CHANGED)
			break;
	}
	thread->gap = gap_from_error(&error);
}

int threads_read(struct process *process, struct error *error)
{
	struct buf CLEANUP(buf_done) text = BUF_INIT;
	pid_t *tids CLEANUP_FREE = NULL;
	size_t count;
	int ret = source_threads(process->source, &tids, &count, error);

	if (ret < 0)
		return ret;
	if (count > THREADS_MAX)
		count = THREADS_MAX;
	process->threads = calloc(count ? count : 1, sizeof(*process->threads));
	if (!process->threads)
		return error_nomem(error);
	process->thread_count = count;
	for (size_t i = 0; i < count; i++) {
		process->threads[i].tid = tids[i];
		thread_read(process, &process->threads[i], &text);
	}
	return 0;
}
