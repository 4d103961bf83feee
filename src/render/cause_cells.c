// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause_cells.h"

static const char *const holder_names[] = {
	[CAUSE_HOLDER_SYMBOL] = "symbol",
	[CAUSE_HOLDER_SLOT] = "slot",
	[CAUSE_HOLDER_SECTION] = "section",
};

static struct cell symbol_cell(const struct cause_symbol *symbol, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, 6);

	if (!items)
		return cell_null();
	items[0] = cell_named("name", cell_path(span_of(symbol->name)));
	items[1] = cell_named("demangled", symbol->demangled ?
			      cell_path(span_of(symbol->demangled)) : cell_null());
	items[2] = cell_named("holder", cell_text(holder_names[symbol->holder]));
	items[3] = cell_named("address", cell_hex(symbol->address));
	items[4] = cell_named("bytes", cell_size(symbol->bytes));
	items[5] = cell_named("pages", cell_count(symbol->pages));
	return cell_object(items, 6);
}

static struct cell symbols_cell(const struct cause_sum *sum, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, sum->symbol_count + 1);

	for (size_t i = 0; items && i < sum->symbol_count; i++)
		items[i] = symbol_cell(&sum->symbols[i], scratch);
	return items ? cell_list(items, sum->symbol_count) : cell_null();
}

static struct cell kinds_cell(const struct cause_sums *sums, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, CAUSE_KIND_MAX);
	size_t n = 0;

	if (!items)
		return cell_null();
	for (int i = 0; i < CAUSE_KIND_MAX; i++)
		if (sums->kinds[i])
			items[n++] = cell_named(cause_kind_name(i), cell_count(sums->kinds[i]));
	return cell_object(items, n);
}

static struct cell reasons_cell(const struct cause_sums *sums, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, CAUSE_REASON_MAX);
	size_t n = 0;

	if (!items)
		return cell_null();
	for (int i = 0; i < CAUSE_REASON_MAX; i++)
		if (sums->reasons[i])
			items[n++] = cell_named(name_of(cause_reason_names, i),
						cell_count(sums->reasons[i]));
	return cell_object(items, n);
}

static const char *sum_certainty(enum cause cause, const struct cause_sum *sum)
{
	if (cause == CAUSE_UNKNOWN)
		return certainty_name(CERTAINTY_UNKNOWN);
	return certainty_name(sum->inferred || !sum->pages ? CERTAINTY_INFERRED :
			      CERTAINTY_OBSERVED);
}

static struct cell sum_cell(const struct cause_sums *sums, enum cause cause, uint64_t page_size,
			    struct scratch *scratch)
{
	const struct cause_sum *sum = &sums->sum[cause];
	struct cell *items = scratch_cells(scratch, 10);
	size_t n = 0;

	if (!items)
		return cell_null();
	items[n++] = cell_named("cause", cell_text(name_of(cause_names, cause)));
	items[n++] = cell_named("pages", cell_count(sum->pages));
	items[n++] = cell_named("bytes", cell_size(sum->pages * page_size));
	items[n++] = cell_named("swapped_pages", cell_count(sum->swapped));
	items[n++] = cell_named("changed_bytes", cell_size(sum->bytes));
	items[n++] = cell_named("certainty", cell_text(sum_certainty(cause, sum)));
	if (cause == CAUSE_RELOCATION) {
		items[n++] = cell_named("kinds", kinds_cell(sums, scratch));
		items[n++] = cell_named("plt_bound", cell_count(sums->bound));
	} else if (cause == CAUSE_UNKNOWN) {
		items[n++] = cell_named("reasons", reasons_cell(sums, scratch));
	} else if (cause == CAUSE_CODE_PATCH) {
		items[n++] = cell_named("patches", cell_count(sums->patch_total));
	}
	items[n++] = cell_named("symbols", symbols_cell(sum, scratch));
	items[n++] = cell_named("symbol_total", cell_count(sum->symbol_total));
	return cell_object(items, n);
}

struct cell causes_cell(const struct cause_sums *sums, uint64_t page_size,
			struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, CAUSE_MAX);
	size_t n = 0;

	if (!items)
		return cell_null();
	for (int i = 0; i < CAUSE_MAX; i++)
		if (sums->sum[i].pages || sums->sum[i].swapped)
			items[n++] = sum_cell(sums, i, page_size, scratch);
	return cell_list(items, n);
}

static const char *const sentences[CAUSE_MAX] = {
	[CAUSE_RELOCATION] = "by relocation",
	[CAUSE_DATA_WRITE] = "by writes to data",
	[CAUSE_ZERO_TAIL] = "by clearing the end of data",
	[CAUSE_CODE_PATCH] = "by patched code",
	[CAUSE_UNKNOWN] = "for an unknown reason",
};

static void add_kinds(struct buf *text, const struct cause_sums *sums)
{
	const char *between = " (";

	for (int i = 0; i < CAUSE_KIND_MAX; i++) {
		if (!sums->kinds[i])
			continue;
		buf_addf(text, "%s%s %llu", between, cause_kind_name(i),
			 (unsigned long long)sums->kinds[i]);
		between = ", ";
	}
	buf_add_str(text, between[0] == ',' ? ")" : "");
}

static void add_reasons(struct buf *text, const struct cause_sums *sums)
{
	const char *between = ": ";

	for (int i = 0; i < CAUSE_REASON_MAX; i++) {
		if (!sums->reasons[i])
			continue;
		buf_addf(text, "%s%s", between, cause_reason_names[i].meaning);
		between = "; ";
	}
}

void cause_sentence(struct buf *text, const struct cause_sums *sums)
{
	const char *between = "";

	for (int i = 0; i < CAUSE_MAX; i++) {
		if (!sums->sum[i].pages)
			continue;
		buf_addf(text, "%s%llu %s", between, (unsigned long long)sums->sum[i].pages,
			 sentences[i]);
		if (i == CAUSE_RELOCATION)
			add_kinds(text, sums);
		if (i == CAUSE_UNKNOWN)
			add_reasons(text, sums);
		between = ", ";
	}
}

struct span cause_symbol_text(const struct cause_symbol *symbol, struct scratch *scratch)
{
	const char *name = symbol->demangled ? symbol->demangled : symbol->name;

	switch (symbol->holder) {
	case CAUSE_HOLDER_SLOT:
		return scratch_printf(scratch, "GOT:%s", name);
	case CAUSE_HOLDER_SECTION:
		return scratch_printf(scratch, "[%s]", *name ? name : "?");
	case CAUSE_HOLDER_SYMBOL:
		break;
	}
	return span_of(name);
}

#define HOLDERS_SHOWN 3

struct cell cause_holders_cell(const struct cause_sums *sums, struct scratch *scratch)
{
	static const enum cause order[] = { CAUSE_CODE_PATCH, CAUSE_DATA_WRITE, CAUSE_RELOCATION };
	struct cell *items = scratch_cells(scratch, HOLDERS_SHOWN);
	size_t n = 0;

	for (size_t i = 0; items && i < ARRAY_SIZE(order) && n < HOLDERS_SHOWN; i++) {
		const struct cause_sum *sum = &sums->sum[order[i]];

		for (size_t k = 0; k < sum->symbol_count && n < HOLDERS_SHOWN; k++) {
			items[n] = cell_words(cause_symbol_text(&sum->symbols[k], scratch));
			items[n++].type = CELL_BYTES;
		}
	}
	return items ? cell_list(items, n) : cell_null();
}
