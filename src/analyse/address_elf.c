// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#include <elf.h>
#include <string.h>

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
	if (elf_lines_find(object->elf, object->file, object->name, &opener, &elf->vaddr, 1,
			   &elf->line, &damaged, NULL) == -ERROR_NOT_RECORDED)
		elf->line_gap = GAP_NOT_RECORDED;
}

static void locate(struct address_context *ctx, const struct vma *vma, uint64_t address,
		   struct address_elf *elf)
{
	const struct elf_segment *segment;
	const struct object *object;

	elf->object = elf_part_object(ctx->process, vma);
	if (elf->object == OBJECT_NONE)
		return;
	object = &ctx->process->objects[elf->object];
	elf->vaddr = address - object->load_bias;
	segment = elf_image_load(object->elf, elf->vaddr);
	if (segment)
		elf->segment = (int)(segment - object->elf->segments);
	elf->section = elf_image_section(object->elf, elf->vaddr);
	symbol_find(ctx, elf);
}

static const struct address_elf no_elf = { .object = OBJECT_NONE, .segment = -1,
					   .symbol_gap = GAP_NOT_APPLICABLE,
					   .line_gap = GAP_NOT_APPLICABLE };

void address_elf_find(struct address_context *ctx, struct address *address)
{
	const struct vma *vma = address_vma(ctx, address);

	address->elf = no_elf;
	if (!vma)
		return;
	locate(ctx, vma, address->address, &address->elf);
	if (address->elf.segment >= 0)
		line_find(ctx, &address->elf);
}

/* Only the GOT is known to hold addresses; its words are as wide as the file's class says. */
static bool is_slot(struct address_context *ctx, const struct address *address, unsigned *width)
{
	const struct address_elf *elf = &address->elf;
	const struct elf_image *image;

	if (elf->object == OBJECT_NONE || !elf->section ||
	    strncmp(elf->section->name, ".got", 4))
		return false;
	image = ctx->process->objects[elf->object].elf;
	*width = image->is_64 ? 8 : 4;
	return !image->big_endian && !(elf->vaddr % *width);
}

void address_slot_find(struct address_context *ctx, struct address *address)
{
	struct address_slot *slot = &address->slot;
	unsigned width;
	uint32_t above;

	slot->vma = VMA_NONE;
	slot->elf = no_elf;
	if (!is_slot(ctx, address, &width))
		return;
	if (address->bytes.gap == GAP_NOT_RECORDED)
		slot->gap = GAP_NOT_RECORDED;
	if (address->bytes.origin != BYTES_MEMORY || address->bytes.len < width)
		return;
	slot->known = true;
	for (unsigned i = 0; i < width; i++)
		slot->value |= (uint64_t)address->bytes.data[i] << 8 * i;
	slot->vma = process_find(ctx->process, slot->value, &above);
	if (slot->vma != VMA_NONE)
		locate(ctx, &ctx->process->vmas[slot->vma], slot->value, &slot->elf);
}
