/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ANALYSE_WATCH_H
#define ANALYSE_WATCH_H

#include "vmatlas/analyse/watch.h"

struct watch_vma {
	uint64_t rss, swap, copied, shared;
};

/* The process at one sample: its map, and what each VMA held. */
struct watch_state {
	struct process *process;
	struct watch_vma *vmas;		/* one per VMA */
};

void watch_state_free(struct watch_state *state);
DEFINE_CLEANUP(watch_state_free, struct watch_state)
/* watch_pages.c: states of all pages, and the counters that come from them. */
int watch_pages(struct source_process *process, struct watch_sample *sample,
		struct watch_state **state, struct error *error);
/* watch_change.c: what differs between two states, into watched->changes. */
int watch_compare(struct watched *watched, const struct watch_state *before,
		  const struct watch_state *now, struct error *error);

#endif
