// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "cause_cells.h"
#include "columns.h"
#include "report_cow_files.h"

/* People see so many files unless they ask for all. */
#define FILES_SHOWN 12

struct files_ctx {
	const struct process *process;
};

#define OBJECT(files, file) (&(files)->process->objects[(file)->object])

#define GETTER(name, expression) \
	COLUMN_VALUE_OF(get_##name, const struct files_ctx *files, \
			const struct cause_file *file, expression)

static struct cell cause_bytes(const struct files_ctx *files, const struct cause_file *file,
			       enum cause cause)
{
	return cell_size(file->sums.sum[cause].pages * files->process->page_size);
}

static struct cell part_cell(const struct cause_part *part, const char *name,
			     struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, 4);

	if (!items)
		return cell_null();
	items[0] = cell_named("name", cell_path(span_of(name)));
	items[1] = cell_named("resident", cell_size(part->resident));
	items[2] = cell_named("clean", cell_size(part->clean));
	items[3] = cell_named("copied", cell_size(part->copied));
	return cell_object(items, 4);
}

static struct cell sections_cell(const struct cause_file *file, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, file->section_count + 1);

	for (size_t i = 0; items && i < file->section_count; i++)
		items[i] = part_cell(&file->sections[i], file->sections[i].name, scratch);
	return items ? cell_list(items, file->section_count) : cell_null();
}

static struct cell roles_cell(const struct cause_file *file, struct scratch *scratch)
{
	struct cell *items = scratch_cells(scratch, ROLE_MAX);
	size_t n = 0;

	for (int i = 0; items && i < ROLE_MAX; i++)
		if (file->roles[i].resident)
			items[n++] = part_cell(&file->roles[i], name_of(vma_role_names, i),
					       scratch);
	return items ? cell_list(items, n) : cell_null();
}

GETTER(path, cell_bytes(object_name(OBJECT(files, file))))
GETTER(file, cell_bytes(span_last_part(object_name(OBJECT(files, file)))))
GETTER(resident, cell_size(file->resident))
GETTER(clean, cell_size(file->clean))
GETTER(copied, cell_size(file->copied))
GETTER(swapped, cell_size(file->swapped))
GETTER(relocation, cause_bytes(files, file, CAUSE_RELOCATION))
GETTER(data_write, cause_bytes(files, file, CAUSE_DATA_WRITE))
GETTER(zero_tail, cause_bytes(files, file, CAUSE_ZERO_TAIL))
GETTER(code_patch, cause_bytes(files, file, CAUSE_CODE_PATCH))
GETTER(unknown, cause_bytes(files, file, CAUSE_UNKNOWN))
GETTER(bss, cell_size(file->bss))
GETTER(holders, cause_holders_cell(&file->sums, scratch))
GETTER(causes, causes_cell(&file->sums, files->process->page_size, scratch))
GETTER(sections, sections_cell(file, scratch))
GETTER(roles, roles_cell(file, scratch))

#define SHOWN (COLUMN_DEFAULT | COLUMN_RIGHT)

const struct column cow_file_columns[] = {
	{ "file", "FILE", "last part of its path", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 20,
	  get_file },
	{ "path", "PATH", "the file",
	  COLUMN_JSON | COLUMN_HEX_BYTES | COLUMN_VERBOSE | COLUMN_PROSE, 0, 30,
	  get_path },
	{ "resident", "RSS", "resident bytes of its mappings", NUMBER, 0, 6, get_resident },
	{ "clean", "CLEAN", "pages of the file itself, shared with all who map it",
	  NUMBER | COLUMN_SPARE, 0, 6,
	  get_clean },
	{ "copied", "COPIED", "pages copied on write", NUMBER, 0, 6, get_copied },
	{ "swapped", "SWAP", "copies in swap", COLUMN_JSON | COLUMN_RIGHT | COLUMN_VERBOSE, 0, 6,
	  get_swapped },
	{ "relocation", "RELOC", "copied pages that relocations land in", SHOWN, 0, 6,
	  get_relocation },
	{ "data_write", "DATA", "copied pages with other bytes than the file", SHOWN, 0, 6,
	  get_data_write },
	{ "zero_tail", "TAIL", "copied pages whose end the loader cleared", SHOWN, 0, 6,
	  get_zero_tail },
	{ "code_patch", "CODE", "copied pages with patched code", SHOWN | COLUMN_SPARE, 0, 6,
	  get_code_patch },
	{ "unknown", "UNKNOWN", "copied pages without a known cause", SHOWN | COLUMN_SPARE, 0, 7,
	  get_unknown },
	{ "bss", "BSS", "private pages of its zero-filled memory", NUMBER, 0, 6, get_bss },
	{ "holders", "MOSTLY IN", "symbols with most copied pages; GOT: a slot of the linker's "
	  "table, [..] a section", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 40, get_holders },
	{ "causes", "CAUSES", "why its pages were copied", COLUMN_JSON, 0, 10, get_causes },
	{ "sections", "SECTIONS", "memory by section", COLUMN_JSON, 0, 10, get_sections },
	{ "roles", "ROLES", "memory by role", COLUMN_JSON, 0, 10, get_roles },
	{ NULL },
};

static bool is_shown(const struct report *report, const struct cause_file *file, size_t index,
		     bool all)
{
	if (!report_is_text(report) || all)
		return true;
	return index < FILES_SHOWN && (file->copied || file->swapped);
}

static int warn_newer(struct report *report, const struct object *object)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_add(&text, object->name, object->name_len);
	buf_add_str(&text, ": modified after the process began; if it was mapped before, its bytes "
			   "differ for that, too, and data writes and patches of it are not to be "
			   "trusted");
	return report_warning(report, gap_name(GAP_CHANGED), buf_span(&text));
}

static int add_table(struct report *report, struct files_ctx *ctx, struct cause_file *const *files,
		     size_t count, const struct column_set *columns, bool all)
{
	size_t shown = 0;
	int rc = 0;

	report_table_begin(report, "files", "Copied pages by file, and why", columns, ctx,
			   count + 1);
	for (size_t i = 0; i < count; i++)
		if (is_shown(report, files[i], i, all)) {
			rc = report_row(report, files[i]);
			shown++;
		}
	report_table_end(report);
	if (shown < count)
		report_prose(report, "%zu more file%s with less; --files lists all, with "
			     "sections.", count - shown, count - shown == 1 ? "" : "s");
	return rc;
}

/* A document always has the member; people see no heading above nothing. */
int report_cow_files(struct report *report, struct causes *causes, const struct process *process,
		     const struct column_set *columns, bool all)
{
	struct files_ctx ctx = { process };
	struct cause_file *const *files;
	bool any = false;
	size_t count;
	int rc = causes_files(causes, &files, &count);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count && !any; i++)
		any = is_shown(report, files[i], i, all);
	if (any || all || !report_is_text(report))
		rc = add_table(report, &ctx, files, count, columns, all);
	for (size_t i = 0; i < count; i++)
		if (files[i]->newer)
			warn_newer(report, &process->objects[files[i]->object]);
	return rc;
}
