// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <stdlib.h>
#include <string.h>

/* Functions are decoded from their start if it is not further away; else from a little before,
 * where decoding comes into step by itself. */
#define NEAR 2048u
#define STEP 64u
#define BEHIND 48u
#define LINES_MAX_DECODED (NEAR + STEP + BEHIND)

struct site {
	struct causes *causes;
	const struct cause_window *window;
	uint64_t vaddr;		/* first differing byte */
	uint64_t length;
	uint64_t begin;		/* decoding starts here */
	size_t len;		/* bytes from there on */
	bool compressed;
};

static void find_symbol(struct site *site, struct cause_patch *patch)
{
	struct causes *causes = site->causes;
	const struct elf_symbols *symbols = cause_source_symbols(causes->process,
								 &causes->source);
	struct elf_symbol symbol;
	bool covered;

	site->begin = site->vaddr > STEP ? site->vaddr - STEP : 0;
	if (!symbols || elf_symbols_at(symbols, site->vaddr, &symbol, &patch->offset,
				       &covered) < 0)
		return;
	patch->symbol = strdup(symbol.name);
	site->compressed = symbol.compressed;
	if (patch->offset <= NEAR)
		site->begin = symbol.address;
}

/* Of [from, to) of the window. A snapshot has memory only on request. */
static int window_memory(const struct site *site, uint64_t from, uint64_t to, uint8_t *out)
{
	const struct cause_window *window = site->window;
	size_t got = 0;
	int rc;

	if (!window->marks) {
		memcpy(out, window->memory + from, to - from);
		return 0;
	}
	rc = source_mem(site->causes->process->source, window->address + from, out, to - from,
			&got, NULL);
	return rc < 0 ? rc : got < to - from ? -ERROR_NOT_RECORDED : 0;
}

/* The same of the file; in the window its bytes may have been explained away. */
static int window_file(const struct site *site, uint64_t from, uint64_t to, uint8_t *out)
{
	const struct cause_window *window = site->window;

	if (!window->marks) {
		memcpy(out, window->file + from, to - from);
		return 0;
	}
	return elf_image_read(site->causes->source.image, window->offset + from, out, to - from,
			      NULL);
}

/* The file's bytes from `begin` on, and the same with the window's memory laid over them. */
static int read_code(struct site *site, uint8_t *file, uint8_t *memory)
{
	const struct elf_image *image = site->causes->source.image;
	const struct cause_window *window = site->window;
	uint64_t size = window->read * site->causes->process->page_size, offset, available;
	uint64_t low = site->begin > window->vaddr ? site->begin : window->vaddr, high;

	if (elf_image_offset(image, site->begin, &offset, &available) < 0)
		return -ERROR_NOT_FOUND;
	site->len = (size_t)(site->vaddr - site->begin + BEHIND);
	site->len = site->len < available ? site->len : (size_t)available;
	if (elf_image_read(image, offset, file, site->len, NULL) < 0)
		return -ERROR_NOT_FOUND;
	memcpy(memory, file, site->len);
	high = site->begin + site->len;
	high = high < window->vaddr + size ? high : window->vaddr + size;
	return low < high ? window_memory(site, low - window->vaddr, high - window->vaddr,
					  memory + (low - site->begin)) : 0;
}

/* The instructions that the differing bytes belong to. */
static size_t decode(const struct site *site, const uint8_t *bytes,
		     struct elf_instruction *all, struct elf_instruction out[CAUSE_PATCH_LINES])
{
	const struct elf_image *image = site->causes->source.image;
	const struct elf_code code = {
		.machine = image->machine, .is_64 = image->is_64,
		.big_endian = image->big_endian, .compressed = site->compressed,
		.address = site->begin, .bytes = bytes, .len = site->len,
	};
	size_t count = 0, kept = 0;

	if (elf_disassemble(&code, all, LINES_MAX_DECODED, &count, NULL) < 0)
		return 0;
	for (size_t i = 0; i < count && kept < CAUSE_PATCH_LINES; i++)
		if (all[i].address + all[i].length > site->vaddr &&
		    all[i].address < site->vaddr + site->length)
			out[kept++] = all[i];
	return kept;
}

static int show_code(struct site *site, struct cause_patch *patch)
{
	struct {
		uint8_t file[LINES_MAX_DECODED], memory[LINES_MAX_DECODED];
		struct elf_instruction all[LINES_MAX_DECODED];
	} *room = malloc(sizeof(*room));

	if (!room)
		return -ERROR_NOMEM;
	if (read_code(site, room->file, room->memory) == 0) {
		patch->before_count = decode(site, room->file, room->all, patch->before);
		patch->after_count = decode(site, room->memory, room->all, patch->after);
	}
	free(room);
	return 0;
}

static void show_bytes(const struct site *site, struct cause_patch *patch, uint64_t from,
		       uint64_t to)
{
	if (to - from > CAUSE_PATCH_BYTES)
		to = from + CAUSE_PATCH_BYTES;
	if (window_file(site, from, to, patch->file) < 0 ||
	    window_memory(site, from, to, patch->memory) < 0)
		patch->gap = GAP_NOT_RECORDED;
	else
		patch->shown = to - from;
}

static struct cause_patch *next_patch(struct cause_sums *sums)
{
	if (!sums->patches)
		sums->patches = calloc(CAUSE_PATCHES_MAX, sizeof(*sums->patches));
	return sums->patches ? &sums->patches[sums->patch_count] : NULL;
}

int cause_patch_add(struct causes *causes, const struct cause_window *window, uint64_t from,
		    uint64_t to)
{
	struct site site = { .causes = causes, .window = window, .vaddr = window->vaddr + from,
			     .length = to - from };
	struct cause_sums *sums = &causes->sums;
	struct cause_patch *patch;

	if (sums->patch_total++ >= CAUSE_PATCHES_MAX)
		return 0;
	patch = next_patch(sums);
	if (!patch)
		return -ERROR_NOMEM;
	patch->address = window->address + from;
	patch->vaddr = site.vaddr;
	patch->length = to - from;
	show_bytes(&site, patch, from, to);
	patch->known_machine = elf_disasm_knows(causes->source.image->machine);
	find_symbol(&site, patch);
	sums->patch_count++;
	return patch->known_machine && !patch->gap ? show_code(&site, patch) : 0;
}
