/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_FAMILY_PAGES_H
#define ANALYSE_FAMILY_PAGES_H

#include "vmatlas/analyse/family.h"
#include "vmatlas/model/pages.h"

/* Anonymous pages with consecutive frames. */
struct frame_run {
	uint64_t start;
	uint64_t pages;
	uint64_t frame;
	uint32_t vma;
	bool exclusive;		/* the kernel's anon-exclusive mark */
	bool exclusive_known;
	bool once;		/* mapped by one page-table entry */
};

struct frame_runs {
	struct frame_run *items;
	size_t count;
	size_t cap;
};

int frame_runs_add(struct frame_runs *runs, const struct frame_run *run);

/* Counts the pages of which both sides have the same frame; the others go into the rests, which
 * are emptied before. Marks are not looked at. Fails only for want of memory. */
int family_split(struct family_member *member, const struct frame_runs *ours,
		 const struct frame_runs *theirs, struct frame_runs *our_rest,
		 struct frame_runs *their_rest, uint32_t page_size);

/* Runs of both sides over the same addresses, ascending; adds to member->vmas. */
void family_merge(struct family_member *member, const struct frame_runs *ours,
		  const struct frame_runs *theirs, uint32_t page_size);

#endif
