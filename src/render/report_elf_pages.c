// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "report_elf_parts.h"

struct cell elf_kinds_cell(const uint64_t kinds[ELF_RELOC_KIND_MAX], struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, ELF_RELOC_KIND_MAX);
	size_t n = 0;

	if (!items)
		return cell_null();
	for (int i = 0; i < ELF_RELOC_KIND_MAX; i++)
		if (kinds[i])
			items[n++] = cell_named(name_of(elf_reloc_kind_names, i),
						cell_count(kinds[i]));
	return cell_object(items, n);
}

#define GETTER(name, expression) \
	COLUMN_VALUE_OF(page_##name, const struct elf_image *image, \
			const struct forecast_page *page, expression)

static struct cell section_cell(const struct elf_image *image, uint64_t address)
{
	const struct elf_section *section = elf_image_section(image, address);

	return section ? cell_path(span_of(section->name)) : cell_null();
}

GETTER(address, cell_hex(page->address))
GETTER(section, section_cell(image, page->address))
GETTER(relocations, cell_count(page->relocations))
GETTER(kinds, elf_kinds_cell(page->kinds, scratch))
GETTER(relro, cell_bool(page->relro))
GETTER(zeroed, cell_bool(page->zeroed))
GETTER(dynamic, cell_bool(page->dynamic))

static const struct column page_columns[] = {
	{ "address", "PAGE", "address, before the load bias is added", NUMBER, 0, 12,
	  page_address },
	{ "section", "SECTION", "section at its beginning", BOTH, 0, 16, page_section },
	{ "relocations", "RELOCS", "relocations that touch it", NUMBER, 0, 6,
	  page_relocations },
	{ "relro", "CLOSED", "read-only afterwards", BOTH, 0, 6, page_relro },
	{ "zeroed", "ZEROED", "the loader clears its end", BOTH, 0, 6, page_zeroed },
	{ "dynamic", "DYNAMIC", "the loader writes into .dynamic", BOTH, 0, 7, page_dynamic },
	{ "kinds", "KINDS", "relocations by kind", BOTH | COLUMN_TRUNC, 0, 40, page_kinds },
	{ NULL }
};

int report_elf_pages(struct report *report, const struct forecast *forecast)
{
	struct forecast_page page;
	struct column_set set;
	uint64_t at = 0;

	column_set_choose(&set, page_columns, NULL, false, NULL);
	report_table_begin(report, "pages", "Pages that will be private", &set, forecast->image,
			   0);
	while (forecast_page_next(forecast, &at, &page))
		if (report_row(report, &page) < 0)
			break;
	return report_table_end(report);
}
