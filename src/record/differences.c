// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <stdlib.h>

#include "pieces.h"
#include "vmatlas/elf/layout.h"
#include "vmatlas/elf/relocs.h"
#include "vmatlas/source/difference.h"

/*
 * Where copied pages of ELF files differ from the file: what src/analyse/cause_page.c sees when it
 * compares the bytes, without the bytes.
 */
#define WINDOW 64u		/* pages compared at once */

struct differences {
	struct pieces *pieces;
	struct out out;
	struct buf line;	/* of the pages that are not written yet: what follows the number */
	struct buf next;
	uint64_t first, count;	/* these */
	bool any;
	uint8_t *memory, *file, *marks;
	uint32_t object;	/* whose tables these are; OBJECT_NONE: none */
	struct elf_reloc_index *index;	/* of slots that are bound lazily */
	struct elf_layout *layout;
	struct error failure;	/* the first one */
};

/* Pages of one VMA at work. */
struct window {
	const struct object *object;
	uint64_t address;
	uint64_t vaddr;
	uint64_t offset;
	uint64_t pages;
	bool placed;
};

static void tables_done(struct differences *d)
{
	elf_reloc_index_free(d->index);
	elf_layout_free(d->layout);
	d->index = NULL;
	d->layout = NULL;
	d->object = OBJECT_NONE;
}

/* As far as they can be read, which is what an analysis does. */
static int tables_read(struct differences *d, const struct vma *vma)
{
	const struct process *process = d->pieces->process;
	const struct elf_image *image = process->objects[vma->object].elf;
	struct elf_dynamic dynamic;
	int rc;

	if (d->object == vma->object)
		return 0;
	tables_done(d);
	d->object = vma->object;
	rc = elf_dynamic_read(image, &dynamic, NULL);
	if (rc >= 0)
		rc = elf_reloc_index_of_kind(image, &dynamic, ELF_RELOC_PLT, &d->index, NULL);
	if (rc >= 0)
		rc = elf_layout_predict(image, elf_loader_of(image, &dynamic), process->page_size,
					&d->layout, NULL);
	return rc == -ERROR_NOMEM ? rc : 0;
}

static void mark_cleared(struct differences *d, const struct window *window)
{
	uint64_t len = window->pages * d->pieces->process->page_size;

	for (size_t i = 0; d->layout && i < d->layout->count; i++) {
		const struct elf_vma *vma = &d->layout->vmas[i];
		uint64_t from = vma->zero_start > window->vaddr ? vma->zero_start : window->vaddr;
		uint64_t to = vma->zero_end < window->vaddr + len ? vma->zero_end :
								    window->vaddr + len;

		for (; from < to; from++) {
			uint8_t *byte = &d->file[from - window->vaddr];

			d->marks[from - window->vaddr] |= *byte ? PAGE_CLEARED : 0;
			*byte = 0;
		}
	}
}

/* A lazily bound slot first holds the address of its PLT entry: the file's word + bias. */
static void mark_slot(struct differences *d, const struct window *window, uint64_t place)
{
	const struct elf_image *image = window->object->elf;
	uint64_t size = d->pieces->process->page_size, at = place - window->vaddr;
	uint64_t mask = image->is_64 ? UINT64_MAX : UINT32_MAX;
	size_t word = image->is_64 ? 8 : 4;

	if (place < window->vaddr || at % size > size - word)
		return;
	if (elf_image_word(image, d->memory + at) !=
	    ((elf_image_word(image, d->file + at) + window->object->load_bias) & mask))
		return;
	for (size_t i = 0; i < word; i++)
		d->marks[at + i] |= PAGE_UNBOUND;
}

static void mark_slots(struct differences *d, const struct window *window)
{
	uint64_t len = window->pages * d->pieces->process->page_size;
	struct elf_reloc_cursor cursor;
	struct elf_reloc_place place;

	if (!d->index)
		return;
	cursor = elf_reloc_index_seek(d->index, window->vaddr, window->vaddr + len);
	while (elf_reloc_index_next(d->index, &cursor, &place))
		mark_slot(d, window, place.place);
}

static void mark_window(struct differences *d, const struct window *window)
{
	uint64_t len = window->pages * d->pieces->process->page_size;

	memset(d->marks, 0, len);
	if (window->placed) {
		mark_cleared(d, window);
		mark_slots(d, window);
	}
	/* Most of a page is as in the file. */
	for (uint64_t at = 0; at < len; at += 64)
		if (memcmp(d->memory + at, d->file + at, 64))
			for (uint64_t i = at; i < at + 64; i++)
				d->marks[i] |= d->memory[i] != d->file[i] ? PAGE_DIFFERS : 0;
}

static int write_line(struct differences *d, struct error *error)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int rc = 0;

	if (!d->count)
		return 0;
	rc = buf_add_hex(&text, d->first, 1);
	if (rc >= 0 && d->count > 1)
		rc = buf_add_char(&text, '+');
	if (rc >= 0 && d->count > 1)
		rc = buf_add_hex(&text, d->count, 1);
	if (rc >= 0)
		rc = buf_add_span(&text, buf_span(&d->line));
	if (rc >= 0)
		rc = buf_add_char(&text, '\n');
	d->count = 0;
	return rc < 0 ? error_nomem(error) : out_add(&d->out, text.data, text.len, error);
}

