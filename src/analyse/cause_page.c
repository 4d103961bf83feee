// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <elf.h>
#include <string.h>

#include "vmatlas/source/difference.h"

/* One page of a window on its way to its causes. */
struct page {
	struct causes *causes;
	const struct cause_window *window;
	uint64_t vaddr, end;
	uint8_t *memory;	/* of the target; NULL: not read */
	uint8_t *expected;	/* the file's bytes; what is explained becomes equal to memory */
	const uint8_t *marks;	/* of a snapshot, else NULL */
	unsigned mask;
	unsigned inferred;	/* causes that were not seen */
};

static uint32_t page_size(const struct page *page)
{
	return page->causes->process->page_size;
}

static void found(struct page *page, enum cause cause, bool seen)
{
	unsigned bit = 1u << cause;

	if (seen)
		page->inferred &= ~bit;
	else if (!(page->mask & bit))
		page->inferred |= bit;
	page->mask |= bit;
}

/* The part of [start, end) on this page as offsets; false if there is none. */
static bool clip(const struct page *page, uint64_t start, uint64_t end, uint64_t *from,
		 uint64_t *to)
{
	start = start > page->vaddr ? start : page->vaddr;
	end = end < page->end ? end : page->end;
	if (start >= end)
		return false;
	*from = start - page->vaddr;
	*to = end - page->vaddr;
	return true;
}

/* Takes bytes out of the comparison; did they differ? */
static bool explain(struct page *page, uint64_t from, uint64_t to)
{
	uint64_t have, want;
	bool differ;

	if (!page->memory)
		return false;
	if (to - from == sizeof(have)) {
		memcpy(&have, page->memory + from, sizeof(have));
		memcpy(&want, page->expected + from, sizeof(want));
		memcpy(page->expected + from, &have, sizeof(have));
		return have != want;
	}
	differ = memcmp(page->memory + from, page->expected + from, to - from) != 0;
	memcpy(page->expected + from, page->memory + from, to - from);
	return differ;
}

/* A lazily bound slot first holds the address of its PLT entry: the file's word + bias. */
static bool is_bound(const struct page *page, const struct elf_reloc_place *place)
{
	const struct elf_image *image = page->causes->source.image;
	const struct object *object = &page->causes->process->objects[page->causes->source.object];
	uint64_t at = place->place - page->vaddr, mask = image->is_64 ? UINT64_MAX : UINT32_MAX;
	size_t word = image->is_64 ? 8 : 4;

	if (!page->memory || place->place < page->vaddr || page->end - place->place < word)
		return false;
	if (page->marks)
		return !(page->marks[at] & PAGE_UNBOUND);
	return elf_image_word(image, page->memory + at) !=
	       ((elf_image_word(image, page->expected + at) + object->load_bias) & mask);
}

static int add_relocation(struct page *page, const struct elf_reloc_place *place)
{
	struct causes *causes = page->causes;
	bool plt = place->kind == ELF_RELOC_PLT, bound = plt && is_bound(page, place), differ;
	const struct object *object = &causes->process->objects[causes->source.object];
	bool slot = plt || place->kind == ELF_RELOC_GLOB_DAT;
	uint64_t from, to;

	if (!clip(page, place->place, place->place + place->size, &from, &to))
		return 0;
	differ = explain(page, from, to);
	/* Where nothing is added to them, slots that were never bound were never written. */
	if (plt && !differ && page->memory && !object->load_bias)
		return 0;
	found(page, CAUSE_RELOCATION, differ);
	causes->sums.kinds[place->kind]++;
	causes->sums.bound += bound;
	causes->sums.sum[CAUSE_RELOCATION].bytes += to - from;
	return cause_tally_add(&causes->relocated, causes->process, &causes->source,
			       page->vaddr + from, to - from, page->vaddr,
			       slot ? place->symbol : 0);
}

static int add_relocations(struct page *page)
{
	const struct elf_reloc_index *index = page->causes->source.index;
	struct elf_reloc_cursor cursor;
	struct elf_reloc_place place;
	int rc = 0;

	if (!index)
		return 0;
	cursor = elf_reloc_index_seek(index, page->vaddr, page->end);
	while (rc >= 0 && elf_reloc_index_next(index, &cursor, &place))
		rc = add_relocation(page, &place);
	return rc;
}

/* Words of the loader's own: seen or not counted at all. */
static int add_loader_words(struct page *page, uint64_t start, uint64_t end)
{
	struct causes *causes = page->causes;
	uint64_t from, to;

	if (!clip(page, start, end, &from, &to) || !explain(page, from, to))
		return 0;
	found(page, CAUSE_RELOCATION, true);
	causes->sums.kinds[CAUSE_KIND_LOADER]++;
	causes->sums.sum[CAUSE_RELOCATION].bytes += to - from;
	return 0;
}

/* glibc adds the bias to addresses in a writable .dynamic, puts its own into DT_DEBUG, and the
 * link map and its resolver into the second and third word of the GOT
 * (elf_machine_runtime_setup). */
static int add_loader(struct page *page)
{
	const struct elf_dynamic *dynamic = &page->causes->source.dynamic;
	size_t word = page->causes->source.image->is_64 ? 8 : 4;
	int rc;

	if (!dynamic->present)
		return 0;
	rc = add_loader_words(page, dynamic->vaddr, dynamic->vaddr + dynamic->size);
	if (rc >= 0 && dynamic->pltgot)
		rc = add_loader_words(page, dynamic->pltgot + word, dynamic->pltgot + 3 * word);
	return rc;
}

