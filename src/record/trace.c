// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "trace.h"

#include <stdlib.h>

void trace_init(struct trace *trace, const struct elf_reader *inner, uint64_t limit)
{
	*trace = (struct trace) { .inner = *inner, .limit = limit };
}

void trace_done(struct trace *trace)
{
	free(trace->ranges);
	trace->ranges = NULL;
	trace->count = 0;
}

/* Index of the first range that ends at or behind the offset. */
static size_t first_reaching(const struct trace *trace, uint64_t offset)
{
	size_t low = 0, high = trace->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (trace->ranges[middle].offset + trace->ranges[middle].len < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Takes the ranges [at, end) out and puts this one there. */
static void replace(struct trace *trace, size_t at, size_t end, struct trace_range range)
{
	for (size_t i = at; i < end; i++)
		trace->total -= trace->ranges[i].len;
	memmove(trace->ranges + at + 1, trace->ranges + end,
		(trace->count - end) * sizeof(range));
	trace->count -= end - at;
	trace->ranges[at] = range;
	trace->count++;
	trace->total += range.len;
}

static void add_range(struct trace *trace, struct trace_range range)
{
	uint64_t end = range.offset + range.len;
	size_t at = first_reaching(trace, range.offset), behind = at;

	while (behind < trace->count && trace->ranges[behind].offset <= end) {
		const struct trace_range *old = &trace->ranges[behind++];

		range.offset = old->offset < range.offset ? old->offset : range.offset;
		end = old->offset + old->len > end ? old->offset + old->len : end;
	}
	range.len = end - range.offset;
	if (array_grow((void **)&trace->ranges, &trace->cap, trace->count, sizeof(range)) < 0)
		trace->nomem = true;
	else
		replace(trace, at, behind, range);
}

void trace_note(struct trace *trace, uint64_t offset, uint64_t len)
{
	uint64_t size = trace->inner.size;

	if (offset >= size || !len)
		return;
	if (len > size - offset)
		len = size - offset;
	trace->limited |= len > trace->limit || trace->total > trace->limit - len;
	if (!trace->limited)
		add_range(trace, (struct trace_range) { offset, len });
}

static ssize_t traced_read(void *ctx, uint64_t offset, void *data, size_t len,
			   struct error *error)
{
	struct trace *trace = ctx;
	ssize_t got = trace->inner.read(trace->inner.ctx, offset, data, len, error);

	if (got > 0)
		trace_note(trace, offset, (uint64_t)got);
	return got;
}

struct elf_reader trace_reader(struct trace *trace)
{
	return (struct elf_reader) { traced_read, trace, trace->inner.size };
}
