// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "report_pagetable_parts.h"

/* What can make VmPTE and the model differ, in the order in which it is worth looking. */
static bool differs(const struct pagetable_view *view)
{
	return view->vmpte != pagetable_bytes(view->table);
}

static bool is_more(const struct pagetable_view *view)
{
	return view->vmpte > pagetable_bytes(view->table);
}

static bool cause_ran(const struct pagetable_view *view)
{
	const struct process *process = view->process;

	return view->ran || view->table->changed_pages ||
		(process->has_status && process->status.state == 'R');
}

static bool cause_hidden(const struct pagetable_view *view)
{
	if (!is_more(view))
		return false;
	for (size_t i = 0; i < view->process->vma_count; i++) {
		struct span name = vma_name(view->process, &view->process->vmas[i]);

		if (span_starts(name, "/dev/") && !span_starts(name, "/dev/shm/") &&
		    !span_is(name, "/dev/zero"))
			return true;
	}
	return view->table->hidden_pages != 0;
}

static bool cause_leaf(const struct pagetable_view *view)
{
	return view->table->unknown_leaf_pages != 0;
}

static bool cause_emptied(const struct pagetable_view *view)
{
	return is_more(view);
}

static const struct cause {
	const char *code;
	const char *phrase;
	bool (*applies)(const struct pagetable_view *view);
} causes[] = {
	{ "ran", "the process ran while it was looked at", cause_ran },
	{ "pfn-maps", "device memory (PFN maps) has tables that pagemap does not show",
	  cause_hidden },
	{ "unknown-leaf", "nothing tells here whether pages are mapped huge: they were taken as "
	  "small ones", cause_leaf },
	{ "emptied", "tables that lost all their entries stay until their mapping goes: "
	  "MADV_DONTNEED of a part of 2M, truncated or reclaimed file pages", cause_emptied },
};

int report_causes(struct report *report, const struct pagetable_view *view)
{
	bool known = view->vmpte_gap == GAP_NONE && view->table->gap == GAP_NONE;

	report_array_begin(report, "causes", NULL);
	for (size_t i = 0; known && differs(view) && i < ARRAY_SIZE(causes); i++) {
		if (!causes[i].applies(view))
			continue;
		if (report_is_json(report))
			report_element(report, cell_text(causes[i].code));
		else
			report_fact(report, NULL, "  likely", cell_text(causes[i].phrase),
				    REPORT_TEXT_ONLY);
	}
	return report_array_end(report);
}
