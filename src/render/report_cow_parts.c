// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause_cells.h"
#include "columns.h"
#include "report_cow_files.h"

#define SHOWN (COLUMN_DEFAULT | COLUMN_RIGHT)

struct part_row {
	const struct object *object;
	const struct cause_part *part;
};

#define PART_GETTER(name, expression) \
	COLUMN_VALUE(part_##name, const struct part_row *row, expression)

PART_GETTER(file, cell_bytes(span_last_part(object_name(row->object))))
PART_GETTER(section, cell_bytes(span_of(row->part->name)))
PART_GETTER(resident, cell_size(row->part->resident))
PART_GETTER(clean, cell_size(row->part->clean))
PART_GETTER(copied, cell_size(row->part->copied))

static const struct column part_columns[] = {
	{ "file", "FILE", "last part of its path", COLUMN_DEFAULT, 0, 20, part_file },
	{ "section", "SECTION", "section of the file", COLUMN_DEFAULT, 0, 16, part_section },
	{ "resident", "RSS", "resident bytes of it", SHOWN, 0, 6, part_resident },
	{ "clean", "CLEAN", "on pages of the file itself", SHOWN, 0, 6, part_clean },
	{ "copied", "COPIED", "on copied pages", SHOWN, 0, 6, part_copied },
	{ NULL },
};

int report_cow_sections(struct report *report, struct causes *causes,
			const struct process *process)
{
	struct cause_file *const *files;
	struct column_set set;
	size_t count;
	int rc = causes_files(causes, &files, &count);

	if (rc < 0 || !report_is_text(report))
		return rc;
	column_set_choose(&set, part_columns, NULL, false, NULL);
	report_table_begin(report, "sections", "Sections with a copied page or more", &set, NULL,
			   0);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < files[i]->section_count; k++) {
			struct part_row row = { &process->objects[files[i]->object],
						&files[i]->sections[k] };

			if (row.part->copied >= process->page_size)
				report_row(report, &row);
		}
	return report_table_end(report);
}

struct patch_row {
	const struct object *object;
	const struct cause_patch *patch;
};

static struct cell hex_bytes(const struct cause_patch *patch, const uint8_t *bytes,
			     struct scratch *scratch)
{
	size_t count = patch->shown;
	char *text = scratch_alloc(scratch, 3 * count + 1);

	if (patch->gap)
		return cell_missing(patch->gap);
	if (!text)
		return cell_null();
	for (size_t i = 0; i < count; i++) {
		text[3 * i] = "0123456789abcdef"[bytes[i] >> 4];
		text[3 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
		text[3 * i + 2] = i + 1 < count ? ' ' : '\0';
	}
	return cell_text(text);
}

static struct cell code_cell(const struct cause_patch *patch,
			     const struct elf_instruction *lines, size_t count,
			     struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, count + 1);

	if (patch->gap)
		return cell_missing(patch->gap);
	if (!patch->known_machine || !items)	/* a missing library is warned of */
		return cell_missing(GAP_NOT_APPLICABLE);
	for (size_t i = 0; i < count; i++)
		items[i] = cell_text(lines[i].text);
	return cell_list(items, count);
}

static struct cell where_cell(const struct patch_row *row, struct scratch *scratch)
{
	struct span name = span_last_part(object_name(row->object));
	const char *symbol = row->patch->symbol ? row->patch->symbol : "?";

	return cell_bytes(scratch_printf(scratch, "%.*s!%s+0x%llx", (int)name.len, name.ptr,
					 symbol, (unsigned long long)row->patch->offset));
}

#define PATCH_GETTER(name, expression)                              \
	COLUMN_GETTER(patch_##name)                                 \
	{                                                           \
		const struct patch_row *row = data;                 \
		UNUSED const struct cause_patch *patch = row->patch; \
                                                                    \
		*cell = (expression);                               \
	}

PATCH_GETTER(address, cell_hex(patch->address))
PATCH_GETTER(where, where_cell(row, scratch))
PATCH_GETTER(path, cell_bytes((struct span) { row->object->name, row->object->name_len }))
PATCH_GETTER(symbol, patch->symbol ? cell_path(span_of(patch->symbol)) : cell_null())
PATCH_GETTER(offset, patch->symbol ? cell_hex(patch->offset) : cell_null())
PATCH_GETTER(length, cell_count(patch->length))
PATCH_GETTER(file_bytes, hex_bytes(patch, patch->file, scratch))
PATCH_GETTER(memory_bytes, hex_bytes(patch, patch->memory, scratch))
PATCH_GETTER(file_code, code_cell(patch, patch->before, patch->before_count, scratch))
PATCH_GETTER(memory_code, code_cell(patch, patch->after, patch->after_count, scratch))

static const struct column patch_columns[] = {
	{ "address", "ADDRESS", "in the process", NUMBER, 0, 14, patch_address },
	{ "where", "WHERE", "file, function and offset", COLUMN_DEFAULT, 0, 24, patch_where },
	{ "path", "PATH", "file", COLUMN_JSON | COLUMN_HEX_BYTES, 0, 20, patch_path },
	{ "symbol", "SYMBOL", "function", COLUMN_JSON, 0, 16, patch_symbol },
	{ "offset", "OFFSET", "in the function", COLUMN_JSON, 0, 8, patch_offset },
	{ "length", "LEN", "differing bytes in a row", NUMBER, 0, 3, patch_length },
	{ "file_bytes", "IN THE FILE", "bytes of the file", BOTH, 0, 15, patch_file_bytes },
	{ "memory_bytes", "IN MEMORY", "bytes of the process", BOTH, 0, 15, patch_memory_bytes },
	{ "file_code", "CODE IN THE FILE", "instructions of the file", BOTH, 0, 24,
	  patch_file_code },
	{ "memory_code", "CODE IN MEMORY", "instructions of the process", BOTH, 0, 24,
	  patch_memory_code },
	{ NULL },
};

int report_cow_patches(struct report *report, struct causes *causes,
		       const struct process *process)
{
	struct cause_file *const *files;
	struct column_set set;
	size_t count, patches = 0;
	int rc = causes_files(causes, &files, &count);

	for (size_t i = 0; i < count && rc >= 0; i++)
		patches += files[i]->sums.patch_count;
	if (rc < 0 || (report_is_text(report) && !patches))
		return rc;
	column_set_choose(&set, patch_columns, NULL, false, NULL);
	report_table_begin(report, "patches", "Patched code", &set, NULL, patches + 1);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < files[i]->sums.patch_count; k++) {
			struct patch_row row = { &process->objects[files[i]->object],
						 &files[i]->sums.patches[k] };

			report_row(report, &row);
		}
	return report_table_end(report);
}
