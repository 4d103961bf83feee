// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause.h"

#include <stdlib.h>
#include <string.h>

void cause_tally_done(struct cause_tally *tally)
{
	free(tally->entries);
	*tally = (struct cause_tally) { NULL, 0, 0 };
}

/* What covers the address: a symbol, else its section, else nothing known. */
static struct cause_entry find_holder(struct process *process, struct cause_source *source,
				      uint64_t vaddr)
{
	const struct elf_symbols *symbols = cause_source_symbols(process, source);
	struct cause_entry entry = { .address = vaddr, .end = vaddr + 1, .last_page = UINT64_MAX,
				     .holder = CAUSE_HOLDER_SECTION };
	const struct elf_section *section;
	struct elf_symbol symbol;
	uint64_t offset;
	bool covered;

	if (symbols && elf_symbols_at(symbols, vaddr, &symbol, &offset, &covered) == 0 &&
	    covered) {
		entry.holder = CAUSE_HOLDER_SYMBOL;
		entry.address = symbol.address;
		entry.end = symbol.address + symbol.size;
		return entry;
	}
	section = elf_image_section(source->image, vaddr);
	if (section) {
		entry.name = (uint32_t)(section - source->image->sections);
		entry.address = section->addr;
	}
	return entry;
}

static bool same_holder(const struct cause_entry *a, const struct cause_entry *b)
{
	return a->holder == b->holder && a->address == b->address && a->name == b->name;
}

/* Sections come back after each symbol in them, so they are looked for further up. */
static struct cause_entry *find_entry(struct cause_tally *tally, const struct cause_entry *like)
{
	size_t steps = 0;

	for (size_t i = tally->count; i-- && steps < 64; steps++)
		if (same_holder(&tally->entries[i], like))
			return &tally->entries[i];
	return NULL;
}

static int count_bytes(struct cause_entry *entry, uint64_t bytes, uint64_t page)
{
	entry->bytes += bytes;
	entry->pages += entry->last_page != page;
	entry->last_page = page;
	return 0;
}

int cause_tally_add(struct cause_tally *tally, struct process *process, struct cause_source *source,
		    uint64_t vaddr, uint64_t bytes, uint64_t page, uint32_t slot)
{
	struct cause_entry *last = tally->count ? &tally->entries[tally->count - 1] : NULL;
	struct cause_entry entry, *known;

	if (!slot && last && last->holder == CAUSE_HOLDER_SYMBOL && vaddr >= last->address &&
	    vaddr < last->end)
		return count_bytes(last, bytes, page);
	if (slot)
		entry = (struct cause_entry) { .address = vaddr, .end = vaddr + bytes,
					       .name = slot, .last_page = UINT64_MAX,
					       .holder = CAUSE_HOLDER_SLOT };
	else
		entry = find_holder(process, source, vaddr);
	known = find_entry(tally, &entry);
	if (known)
		return count_bytes(known, bytes, page);
	if (array_grow((void **)&tally->entries, &tally->cap, tally->count,
		       sizeof(entry)) < 0)
		return -ERROR_NOMEM;
	tally->entries[tally->count] = entry;
	return count_bytes(&tally->entries[tally->count++], bytes, page);
}

static int compare_entries(const void *a, const void *b)
{
	const struct cause_entry *x = a, *y = b;

	if (x->pages != y->pages)
		return x->pages > y->pages ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static char *entry_name(struct process *process, struct cause_source *source,
			const struct cause_entry *entry)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	const struct elf_symbols *symbols;
	struct elf_symbol symbol;
	uint64_t offset;
	bool covered;

	switch (entry->holder) {
	case CAUSE_HOLDER_SYMBOL:
		symbols = cause_source_symbols(process, source);
		if (elf_symbols_at(symbols, entry->address, &symbol, &offset, &covered) == 0)
			return strdup(symbol.name);
		break;
	case CAUSE_HOLDER_SLOT:
		if (elf_dynamic_symbol_name(source->image, &source->dynamic, entry->name, &name,
					    NULL) == 0)
			return strdup(buf_str(&name));
		break;
	case CAUSE_HOLDER_SECTION:
		if (entry->name < source->image->section_count)
			return strdup(source->image->sections[entry->name].name);
		break;
	}
	return strdup("");
}

int cause_tally_finish(struct cause_tally *tally, struct process *process,
		       struct cause_source *source, struct cause_sum *sum)
{
	size_t keep = tally->count < CAUSE_SYMBOLS_MAX ? tally->count : CAUSE_SYMBOLS_MAX;

	if (!tally->count)
		return 0;
	qsort(tally->entries, tally->count, sizeof(*tally->entries), compare_entries);
	sum->symbols = calloc(keep, sizeof(*sum->symbols));
	if (!sum->symbols)
		return -ERROR_NOMEM;
	for (size_t i = 0; i < keep; i++) {
		const struct cause_entry *entry = &tally->entries[i];

		sum->symbols[i] = (struct cause_symbol) {
			.name = entry_name(process, source, entry), .holder = entry->holder,
			.address = entry->address, .bytes = entry->bytes, .pages = entry->pages,
		};
		if (!sum->symbols[i].name)
			return -ERROR_NOMEM;
		sum->symbol_count++;
	}
	sum->symbol_total = tally->count;
	tally->count = 0;
	return 0;
}
