// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "addr_parts.h"

static struct span hex_text(const struct addr_part *p, const uint8_t *data, size_t len,
			    const char *separator)
{
	size_t step = 2 + strlen(separator);
	char *text = scratch_alloc(p->scratch, len * step + 1);

	for (size_t i = 0; text && i < len; i++)
		snprintf(text + i * step, step + 1, "%02x%s", data[i],
			 i + 1 < len ? separator : "");
	return span_of(text);
}

static const char *const origins[] = {
	[BYTES_NONE] = NULL, [BYTES_MEMORY] = "memory", [BYTES_FILE] = "file",
};

static void member_slot(const struct addr_part *p)
{
	const struct address_slot *slot = &p->address->slot;
	struct cell items[4];

	if (!slot->known) {
		addr_member(p, "slot", slot->gap ? cell_missing(slot->gap) : cell_null());
		return;
	}
	items[0] = cell_named("value", cell_hex(slot->value));
	items[1] = cell_named("file", slot->elf.object == OBJECT_NONE ? cell_null() :
			      cell_path(span_of(p->process->objects[slot->elf.object].name)));
	items[2] = cell_named("symbol", slot->elf.has_symbol ?
			      cell_path(span_of(slot->elf.symbol.name)) : cell_null());
	items[3] = cell_named("symbol_offset", slot->elf.has_symbol ?
			      cell_hex(slot->elf.symbol_offset) : cell_null());
	addr_member(p, "slot", cell_object(items, 4));
}

static void say_slot(const struct addr_part *p)
{
	const struct address_slot *slot = &p->address->slot;
	const char *file;

	if (slot->gap)
		addr_say(p, "Holds", span_of(gap_phrase(slot->gap)));
	if (!slot->known)
		return;
	file = slot->elf.object == OBJECT_NONE ? "no file" :
		p->process->objects[slot->elf.object].name;
	addr_say(p, "Holds", scratch_printf(p->scratch, "0x%" PRIx64 ", %s of %s", slot->value,
					    slot->elf.has_symbol ? slot->elf.symbol.name :
					    "an address", file));
}

void addr_report_slot(const struct addr_part *p)
{
	if (report_is_json(p->report))
		member_slot(p);
	else
		say_slot(p);
}

void addr_report_bytes(const struct addr_part *p)
{
	const struct address_bytes *bytes = &p->address->bytes;
	struct cell items[2];

	if (bytes->len || bytes->cold || bytes->gap == GAP_NOT_RECORDED)
		report_line(p->report, "");
	if (!bytes->len) {
		addr_member(p, "bytes", cell_missing(bytes->gap));
		if (bytes->gap == GAP_NOT_RECORDED)
			addr_say(p, "Bytes", span_of(gap_phrase(bytes->gap)));
		else if (bytes->cold)
			addr_say(p, "Bytes", span_of("not read: the page is not in memory, and "
						     "reading it would load it"));
		return;
	}
	items[0] = cell_named("from", cell_text(origins[bytes->origin]));
	items[1] = cell_named("hex", cell_bytes(hex_text(p, bytes->data, bytes->len, "")));
	addr_member(p, "bytes", cell_object(items, 2));
	addr_say(p, "Bytes", scratch_printf(p->scratch, "%s%s",
					    hex_text(p, bytes->data, bytes->len, " ").ptr,
					    bytes->origin == BYTES_FILE ?
					    " (of the file: the page is not mapped)" : ""));
}

static void member_instruction(const struct addr_part *p, const struct elf_instruction *code)
{
	report_object_begin(p->report, NULL, NULL);
	addr_member(p, "address", cell_hex(code->address));
	addr_member(p, "bytes", cell_bytes(hex_text(p, code->bytes, code->length, "")));
	addr_member(p, "text", cell_bytes(span_of(code->text)));
	addr_member(p, "access", addr_word(elf_memory_access_names, code->access));
	report_object_end(p->report);
}

static void say_instruction(const struct addr_part *p, const struct elf_instruction *code,
			    bool here)
{
	bool access = code->access != ELF_MEMORY_NONE;

	report_line(p->report,
		    scratch_printf(p->scratch, "%s %" PRIx64 "  %s%s%s%s", here ? "->" : "  ",
				   code->address, code->text, access ? "  [" : "",
				   access ? name_of(elf_memory_access_names, code->access) : "",
				   access ? "]" : "").ptr);
}

static void say_code(const struct addr_part *p)
{
	const struct address_code *code = &p->address->code;

	if (code->gap)
		addr_say(p, "Code", span_of(gap_phrase(code->gap)));
	if (!code->count)
		return;
	report_line(p->report, "");
	for (size_t i = 0; i < code->count; i++)
		say_instruction(p, &code->items[i], i == code->index);
}

void addr_report_instructions(const struct addr_part *p)
{
	const struct address_code *code = &p->address->code;

	if (!report_is_json(p->report)) {
		say_code(p);
		return;
	}
	if (code->gap) {
		addr_member(p, "instructions", cell_missing(code->gap));
		return;
	}
	report_array_begin(p->report, "instructions", NULL);
	for (size_t i = 0; i < code->count; i++)
		member_instruction(p, &code->items[i]);
	report_array_end(p->report);
}