static int add_page(struct differences *d, uint64_t page, const uint8_t *marks,
		    struct error *error)
{
	struct buf line;
	int rc = 0;

	buf_clear(&d->next);
	if (difference_write(marks, d->pieces->process->page_size, &d->next) < 0)
		return error_nomem(error);
	if (d->count && d->first + d->count == page &&
	    span_equal(buf_span(&d->next), buf_span(&d->line))) {
		d->count++;
		return 0;
	}
	rc = write_line(d, error);
	line = d->line;
	d->line = d->next;
	d->next = line;
	d->first = page;
	d->count = 1;
	d->any = true;
	return rc;
}

/* How many leading pages could be read from both sides. */
static uint64_t read_window(struct differences *d, const struct window *window)
{
	const struct elf_reader *reader = &window->object->elf->reader;
	uint64_t size = d->pieces->process->page_size, len = window->pages * size;
	struct error failure = ERROR_INIT;
	size_t got = 0;
	ssize_t file;

	if (source_mem(d->pieces->process->source, window->address, d->memory, len, &got,
		       &failure) < 0) {
		if (!d->failure.code)
			d->failure = failure;
		return 0;
	}
	file = reader->read(reader->ctx, window->offset, d->file, len, NULL);
	if (file < 0)
		return 0;
	memset(d->file + file, 0, len - (uint64_t)file);
	return got / size;
}

static int compare_window(struct differences *d, struct window *window, struct error *error)
{
	uint64_t size = d->pieces->process->page_size;
	int rc = 0;

	window->pages = read_window(d, window);
	mark_window(d, window);
	for (uint64_t i = 0; i < window->pages && rc >= 0; i++)
		rc = add_page(d, window->address / size + i, d->marks + i * size, error);
	return rc;
}

static int compare_pages(struct differences *d, const struct vma *vma, uint64_t address,
			 uint64_t pages, struct error *error)
{
	uint64_t size = d->pieces->process->page_size;
	const struct object *object = vma_object(d->pieces->process, vma);
	int rc = tables_read(d, vma) < 0 ? error_nomem(error) : 0;

	while (pages && rc >= 0) {
		struct window window = {
			.object = object, .address = address,
			.vaddr = address - object->load_bias,
			.offset = vma->offset + (address - vma->start),
			.pages = pages < WINDOW ? pages : WINDOW,
			.placed = vma->segment && object->bias_known,
		};

		pages -= window.pages;
		address += window.pages * size;
		rc = compare_window(d, &window, error);
	}
	return rc;
}

/* A recording tells it again. */
static int copy_pages(struct differences *d, uint64_t address, uint64_t pages,
		      struct error *error)
{
	uint64_t size = d->pieces->process->page_size;
	int rc = 0;

	for (uint64_t page = address / size; pages && rc >= 0; page++, pages--) {
		struct error failure = ERROR_INIT;

		if (source_difference(d->pieces->process->source, page, d->marks, &failure) == 0)
			rc = add_page(d, page, d->marks, error);
		else if (failure.code != ERROR_NOT_FOUND && !d->failure.code)
			d->failure = failure;
	}
	return rc;
}

static int difference_pages(void *ctx, const struct vma *vma, uint64_t address, uint64_t pages,
			    struct error *error)
{
	struct differences *d = ctx;

	if (!vma_object(d->pieces->process, vma)->elf)
		return 0;
	if (source_host(d->pieces->recording->source)->kind == SOURCE_KIND_SNAPSHOT)
		return copy_pages(d, address, pages, error);
	return compare_pages(d, vma, address, pages, error);
}

static void differences_done(struct differences *d)
{
	tables_done(d);
	buf_done(&d->line);
	buf_done(&d->next);
	free(d->memory);
	free(d->file);
	free(d->marks);
}

static int write_pages(struct differences *d, struct error *error)
{
	size_t len = (size_t)WINDOW * d->pieces->process->page_size;
	int rc;

	d->memory = malloc(len);
	d->file = malloc(len);
	d->marks = malloc(len);
	if (!d->memory || !d->file || !d->marks)
		return error_nomem(error);
	rc = copied_pages(d->pieces, difference_pages, d, &d->failure, error);
	if (rc >= 0)
		rc = write_line(d, error);
	if (rc >= 0)
		rc = out_add(&d->out, "end\n", 4, error);
	return rc < 0 ? rc : out_end(&d->out, error);
}

/* Where nothing could be read at all, the reason is all there is to tell. */
int differences_record(struct pieces *pieces, struct error *error)
{
	CLEANUP(differences_done) struct differences d = { .pieces = pieces,
							   .object = OBJECT_NONE };
	int rc = out_open(&d.out, pieces->recording, pieces->dir, "differences", error);

	if (rc < 0)
		return rc;
	rc = write_pages(&d, error);
	out_done(&d.out);
	if (rc < 0 || !d.failure.code || d.any)
		return rc;
	unlinkat(pieces->dir, "differences", 0);
	return missing_add(pieces->missing, "differences", &d.failure, error);
}
