// SPDX-License-Identifier: LGPL-2.1-or-later
#include "map_row.h"

#include "vmatlas/base/digits.h"
#include "vmatlas/model/elf_part.h"
#include "vmatlas/parse/numa_maps.h"

#define SECTIONS_MAX 64u	/* named in one cell */

uint64_t map_smaps(const struct map_ctx *ctx, const struct vma *vma, const uint64_t **value)
{
	struct map_row_cache *cache = ctx->cache;

	if (cache->vma != vma) {
		cache->vma = vma;
		if (!vma_smaps(ctx->process, vma, &cache->present, cache->value)) {
			cache->present = 0;
			memset(cache->value, 0, sizeof(cache->value));
		}
	}
	*value = cache->value;
	return cache->present;
}

struct span map_range(const struct vma *vma, struct scratch *scratch)
{
	char *text = scratch_alloc(scratch, 40), *begin;

	if (!text)
		return span_of(NULL);
	begin = digits_put_hex(text + 40, vma->end);
	*--begin = '-';
	begin = digits_put_hex(begin, vma->start);
	return (struct span) { begin, (size_t)(text + 40 - begin) };
}

struct span map_join(struct map_joined *joined, const char *a, char between, const char *b)
{
	if (joined->a != a || joined->b != b) {
		joined->len = (size_t)snprintf(joined->text, sizeof(joined->text), "%s%c%s", a,
					       between, b);
		joined->a = a;
		joined->b = b;
	}
	return (struct span) { joined->text, joined->len };
}

static struct span build_id_text(const struct elf_image *image, struct scratch *scratch)
{
	char *text = scratch_alloc(scratch, 2 * sizeof(image->build_id) + 1);

	for (size_t i = 0; text && i < image->build_id_size; i++) {
		static const char digits[] = "0123456789abcdef";

		text[2 * i] = digits[image->build_id[i] >> 4];
		text[2 * i + 1] = digits[image->build_id[i] & 15];
	}
	return (struct span) { text, text ? 2 * image->build_id_size : 0 };
}

static struct cell sections_cell(const struct map_ctx *ctx, const struct vma *vma,
				 struct scratch *scratch)
{
	struct cell *names = scratch_cells(scratch, SECTIONS_MAX);
	const struct elf_section *section;
	size_t count = 0, cursor = 0;

	while (names && count < SECTIONS_MAX &&
	       (section = elf_part_section(ctx->process, vma, &cursor)))
		names[count++] = cell_bytes(span_of(section->name));
	return cell_list(names, count);
}

static struct cell segment_cell(const struct map_ctx *ctx, const struct vma *vma)
{
	size_t cursor = 0;
	int segment = vma->segment ? vma->segment - 1 :
				     elf_part_segment(ctx->process, vma, &cursor);

	return segment < 0 ? cell_null() : cell_count((uint64_t)segment);
}

void map_elf_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		  struct scratch *scratch)
{
	uint32_t index = elf_part_object(ctx->process, vma);
	const struct object *object;
	struct cell *items;

	*cell = cell_null();
	if (index == OBJECT_NONE) {
		object = vma_object(ctx->process, vma);
		if (object && object->elf_gap != GAP_NONE)
			*cell = cell_missing(object->elf_gap);
		return;
	}
	object = &ctx->process->objects[index];
	items = scratch_cells(scratch, 5);
	if (!items)
		return;
	items[0] = cell_named("file", cell_path(object_name(object)));
	items[1] = cell_named("build_id", cell_null());
	if (object->elf->build_id_size)
		items[1] = cell_named("build_id",
				      cell_words(build_id_text(object->elf, scratch)));
	items[2] = cell_named("load_bias", cell_hex(object->load_bias));
	items[3] = cell_named("segment", segment_cell(ctx, vma));
	items[4] = cell_named("sections", sections_cell(ctx, vma, scratch));
	*cell = cell_object(items, 5);
}

/* The section with most bytes in the VMA, and how many others there are. */
static struct span sections_text(const struct map_ctx *ctx, const struct vma *vma,
				 struct scratch *scratch)
{
	const struct elf_section *section, *best = NULL;
	uint64_t bytes, most = 0;
	size_t cursor = 0, count = 0;

	while ((section = elf_part_section(ctx->process, vma, &cursor))) {
		bytes = elf_part_section_bytes(ctx->process, vma, section);
		count++;
		if (bytes > most)
			best = section;
		most = bytes > most ? bytes : most;
	}
	if (!best)
		return span_of(NULL);
	if (count == 1)
		return scratch_printf(scratch, "%s ", best->name);
	return scratch_printf(scratch, "%s+%zu ", best->name, count - 1);
}

