// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/model/moved.h"

static bool read_number(struct span text, const char *key, uint64_t *value)
{
	const char *at = text.len ? memmem(text.ptr, text.len, key, strlen(key)) : NULL;
	struct span rest;

	if (!at)
		return false;
	at += strlen(key);
	rest = (struct span) { at, (size_t)(text.ptr + text.len - at) };
	span_skip_blanks(&rest);
	return span_take_dec(&rest, value);
}

void activity_read(struct source_process *source, struct activity *activity)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint64_t threads = 0, wanted = 0, forced = 0;
	struct status status;

	*activity = (struct activity) { false, 0 };
	if (source_text(source, 0, SOURCE_STATUS, &text, NULL) < 0 ||
	    status_parse(buf_span(&text), &status, NULL) < 0)
		return;
	/* Of the main thread only: others may have run, unless all are stopped together. */
	if (!read_number(buf_span(&text), "\nThreads:", &threads) ||
	    (threads != 1 && status.state != 'T') ||
	    !read_number(buf_span(&text), "\nvoluntary_ctxt_switches:", &wanted) ||
	    !read_number(buf_span(&text), "\nnonvoluntary_ctxt_switches:", &forced))
		return;
	activity->asleep = status.state != 'R';
	activity->switches = wanted + forced;
}

bool activity_none(const struct activity *before, const struct activity *after)
{
	return before->asleep && after->asleep && before->switches == after->switches;
}

/* VMAs of one list that the other lacks are both counted; the lists ascend. */
static bool same_vma(const struct vma *vma, const struct maps_line *line)
{
	return vma->start == line->start && vma->end == line->end && vma->perms == line->perms;
}

int process_moved(const struct process *process, uint64_t *moved, struct error *error)
{
	CLEANUP(source_stream_freep) struct source_stream *stream = NULL;
	CLEANUP(lines_done) struct lines lines = { 0 };
	struct span text;
	size_t at = 0;
	uint64_t count = 0;
	int rc = source_stream_open(process->source, SOURCE_MAPS, &stream, error);

	if (rc < 0)
		return rc;
	lines_init(&lines, source_stream_read, stream, 1 << 16);
	while ((rc = lines_next(&lines, &text, error)) > 0) {
		struct maps_line line;

		if (maps_parse_line(text, &line, NULL) < 0)
			continue;
		for (; at < process->vma_count && process->vmas[at].start < line.start; at++)
			count++;
		if (at < process->vma_count && same_vma(&process->vmas[at], &line))
			at++;
		else
			count++;
	}
	if (rc < 0)
		return rc;
	*moved = count + (process->vma_count - at);
	return 0;
}
