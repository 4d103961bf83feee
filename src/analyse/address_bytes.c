// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#include <stdlib.h>

#define CODE_MAX 4096u		/* bytes of a function in front of the address that are decoded */
#define CODE_AFTER 128u

/* Bytes of the VMA that can be had without touching anything. */
struct peek {
	const struct source_file *file;		/* NULL: none */
	enum bytes_origin origin;
	enum gap gap;		/* a recording does not hold what comes next */
};

static size_t withheld(struct peek *peek, int rc)
{
	if (rc == -ERROR_NOT_RECORDED)
		peek->gap = GAP_NOT_RECORDED;
	return 0;
}

/* Present pages are read as memory; others are what the file says as long as nothing was copied,
 * and only what the page cache holds already: a read must not load it. */
static size_t peek_file(struct address_context *ctx, const struct address *address,
			struct peek *peek, uint64_t start, uint8_t *data, size_t len)
{
	const struct source_file *file = peek->file;
	const struct vma *vma = address_vma(ctx, address);
	uint64_t offset = vma->offset + (start - vma->start);
	uint64_t size = ctx->process->page_size;
	struct source_cached cached;
	ssize_t got;

	if (!file || !address->evidence.file.applies)
		return 0;
	if (source_file_cached(address_source(ctx), file, offset & ~(size - 1), size, &cached,
			       NULL) == 0 && !cached.pages)
		return 0;
	got = source_file_read(file, offset, data, len, NULL);
	return got < 0 ? withheld(peek, (int)got) : (size_t)got;
}

static size_t peek_page(struct address_context *ctx, const struct address *address,
			struct peek *peek, uint64_t start, uint8_t *data, size_t len)
{
	struct source_process *source = ctx->process->source;
	uint64_t word = 0;
	size_t got = 0;
	int rc;

	if (source_pagemap(source, start / ctx->process->page_size, &word, 1, &got, NULL) < 0 ||
	    !got || word & PAGEMAP_SWAP)
		return 0;
	if (word & PAGEMAP_PRESENT) {
		peek->origin = BYTES_MEMORY;
		rc = source_mem(source, start, data, len, &got, NULL);
		return rc < 0 ? withheld(peek, rc) : got;
	}
	if (peek->origin == BYTES_NONE)
		peek->origin = BYTES_FILE;
	return peek_file(ctx, address, peek, start, data, len);
}

static size_t peek_bytes(struct address_context *ctx, const struct address *address,
			 struct peek *peek, uint64_t start, uint8_t *data, size_t len)
{
	uint64_t page = ctx->process->page_size, end = address_vma(ctx, address)->end;
	size_t done = 0;

	if (len > end - start)
		len = (size_t)(end - start);
	while (done < len) {
		uint64_t at = start + done, room = page - at % page;
		size_t want = len - done < room ? len - done : (size_t)room;
		size_t got = peek_page(ctx, address, peek, at, data + done, want);

		done += got;
		if (got < want)
			break;
	}
	return done;
}

void address_bytes_read(struct address_context *ctx, struct address *address,
			const struct source_file *file)
{
	struct address_bytes *bytes = &address->bytes;
	struct peek peek = { .file = file };

	bytes->gap = GAP_NOT_APPLICABLE;
	if (!address->page.known || address->page.facts.hidden)
		return;
	bytes->len = peek_bytes(ctx, address, &peek, address->address, bytes->data,
				sizeof(bytes->data));
	bytes->origin = peek.origin;
	if (bytes->len)
		return;
	bytes->origin = BYTES_NONE;
	bytes->cold = address->evidence.file.cached == FILE_CACHED_NO ||
		address->evidence.file.cached == FILE_CACHED_SWAPPED;
	if (address->page.run.kind == PAGE_PRESENT)
		bytes->gap = GAP_NEEDS_PRIVILEGE;
	if (peek.gap)
		bytes->gap = peek.gap;
}

/* Where decoding may begin: the function's first byte, or a little before the address. */
static uint64_t code_start(const struct address *address, const struct vma *vma, bool *synced)
{
	const struct address_elf *elf = &address->elf;
	uint64_t start = address->address;

	*synced = elf->has_symbol && elf->covered && elf->symbol_offset <= CODE_MAX;
	if (*synced)
		start -= elf->symbol_offset;
	else
		start -= start - vma->start < 64 ? start - vma->start : 64;
	return start < vma->start ? vma->start : start;
}

static bool code_machine(const struct address_context *ctx, const struct address *address,
			 struct elf_code *code)
{
	const struct elf_image *image = NULL;

	if (address->elf.object != OBJECT_NONE)
		image = ctx->process->objects[address->elf.object].elf;
	for (size_t i = 0; !image && i < ctx->process->object_count; i++)
		image = ctx->process->objects[i].is_program ? ctx->process->objects[i].elf : NULL;
	if (!image)
		return false;
	*code = (struct elf_code) { .machine = image->machine, .is_64 = image->is_64,
				    .big_endian = image->big_endian };
	return elf_disasm_knows(image->machine);
}

static bool is_code(const struct address *address, const struct vma *vma)
{
	return vma && vma->perms & VMA_EXEC && address->page.known && !address->page.facts.hidden;
}

int address_code_read(struct address_context *ctx, struct address *address,
		      const struct source_file *file, struct error *error)
{
	const struct vma *vma = address_vma(ctx, address);
	CLEANUP_FREE uint8_t *bytes = NULL;
	struct peek peek = { .file = file };
	struct elf_code code;
	uint64_t start;

	if (!is_code(address, vma) || !code_machine(ctx, address, &code))
		return 0;
	bytes = malloc(CODE_MAX + CODE_AFTER);
	if (!bytes)
		return error_nomem(error);
	start = code_start(address, vma, &address->code.synced);
	code.address = start;
	code.bytes = bytes;
	code.len = peek_bytes(ctx, address, &peek, start, bytes,
			      address->address - start + CODE_AFTER);
	if (code.len <= address->address - start) {
		address->code.gap = peek.gap;
		return 0;
	}
	if (elf_disassemble_around(&code, address->address, ADDRESS_BEFORE, ADDRESS_AFTER,
				   address->code.items, &address->code.count,
				   &address->code.index, NULL) < 0)
		address->code.count = 0;
	return 0;
}
