// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

/* Worth asking only where the next access would have to fetch the page. */
static bool is_untouched(const struct address *address)
{
	const struct page_run *run = &address->page.run;

	return run->kind == PAGE_NONE ||
		(run->kind == PAGE_SWAP && run->swap.kind == SWAP_MARKER_UFFD_WP);
}

static void cached_read(struct address_context *ctx, struct address *address,
			const struct source_file *opened)
{
	struct file_evidence *file = &address->evidence.file;
	uint64_t size = ctx->process->page_size;
	struct error error = ERROR_INIT;
	struct source_cached cached;

	if (source_file_cached(address_source(ctx), opened, file->offset & ~(size - 1), size,
			       &cached, &error) < 0)
		file->cached_gap = gap_from_error(&error);
	else if (cached.pages)
		file->cached = FILE_CACHED_YES;
	else if (cached.evicted && address->evidence.shmem)
		file->cached = FILE_CACHED_SWAPPED;
	else
		file->cached = FILE_CACHED_NO;
}

/* Memory files end where the last page ends that holds a byte, huge ones at a huge page. */
static void file_read(struct address_context *ctx, struct address *address,
		      const struct source_file *opened)
{
	const struct vma *vma = address_vma(ctx, address);
	struct file_evidence *file = &address->evidence.file;
	uint64_t page = ctx->process->page_size;

	file->cached_gap = GAP_NOT_READ;
	file->applies = address->page.facts.has_file && !address->page.facts.kernel &&
		!address->page.facts.device && !address->page.facts.hidden;
	file->offset = vma->offset + (address->address - vma->start);
	if (!file->applies || !opened) {
		file->gap = file->applies ? GAP_NEEDS_PRIVILEGE : GAP_NOT_APPLICABLE;
		file->cached_gap = file->gap;
		return;
	}
	file->size_known = true;
	file->size = opened->size;
	file->past_end = file->offset / page >= opened->size / page + (opened->size % page != 0);
	if (is_untouched(address) && !file->past_end)
		cached_read(ctx, address, opened);
}

static bool meminfo_value(struct span text, const char *key, uint64_t *value)
{
	struct span line;

	while (text.len) {
		line = span_take_until(&text, '\n');
		span_take_char(&text, '\n');
		if (!span_starts(line, key))
			continue;
		span_take_until(&line, ':');
		span_take_char(&line, ':');
		span_skip_blanks(&line);
		return span_take_dec(&line, value);
	}
	return false;
}

/* The pool of the default size: /proc/meminfo tells no other. */
static void pool_read(struct address_context *ctx, struct access_evidence *evidence,
		      const struct vma *vma)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	uint64_t present, value[SMAPS_KEY_MAX], size, free_pages, reserved;

	if (!vma_smaps(ctx->process, vma, &present, value) ||
	    source_system_text(address_source(ctx), SOURCE_MEMINFO, &text, NULL) < 0 ||
	    !meminfo_value(buf_span(&text), "Hugepagesize:", &size) ||
	    !meminfo_value(buf_span(&text), "HugePages_Free:", &free_pages) ||
	    !meminfo_value(buf_span(&text), "HugePages_Rsvd:", &reserved) ||
	    size * 1024 != value[SMAPS_KERNEL_PAGE_SIZE])
		return;
	evidence->pool_known = true;
	evidence->pool_free = free_pages > reserved ? free_pages - reserved : 0;
}

void address_evidence_read(struct address_context *ctx, struct address *address,
			   const struct source_file *opened)
{
	const struct vma *vma = address_vma(ctx, address);
	struct access_evidence *evidence = &address->evidence;

	evidence->kind = address->kind;
	evidence->mapped = vma != NULL;
	if (!vma) {
		address_growth_read(ctx, address);
		return;
	}
	evidence->shmem = vma->backing == BACKING_SHMEM;
	if (vma->has_vm_flags) {
		evidence->minor_monitor = vma->vm_flags & vm_flag("ui");
		evidence->no_reserve = vma->vm_flags & vm_flag("nr");
	}
	file_read(ctx, address, opened);
	if (address->page.facts.hugetlb)
		pool_read(ctx, evidence, vma);
}
