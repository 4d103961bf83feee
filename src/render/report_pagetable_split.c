// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "report_pagetable_parts.h"

/*
 * One field per level and the offset, as courses draw it:
 *
 *  47       39 38       30 29       21 20       12 11          0
 * | 011111110 | 001110000 | 001010000 | 000010010 | 001101000101 |
 * |    PGD    |    PUD    |    PMD    |    PTE    |    offset    |
 * |    P4     |    P3     |    P2     |    P1     |              |
 * |   0x0fe   |   0x070   |   0x050   |   0x012   |    0x345     |
 */
struct field {
	unsigned shift;
	unsigned bits;
	unsigned width;		/* columns inside the bars */
	const char *level;	/* NULL: the offset */
	unsigned number;	/* P4 ... P1 */
	uint64_t value;
};

#define WIDTH_MIN 8

static size_t split_fields(const struct geometry *g, uint64_t address,
			   struct field fields[LEVEL_MAX + 1])
{
	unsigned number = geometry_depth(g);
	size_t n = 0;

	for (unsigned level = LEVEL_MAX; level-- > 0;) {
		if (!geometry_has(g, level))
			continue;
		fields[n++] = (struct field) {
			.shift = g->level[level].shift, .bits = g->level[level].bits,
			.level = name_of(table_level_names, level), .number = number--,
			.value = geometry_index(g, level, address),
		};
	}
	fields[n++] = (struct field) {
		.bits = g->page_shift, .value = address & ((1ULL << g->page_shift) - 1),
	};
	for (size_t i = 0; i < n; i++)
		fields[i].width = (fields[i].bits > WIDTH_MIN ? fields[i].bits : WIDTH_MIN) + 2;
	return n;
}

static void add_centred(struct buf *line, const char *text, unsigned width)
{
	unsigned len = (unsigned)strlen(text), left = len < width ? (width - len) / 2 : 0;

	buf_addf(line, "|%*s%s%*s", (int)left, "", text,
		 (int)(width > left + len ? width - left - len : 0), "");
}

static void line_numbers(struct buf *line, const struct field *field)
{
	char first[8], last[8];

	snprintf(first, sizeof(first), "%u", field->shift + field->bits - 1);
	snprintf(last, sizeof(last), "%u", field->shift);
	if (field->bits == 1)
		buf_addf(line, " %-*s", (int)field->width, first);
	else
		buf_addf(line, "  %-*s%s ", (int)(field->width - strlen(last) - 2), first, last);
}

static void line_bits(struct buf *line, const struct field *field)
{
	char text[65];

	for (unsigned i = 0; i < field->bits; i++)
		text[i] = field->value >> (field->bits - 1 - i) & 1 ? '1' : '0';
	text[field->bits] = '\0';
	add_centred(line, text, field->width);
}

static void line_level(struct buf *line, const struct field *field)
{
	char text[8] = "offset";

	for (size_t i = 0; field->level && i <= strlen(field->level); i++)
		text[i] = field->level[i] >= 'a' ? (char)(field->level[i] - 32) : field->level[i];
	add_centred(line, text, field->width);
}

static void line_course(struct buf *line, const struct field *field)
{
	char text[8] = "";

	if (field->level)
		snprintf(text, sizeof(text), "P%u", field->number);
	add_centred(line, text, field->width);
}

static void line_hex(struct buf *line, const struct field *field)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*" PRIx64, (int)(field->bits + 3) / 4, field->value);
	add_centred(line, text, field->width);
}

static void line_decimal(struct buf *line, const struct field *field)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, field->value);
	add_centred(line, text, field->width);
}

static void draw(struct report *report, const struct field *fields, size_t count)
{
	static void (*const lines[])(struct buf *line, const struct field *field) = {
		line_numbers, line_bits, line_level, line_course, line_hex, line_decimal,
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		CLEANUP(buf_done) struct buf line = BUF_INIT;

		for (size_t j = 0; j < count; j++)
			lines[i](&line, &fields[j]);
		while (!i && line.len && line.data[line.len - 1] == ' ')
			line.data[--line.len] = '\0';
		if (i)
			buf_add_char(&line, '|');
		report_line(report, buf_str(&line));
	}
}

