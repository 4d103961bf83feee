// SPDX-License-Identifier: LGPL-2.1-or-later
#include "address.h"

#include <stdlib.h>

#define WINDOW 1024u	/* frames around one; folios of page tables' leaves have up to 512 */

/* Heads lie at or below, tails follow: the folio is what lies between two beginnings. */
static void folio_measure(struct address_frame *frame, const uint64_t *flags, size_t count,
			  uint64_t first, uint64_t number)
{
	size_t at = (size_t)(number - first), low = at, high;

	if (!(flags[at] & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL))) {
		frame->folio_known = true;
		frame->head = number;
		return;
	}
	while (low && flags[low] & KPF_COMPOUND_TAIL && !(flags[low] & KPF_COMPOUND_HEAD))
		low--;
	if (!(flags[low] & KPF_COMPOUND_HEAD))
		return;
	high = low + 1;
	while (high < count && flags[high] & KPF_COMPOUND_TAIL)
		high++;
	if (high == count || (high - low) & (high - low - 1))
		return;
	frame->folio_known = true;
	frame->head = first + low;
	frame->order = (unsigned)__builtin_ctzll(high - low);
}

/* The block that is aligned to 512 frames, and the one behind it: it tells where a folio of the
 * first block ends. */
static void folio_read(struct address_context *ctx, struct address_frame *frame, uint64_t number)
{
	CLEANUP_FREE uint64_t *flags = calloc(WINDOW, sizeof(*flags));
	uint64_t first = number & ~(uint64_t)(WINDOW / 2 - 1);
	size_t got = 0;

	if (!flags || source_frames(address_source(ctx), SOURCE_KPAGEFLAGS, first, flags, WINDOW,
				    &got, NULL) < 0 || number - first >= got)
		return;
	frame->flags = flags[number - first];
	folio_measure(frame, flags, got, first, number);
}

static void cgroup_read(struct address_context *ctx, struct address_frame *frame, uint64_t number)
{
	struct error error = ERROR_INIT;
	size_t got = 0;

	if (source_frames(address_source(ctx), SOURCE_KPAGECGROUP, number, &frame->cgroup, 1, &got,
			  &error) < 0)
		frame->cgroup_gap = gap_from_error(&error);
	else if (!got)
		frame->cgroup_gap = GAP_CHANGED;
	else
		frame->cgroup_known = true;
}

void address_frame_read(struct address_context *ctx, struct address *address)
{
	const struct page_run *run = &address->page.run;
	struct address_frame *frame = &address->frame;

	frame->gap = frame->cgroup_gap = GAP_NOT_APPLICABLE;
	if (!address->page.known || run->kind != PAGE_PRESENT)
		return;
	frame->gap = run->gap != GAP_NONE ? run->gap : GAP_NEEDS_PRIVILEGE;
	frame->cgroup_gap = frame->gap;
	if (!run->frame_known)
		return;
	if (run->flags_known) {
		frame->known = true;
		frame->gap = GAP_NONE;
		frame->flags = run->flags;
		folio_read(ctx, frame, run->frame);
	}
	cgroup_read(ctx, frame, run->frame);
}
