/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_REPORT_COW_FILES_H
#define RENDER_REPORT_COW_FILES_H

#include "vmatlas/analyse/cause.h"
#include "vmatlas/render/report_cow.h"

/* After the walk: one row per file; all of them, or for people those that matter. */
int report_cow_files(struct report *report, struct causes *causes, const struct process *process,
		     const struct column_set *columns, bool all);
/* One row per section with resident pages, for people. */
int report_cow_sections(struct report *report, struct causes *causes,
			const struct process *process);
/* Code that differs from the file, with both disassembled. */
int report_cow_patches(struct report *report, struct causes *causes,
		       const struct process *process);

#endif
