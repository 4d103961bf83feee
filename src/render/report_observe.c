// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "vmatlas/render/report_observe.h"

struct writer {
	struct report *report;
	const struct process *process;
	bool pages;
	struct column_set page_set;
	struct observation *objects;	/* told after the pages of all */
	size_t count, cap;
};

struct page_row {
	const struct object *object;
	const struct observed_page *page;
};

static struct cell causes_list(unsigned causes, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, CAUSE_MAX);
	size_t n = 0;

	for (int i = 0; items && i < CAUSE_MAX; i++)
		if (causes >> i & 1)
			items[n++] = cell_text(name_of(cause_names, i));
	return items ? cell_list(items, n) : cell_null();
}

static struct cell forecast_list(const struct observed_page *page, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, 3);
	size_t n = 0;

	if (!items)
		return cell_null();
	if (page->foretold && page->forecast.relocations)
		items[n++] = cell_text("relocation");
	if (page->foretold && page->forecast.zeroed)
		items[n++] = cell_text("zero-tail");
	if (page->foretold && page->forecast.dynamic)
		items[n++] = cell_text("dynamic");
	return cell_list(items, n);
}

static struct cell section_cell(const struct page_row *row)
{
	const struct elf_section *section = elf_image_section(row->object->elf,
							      row->page->vaddr);

	return section ? cell_path(span_of(section->name)) : cell_null();
}

static struct cell state_cell(enum page_state state)
{
	const char *name = name_of(page_state_names, state);

	return name ? cell_text(name) : cell_missing(GAP_NEEDS_PRIVILEGE);
}

#define PAGE_GETTER(name, expression) \
	COLUMN_VALUE(page_##name, const struct page_row *row, expression)

PAGE_GETTER(address, cell_hex(row->page->address))
PAGE_GETTER(vaddr, cell_hex(row->page->vaddr))
PAGE_GETTER(object, cell_bytes(span_last_part(object_name(row->object))))
PAGE_GETTER(section, section_cell(row))
PAGE_GETTER(forecast, forecast_list(row->page, scratch))
PAGE_GETTER(relocations, cell_count(row->page->foretold ? row->page->forecast.relocations : 0))
PAGE_GETTER(state, state_cell(row->page->state))
PAGE_GETTER(causes, causes_list(row->page->causes, scratch))
PAGE_GETTER(verdict, cell_text(name_of(observe_verdict_names, row->page->verdict)))

static const struct column page_columns[] = {
	{ "address", "PAGE", "in the process", NUMBER, 0, 14, page_address },
	{ "vaddr", "IN FILE", "before the load bias was added", NUMBER | COLUMN_SPARE, 0, 10,
	  page_vaddr },
	{ "object", "OBJECT", "file", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 10, page_object },
	{ "section", "SECTION", "section at its beginning", BOTH | COLUMN_SPARE, 0, 14,
	  page_section },
	{ "relocations", "RELOCS", "relocations that touch it", NUMBER | COLUMN_SPARE, 0, 6,
	  page_relocations },
	{ "forecast", "FORECAST", "why it was to be copied", BOTH | COLUMN_SPARE, 0, 20,
	  page_forecast },
	{ "state", "STATE", "what it is", BOTH, 0, 11, page_state },
	{ "causes", "CAUSES", "why it was copied", BOTH, 0, 31, page_causes },
	{ "verdict", "VERDICT", "whether both agree", BOTH, 0, 10, page_verdict },
	{ NULL },
};

static const char *const later_words[CAUSE_MAX] = {
	[CAUSE_RELOCATION] = "by words the loader keeps",
	[CAUSE_DATA_WRITE] = "written by the program",
	[CAUSE_ZERO_TAIL] = "cleared at their end",
	[CAUSE_CODE_PATCH] = "with patched code",
	[CAUSE_UNKNOWN] = "for an unknown reason",
};

/* bss joins anonymous memory beside it; mprotect() of a part cuts. */
static void explain_vmas(const struct observation *seen, struct buf *text)
{
	size_t other = seen->vmas_foretold - seen->vmas_found - seen->vmas_merged;

	if (seen->vmas_merged)
		buf_addf(text, "%s%zu VMA%s merged with a neighbour", text->len ? "; " : "",
			 seen->vmas_merged, seen->vmas_merged == 1 ? "" : "s");
	if (other)
		buf_addf(text, "%s%zu VMA%s cut, changed or unmapped since",
			 text->len ? "; " : "", other, other == 1 ? "" : "s");
}

/* One sentence that explains the difference. */
static struct span explanation(const struct observation *seen, struct buf *text)
{
	const char *between = "";

	if (!seen->later && !seen->not_copied)
		buf_add_str(text, "as foretold");
	for (int i = 0; i < CAUSE_MAX; i++) {
		if (!seen->later_by[i])
			continue;
		buf_addf(text, "%s%llu %s", between, (unsigned long long)seen->later_by[i],
			 later_words[i]);
		between = ", ";
	}
	if (seen->not_mapped)
		buf_addf(text, "%s%llu not mapped yet", between,
			 (unsigned long long)seen->not_mapped);
	between = seen->not_mapped ? ", " : between;
	if (seen->not_copied > seen->not_mapped)
		buf_addf(text, "%s%llu still the file's: nothing was written there", between,
			 (unsigned long long)(seen->not_copied - seen->not_mapped));
	explain_vmas(seen, text);
	return buf_span(text);
}

static struct cell explanation_cell(const struct observation *seen, struct scratch *scratch)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct span span = explanation(seen, &text);

	return cell_words(scratch_printf(scratch, "%.*s", (int)span.len, span.ptr));
}