/* Did the file hold anything there? Else nothing shows that it was cleared. */
static bool clear(struct page *page, uint64_t from, uint64_t to)
{
	bool held = false;

	if (!page->memory)
		return false;
	for (uint64_t i = from; i < to; i++)
		held |= page->expected[i] != 0;
	memset(page->expected + from, 0, to - from);
	return held;
}

/* Cleared bytes: what is in them now beyond zeroes was written later. */
static void add_zero_tail(struct page *page)
{
	const struct elf_layout *layout = page->causes->source.layout;
	uint64_t from, to;

	for (size_t i = 0; layout && i < layout->count; i++) {
		const struct elf_vma *vma = &layout->vmas[i];

		if (vma->zero_end <= vma->zero_start ||
		    !clip(page, vma->zero_start, vma->zero_end, &from, &to))
			continue;
		found(page, CAUSE_ZERO_TAIL, clear(page, from, to));
		page->causes->sums.sum[CAUSE_ZERO_TAIL].bytes += to - from;
	}
}

static bool is_code(const struct page *page, uint64_t vaddr)
{
	const struct elf_image *image = page->causes->source.image;
	const struct elf_section *section = elf_image_section(image, vaddr);
	const struct elf_segment *load;

	if (section)
		return section->flags & SHF_EXECINSTR;
	load = elf_image_load(image, vaddr);
	return load && load->flags & PF_X && !(load->flags & PF_W);
}

static int add_difference(struct page *page, uint64_t from, uint64_t to)
{
	struct causes *causes = page->causes;
	const struct cause_window *window = page->window;
	uint64_t base = page->vaddr - window->vaddr;
	bool code = window->placed && is_code(page, page->vaddr + from);
	enum cause cause = code ? CAUSE_CODE_PATCH : CAUSE_DATA_WRITE;
	int rc = 0;

	found(page, cause, true);
	causes->sums.sum[cause].bytes += to - from;
	if (code)
		rc = cause_patch_add(causes, window, base + from, base + to);
	if (rc < 0 || !window->placed)
		return rc;
	return cause_tally_add(code ? &causes->patched : &causes->written, causes->process,
			       &causes->source, page->vaddr + from, to - from, page->vaddr, 0);
}

/* Where a difference ends: code is taken in pieces with few equal bytes between, data in words,
 * so that no object is named for its neighbour's bytes. */
static uint64_t difference_end(const struct page *page, uint64_t from)
{
	uint64_t size = page_size(page), last = from;

	if (!page->window->placed || !is_code(page, page->vaddr + from))
		size = (from | 7) + 1;
	for (uint64_t i = from + 1; i < size && i - last <= 8; i++)
		if (page->memory[i] != page->expected[i])
			last = i;
	return last + 1;
}

static int add_differences(struct page *page)
{
	uint64_t size = page_size(page), i = 0;
	int rc = 0;

	while (i < size && rc >= 0) {
		uint64_t end;

		if (!(i & 63) && !memcmp(page->memory + i, page->expected + i, 64)) {
			i += 64;
			continue;
		}
		if (page->memory[i] == page->expected[i]) {
			i++;
			continue;
		}
		end = difference_end(page, i);
		rc = add_difference(page, i, end);
		i = end;
	}
	return rc;
}

static enum cause_reason why_unknown(const struct page *page)
{
	if (page->window->swapped)
		return CAUSE_REASON_SWAP;
	if (!page->causes->source.image)
		return page->causes->source.reason;
	if (page->window->not_recorded)
		return CAUSE_REASON_NOT_RECORDED;
	return page->memory ? CAUSE_REASON_SAME : CAUSE_REASON_MEMORY;
}

static int finish(struct page *page, uint64_t address)
{
	struct causes *causes = page->causes;
	struct cause_page told = { .address = address, .swapped = page->window->swapped };

	if (!page->mask) {
		page->mask = 1u << CAUSE_UNKNOWN;
		told.reason = why_unknown(page);
		causes->sums.reasons[told.reason] += !told.swapped;
	}
	told.mask = page->mask;
	for (int i = 0; i < CAUSE_MAX; i++) {
		struct cause_sum *sum = &causes->sums.sum[i];

		if (!(page->mask >> i & 1))
			continue;
		sum->swapped += told.swapped;
		sum->pages += !told.swapped;
		sum->inferred += !told.swapped && page->inferred >> i & 1;
	}
	return causes->page_fn ? causes->page_fn(causes->page_ctx, causes->vma, &told) : 0;
}

static int explain_page(struct page *page)
{
	int rc = 0;

	if (page->window->placed && page->causes->source.image) {
		add_zero_tail(page);
		rc = add_relocations(page);
		if (rc >= 0)
			rc = add_loader(page);
	}
	if (rc >= 0 && page->memory)
		rc = add_differences(page);
	return rc;
}

static void place_bytes(struct page *page, uint64_t index)
{
	const struct cause_window *window = page->window;
	uint64_t at = index * page_size(page);

	if (!window->compared || index >= window->read ||
	    (window->marks && window->marks[at] & CAUSE_MARK_ABSENT))
		return;
	page->memory = window->memory + at;
	page->expected = window->file + at;
	page->marks = window->marks ? window->marks + at : NULL;
}

int cause_explain(struct causes *causes, struct cause_window *window)
{
	uint64_t size = causes->process->page_size;
	int rc = 0;

	for (uint64_t i = 0; i < window->pages && rc >= 0; i++) {
		struct page page = {
			.causes = causes, .window = window,
			.vaddr = window->vaddr + i * size, .end = window->vaddr + (i + 1) * size,
		};

		place_bytes(&page, i);
		rc = explain_page(&page);
		if (rc >= 0)
			rc = finish(&page, window->address + i * size);
	}
	return rc;
}
