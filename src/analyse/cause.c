// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int causes_new(struct process *process, struct causes **causes, struct error *error)
{
	const struct source_host *host = source_host(source_process_source(process->source));
	bool recorded = host->kind == SOURCE_KIND_SNAPSHOT;
	struct causes *made = calloc(1, sizeof(*made));
	size_t window = (size_t)CAUSE_WINDOW * process->page_size;

	if (!made)
		return error_nomem(error);
	made->process = process;
	made->vma = VMA_NONE;
	made->source.object = OBJECT_NONE;
	made->files = calloc(process->object_count + 1, sizeof(struct cause_file *));
	made->memory = malloc(window);
	made->expected = malloc(window);
	if (recorded)
		made->marks = malloc(window);
	if (!made->files || !made->memory || !made->expected || (recorded && !made->marks)) {
		causes_free(made);
		return error_nomem(error);
	}
	*causes = made;
	return 0;
}

void causes_free(struct causes *causes)
{
	if (!causes)
		return;
	for (size_t i = 0; causes->files && i < causes->process->object_count; i++)
		cause_file_free(causes->files[i]);
	free(causes->files);
	free(causes->sorted);
	free(causes->memory);
	free(causes->expected);
	free(causes->marks);
	cause_sums_done(&causes->sums);
	cause_tally_done(&causes->relocated);
	cause_tally_done(&causes->written);
	cause_tally_done(&causes->patched);
	cause_source_done(&causes->source);
	free(causes);
}

void causes_each_page(struct causes *causes, cause_page_fn *fn, void *ctx)
{
	causes->page_fn = fn;
	causes->page_ctx = ctx;
}

static struct cause_file *file_of(struct causes *causes, uint32_t object)
{
	struct cause_file *file = causes->files[object];

	if (file)
		return file;
	file = calloc(1, sizeof(*file));
	if (file)
		file->object = object;
	causes->files[object] = file;
	return file;
}

/* Is it an ELF file as far as anybody knows? One that cannot be opened is, if it has code. */
static bool maps_elf(const struct process *process, const struct vma *vma)
{
	const struct object *object = vma_object(process, vma);

	if (!object || !object->inode || vma->perms & VMA_SHARED || object->name[0] != '/')
		return false;
	if (object->elf)
		return true;
	return object->elf_tried && object->elf_gap != GAP_NOT_APPLICABLE &&
	       vma->role != ROLE_FILE;
}

bool causes_want(const struct causes *causes, uint32_t index)
{
	return maps_elf(causes->process, &causes->process->vmas[index]);
}

int causes_begin(struct causes *causes, uint32_t index)
{
	if (causes->vma != VMA_NONE)
		cause_sums_done(&causes->sums);
	causes->pending_pages = 0;
	causes->vma = causes_want(causes, index) ? index : VMA_NONE;
	if (causes->vma != VMA_NONE && !file_of(causes, causes->process->vmas[index].object))
		return -ERROR_NOMEM;
	return 0;
}

static void read_window(struct causes *causes, struct cause_window *window)
{
	uint64_t size = causes->process->page_size, len = window->pages * size;
	const struct elf_reader *reader = &causes->source.image->reader;
	size_t got = 0;
	ssize_t file;

	if (source_mem(causes->process->source, window->address, causes->memory, len, &got,
		       NULL) < 0)
		got = 0;
	window->read = got / size;
	if (!window->read)
		return;
	file = reader->read(reader->ctx, window->offset, causes->expected, len, NULL);
	if (file < 0)
		return;
	/* Behind the end of the file there are zeroes. */
	memset(causes->expected + file, 0, len - (uint64_t)file);
	window->memory = causes->memory;
	window->file = causes->expected;
	window->compared = true;
}

static int explain_window(struct causes *causes, uint64_t start, uint64_t pages)
{
	const struct vma *vma = &causes->process->vmas[causes->vma];
	const struct object *object = vma_object(causes->process, vma);
	struct cause_window window = {
		.address = start, .offset = vma->offset + (start - vma->start), .pages = pages,
		.vaddr = start - object->load_bias, .swapped = causes->pending_swapped,
		.placed = vma->segment && object->bias_known && object->elf,
	};
	int rc = cause_source_open(causes->process, vma->object, &causes->source);

	if (rc < 0)
		return rc;
	if (causes->source.image && !window.swapped && causes->marks)
		cause_recorded_read(causes, &window);
	else if (causes->source.image && !window.swapped)
		read_window(causes, &window);
	return cause_explain(causes, &window);
}

