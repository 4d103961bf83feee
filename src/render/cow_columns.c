// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "vmatlas/render/report_cow.h"

#include "cause_cells.h"
#include "cow_row.h"

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct cow_row *row, expression)

static struct cell named(const struct name *names, uint64_t value)
{
	return cell_text(name_of(names, value));
}

static struct cell path_cell(const struct cow_row *row)
{
	struct span name = vma_name(row->process, row->vma);

	return name.len ? cell_bytes(name) : cell_null();
}

static struct cell perms_cell(const struct vma *vma, struct scratch *scratch)
{
	char *text = scratch_alloc(scratch, 5);

	if (!text)
		return cell_null();
	maps_perms_text(vma->perms, text);
	return cell_text(text);
}

/* Null if nobody asked, or if what was copied is no ELF file. */
static struct cell row_causes(const struct cow_row *row, struct scratch *scratch)
{
	if (row->counts->states[STATE_UNKNOWN])
		return cell_missing(row->counts->gap);
	if (row->causes)
		return causes_cell(row->causes, row->process->page_size, scratch);
	return row->counts->copied || !row->asked ? cell_null() : cell_list(NULL, 0);
}

GETTER(start, cell_hex(row->vma->start))
GETTER(end, cell_hex(row->vma->end))
GETTER(size, cell_size(row->vma->end - row->vma->start))
GETTER(perms, perms_cell(row->vma, scratch))
GETTER(class, named(vma_class_names, row->vma->vma_class))
GETTER(role, named(vma_role_names, row->vma->role))
GETTER(path, path_cell(row))
GETTER(states, cow_states_cell(row->counts, scratch))
GETTER(next_write, cow_writes_cell(row->counts, scratch))
GETTER(causes, row_causes(row, scratch))
GETTER(sharers, cow_sharers_cell(row->counts, scratch))
GETTER(rss, cow_size_cell(row->counts, row->counts->rss))
GETTER(pss, cow_pss_cell(row->counts))
GETTER(uss, cow_size_cell(row->counts, row->counts->uss))
GETTER(swap, cow_size_cell(row->counts, row->counts->swap))
GETTER(copied, cow_size_cell(row->counts, row->counts->copied))
GETTER(shared, cow_size_cell(row->counts, row->counts->shared))
GETTER(write_cost, cow_size_cell(row->counts, row->counts->write_cost))
GETTER(certainty, cell_text(certainty_name(row->counts->certainty)))
GETTER(why, cell_bytes(cow_sentence(row, scratch)))

#define SUM COW_NEEDS_PAGES

const struct column cow_columns[] = {
	{ "start", "START", "first address", NUMBER, 0, 14, get_start },
	{ "end", "END", "address behind it", COLUMN_JSON | COLUMN_RIGHT, 0, 14, get_end },
	{ "size", "SIZE", "bytes of address space", COLUMN_DEFAULT | COLUMN_RIGHT, 0, 6, get_size },
	{ "perms", "PERM", "permissions", COLUMN_VERBOSE | COLUMN_SPARE, 0, 4, get_perms },
	{ "class", "C", "class of the VMA", BOTH, 0, 1, get_class },
	{ "role", "ROLE", "what the VMA is for", BOTH, 0, 11, get_role },
	{ "rss", "RSS", "resident bytes", NUMBER, SUM, 6, get_rss },
	{ "pss", "PSS", "resident bytes, each page divided by its mappings",
	  COLUMN_JSON | COLUMN_RIGHT | COLUMN_VERBOSE, SUM, 6, get_pss },
	{ "uss", "USS", "resident bytes that only this process maps", NUMBER, SUM, 6, get_uss },
	{ "swap", "SWAP", "bytes in swap slots",
	  COLUMN_JSON | COLUMN_RIGHT | COLUMN_VERBOSE | COLUMN_SPARE, SUM, 5,
	  get_swap },
	{ "copied", "COPIED", "bytes of file pages that were copied on write", NUMBER, SUM, 6,
	  get_copied },
	{ "shared", "SHARED", "bytes of private pages that others map too", NUMBER, SUM, 6,
	  get_shared },
	{ "write_cost", "COST", "memory that writes can still cost at most", NUMBER, SUM, 6,
	  get_write_cost },
	{ "path", "PATH", "name of the VMA",
	  COLUMN_JSON | COLUMN_HEX_BYTES | COLUMN_VERBOSE | COLUMN_PROSE, 0, 20,
	  get_path },
	{ "states", "STATES", "pages in each state", COLUMN_JSON | COLUMN_PROSE, SUM, 30,
	  get_states },
	{ "next_write", "NEXT-WRITE", "pages by what the next write does",
	  COLUMN_JSON | COLUMN_PROSE, SUM, 30,
	  get_next_write },
	{ "causes", "CAUSES", "why file pages were copied", COLUMN_JSON, SUM, 10, get_causes },
	{ "sharers", "SHARERS", "pages by the number of their mappings", COLUMN_JSON, SUM, 20,
	  get_sharers },
	{ "certainty", "CERTAINTY", "of the least certain page",
	  COLUMN_VERBOSE | COLUMN_SPARE, SUM, 9, get_certainty },
	{ "why", "WHY", "why its bytes are private or shared", COLUMN_DEFAULT | COLUMN_PROSE, SUM,
	  40, get_why },
	{ NULL },
};

