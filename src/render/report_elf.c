// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <elf.h>

#include "report_elf_parts.h"

static struct cell name_cell(const struct name *table, uint64_t value, struct scratch *scratch)
{
	const char *name = name_of(table, value);

	if (name)
		return cell_text(name);
	return cell_words(scratch_printf(scratch, "0x%llx", (unsigned long long)value));
}

static struct cell build_id_cell(const struct elf_image *image, struct scratch *scratch)
{
	char *hex = scratch_alloc(scratch, 2 * sizeof(image->build_id) + 1);

	if (!image->build_id_size || !hex)
		return cell_null();
	for (size_t i = 0; i < image->build_id_size; i++) {
		hex[2 * i] = "0123456789abcdef"[image->build_id[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[image->build_id[i] & 15];
	}
	return cell_words((struct span) { hex, 2 * image->build_id_size });
}

/* What it is in plain words: the ELF type does not tell a program from a library. */
static const char *sort_of_file(const struct forecast *forecast)
{
	const struct elf_image *image = forecast->image;

	if (image->type == ET_REL)
		return "object file, not loadable";
	if (image->type == ET_CORE)
		return "core dump, not loadable";
	if (!image->load_count)
		return "nothing to load";
	if (image->type == ET_EXEC)
		return image->interpreter ? "program at a fixed address" :
					    "static program at a fixed address";
	if (forecast->loader == ELF_LOADER_KERNEL)
		return image->interpreter ? "position-independent program" :
					    "static position-independent program";
	return "shared library";
}

static void report_identity(struct report *report, const struct elf_view *view,
			    struct scratch *scratch)
{
	const struct forecast *forecast = view->forecast;
	const struct elf_image *image = forecast->image;
	struct cell machine = name_cell(elf_machine_names, image->machine, scratch);
	struct cell type = name_cell(elf_type_names, image->type, scratch);
	struct span words = scratch_printf(scratch, "%.*s, %s, %.*s, %u bit%s",
					   (int)type.text.len, type.text.ptr,
					   sort_of_file(forecast), (int)machine.text.len,
					   machine.text.ptr, image->is_64 ? 64 : 32,
					   image->big_endian ? ", big endian" : "");

	report_fact(report, "file", "File", cell_path(view->path), 0);
	report_fact(report, NULL, "Type", cell_words(words), REPORT_TEXT_ONLY);
	report_fact(report, "type", NULL, type, REPORT_JSON_ONLY);
	report_fact(report, "sort", NULL, cell_text(sort_of_file(forecast)), REPORT_JSON_ONLY);
	report_fact(report, "machine", NULL, machine, REPORT_JSON_ONLY);
	report_fact(report, "bits", NULL, cell_count(image->is_64 ? 64 : 32), REPORT_JSON_ONLY);
	report_fact(report, "big_endian", NULL, cell_bool(image->big_endian), REPORT_JSON_ONLY);
	report_fact(report, "entry", NULL, cell_hex(image->entry), REPORT_JSON_ONLY);
	report_fact(report, "build_id", "Build-id", build_id_cell(image, scratch), 0);
	report_fact(report, "interpreter", "Interpreter", image->interpreter ?
		    cell_path(span_of(image->interpreter)) : cell_null(), 0);
	report_fact(report, "page_size", "Page size", cell_size(forecast->page_size), 0);
}

static const char *binding_words(const struct forecast *forecast)
{
	if (!forecast->index->by_kind[ELF_RELOC_PLT])
		return forecast->dynamic.bind_now ? "now (and there is nothing to bind)" :
						    "nothing to bind";
	return forecast->dynamic.bind_now ? "now: all functions are bound before it starts" :
					    "lazy: a function is bound when it is first called";
}

/* declared by the header; made read-only in whole pages; what of it is left writable */
static void report_relro(struct report *report, const struct forecast *forecast,
			 struct scratch *scratch)
{
	const struct elf_image *image = forecast->image;
	uint64_t start = forecast->relro_start, end = forecast->relro_end, open;
	struct cell items[6];

	if (image->relro_end <= image->relro_start) {
		report_fact(report, "relro", "RELRO", report_is_json(report) ? cell_null() :
			    cell_text("none: all relocated words stay writable"), 0);
		return;
	}
	open = image->relro_end > end ? image->relro_end - (end > start ? end :
		image->relro_start) : 0;
	items[0] = cell_named("start", cell_hex(image->relro_start));
	items[1] = cell_named("end", cell_hex(image->relro_end));
	items[2] = cell_named("closed_start", cell_hex(start));
	items[3] = cell_named("closed_end", cell_hex(end > start ? end : start));
	items[4] = cell_named("closed_pages", cell_count(end > start ?
			      (end - start) / forecast->page_size : 0));
	items[5] = cell_named("open_bytes", cell_size(open));
	report_fact(report, "relro", NULL, cell_object(items, 6), REPORT_JSON_ONLY);
	report_fact(report, NULL, "RELRO", cell_words(scratch_printf(
		scratch, "0x%llx-0x%llx, %llu page%s read-only after relocation; %llu bytes of "
		"0x%llx-0x%llx stay writable", (unsigned long long)start,
		(unsigned long long)(end > start ? end : start),
		(unsigned long long)items[4].count, items[4].count == 1 ? "" : "s",
		(unsigned long long)open, (unsigned long long)image->relro_start,
		(unsigned long long)image->relro_end)), REPORT_TEXT_ONLY);
}

static void report_flags(struct report *report, const struct forecast *forecast,
			 struct scratch *scratch)
{
	const struct elf_image *image = forecast->image;
	struct cell *wx = scratch_cells(scratch, image->load_count + 1);
	size_t count = 0;

	for (size_t i = 0; wx && i < image->load_count; i++)
		if (!(~image->segments[image->loads[i]].flags & (PF_W | PF_X)))
			wx[count++] = cell_count(image->loads[i]);
	report_fact(report, "now", NULL, cell_bool(forecast->dynamic.bind_now), REPORT_JSON_ONLY);
	report_fact(report, NULL, "Binding", cell_text(binding_words(forecast)),
		    REPORT_TEXT_ONLY);
	report_relro(report, forecast, scratch);
	report_fact(report, "writable_bytes", "Stays writable", cell_size(forecast->writable), 0);
	report_fact(report, "write_execute", NULL, cell_list(wx, count), REPORT_JSON_ONLY);
	report_fact(report, "textrel", NULL, cell_bool(forecast->dynamic.textrel ||
		    forecast->index->text), REPORT_JSON_ONLY);
	report_fact(report, "exec_stack", NULL, cell_bool(image->exec_stack), REPORT_JSON_ONLY);
}

static const struct {
	const char *name;
	enum elf_reloc_kind kind;
} counted[] = {
	{ "relative", ELF_RELOC_RELATIVE },
	{ "symbolic", ELF_RELOC_SYMBOLIC },
	{ "plt", ELF_RELOC_PLT },
	{ "glob_dat", ELF_RELOC_GLOB_DAT },
	{ "irelative", ELF_RELOC_IRELATIVE },
	{ "copy", ELF_RELOC_COPY },
	{ "tls", ELF_RELOC_TLS },
	{ "other", ELF_RELOC_OTHER },
};

static void report_relocations(struct report *report, const struct forecast *forecast,
			       struct scratch *scratch)
{
	const struct elf_reloc_index *index = forecast->index;
	struct cell items[ARRAY_SIZE(counted) + 8];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		items[n++] = cell_named(counted[i].name,
					cell_count(index->by_kind[counted[i].kind]));
	items[n++] = cell_named("relr", cell_count(index->by_table[ELF_RELOC_TABLE_RELR]));
	items[n++] = cell_named("android", cell_count(index->by_table[ELF_RELOC_TABLE_ANDROID]));
	items[n++] = cell_named("text", cell_count(index->text));
	items[n++] = cell_named("total", cell_count(index->total));
	items[n++] = cell_named("pages", cell_count(elf_reloc_index_pages(index,
									  forecast->page_size)));
	items[n++] = cell_named("relative_bytes", cell_size(forecast->relr.bytes_now));
	items[n++] = cell_named("relr_bytes", cell_size(forecast->relr.bytes_relr));
	report_fact(report, "relocations", NULL, cell_object(items, n), REPORT_JSON_ONLY);
	report_fact(report, NULL, "Relocations", index->total ?
		    elf_kinds_cell(index->by_kind, scratch) : cell_text("none"),
		    REPORT_TEXT_ONLY);
}

static void warn_damage(struct report *report, const struct elf_view *view)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!view->forecast->damage)
		return;
	buf_add_span(&text, view->path);
	buf_add_str(&text, ": what is damaged was left out: ");
	names_add_bits(&text, elf_damage_names, view->forecast->damage, ", ");
	report_warning(report, gap_name(view->forecast->damage == ELF_DAMAGE_LIMIT ? GAP_LIMIT :
				       GAP_DAMAGED), buf_span(&text));
}

int report_elf(struct report *report, const struct elf_view *view)
{
	const struct forecast *forecast = view->forecast;
	struct scratch *scratch = scratch_new();

	if (!scratch)
		return -ERROR_NOMEM;
	report_identity(report, view, scratch);
	report_flags(report, forecast, scratch);
	report_relocations(report, forecast, scratch);
	warn_damage(report, view);
	scratch_free(scratch);
	report_elf_segments(report, forecast->image);
	report_elf_vmas(report, forecast);
	report_elf_sizes(report, forecast);
	if (view->pages)
		report_elf_pages(report, forecast);
	return report_elf_advice(report, forecast);
}
