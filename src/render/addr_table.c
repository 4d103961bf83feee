// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "addr_parts.h"
#include "vmatlas/analyse/entry.h"
#include "vmatlas/model/pagetable.h"
#include "vmatlas/render/report_pagetable.h"

static uint64_t page_offset(const struct addr_part *p)
{
	return p->address->address & (p->process->page_size - 1);
}

static void say_level(const struct addr_part *p, enum table_level level)
{
	const struct geometry *g = p->view->ctx->geometry;
	uint64_t index = geometry_index(g, level, p->address->address);
	enum level_entry what = p->address->levels[level];

	addr_say(p, name_of(table_level_names, level),
		 scratch_printf(p->scratch, "index %4" PRIu64 "  bits %u-%u%s%s", index,
				g->level[level].shift + g->level[level].bits - 1,
				g->level[level].shift, p->vma ? "  " : "",
				p->vma ? name_meaning(level_entry_names, what) : ""));
}

void addr_report_indices(const struct addr_part *p)
{
	const struct geometry *g = p->view->ctx->geometry;
	struct cell items[LEVEL_MAX + 1], entries[LEVEL_MAX];
	size_t count = 0, known = 0;

	for (unsigned level = LEVEL_MAX; level-- > 0;) {
		if (!geometry_has(g, level))
			continue;
		items[count++] = cell_named(name_of(table_level_names, level),
					    cell_count(geometry_index(g, level,
								      p->address->address)));
		entries[known++] = cell_named(name_of(table_level_names, level),
					      addr_word(level_entry_names,
							p->address->levels[level]));
		if (p->address->kind == ADDRESS_USER)
			say_level(p, level);
	}
	items[count++] = cell_named("offset", cell_count(page_offset(p)));
	addr_member(p, "indices", cell_object(items, count));
	addr_member(p, "levels", p->vma ? cell_object(entries, known) : cell_null());
}

static struct cell claim_cell(const struct entry_claim *claim)
{
	return claim->certainty == CERTAINTY_UNKNOWN ? cell_null() : cell_bool(claim->yes);
}

static struct cell certainty_cell(const struct addr_part *p, const struct entry_flags *flags)
{
	struct cell *items = scratch_cells(p->scratch, ENTRY_FLAG_MAX);

	for (int i = 0; items && i < ENTRY_FLAG_MAX; i++)
		items[i] = cell_named(name_of(entry_flag_names, (uint64_t)i),
				      cell_text(certainty_name(flags->claim[i].certainty)));
	return cell_object(items, items ? ENTRY_FLAG_MAX : 0);
}

static enum table_level leaf_level(const struct addr_part *p)
{
	return table_leaf_level(p->view->ctx->geometry, p->address->page.run.leaf);
}

static struct span leaf_text(const struct addr_part *p)
{
	return leaf_size_text(p->scratch, p->view->ctx->geometry, leaf_level(p));
}

static void member_entry(const struct addr_part *p, const struct entry_flags *flags)
{
	const struct page_run *run = &p->address->page.run;
	uint64_t span = geometry_span(p->view->ctx->geometry, leaf_level(p));

	report_object_begin(p->report, "entry", NULL);
	addr_member(p, "address", cell_hex(p->address->address & ~(span - 1)));
	addr_member(p, "level", addr_word(table_level_names, leaf_level(p)));
	addr_member(p, "leaf", cell_bytes(leaf_text(p)));
	addr_member(p, "frame", run->frame_known ? cell_hex(run->frame) :
		    cell_missing(run->kind == PAGE_PRESENT ? run->gap : GAP_NOT_APPLICABLE));
	addr_member(p, "raw", cell_hex(run->entry | (run->frame_known ? run->frame : 0)));
	for (int i = 0; i < ENTRY_FLAG_MAX; i++)
		addr_member(p, name_of(entry_flag_names, (uint64_t)i),
			    claim_cell(&flags->claim[i]));
	addr_member(p, "certainty", certainty_cell(p, flags));
	report_object_end(p->report);
}

static void say_entry(const struct addr_part *p, const struct entry_flags *flags)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	for (int i = 0; i < ENTRY_FLAG_MAX; i++) {
		const struct entry_claim *claim = &flags->claim[i];

		if (claim->certainty == CERTAINTY_UNKNOWN)
			continue;
		buf_addf(&text, "%s%s%s", text.len ? ", " : "", claim->yes ? "" : "not ",
			 name_of(entry_flag_names, (uint64_t)i));
	}
	addr_say(p, "Entry", scratch_printf(p->scratch, "%s of the %s: %s", leaf_text(p).ptr,
					    name_of(table_level_names, leaf_level(p)),
					    buf_str(&text)));
}

void addr_report_entry(const struct addr_part *p)
{
	const struct page_run *run = &p->address->page.run;
	struct entry_flags flags;

	if (!p->vma || run->kind == PAGE_NONE) {
		addr_member(p, "entry", cell_null());
		return;
	}
	if (run->kind == PAGE_UNREADABLE) {
		addr_member(p, "entry", cell_missing(run->gap));
		return;
	}
	entry_judge(p->view->ctx->geometry, p->vma->perms, run, &flags);
	say_entry(p, &flags);
	member_entry(p, &flags);
}
