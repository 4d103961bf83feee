// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#include "vmatlas/model/pagetable.h"

#define GUARD_GAP_PAGES 256u	/* mm/mmap.c stack_guard_gap */

/* "stack_guard_gap=N" of the kernel's command line, in pages. */
static uint64_t guard_gap_pages(struct source *source)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct span rest, word;
	uint64_t pages = GUARD_GAP_PAGES;

	if (source_system_text(source, SOURCE_STACK_GUARD_GAP, &text, NULL) < 0)
		return pages;
	rest = span_trim(buf_span(&text));
	while (span_take_word(&rest, &word)) {
		if (!span_starts(word, "stack_guard_gap="))
			continue;
		span_take_until(&word, '=');
		span_take_char(&word, '=');
		span_number(word, &pages);
	}
	return pages;
}

int address_context_init(struct address_context *ctx, struct process *process,
			 struct error *error)
{
	*ctx = (struct address_context) { .process = process,
					  .flags_budget = ADDRESS_FLAGS_BUDGET };
	ctx->geometry = pagetable_geometry(process, &ctx->geometry_certainty);
	ctx->stack_gap = guard_gap_pages(address_source(ctx)) * process->page_size;
	return symbol_cache_init(&ctx->symbols, process, error);
}

void address_context_done(struct address_context *ctx)
{
	if (ctx->process)
		symbol_cache_done(&ctx->symbols);
	pages_free(ctx->pages);
}

/* VmFlags sharpen the verdicts; they are left out where reading them costs too much. */
static void flags_read(struct address_context *ctx, uint32_t index)
{
	struct process *process = ctx->process;
	struct error error = ERROR_INIT;

	if (process->vmas[index].smaps)
		return;
	if (process_flags_cost(process, index) > ctx->flags_budget)
		process->smaps_gap = GAP_LIMIT;
	else if (process_read_flags(process, index, &error) < 0)
		process->smaps_gap = gap_from_error(&error);
}

/* The object of the VMA, for its size, its cached pages and its bytes. */
static void file_open(struct address_context *ctx, const struct address *address,
		      struct source_file **file)
{
	const struct vma *vma = address_vma(ctx, address);
	const struct object *object = vma_object(ctx->process, vma);
	struct source_file_key key = { .start = vma->start, .end = vma->end };

	if (!address->page.facts.has_file || !object || !object->inode)
		return;
	key.inode = object->inode;
	key.major = object->major;
	key.minor = object->minor;
	key.path = vma_name(ctx->process, vma);
	key.deleted = object->deleted;
	if (source_file_open(ctx->process->source, &key, file, NULL) == 0 &&
	    (*file)->match == FILE_MATCH_OTHER) {
		source_file_free(*file);
		*file = NULL;
	}
}

static int explain_mapped(struct address_context *ctx, struct address *out, struct error *error)
{
	CLEANUP(source_file_freep) struct source_file *file = NULL;
	int rc;

	flags_read(ctx, out->vma);
	rc = address_page_read(ctx, out, error);
	if (rc < 0)
		return rc;
	address_levels_find(ctx, out);
	address_frame_read(ctx, out);
	file_open(ctx, out, &file);
	address_evidence_read(ctx, out, file);
	address_elf_find(ctx, out);
	address_bytes_read(ctx, out, file);
	address_slot_find(ctx, out);
	rc = address_cause_find(ctx, out, error);
	if (rc >= 0)
		rc = address_code_read(ctx, out, file, error);
	return rc;
}

void address_done(struct address *address)
{
	elf_lines_done(&address->elf.line, 1);
	causes_free(address->causes);
}

int address_explain(struct address_context *ctx, uint64_t address, struct address *out,
		    struct error *error)
{
	int rc = 0;

	*out = (struct address) { .address = address, .vma = VMA_NONE };
	out->kind = address_kind_of(ctx->geometry, source_host(address_source(ctx))->machine,
				    address);
	address_neighbours_find(ctx, out);
	if (out->vma != VMA_NONE) {
		rc = explain_mapped(ctx, out, error);
	} else {
		address_elf_find(ctx, out);
		address_evidence_read(ctx, out, NULL);
	}
	if (rc < 0)
		return rc;
	for (int touch = 0; touch < TOUCH_MAX; touch++)
		access_predict(&out->evidence, &out->page.facts,
			       out->page.known ? &out->page.verdict : NULL, (enum touch)touch,
			       &out->access[touch]);
	return 0;
}
