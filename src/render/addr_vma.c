// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "addr_parts.h"
#include "map_row.h"
#include "vmatlas/parse/limits.h"
#include "vmatlas/render/phrases.h"
#include "vmatlas/render/report_map.h"

static struct span size_text(struct scratch *scratch, uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	unsigned unit = 0;

	if (bytes < 1024)
		return scratch_printf(scratch, "%" PRIu64 " byte%s", bytes,
				      bytes == 1 ? "" : "s");
	for (; value >= 1024 && unit < 6; unit++)
		value /= 1024;
	return scratch_printf(scratch, "%.*f %ciB", value == (double)(uint64_t)value ? 0 : 1,
			      value, units[unit]);
}

/* The members of the map's rows. */
static void member_columns(const struct addr_part *p, const struct vma *vma)
{
	struct map_row_cache cache = { .vma = NULL };
	struct map_ctx ctx = { p->process, &cache };

	for (const struct column *column = map_columns; column->name; column++) {
		struct cell cell = cell_null();

		if (!(column->flags & COLUMN_JSON))
			continue;
		column->get(&ctx, vma, &cell, p->scratch);
		addr_member(p, column->name, cell);
	}
}

static void say_vma(const struct addr_part *p)
{
	const struct vma *vma = p->vma;
	struct span name = vma_name(p->process, vma), reason;
	const struct object *object = vma_object(p->process, vma);
	char perms[5];

	maps_perms_text(vma->perms, perms);
	addr_say(p, "VMA", scratch_printf(p->scratch, "%" PRIx64 "-%" PRIx64 " %s %s%s%.*s%s",
					  vma->start, vma->end, perms,
					  size_text(p->scratch, vma->end - vma->start).ptr,
					  name.len ? " " : "", (int)name.len,
					  name.len ? name.ptr : "",
					  object && object->deleted ? " (deleted)" : ""));
	addr_say(p, "Class", scratch_printf(p->scratch, "%s/%s, %s %s (%s)",
					    name_of(vma_class_names, vma->vma_class),
					    name_of(vma_role_names, vma->role),
					    vma->perms & VMA_SHARED ? "shared" : "private",
					    name_of(vma_backing_names, vma->backing),
					    certainty_name(vma->certainty)));
	reason = phrase_reason(p->process, vma, p->scratch);
	addr_say(p, "Because", reason);
	addr_say(p, "Offset", scratch_printf(p->scratch, "0x%" PRIx64 " behind its start",
					     p->address->address - vma->start));
}

void addr_report_vma(const struct addr_part *p)
{
	if (!p->vma) {
		addr_member(p, "vma", cell_null());
		return;
	}
	say_vma(p);
	if (!report_is_json(p->report))
		return;
	report_object_begin(p->report, "vma", NULL);
	member_columns(p, p->vma);
	report_object_end(p->report);
}

static void neighbour(const struct addr_part *p, const char *name, const char *title,
		      uint32_t index, uint64_t distance)
{
	const struct vma *vma;
	struct span label;
	struct cell items[4];

	if (index == VMA_NONE) {
		addr_member(p, name, cell_null());
		return;
	}
	vma = &p->process->vmas[index];
	label = vma_name(p->process, vma);
	items[0] = cell_named("start", cell_hex(vma->start));
	items[1] = cell_named("end", cell_hex(vma->end));
	items[2] = cell_named("path", label.len ? cell_path(label) : cell_null());
	items[3] = cell_named("distance", cell_count(distance));
	addr_member(p, name, cell_object(items, 4));
	if (p->vma)
		return;
	addr_say(p, title, scratch_printf(p->scratch, "%" PRIx64 "-%" PRIx64 " %s%s%.*s, %s away",
					  vma->start, vma->end,
					  name_of(vma_role_names, vma->role),
					  label.len ? " " : "", (int)label.len,
					  label.len ? label.ptr : "",
					  size_text(p->scratch, distance).ptr));
}

static void member_growth(const struct addr_part *p)
{
	const struct growth_verdict *growth = &p->address->evidence.growth;
	bool asked = growth->size != 0;

	if (p->vma || p->address->kind != ADDRESS_USER) {
		addr_member(p, "growth", cell_null());
		return;
	}
	report_object_begin(p->report, "growth", NULL);
	addr_member(p, "verdict", addr_word(growth_names, growth->growth));
	addr_member(p, "certainty", cell_text(certainty_name(growth->certainty)));
	addr_member(p, "stack_size", asked ? cell_count(growth->size) : cell_null());
	addr_member(p, "stack_limit", asked && growth->limit != LIMIT_UNLIMITED ?
		    cell_count(growth->limit) : cell_null());
	addr_member(p, "guard_gap", asked ? cell_count(growth->gap) : cell_null());
	report_object_end(p->report);
}

