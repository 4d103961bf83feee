/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_OBSERVE_H
#define VMATLAS_RENDER_REPORT_OBSERVE_H

#include "vmatlas/analyse/observe.h"
#include "vmatlas/render/report.h"

/* `objects`: each ELF file of the process, its forecast beside what is; with `pages` also page
 * by page. */
int report_observe(struct report *report, struct process *process, bool pages,
		   struct error *error);

#endif
