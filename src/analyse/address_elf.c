// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#include <elf.h>

#include "vmatlas/model/elf_part.h"

static void symbol_find(struct address_context *ctx, struct address_elf *elf)
{
	const struct elf_symbols *symbols = symbol_cache_get(&ctx->symbols, elf->object,
							     &elf->symbol_gap);

	if (!symbols)
		return;
	elf->origin = elf_symbols_origin(symbols);
	elf->symbol_gap = GAP_NOT_APPLICABLE;
	elf->has_symbol = elf_symbols_at(symbols, elf->vaddr, &elf->symbol, &elf->symbol_offset,
					 &elf->covered) == 0;
}

/* libdw is asked for code only: it costs a child process. */
static void line_find(struct address_context *ctx, struct address_elf *elf)
{
	const struct object *object = &ctx->process->objects[elf->object];
	struct elf_opener opener = symbol_cache_opener(ctx->process);
	bool damaged = false;

	if (!(object->elf->segments[elf->segment].flags & PF_X))
		return;
	elf_lines_find(object->elf, object->fd, object->name, &opener, &elf->vaddr, 1, &elf->line,
		       &damaged, NULL);
}

void address_elf_find(struct address_context *ctx, struct address *address)
{
	const struct vma *vma = address_vma(ctx, address);
	struct address_elf *elf = &address->elf;
	const struct elf_segment *segment;
	const struct object *object;

	*elf = (struct address_elf) { .object = OBJECT_NONE, .segment = -1,
				      .symbol_gap = GAP_NOT_APPLICABLE };
	if (!vma)
		return;
	elf->object = elf_part_object(ctx->process, vma);
	if (elf->object == OBJECT_NONE)
		return;
	object = &ctx->process->objects[elf->object];
	elf->vaddr = address->address - object->load_bias;
	segment = elf_image_load(object->elf, elf->vaddr);
	if (segment)
		elf->segment = (int)(segment - object->elf->segments);
	elf->section = elf_image_section(object->elf, elf->vaddr);
	symbol_find(ctx, elf);
	if (segment)
		line_find(ctx, elf);
}