/* ".text+3 bash" for a loaded file, "(bss of bash)", "thread 42", or the name as it is. */
void map_part_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		   struct scratch *scratch)
{
	const struct process *process = ctx->process;
	struct span name = vma_name(process, vma), sections;
	const struct vma *owner = vma->owner == VMA_NONE ? NULL : &process->vmas[vma->owner];

	if (vma->segment && name.ptr[0] == '/') {
		sections = sections_text(ctx, vma, scratch);
		name = span_last_part(name);
		*cell = cell_bytes(scratch_printf(scratch, "%.*s%.*s", (int)sections.len,
						  sections.ptr, (int)name.len, name.ptr));
	} else if (!name.len && owner) {
		name = vma_name(process, owner);
		if (!name.len)
			name = map_range(owner, scratch);
		else if (name.ptr[0] == '/')
			name = span_last_part(name);
		*cell = cell_bytes(scratch_printf(
			scratch, "(%s%s%s of %.*s)", vma_role_names[vma->role].name,
			vma->role_second == ROLE_MAX ? "" : "+",
			vma->role_second == ROLE_MAX ? "" : vma_role_names[vma->role_second].name,
			(int)name.len, name.ptr));
	} else if (!name.len && vma->tid) {
		*cell = cell_bytes(scratch_printf(scratch, "(thread %d)", vma->tid));
	} else if (!name.len) {
		*cell = cell_text("");
	} else if (vma_object(process, vma)->deleted) {
		*cell = cell_bytes(scratch_printf(scratch, "%.*s (deleted)", (int)name.len,
						  name.ptr));
	} else {
		*cell = cell_bytes(name);
	}
}

/* Has a member of its own, so `smaps` leaves it out. */
static bool has_column(enum smaps_key key)
{
	return key == SMAPS_RSS || key == SMAPS_PSS || key == SMAPS_SWAP ||
	       key == SMAPS_ANONYMOUS;
}

static struct cell unknown_cell(const struct vma_unknown *unknown, struct scratch *scratch)
{
	struct cell cell = unknown->is_text ? cell_bytes(unknown->text) :
			   unknown->is_size ? cell_size(unknown->value) :
					      cell_count(unknown->value);

	cell.name = scratch_printf(scratch, "%.*s", (int)unknown->name.len,
				   unknown->name.ptr).ptr;
	return cell;
}

void map_smaps_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		    struct scratch *scratch)
{
	const uint64_t *value;
	uint64_t present = map_smaps(ctx, vma, &value);
	struct unknown_cursor cursor;
	struct vma_unknown unknown;
	struct cell *items;
	size_t count = 0;

	if (!vma->smaps) {
		*cell = cell_missing(ctx->process->smaps_gap ? ctx->process->smaps_gap :
							       GAP_CHANGED);
		return;
	}
	vma_unknown_begin(ctx->process, vma, &cursor);
	items = scratch_cells(scratch, SMAPS_KEY_MAX + (size_t)cursor.left);
	for (int key = 0; items && key < SMAPS_KEY_MAX; key++)
		if (present >> key & 1 && !has_column(key)) {
			items[count] = smaps_key_is_size(key) ? cell_size(value[key]) :
								cell_count(value[key]);
			items[count++].name = smaps_key_names[key].name;
		}
	while (items && vma_unknown_next(ctx->process, &cursor, &unknown))
		items[count++] = unknown_cell(&unknown, scratch);
	*cell = cell_object(items, count);
}

void map_numa_cell(const struct map_ctx *ctx, const struct vma *vma, struct cell *cell,
		   struct scratch *scratch)
{
	struct span line = vma_numa(ctx->process, vma), text;
	struct numa_line numa;
	struct cell *items;
	size_t count = 0;

	text = scratch_printf(scratch, "0 %.*s", (int)line.len, line.ptr ? line.ptr : "");
	if (!line.len || numa_parse_line(text, &numa, NULL) < 0) {
		*cell = cell_missing(ctx->process->numa_gap ? ctx->process->numa_gap :
							      GAP_NOT_APPLICABLE);
		return;
	}
	items = scratch_cells(scratch, NUMA_NODES_MAX + 1);
	for (unsigned node = 0; items && node < NUMA_NODES_MAX; node++)
		if (numa.nodes >> node & 1)
			items[count++] = cell_named(scratch_printf(scratch, "N%u", node).ptr,
						    cell_count(numa.pages[node]));
	if (items && numa.other)
		items[count++] = cell_named("other", cell_count(numa.other));
	*cell = cell_object(items, count);
}
