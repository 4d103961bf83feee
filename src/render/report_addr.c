// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "addr_parts.h"

int report_addr_begin(struct report *report)
{
	return report_array_begin(report, "addresses", NULL);
}

int report_addr_end(struct report *report)
{
	return report_array_end(report);
}

static void explanation(const struct addr_part *p)
{
	struct span read = phrase_access(p, TOUCH_READ), write = phrase_access(p, TOUCH_WRITE);
	struct span exec = phrase_access(p, TOUCH_EXEC);

	addr_member(p, "explanation",
		    cell_bytes(scratch_printf(p->scratch, "read: %.*s. write: %.*s. "
					      "execute: %.*s.", (int)read.len, read.ptr,
					      (int)write.len, write.ptr, (int)exec.len,
					      exec.ptr)));
}

static void known(const struct addr_part *p)
{
	addr_member(p, "address", cell_hex(p->address->address));
	addr_member(p, "kind", addr_word(address_kind_names, p->address->kind));
	addr_report_vma(p);
	addr_report_neighbours(p);
	addr_report_elf(p);
	addr_report_indices(p);
	addr_report_entry(p);
	addr_report_page(p);
	addr_report_sharers(p);
	addr_report_accesses(p);
	addr_report_bytes(p);
	addr_report_slot(p);
	addr_report_instructions(p);
	explanation(p);
}

/* The members stay, so that a script need not ask for them. */
static void unknown(const struct addr_part *p)
{
	static const char *const members[] = { "address", "vma", "elf", "indices", "entry", "page",
					       "sharers", "accesses", "instructions" };
	struct span rest = p->view->candidates, line;

	addr_say(p, "Error", span_of(p->view->error->text));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		addr_member(p, members[i], cell_null());
	addr_member(p, "explanation", cell_bytes(span_of(p->view->error->text)));
	report_array_begin(p->report, "candidates", NULL);
	while (rest.len) {
		line = span_take_until(&rest, '\n');
		span_take_char(&rest, '\n');
		report_element(p->report, cell_bytes(line));
	}
	report_array_end(p->report);
}

static struct span title_of(const struct addr_part *p)
{
	struct span query = p->view->query, number;

	if (!p->address)
		return query;
	number = scratch_printf(p->scratch, "0x%" PRIx64, p->address->address);
	if (span_equal(number, query))
		return number;
	return scratch_printf(p->scratch, "%.*s  %.*s", (int)number.len, number.ptr,
			      (int)query.len, query.ptr);
}

int report_addr(struct report *report, const struct addr_view *view)
{
	struct addr_part part = {
		.report = report,
		.view = view,
		.address = view->address,
		.process = view->ctx->process,
		.scratch = scratch_new(),
	};
	int rc;

	if (!part.scratch)
		return -ERROR_NOMEM;
	if (view->address && view->address->vma != VMA_NONE)
		part.vma = &part.process->vmas[view->address->vma];
	report_object_begin(report, NULL, title_of(&part).ptr);
	addr_member(&part, "query", cell_path(view->query));
	if (view->address)
		known(&part);
	else
		unknown(&part);
	rc = report_object_end(report);
	scratch_free(part.scratch);
	return rc;
}
