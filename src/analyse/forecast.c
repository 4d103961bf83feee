// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "forecast.h"

#include <elf.h>
#include <stdlib.h>

#include "classify.h"

static const uint64_t page_sizes[FORECAST_SIZES] = { 4096, 16384, 65536 };

void forecast_free(struct forecast *forecast)
{
	if (!forecast)
		return;
	elf_reloc_index_free(forecast->index);
	elf_layout_free(forecast->layout);
	free(forecast->vmas);
	free(forecast);
}

static uint8_t vma_perms(uint32_t flags)
{
	return (uint8_t)((flags & PF_R ? VMA_READ : 0) | (flags & PF_W ? VMA_WRITE : 0) |
			 (flags & PF_X ? VMA_EXEC : 0));
}

/* The rules of `map`, asked about a process that holds nothing but this file at bias 0. */
static void role_of_file(const struct forecast *forecast, struct forecast_vma *vma, bool program)
{
	struct object object = { .elf = (struct elf_image *)forecast->image, .bias_known = true };
	struct process process = { .objects = &object, .object_count = 1,
				   .page_size = (uint32_t)forecast->page_size };
	const struct vma asked = {
		.start = vma->layout->start, .end = vma->layout->end,
		.offset = vma->layout->offset, .perms = vma_perms(vma->layout->perms),
		.segment = (uint16_t)(vma->layout->segment + 1), .owner = VMA_NONE,
	};

	classify_content_role(classify_content(&process, &asked), program, &vma->vma_class,
			      &vma->role);
}

static void vma_judge(const struct forecast *forecast, struct forecast_vma *vma, bool program)
{
	switch (vma->layout->kind) {
	case ELF_VMA_FILE:
		role_of_file(forecast, vma, program);
		break;
	case ELF_VMA_BSS:
		vma->vma_class = program ? VMA_CLASS_DYNAMIC : VMA_CLASS_MAPPED;
		vma->role = ROLE_BSS;
		break;
	case ELF_VMA_HOLE:
		vma->vma_class = VMA_CLASS_MAPPED;
		vma->role = ROLE_GAP;
		break;
	}
}

/* The dynamic loader is mapped by the kernel but is no program. */
static bool is_program(const struct elf_image *image, const struct elf_dynamic *dynamic)
{
	return elf_loader_of(image, dynamic) == ELF_LOADER_KERNEL;
}

static int make_vmas(struct forecast *forecast, struct error *error)
{
	const struct elf_layout *layout = forecast->layout;
	bool program = is_program(forecast->image, &forecast->dynamic);

	forecast->vmas = calloc(layout->count + 1, sizeof(*forecast->vmas));
	if (!forecast->vmas)
		return error_nomem(error);
	for (size_t i = 0; i < layout->count; i++) {
		forecast->vmas[i].layout = &layout->vmas[i];
		vma_judge(forecast, &forecast->vmas[i], program);
		if (layout->vmas[i].perms & PF_W)
			forecast->writable += layout->vmas[i].end - layout->vmas[i].start;
	}
	return 0;
}

static int forecast_one_size(const struct forecast *forecast, uint64_t page_size, bool *loadable,
			     struct elf_dirty *dirty, struct error *error)
{
	CLEANUP(elf_layout_freep) struct elf_layout *layout = NULL;
	int rc = elf_layout_predict(forecast->image, forecast->loader, page_size, &layout, error);

	if (rc < 0)
		return rc;
	*loadable = layout->loadable;
	if (!layout->loadable)
		return 0;
	return elf_dirty_forecast(forecast->image, &forecast->dynamic, forecast->index,
				  forecast->loader, page_size, dirty, error);
}

static int make_sizes(struct forecast *forecast, struct error *error)
{
	bool loadable;
	int rc = forecast_one_size(forecast, forecast->page_size, &loadable, &forecast->dirty,
				   error);

	for (int i = 0; i < FORECAST_SIZES && rc >= 0; i++) {
		struct forecast_size *size = &forecast->sizes[i];

		size->page_size = page_sizes[i];
		rc = forecast_one_size(forecast, size->page_size, &size->loadable, &size->dirty,
				       error);
	}
	return rc;
}

static int fill(struct forecast *forecast, struct error *error)
{
	const struct elf_image *image = forecast->image;
	int rc = elf_dynamic_read(image, &forecast->dynamic, error);

	if (rc >= 0)
		rc = elf_reloc_index_build(image, &forecast->dynamic, &forecast->index, error);
	if (rc < 0)
		return rc;
	forecast->loader = elf_loader_of(image, &forecast->dynamic);
	forecast->damage = image->damage | forecast->dynamic.damage | forecast->index->damage;
	elf_image_relro_pages(image, forecast->page_size, &forecast->relro_start,
			      &forecast->relro_end);
	elf_relr_size_estimate(image, forecast->index, &forecast->relr);
	rc = elf_layout_predict(image, forecast->loader, forecast->page_size, &forecast->layout,
				error);
	if (rc >= 0)
		rc = make_vmas(forecast, error);
	if (rc >= 0)
		rc = make_sizes(forecast, error);
	if (rc >= 0)
		forecast_advise(forecast);
	return rc;
}

int forecast_new(const struct elf_image *image, uint64_t page_size, struct forecast **forecast,
		 struct error *error)
{
	struct forecast *made = calloc(1, sizeof(*made));
	int rc;

	if (!made)
		return error_nomem(error);
	made->image = image;
	made->page_size = page_size;
	rc = fill(made, error);
	if (rc < 0) {
		forecast_free(made);
		return rc;
	}
	*forecast = made;
	return 0;
}
