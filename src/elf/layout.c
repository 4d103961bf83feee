// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/elf/layout.h"

#include <elf.h>
#include <stdlib.h>

/* Rounded VMAs end here at most, so that no sum wraps. */
#define ADDRESS_LIMIT (1ull << 63)

const struct name elf_vma_kind_names[] = {
	{ ELF_VMA_FILE, "file", "mapped from the file" },
	{ ELF_VMA_BSS, "bss", "anonymous zeroes" },
	{ ELF_VMA_HOLE, "hole", "between segments, without access" },
	{ 0, NULL, NULL }
};

struct builder {
	const struct elf_image *image;
	struct elf_layout *layout;
	size_t cap;
	uint64_t mask;		/* page size - 1 */
};

static uint64_t page_floor(const struct builder *b, uint64_t v)
{
	return v & ~b->mask;
}

static uint64_t page_ceil(const struct builder *b, uint64_t v)
{
	return (v + b->mask) & ~b->mask;
}

enum elf_loader elf_loader_of(const struct elf_image *image, const struct elf_dynamic *dynamic)
{
	/* Libraries may have a PT_INTERP (libc.so.6 prints its version when run); PIE programs of
	 * old linkers have no DF_1_PIE. All of these have DT_DEBUG, and no library has. */
	bool program = image->type == ET_EXEC || dynamic->pie || dynamic->debug ||
		       (image->interpreter && !dynamic->present);

	return program ? ELF_LOADER_KERNEL : ELF_LOADER_GLIBC;
}

/* mmap needs p_vaddr and p_offset equal within a page; glibc also asks that of p_align
 * (_dl_map_object_from_fd: "ELF load command alignment not page-aligned"). */
static bool is_loadable(const struct builder *b)
{
	size_t i;

	for (i = 0; i < b->image->load_count; i++) {
		const struct elf_segment *s = &b->image->segments[b->image->loads[i]];

		if (s->filesz && (s->vaddr - s->offset) & b->mask)
			return false;
		if (b->layout->loader == ELF_LOADER_GLIBC && s->align & b->mask)
			return false;
		if (s->vaddr > ADDRESS_LIMIT || s->memsz > ADDRESS_LIMIT - s->vaddr)
			return false;
	}
	return b->image->load_count > 0;
}

/* A later mapping replaces what is under it (MAP_FIXED). */
static int add_vma(struct builder *b, const struct elf_vma *vma)
{
	struct elf_layout *layout = b->layout;

	if (vma->start >= vma->end)
		return 0;
	while (layout->count && layout->vmas[layout->count - 1].start >= vma->start)
		layout->count--;
	if (layout->count && layout->vmas[layout->count - 1].end > vma->start)
		layout->vmas[layout->count - 1].end = vma->start;
	if (array_grow((void **)&layout->vmas, &b->cap, layout->count, sizeof(*vma)) < 0)
		return -ERROR_NOMEM;
	layout->vmas[layout->count++] = *vma;
	return 0;
}

/* glibc maps the whole span from the first segment's offset and takes access from what no
 * segment covers; the kernel leaves holes unmapped. */
static int add_hole(struct builder *b, uint32_t segment, uint64_t next)
{
	const struct elf_layout *layout = b->layout;
	const struct elf_vma *first = layout->vmas, *last;
	struct elf_vma hole;

	if (layout->loader != ELF_LOADER_GLIBC || !layout->count)
		return 0;
	last = &layout->vmas[layout->count - 1];
	hole = (struct elf_vma) {
		.start = last->end,
		.end = next,
		.offset = first->offset + (last->end - first->start),
		.segment = segment,
		.kind = ELF_VMA_HOLE,
	};
	return add_vma(b, &hole);
}

/* padzero() of the kernel fails silently on a read-only segment and clears to the end of the
 * page; glibc makes it writable for a moment and clears p_memsz only. */
static void set_zeroed(const struct builder *b, const struct elf_segment *s, struct elf_vma *vma)
{
	uint64_t from = s->vaddr + s->filesz, to = vma->end;

	if (s->memsz <= s->filesz || !(from & b->mask))
		return;
	if (b->layout->loader == ELF_LOADER_KERNEL && !(s->flags & PF_W))
		return;
	if (b->layout->loader == ELF_LOADER_GLIBC && s->vaddr + s->memsz < to)
		to = s->vaddr + s->memsz;
	vma->zero_start = from;
	vma->zero_end = to;
	b->layout->zeroed_pages++;
}

