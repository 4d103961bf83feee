// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "addr_parts.h"
#include "cause_cells.h"
#include "vmatlas/render/report_pagetable.h"

static struct cell exclusive_cell(const struct page_verdict *verdict)
{
	if (verdict->exclusive == EXCLUSIVE_NULL)
		return cell_missing(verdict->exclusive_gap);
	return cell_bool(verdict->exclusive == EXCLUSIVE_YES);
}

static struct cell mappings_cell(const struct page_verdict *verdict)
{
	return verdict->mappings_known ? cell_count(verdict->mappings) :
		cell_missing(verdict->mappings_gap);
}

static struct cell flags_cell(const struct address_frame *frame)
{
	struct cell cell = { .type = CELL_FLAGS };

	if (!frame->known)
		return cell_missing(frame->gap);
	cell.flags.names = kpageflag_names;
	cell.flags.bits = frame->flags;
	return cell;
}

static struct cell folio_cell(const struct addr_part *p, const struct address_frame *frame)
{
	struct cell *items = scratch_cells(p->scratch, 4);

	if (!items || !frame->known)
		return cell_missing(frame->gap);
	if (!frame->folio_known)
		return cell_missing(GAP_NOT_IN_KERNEL);
	items[0] = cell_named("order", cell_count(frame->order));
	items[1] = cell_named("pages", cell_count(1ull << frame->order));
	items[2] = cell_named("head", cell_hex(frame->head));
	items[3] = cell_named("index", cell_count(p->address->page.run.frame - frame->head));
	return cell_object(items, 4);
}

static struct cell leaf_cell(const struct addr_part *p)
{
	const struct page_run *run = &p->address->page.run;
	enum table_level level = table_leaf_level(p->view->ctx->geometry, run->leaf);

	if (run->kind != PAGE_PRESENT)
		return cell_null();
	if (run->leaf == LEAF_UNKNOWN)
		return cell_missing(run->gap != GAP_NONE ? run->gap : GAP_NOT_IN_KERNEL);
	return cell_bytes(leaf_size_text(p->scratch, p->view->ctx->geometry, level));
}

static const struct cause_sums *causes_of(const struct addr_part *p)
{
	return p->address->causes ? causes_vma(p->address->causes) : NULL;
}

/* "the loader wrote relocated words; of [.got.plt], environ" */
static void say_causes(const struct addr_part *p)
{
	const struct cause_sums *sums = causes_of(p);
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!sums)
		return;
	for (enum cause cause = 0; cause < CAUSE_MAX; cause++)
		if (sums->sum[cause].pages)
			buf_addf(&text, "%s%s", text.len ? "; " : "",
				 name_meaning(cause_names, cause));
	addr_say(p, "Copied by", buf_span(&text));
	report_fact(p->report, NULL, "Changed", cause_holders_cell(sums, p->scratch),
		    REPORT_TEXT_ONLY);
}

static void member_page(const struct addr_part *p)
{
	const struct page_verdict *verdict = &p->address->page.verdict;
	const struct address_frame *frame = &p->address->frame;
	bool unknown = verdict->state == STATE_UNKNOWN;

	report_object_begin(p->report, "page", NULL);
	addr_member(p, "state", unknown ? cell_missing(verdict->gap) :
		    addr_word(page_state_names, verdict->state));
	addr_member(p, "leaf", leaf_cell(p));
	addr_member(p, "mappings", mappings_cell(verdict));
	addr_member(p, "exclusive", exclusive_cell(verdict));
	addr_member(p, "certainty", cell_text(certainty_name(verdict->certainty)));
	addr_member(p, "causes", causes_of(p) ?
		    causes_cell(causes_of(p), p->process->page_size, p->scratch) : cell_null());
	addr_member(p, "flags", flags_cell(frame));
	addr_member(p, "flags_raw", frame->known ? cell_hex(frame->flags) :
		    cell_missing(frame->gap));
	addr_member(p, "folio", folio_cell(p, frame));
	addr_member(p, "cgroup", frame->cgroup_known ? cell_count(frame->cgroup) :
		    cell_missing(frame->cgroup_gap));
	report_object_end(p->report);
}

static void say_frame(const struct addr_part *p)
{
	const struct page_run *run = &p->address->page.run;
	const struct address_frame *frame = &p->address->frame;

	if (run->kind != PAGE_PRESENT)
		return;
	if (!run->frame_known) {
		report_fact(p->report, NULL, "Frame", cell_missing(frame->gap), REPORT_TEXT_ONLY);
		return;
	}
	report_fact(p->report, NULL, "Frame", cell_hex(run->frame), REPORT_TEXT_ONLY);
	if (!frame->known)
		return;
	report_fact(p->report, NULL, "Flags", flags_cell(frame), REPORT_TEXT_ONLY);
	addr_say(p, "", scratch_printf(p->scratch, "raw 0x%" PRIx64, frame->flags));
	if (frame->folio_known && frame->order)
		addr_say(p, "Folio", scratch_printf(p->scratch, "page %" PRIu64 " of %llu (%s)",
						    run->frame - frame->head,
						    1ull << frame->order,
						    run->frame == frame->head ? "head" : "tail"));
	if (frame->cgroup_known)
		addr_say(p, "Charged to", frame->cgroup ?
			 scratch_printf(p->scratch, "memory cgroup with inode %" PRIu64,
					frame->cgroup) : span_of("no memory cgroup"));
}

static void say_page(const struct addr_part *p)
{
	const struct page_verdict *verdict = &p->address->page.verdict;
	const char *state = name_of(page_state_names, verdict->state);

	say_frame(p);
	if (!state) {
		addr_say(p, "Page", scratch_printf(p->scratch, "unknown: %s",
						   gap_phrase(verdict->gap)));
		return;
	}
	addr_say(p, "Page", scratch_printf(p->scratch, "%s: %s (%s)", state,
					   phrase_page(p).ptr,
					   certainty_name(verdict->certainty)));
	say_causes(p);
	if (p->address->page.run.kind != PAGE_PRESENT)
		return;
	if (!verdict->mappings_known)
		report_fact(p->report, NULL, "Mapped", mappings_cell(verdict), REPORT_TEXT_ONLY);
	if (verdict->exclusive != EXCLUSIVE_NULL)
		report_fact(p->report, NULL, "Exclusive", exclusive_cell(verdict),
			    REPORT_TEXT_ONLY);
}

void addr_report_page(const struct addr_part *p)
{
	if (!p->address->page.known) {
		addr_member(p, "page", cell_null());
		return;
	}
	say_page(p);
	member_page(p);
}