static int flush(struct causes *causes)
{
	uint64_t size = causes->process->page_size;
	int rc = 0;

	while (causes->pending_pages && rc >= 0) {
		uint64_t pages = causes->pending_pages < CAUSE_WINDOW ? causes->pending_pages :
								    CAUSE_WINDOW;

		rc = explain_window(causes, causes->pending_start, pages);
		causes->pending_start += pages * size;
		causes->pending_pages -= pages;
	}
	return rc;
}

static bool is_copy(enum page_state state)
{
	return state == STATE_COPY || state == STATE_COPY_SHARED || state == STATE_SWAP;
}

/* Neighbours that were copied are read in one go, whatever else tells them apart. */
int causes_run(struct causes *causes, const struct cow_run *run)
{
	bool swapped = run->verdict.state == STATE_SWAP;
	uint64_t size = causes->process->page_size;
	const struct vma *vma;
	int rc;

	if (causes->vma == VMA_NONE)
		return 0;
	vma = &causes->process->vmas[causes->vma];
	rc = cause_file_run(causes, causes->files[vma->object], vma, run);
	if (rc < 0 || !is_copy(run->verdict.state))
		return rc;
	if (causes->pending_pages && causes->pending_swapped == swapped &&
	    causes->pending_start + causes->pending_pages * size == run->start) {
		causes->pending_pages += run->pages;
		return 0;
	}
	rc = flush(causes);
	causes->pending_start = run->start;
	causes->pending_pages = run->pages;
	causes->pending_swapped = swapped;
	return rc;
}

static int finish_tallies(struct causes *causes)
{
	struct cause_sum *sums = causes->sums.sum;
	int rc = cause_tally_finish(&causes->relocated, causes->process, &causes->source,
				    &sums[CAUSE_RELOCATION]);

	if (rc >= 0)
		rc = cause_tally_finish(&causes->written, causes->process, &causes->source,
					&sums[CAUSE_DATA_WRITE]);
	if (rc >= 0)
		rc = cause_tally_finish(&causes->patched, causes->process, &causes->source,
					&sums[CAUSE_CODE_PATCH]);
	return rc;
}

/* Zero-filled memory of a library belongs to it, too. */
static int add_bss(struct causes *causes, const struct vma *vma, const struct cow_counts *counts)
{
	struct process *process = causes->process;
	struct cause_file *file;
	uint32_t object;

	if (vma->role != ROLE_BSS || vma->owner == VMA_NONE || vma->object != OBJECT_NONE)
		return 0;
	object = process->vmas[vma->owner].object;
	if (object == OBJECT_NONE)
		return 0;
	file = file_of(causes, object);
	if (!file)
		return -ERROR_NOMEM;
	file->bss += (counts->states[STATE_ANON] + counts->states[STATE_ANON_SHARED]) *
		     process->page_size;
	return 0;
}

/* A file that is written in place keeps its inode, so only its time tells. */
static bool file_is_newer(const struct process *process, const struct object *object)
{
	const struct source_host *host = source_host(source_process_source(process->source));
	int64_t start;

	if (!object->file || !process->has_stat || !host->boot_time)
		return false;
	/* USER_HZ is the same on all machines that matter. */
	start = host->boot_time +
		(int64_t)(process->stat.start_time / (uint64_t)sysconf(_SC_CLK_TCK));
	return object->file->mtime > start + 1;
}

/* Were bytes compared, and did the result depend on the file's? */
static bool depends_on_file(const struct cause_sums *sums)
{
	return sums->sum[CAUSE_DATA_WRITE].pages || sums->sum[CAUSE_CODE_PATCH].pages ||
	       sums->reasons[CAUSE_REASON_SAME];
}

int causes_end(struct causes *causes, uint32_t index, const struct cow_counts *counts)
{
	const struct vma *vma = &causes->process->vmas[index];
	struct cause_file *file;
	int rc;

	if (causes->vma == VMA_NONE)
		return add_bss(causes, vma, counts);
	rc = flush(causes);
	if (rc >= 0)
		rc = finish_tallies(causes);
	if (rc < 0)
		return rc;
	file = causes->files[vma->object];
	file->resident += counts->rss;
	file->clean += counts->states[STATE_FILE] * causes->process->page_size;
	file->copied += counts->copied;
	file->swapped += counts->swap;
	if (depends_on_file(&causes->sums))
		file->newer = file_is_newer(causes->process, vma_object(causes->process, vma));
	return cause_sums_add(&file->sums, &causes->sums);
}

const struct cause_sums *causes_vma(const struct causes *causes)
{
	return causes->vma == VMA_NONE ? NULL : &causes->sums;
}