static const char *const entry_names[] = {
	[LOOKUP_EMPTY] = "empty", [LOOKUP_TABLE] = "table", [LOOKUP_LEAF] = "leaf",
};

/* Prose of one level: "the PGD entry 0xfe points to a table". */
static void level_text(struct report *report, const struct geometry *g, unsigned level,
		       const struct table_lookup *found)
{
	const char *name = name_of(table_level_names, level);
	CLEANUP(buf_done) struct buf line = BUF_INIT;

	if (found->entry[level] == LOOKUP_NONE)
		return;
	buf_addf(&line, "  %s entry: ", name);
	if (found->entry[level] == LOOKUP_LEAF) {
		buf_addf(&line, "%s", name_of(entry_kind_names, found->kind));
		if (found->frame_known)
			buf_addf(&line, ", frame 0x%" PRIx64, found->frame);
		if (level != LEVEL_PTE)
			buf_addf(&line, "; the lower %u bits are the offset",
				 g->level[level].shift);
	} else if (found->entry[level] == LOOKUP_TABLE) {
		buf_add_str(&line, "a table");
	} else {
		buf_add_str(&line, "empty");
	}
	report_line(report, buf_str(&line));
}

static void level_json(struct report *report, const struct geometry *g, unsigned level,
		       uint64_t address, const struct table_lookup *found)
{
	enum lookup_entry entry = found ? found->entry[level] : LOOKUP_NONE;

	report_object_begin(report, NULL, NULL);
	report_fact(report, "level", NULL, cell_text(name_of(table_level_names, level)), 0);
	report_fact(report, "shift", NULL, cell_count(g->level[level].shift), 0);
	report_fact(report, "bits", NULL, cell_count(g->level[level].bits), 0);
	report_fact(report, "index", NULL, cell_count(geometry_index(g, level, address)), 0);
	report_fact(report, "entry", NULL, entry == LOOKUP_NONE ? cell_null() :
		    cell_text(entry_names[entry]), 0);
	report_object_end(report);
}

static int split_json(struct report *report, const struct geometry *g, uint64_t address,
		      const struct table_lookup *found)
{
	report_object_begin(report, NULL, NULL);
	report_fact(report, "address", NULL, cell_hex(address), 0);
	report_fact(report, "page", NULL, cell_hex(address >> g->page_shift), 0);
	report_fact(report, "offset", NULL, cell_hex(address & ((1ULL << g->page_shift) - 1)), 0);
	report_fact(report, "frame", NULL, found && found->frame_known ? cell_hex(found->frame) :
		    cell_null(), 0);
	report_array_begin(report, "levels", NULL);
	for (unsigned level = LEVEL_MAX; level-- > 0;)
		if (geometry_has(g, level))
			level_json(report, g, level, address, found);
	report_array_end(report);
	return report_object_end(report);
}

int report_split(struct report *report, const struct geometry *geometry, uint64_t address,
		 const struct table_lookup *found)
{
	struct field fields[LEVEL_MAX + 1];
	uint64_t offset = address & ((1ULL << geometry->page_shift) - 1);
	CLEANUP(buf_done) struct buf line = BUF_INIT;

	if (report_is_json(report))
		return split_json(report, geometry, address, found);
	buf_addf(&line, "0x%" PRIx64 " is offset 0x%" PRIx64 " of virtual page 0x%" PRIx64, address,
		 offset, address >> geometry->page_shift);
	report_line(report, "");
	report_line(report, buf_str(&line));
	if (address >= geometry->user_end)
		report_line(report, "(no user address: the kernel's half, or beyond the table)");
	report_line(report, "");
	draw(report, fields, split_fields(geometry, address, fields));
	report_line(report, "");
	for (unsigned level = LEVEL_MAX; found && level-- > 0;)
		if (geometry_has(geometry, level))
			level_text(report, geometry, level, found);
	return 0;
}