static int add_segment(struct builder *b, uint32_t index)
{
	const struct elf_segment *s = &b->image->segments[index];
	uint64_t start = page_floor(b, s->vaddr);
	uint64_t file_end = s->filesz ? page_ceil(b, s->vaddr + s->filesz) : start;
	uint32_t perms = s->flags & (PF_R | PF_W | PF_X);
	struct elf_vma file = { .start = start, .end = file_end, .segment = index, .perms = perms,
				.offset = page_floor(b, s->offset), .kind = ELF_VMA_FILE };
	struct elf_vma bss = { .start = file_end, .end = page_ceil(b, s->vaddr + s->memsz),
			       .segment = index, .perms = perms, .kind = ELF_VMA_BSS };
	int ret;

	/* vm_brk_flags() gives read and write whatever the segment says. */
	if (b->layout->loader == ELF_LOADER_KERNEL)
		bss.perms = PF_R | PF_W | (perms & PF_X);
	if (s->filesz)
		set_zeroed(b, s, &file);
	ret = add_hole(b, index, start);
	if (!ret)
		ret = add_vma(b, &file);
	return ret ? ret : add_vma(b, &bss);
}

/* Two neighbours with a common file page: the end of one segment, the start of the next. */
static void mark_shared(struct elf_layout *layout)
{
	size_t i, last = SIZE_MAX;

	for (i = 0; i < layout->count; i++) {
		struct elf_vma *v = &layout->vmas[i];

		if (v->kind != ELF_VMA_FILE)
			continue;
		if (last != SIZE_MAX) {
			const struct elf_vma *u = &layout->vmas[last];
			uint64_t u_end = u->offset + (u->end - u->start);

			v->shares_page = v->segment != u->segment && v->offset < u_end &&
					 v->offset >= u->offset;
			layout->shared_pages += v->shares_page;
		}
		last = i;
	}
}

static int split_vma(struct builder *b, const struct elf_vma *vma, uint64_t start, uint64_t end)
{
	struct elf_vma part = *vma;

	if (start < vma->start)
		start = vma->start;
	if (end > vma->end)
		end = vma->end;
	if (start >= end)
		return 0;
	part.start = start;
	part.end = end;
	part.offset = vma->kind == ELF_VMA_BSS ? 0 : vma->offset + (start - vma->start);
	part.shares_page = vma->shares_page && start == vma->start;
	if (vma->zero_end <= start || vma->zero_start >= end)
		part.zero_start = part.zero_end = 0;
	return add_vma(b, &part);
}

/* mprotect() of the RELRO pages cuts the VMAs it touches in up to three. */
static int split_relro(struct builder *b)
{
	struct elf_layout *layout = b->layout;
	CLEANUP_FREE struct elf_vma *old = layout->vmas;
	size_t i, count = layout->count;
	uint64_t start, end;
	int ret = 0;

	elf_image_relro_pages(b->image, layout->page_size, &start, &end);
	layout->vmas = NULL;
	layout->count = 0;
	b->cap = 0;
	for (i = 0; i < count && !ret; i++) {
		struct elf_vma middle = old[i];

		middle.relro = true;
		middle.perms = PF_R;
		ret = split_vma(b, &old[i], 0, start);
		if (!ret && old[i].kind != ELF_VMA_HOLE)
			ret = split_vma(b, &middle, start, end);
		else if (!ret)
			ret = split_vma(b, &old[i], start, end);
		if (!ret)
			ret = split_vma(b, &old[i], end > start ? end : start, UINT64_MAX);
	}
	return ret;
}

static bool can_merge(const struct elf_vma *a, const struct elf_vma *b)
{
	if (a->end != b->start || a->kind != b->kind || a->perms != b->perms ||
	    a->relro != b->relro)
		return false;
	return a->kind == ELF_VMA_BSS || a->offset + (a->end - a->start) == b->offset;
}

/* The kernel merges neighbours that agree and continue each other in the file. */
static void merge_vmas(struct elf_layout *layout)
{
	size_t i, kept = 0;

	for (i = 1; i < layout->count; i++) {
		struct elf_vma *last = &layout->vmas[kept], *v = &layout->vmas[i];

		if (!can_merge(last, v)) {
			layout->vmas[++kept] = *v;
			continue;
		}
		last->end = v->end;
		if (v->zero_end > v->zero_start) {
			last->zero_start = v->zero_start;
			last->zero_end = v->zero_end;
		}
	}
	if (layout->count)
		layout->count = kept + 1;
}

static int layout_build(struct builder *b)
{
	size_t i;
	int ret = 0;

	b->layout->loadable = is_loadable(b);
	if (!b->layout->loadable)
		return 0;
	for (i = 0; i < b->image->load_count && !ret; i++)
		ret = add_segment(b, b->image->loads[i]);
	if (ret)
		return ret;
	mark_shared(b->layout);
	ret = split_relro(b);
	merge_vmas(b->layout);
	return ret;
}

int elf_layout_predict(const struct elf_image *image, enum elf_loader loader, uint64_t page_size,
		       struct elf_layout **layout, struct error *error)
{
	struct elf_layout *made = calloc(1, sizeof(*made));
	struct builder b = { image, made, 0, page_size - 1 };

	if (!made)
		return error_nomem(error);
	made->page_size = page_size;
	made->loader = loader;
	if (layout_build(&b) < 0) {
		elf_layout_free(made);
		return error_nomem(error);
	}
	*layout = made;
	return 0;
}

void elf_layout_free(struct elf_layout *layout)
{
	if (!layout)
		return;
	free(layout->vmas);
	free(layout);
}
