// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

/* The machinery that explains the copies of whole files, fed with the one page. */
int address_cause_find(struct address_context *ctx, struct address *address, struct error *error)
{
	const struct page_verdict *verdict = &address->page.verdict;
	struct cow_run run = {
		.start = address_page_start(ctx, address->address),
		.pages = 1,
		.leaf = address->page.run.leaf,
		.verdict = *verdict,
	};
	struct cow_counts counts = { 0 };
	bool copied = verdict->state == STATE_COPY || verdict->state == STATE_COPY_SHARED;
	int rc;

	if (!copied || address->elf.object == OBJECT_NONE)
		return 0;
	rc = causes_new(ctx->process, &address->causes, error);
	if (rc < 0)
		return rc;
	if (causes_begin(address->causes, address->vma) < 0 ||
	    causes_run(address->causes, &run) < 0 ||
	    causes_end(address->causes, address->vma, &counts) < 0)
		return error_nomem(error);
	return 0;
}