static struct cell state_cell(const struct page_verdict *verdict)
{
	if (verdict->state == STATE_UNKNOWN)
		return cell_missing(verdict->gap);
	return named(page_state_names, verdict->state);
}

static struct cell leaf_cell(const struct cow_row *row)
{
	const char *name = cow_leaf_name(row->run->leaf, row->process->page_size);

	return name ? cell_text(name) : cell_missing(row->run->leaf_gap);
}

static struct cell mappings_cell(const struct page_verdict *verdict)
{
	return verdict->mappings_known ? cell_count(verdict->mappings) :
		cell_missing(verdict->mappings_gap);
}

static struct cell exclusive_cell(const struct page_verdict *verdict)
{
	return verdict->exclusive == EXCLUSIVE_NULL ? cell_missing(verdict->exclusive_gap) :
		cell_bool(verdict->exclusive == EXCLUSIVE_YES);
}

GETTER(run_start, cell_hex(row->run->start))
GETTER(run_pages, cell_count(row->run->pages))
GETTER(run_state, state_cell(&row->run->verdict))
GETTER(run_leaf, leaf_cell(row))
GETTER(run_mappings, mappings_cell(&row->run->verdict))
GETTER(run_exclusive, exclusive_cell(&row->run->verdict))
GETTER(run_certainty, cell_text(certainty_name(row->run->verdict.certainty)))
GETTER(run_read, named(effect_names, row->run->verdict.next[TOUCH_READ].effect))
GETTER(run_write, named(effect_names, row->run->verdict.next[TOUCH_WRITE].effect))
GETTER(run_because, cell_text(name_of(effect_reason_names,
				      row->run->verdict.next[TOUCH_WRITE].reason)))

const struct column cow_run_columns[] = {
	{ "start", "START", "first address", NUMBER, 0, 14, get_run_start },
	{ "pages", "PAGES", "pages in a row", NUMBER, 0, 8, get_run_pages },
	{ "state", "STATE", "state of each of them", BOTH, 0, 11, get_run_state },
	{ "leaf", "LEAF", "size the page table maps them with", BOTH | COLUMN_SPARE, 0, 4,
	  get_run_leaf },
	{ "mappings", "MAPS", "page-table entries that map each", NUMBER, 0, 4, get_run_mappings },
	{ "exclusive", "EXCL", "marked exclusive by the kernel", BOTH | COLUMN_SPARE, 0, 5,
	  get_run_exclusive },
	{ "certainty", "CERTAINTY", "of the state", BOTH, 0, 9, get_run_certainty },
	{ "next_read", "NEXT-READ", "what the next read does", BOTH | COLUMN_SPARE, 0, 11,
	  get_run_read },
	{ "next_write", "NEXT-WRITE", "what the next write does", BOTH, 0, 11, get_run_write },
	{ "because", "BECAUSE", "why the next write does that", COLUMN_VERBOSE, 0, 12,
	  get_run_because },
	{ "class", "C", "class of the VMA", COLUMN_DEFAULT, 0, 1, get_class },
	{ "role", "ROLE", "what the VMA is for", COLUMN_DEFAULT | COLUMN_SPARE, 0, 11, get_role },
	{ "path", "PATH", "name of the VMA", COLUMN_DEFAULT | COLUMN_TRUNC, 0, 15, get_path },
	{ NULL },
};