void addr_report_neighbours(const struct addr_part *p)
{
	const struct address_neighbours *near = &p->address->near;

	if (!p->vma)
		addr_say(p, "VMA", span_of("none"));
	report_object_begin(p->report, "neighbours", NULL);
	neighbour(p, "below", "Below", near->below, near->below_distance);
	neighbour(p, "above", "Above", near->above, near->above_distance);
	report_object_end(p->report);
	member_growth(p);
}

static struct span build_id_text(const struct addr_part *p, const struct elf_image *image)
{
	char *text = scratch_alloc(p->scratch, 2 * sizeof(image->build_id) + 1);

	for (size_t i = 0; text && i < image->build_id_size; i++)
		snprintf(text + 2 * i, 3, "%02x", image->build_id[i]);
	return span_of(text);
}

static void say_elf(const struct addr_part *p, const struct object *object)
{
	const struct address_elf *elf = &p->address->elf;

	addr_say(p, "File", object_name(object));
	addr_say(p, "Part", scratch_printf(p->scratch, "segment %d, section %s, address 0x%"
					   PRIx64 " in the file (load bias 0x%" PRIx64 ")",
					   elf->segment, elf->section ? elf->section->name : "-",
					   elf->vaddr, object->load_bias));
	if (!elf->has_symbol)
		return;
	addr_say(p, "Symbol", scratch_printf(p->scratch, "%s+0x%" PRIx64 "%s%s",
					     elf->symbol.name, elf->symbol_offset,
					     elf->covered ? "" : " (nearest label below)",
					     elf->origin == ELF_SYMBOLS_DYNSYM ?
					     " (exported symbols only)" : ""));
}

static void say_line(const struct addr_part *p)
{
	const struct elf_line *line = &p->address->elf.line;

	if (line->file)
		addr_say(p, "Source", scratch_printf(p->scratch, "%s:%u", line->file, line->line));
	else if (p->address->elf.line_gap == GAP_NOT_RECORDED)
		addr_say(p, "Source", span_of(gap_phrase(GAP_NOT_RECORDED)));
}

static struct cell symbol_cell(const struct address_elf *elf)
{
	if (elf->has_symbol)
		return cell_path(span_of(elf->symbol.name));
	return cell_missing(elf->symbol_gap);
}

static void member_elf(const struct addr_part *p, const struct object *object)
{
	const struct address_elf *elf = &p->address->elf;

	report_object_begin(p->report, "elf", NULL);
	addr_member(p, "file", cell_path(object_name(object)));
	addr_member(p, "build_id", object->elf->build_id_size ?
		    cell_bytes(build_id_text(p, object->elf)) : cell_null());
	addr_member(p, "load_bias", cell_hex(object->load_bias));
	addr_member(p, "address", cell_hex(elf->vaddr));
	addr_member(p, "segment", elf->segment >= 0 ? cell_count((uint64_t)elf->segment) :
		    cell_null());
	addr_member(p, "section", elf->section ? cell_path(span_of(elf->section->name)) :
		    cell_null());
	addr_member(p, "symbol", symbol_cell(elf));
	addr_member(p, "symbol_offset", elf->has_symbol ? cell_hex(elf->symbol_offset) :
		    cell_null());
	addr_member(p, "symbol_covers", elf->has_symbol ? cell_bool(elf->covered) : cell_null());
	addr_member(p, "symbols_from", addr_word(elf_symbols_origin_names, elf->origin));
	addr_member(p, "source_file", elf->line.file ? cell_path(span_of(elf->line.file)) :
		    cell_missing(elf->line_gap));
	addr_member(p, "source_line", elf->line.line ? cell_count(elf->line.line) :
		    cell_missing(elf->line_gap));
	report_object_end(p->report);
}

void addr_report_elf(const struct addr_part *p)
{
	const struct file_evidence *file = &p->address->evidence.file;
	uint32_t index = p->address->elf.object;
	const struct object *object;

	if (index == OBJECT_NONE) {
		addr_member(p, "elf", cell_null());
	} else {
		object = &p->process->objects[index];
		say_elf(p, object);
		say_line(p);
		if (report_is_json(p->report))
			member_elf(p, object);
	}
	if (file->applies)
		addr_say(p, "File offset",
			 scratch_printf(p->scratch, "0x%" PRIx64 "%s", file->offset,
					file->past_end ? ", beyond its end" : ""));
	addr_member(p, "file_offset", file->applies ? cell_hex(file->offset) : cell_null());
}