#define OBJECT(process, seen) (&(process)->objects[(seen)->object])

#define OBJECT_GETTER(name, expression) \
	COLUMN_VALUE_OF(object_##name, const struct process *process, \
			const struct observation *seen, expression)

OBJECT_GETTER(file, cell_bytes(span_last_part(object_name(OBJECT(process, seen)))))
OBJECT_GETTER(path, cell_bytes(object_name(OBJECT(process, seen))))
OBJECT_GETTER(bias, cell_hex(seen->load_bias))
OBJECT_GETTER(foretold, cell_count(seen->foretold))
OBJECT_GETTER(copied, cell_count(seen->copied))
OBJECT_GETTER(agrees, cell_count(seen->agrees))
OBJECT_GETTER(later, cell_count(seen->later))
OBJECT_GETTER(not_copied, cell_count(seen->not_copied))
OBJECT_GETTER(vmas, cell_count(seen->vmas_foretold))
OBJECT_GETTER(vmas_found, cell_count(seen->vmas_found))
OBJECT_GETTER(why, explanation_cell(seen, scratch))

static const struct column object_columns[] = {
	{ "object", "OBJECT", "last part of its path", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 20,
	  object_file },
	{ "path", "PATH", "the file", COLUMN_JSON | COLUMN_HEX_BYTES, 0, 30, object_path },
	{ "load_bias", "BIAS", "added to its addresses", NUMBER | COLUMN_SPARE, 0, 14,
	  object_bias },
	{ "vmas_foretold", "VMAS", "VMAs foretold", NUMBER, 0, 4, object_vmas },
	{ "vmas_found", "FOUND", "with the same bounds and permissions", NUMBER, 0, 5,
	  object_vmas_found },
	{ "foretold", "FORETOLD", "pages that were to be private", NUMBER, 0, 8,
	  object_foretold },
	{ "copied", "COPIED", "pages that are", NUMBER, 0, 6, object_copied },
	{ "agrees", "AGREE", "both", NUMBER, 0, 5, object_agrees },
	{ "later", "LATER", "copied, not foretold", NUMBER, 0, 5, object_later },
	{ "not_copied", "NOT COPIED", "foretold, not copied", NUMBER, 0, 10, object_not_copied },
	{ "explanation", "DIFFERENCE", "explained", BOTH | COLUMN_PROSE, 0, 40, object_why },
	{ NULL },
};

static bool nested(const struct writer *writer)
{
	return writer->pages && report_is_json(writer->report);
}

static int on_begin(void *ctx, uint32_t object)
{
	struct writer *writer = ctx;

	(void)object;
	if (!nested(writer))
		return 0;
	report_object_begin(writer->report, NULL, NULL);
	return report_table_begin(writer->report, "pages", NULL, &writer->page_set, NULL, 0);
}

static int on_page(void *ctx, const struct observation *object, const struct observed_page *page)
{
	struct writer *writer = ctx;
	struct page_row row = { &writer->process->objects[object->object], page };

	return report_row(writer->report, &row);
}

static int on_end(void *ctx, const struct observation *object)
{
	struct writer *writer = ctx;
	struct scratch *scratch;

	if (!nested(writer)) {
		if (array_grow((void **)&writer->objects, &writer->cap, writer->count,
			       sizeof(*object)) < 0)
			return -ERROR_NOMEM;
		writer->objects[writer->count++] = *object;
		return 0;
	}
	report_table_end(writer->report);
	scratch = scratch_new();
	for (const struct column *c = object_columns; scratch && c->name; c++) {
		struct cell cell = cell_null();

		if (!(c->flags & COLUMN_JSON))
			continue;
		c->get(writer->process, object, &cell, scratch);
		report_fact(writer->report, c->name, NULL, cell, REPORT_JSON_ONLY);
	}
	scratch_free(scratch);
	return report_object_end(writer->report);
}

static int report_objects(struct writer *writer)
{
	struct column_set set;

	column_set_choose(&set, object_columns, NULL, false, NULL);
	report_table_begin(writer->report, "objects", "Forecast and process, page by page", &set,
			   writer->process, writer->count + 1);
	for (size_t i = 0; i < writer->count; i++)
		report_row(writer->report, &writer->objects[i]);
	return report_table_end(writer->report);
}

int report_observe(struct report *report, struct process *process, bool pages,
		   struct error *error)
{
	struct writer writer = { .report = report, .process = process, .pages = pages };
	struct observe_sink sink = { &writer, pages ? on_page : NULL, on_begin, on_end };
	int rc;

	column_set_choose(&writer.page_set, page_columns, NULL, false, NULL);
	if (nested(&writer))
		report_array_begin(report, "objects", NULL);
	else if (pages)
		report_table_begin(report, "object_pages", "Private pages of all files",
				   &writer.page_set, NULL, 0);
	rc = observe_process(process, &sink, error);
	if (nested(&writer))
		report_array_end(report);
	else if (pages)
		report_table_end(report);
	if (rc >= 0 && !nested(&writer))
		rc = report_objects(&writer);
	free(writer.objects);
	return rc;
}
