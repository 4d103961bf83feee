// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

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
}
