// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <stdlib.h>
#include <string.h>

const struct name cause_names[] = {
	{ CAUSE_RELOCATION, "relocation", "the loader wrote addresses there" },
	{ CAUSE_DATA_WRITE, "data-write", "bytes differ from the file" },
	{ CAUSE_ZERO_TAIL, "zero-tail", "the loader cleared the end of the page" },
	{ CAUSE_CODE_PATCH, "code-patch", "code differs from the file" },
	{ CAUSE_UNKNOWN, "unknown", "nothing tells" },
	{ 0, NULL, NULL }
};

const struct name cause_reason_names[] = {
	{ CAUSE_REASON_FILE, "file-gone", "the file is gone or cannot be read" },
	{ CAUSE_REASON_OTHER, "other-file", "the file there now is not the mapped one" },
	{ CAUSE_REASON_MEMORY, "memory-unreadable", "the target's memory cannot be read" },
	{ CAUSE_REASON_NOT_RECORDED, "not-recorded", "the snapshot does not hold what tells it" },
	{ CAUSE_REASON_SAME, "same-bytes", "its bytes are those of the file now" },
	{ CAUSE_REASON_SWAP, "swapped", "it is swapped out, so its bytes were not compared" },
	{ 0, NULL, NULL }
};

const char *cause_kind_name(int kind)
{
	return kind == CAUSE_KIND_LOADER ? "loader" : name_of(elf_reloc_kind_names, kind);
}

static void symbols_free(struct cause_symbol *symbols, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(symbols[i].name);
		free(symbols[i].demangled);
	}
	free(symbols);
}

void cause_sums_done(struct cause_sums *sums)
{
	for (int i = 0; i < CAUSE_MAX; i++)
		symbols_free(sums->sum[i].symbols, sums->sum[i].symbol_count);
	for (size_t i = 0; i < sums->patch_count; i++)
		free(sums->patches[i].symbol);
	free(sums->patches);
	memset(sums, 0, sizeof(*sums));
}

static int compare_symbols(const void *a, const void *b)
{
	const struct cause_symbol *x = a, *y = b;

	if (x->pages != y->pages)
		return x->pages > y->pages ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* VMAs of a file hold different symbols, but for one that lies across their border. */
static bool join_symbol(struct cause_symbol *symbols, size_t count,
			const struct cause_symbol *more)
{
	for (size_t i = 0; i < count; i++)
		if (symbols[i].address == more->address && symbols[i].holder == more->holder) {
			symbols[i].pages += more->pages;
			symbols[i].bytes += more->bytes;
			return true;
		}
	return false;
}

static int add_symbols(struct cause_sum *sum, const struct cause_sum *more)
{
	struct cause_symbol *all;
	size_t count = sum->symbol_count;

	sum->symbol_total += more->symbol_total;
	if (!more->symbol_count)
		return 0;
	all = realloc(sum->symbols, (count + more->symbol_count) * sizeof(*all));
	if (!all)
		return -ERROR_NOMEM;
	sum->symbols = all;
	for (size_t i = 0; i < more->symbol_count; i++) {
		if (join_symbol(all, count, &more->symbols[i])) {
			sum->symbol_total--;
			continue;
		}
		all[count] = more->symbols[i];
		all[count].name = strdup(more->symbols[i].name);
		all[count].demangled = NULL;
		if (!all[count].name)
			return -ERROR_NOMEM;
		sum->symbol_count = ++count;
	}
	qsort(all, count, sizeof(*all), compare_symbols);
	while (sum->symbol_count > CAUSE_SYMBOLS_MAX)
		free(all[--sum->symbol_count].name);
	return 0;
}

static int add_patches(struct cause_sums *sums, const struct cause_sums *more)
{
	struct cause_patch *all;
	size_t left = CAUSE_PATCHES_MAX - sums->patch_count;

	sums->patch_total += more->patch_total;
	if (!more->patch_count)
		return 0;
	all = realloc(sums->patches, CAUSE_PATCHES_MAX * sizeof(*all));
	if (!all)
		return -ERROR_NOMEM;
	sums->patches = all;
	for (size_t i = 0; i < more->patch_count && i < left; i++) {
		struct cause_patch *patch = &all[sums->patch_count++];

		*patch = more->patches[i];
		patch->symbol = patch->symbol ? strdup(patch->symbol) : NULL;
	}
	return 0;
}

int cause_sums_add(struct cause_sums *sum, const struct cause_sums *more)
{
	int rc = add_patches(sum, more);

	for (int i = 0; i < CAUSE_MAX && rc >= 0; i++) {
		sum->sum[i].pages += more->sum[i].pages;
		sum->sum[i].inferred += more->sum[i].inferred;
		sum->sum[i].swapped += more->sum[i].swapped;
		sum->sum[i].bytes += more->sum[i].bytes;
		rc = add_symbols(&sum->sum[i], &more->sum[i]);
	}
	for (int i = 0; i < CAUSE_KIND_MAX; i++)
		sum->kinds[i] += more->kinds[i];
	for (int i = 0; i < CAUSE_REASON_MAX; i++)
		sum->reasons[i] += more->reasons[i];
	sum->bound += more->bound;
	return rc;
}

void cause_file_free(struct cause_file *file)
{
	if (!file)
		return;
	cause_sums_done(&file->sums);
	free(file->sections);
	free(file);
}
