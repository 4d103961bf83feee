/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_MODEL_MOVED_H
#define VMATLAS_MODEL_MOVED_H

#include "vmatlas/model/process.h"

/* Whether a process ran at all: if it has one thread, which was asleep at both times and was
 * not switched to in between, or if it was stopped, its map is what it was, and need not be read
 * again. */
struct activity {
	bool asleep;
	uint64_t switches;
};

void activity_read(struct source_process *source, struct activity *activity);
bool activity_none(const struct activity *before, const struct activity *after);

/* Reads maps again: how many VMAs were added, are gone, or have other bounds or permissions
 * (then counted at least once) since the process was loaded. */
int process_moved(const struct process *process, uint64_t *moved, struct error *error);

#endif
