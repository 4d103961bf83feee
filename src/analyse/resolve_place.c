// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address_resolve.h"
#include "vmatlas/parse/syscall.h"

/* Heap VMAs ascend: mprotect may have split the heap, brk ends the last one. */
static const struct vma *heap_vma(const struct process *process, bool last)
{
	const struct vma *found = NULL;

	for (size_t i = 0; i < process->vma_count; i++) {
		if (process->vmas[i].role != ROLE_HEAP ||
		    process->vmas[i].vma_class != VMA_CLASS_DYNAMIC)
			continue;
		if (!found || last)
			found = &process->vmas[i];
	}
	return found;
}

static int place_heap(struct resolve *r, bool end)
{
	const struct vma *vma = heap_vma(r->ctx->process, end);

	if (!vma)
		return resolve_fail(r, ERROR_NOT_FOUND, "the process has no heap (brk) mapping");
	*r->address = end ? vma->end : vma->start;
	return 1;
}

static int place_stack(struct resolve *r)
{
	const struct process *process = r->ctx->process;

	if (process->has_stat && process->stat.addresses_known) {
		*r->address = process->stat.start_stack;
		return 1;
	}
	for (size_t i = 0; i < process->vma_count; i++)
		if (process->vmas[i].vma_class == VMA_CLASS_STACK) {
			*r->address = process->vmas[i].start;
			return 1;
		}
	return resolve_fail(r, ERROR_NOT_FOUND, "the process has no stack mapping");
}

static int place_entry(struct resolve *r)
{
	const struct process *process = r->ctx->process;

	if (!process->has_auxv || !process->auxv.entry)
		return resolve_fail(r, ERROR_DENIED,
				    "the entry point is not known: auxv could not be read");
	*r->address = process->auxv.entry;
	return 1;
}

static int read_registers(struct resolve *r, pid_t tid, struct syscall_line *line)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct error error = ERROR_INIT;

	if (source_text(r->ctx->process->source, tid, SOURCE_SYSCALL, &text, &error) == 0 &&
	    syscall_parse(buf_span(&text), line, &error) == 0)
		return 0;
	if (error.code == ERROR_CHANGED)
		return resolve_fail(r, ERROR_CHANGED, "the thread is running: its registers are "
				    "only known while it is blocked; try again");
	return resolve_fail(r, error.code, error.text);
}

static int place_register(struct resolve *r)
{
	struct span rest = r->query;
	struct syscall_line line;
	uint64_t tid;
	int rc;

	rest.ptr += 3;
	rest.len -= 3;
	if (!span_take_dec(&rest, &tid) || rest.len || !tid || tid > INT32_MAX)
		return resolve_fail(r, ERROR_USAGE, "a thread id must follow, as in pc:1234");
	rc = read_registers(r, (pid_t)tid, &line);
	if (rc < 0)
		return rc;
	*r->address = r->query.ptr[0] == 'p' ? line.pc : line.sp;
	return 1;
}

int resolve_place(struct resolve *r)
{
	if (span_is(r->query, "heap"))
		return place_heap(r, false);
	if (span_is(r->query, "brk"))
		return place_heap(r, true);
	if (span_is(r->query, "stack"))
		return place_stack(r);
	if (span_is(r->query, "entry"))
		return place_entry(r);
	if (span_starts(r->query, "pc:") || span_starts(r->query, "sp:"))
		return place_register(r);
	return 0;
}
