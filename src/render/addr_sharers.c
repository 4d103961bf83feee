// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "addr_parts.h"

static void member_summary(const struct addr_part *p, const struct sharers *sharers)
{
	struct cell *why = scratch_cells(p->scratch, 8);
	size_t count = 0;

	for (const struct name *name = sharers_why_names; why && name->name; name++)
		if (sharers->why & name->value)
			why[count++] = cell_text(name->meaning);
	report_object_begin(p->report, "sharing", NULL);
	addr_member(p, "searched", addr_word(sharers_scope_names, sharers->scope));
	addr_member(p, "found", cell_count(sharers_found(sharers)));
	addr_member(p, "counted", sharers->counted_known ? cell_count(sharers->counted) :
		    cell_null());
	addr_member(p, "processes", cell_count(sharers->looked));
	addr_member(p, "refused", cell_count(sharers->refused));
	addr_member(p, "why", cell_list(why, count));
	report_object_end(p->report);
}

static void member_sharers(const struct addr_part *p, const struct sharers *sharers)
{
	if (!sharers || sharers->scope == SHARERS_NONE) {
		addr_member(p, "sharers", cell_missing(sharers ? sharers->gap : GAP_NOT_READ));
		addr_member(p, "sharing", cell_null());
		return;
	}
	report_array_begin(p->report, "sharers", NULL);
	for (size_t i = 0; i < sharers->count; i++) {
		const struct sharer *item = &sharers->items[i];

		report_object_begin(p->report, NULL, NULL);
		addr_member(p, "pid", cell_count((uint64_t)item->pid));
		addr_member(p, "comm", cell_path(buf_span(&item->comm)));
		addr_member(p, "address", cell_hex(item->address));
		report_object_end(p->report);
	}
	report_array_end(p->report);
	member_summary(p, sharers);
}

static void say_sharers(const struct addr_part *p, const struct sharers *sharers)
{
	for (size_t i = 0; i < sharers->count; i++) {
		const struct sharer *item = &sharers->items[i];

		addr_say(p, i ? "" : "Also in", scratch_printf(p->scratch, "%d %.*s at 0x%" PRIx64,
							       (int)item->pid,
							       (int)item->comm.len,
							       buf_str(&item->comm),
							       item->address));
	}
	if (sharers->counted_known)
		addr_say(p, "Found", scratch_printf(p->scratch, "%zu of %" PRIu32
						    " entries, in %zu other process%s searched",
						    sharers_found(sharers), sharers->counted,
						    sharers->looked,
						    sharers->looked == 1 ? "" : "es"));
	for (const struct name *name = sharers_why_names; name->name; name++)
		if (sharers->why & name->value)
			addr_say(p, "", span_of(name->meaning));
}

void addr_report_sharers(const struct addr_part *p)
{
	const struct sharers *sharers = p->view->sharers;

	if (report_is_json(p->report))
		member_sharers(p, sharers);
	else if (sharers && sharers->scope != SHARERS_NONE)
		say_sharers(p, sharers);
	else if (sharers && gap_name(sharers->gap)[0])
		addr_say(p, "Also in", scratch_printf(p->scratch, "unknown: %s",
						      gap_phrase(sharers->gap)));
}
