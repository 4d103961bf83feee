// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "load.h"
#include "vmatlas/parse/numa_maps.h"

#define NUMA_CHUNK (64u << 10)

static int numa_line_add(struct process *process, uint32_t vma, struct span line)
{
	uint32_t at = (uint32_t)process->numa_store.len + 1;
	int ret;

	if (process->numa_store.len >= UINT32_MAX - line.len)
		return -ERROR_LIMIT;
	span_take_until(&line, ' ');
	span_take_char(&line, ' ');
	ret = buf_add_span(&process->numa_store, line);
	if (ret == 0)
		ret = buf_add_char(&process->numa_store, '\0');
	if (ret == 0)
		process->numa_at[vma] = at;
	return ret;
}

static int numa_lines(struct process *process, struct lines *lines, struct error *error)
{
	struct numa_line numa;
	struct span line;
	uint32_t vma, next;
	int ret;

	while ((ret = lines_next(lines, &line, error)) > 0) {
		if (numa_parse_line(line, &numa, NULL) < 0)
			continue;
		vma = process_find(process, numa.start, &next);
		if (vma == VMA_NONE || process->vmas[vma].start != numa.start)
			continue;
		ret = numa_line_add(process, vma, line);
		if (ret < 0)
			return error_nomem(error);
	}
	return ret;
}

int numa_read(struct process *process, struct error *error)
{
	struct source_stream CLEANUP(source_stream_freep) *stream = NULL;
	struct lines CLEANUP(lines_done) lines = { 0 };
	int ret = source_stream_open(process->source, SOURCE_NUMA_MAPS, &stream, error);

	if (ret < 0)
		return ret;
	process->numa_at = calloc(process->vma_count + 1, sizeof(*process->numa_at));
	if (!process->numa_at)
		return error_nomem(error);
	lines_init(&lines, source_stream_read, stream, NUMA_CHUNK);
	return numa_lines(process, &lines, error);
}

struct span vma_numa(const struct process *process, const struct vma *vma)
{
	uint32_t at = process->numa_at ? process->numa_at[vma - process->vmas] : 0;

	return span_of(at ? process->numa_store.data + at - 1 : NULL);
}
