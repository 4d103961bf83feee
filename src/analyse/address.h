/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_ADDRESS_H
#define ANALYSE_ADDRESS_H

#include "vmatlas/analyse/address.h"

/* Parts of address_explain() in files of their own. */

/* The page that holds the address: needs address->vma. */
int address_page_read(struct address_context *ctx, struct address *address, struct error *error);
/* Which tables lead to the page: needs the page. */
void address_levels_find(struct address_context *ctx, struct address *address);
void address_frame_read(struct address_context *ctx, struct address *address);
void address_neighbours_find(struct address_context *ctx, struct address *address);
void address_elf_find(struct address_context *ctx, struct address *address);
/* Why the page is a copy: needs page and ELF part. */
int address_cause_find(struct address_context *ctx, struct address *address, struct error *error);
/* Everything access_predict() wants to know. `file` is the opened object, NULL if there is none. */
void address_evidence_read(struct address_context *ctx, struct address *address,
			   const struct source_file *file);
void address_growth_read(struct address_context *ctx, struct address *address);
/* Contents, of memory or of the file; and instructions where it is code. */
void address_bytes_read(struct address_context *ctx, struct address *address,
			const struct source_file *file);
/* What a slot of the GOT holds: needs ELF part and bytes. */
void address_slot_find(struct address_context *ctx, struct address *address);
int address_code_read(struct address_context *ctx, struct address *address,
		      const struct source_file *file, struct error *error);

static inline const struct vma *address_vma(const struct address_context *ctx,
					    const struct address *address)
{
	return address->vma == VMA_NONE ? NULL : &ctx->process->vmas[address->vma];
}

static inline uint64_t address_page_start(const struct address_context *ctx, uint64_t address)
{
	return address & ~((uint64_t)ctx->process->page_size - 1);
}

static inline struct source *address_source(const struct address_context *ctx)
{
	return source_process_source(ctx->process->source);
}

#endif
