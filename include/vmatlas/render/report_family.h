/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_FAMILY_H
#define VMATLAS_RENDER_REPORT_FAMILY_H

#include "vmatlas/analyse/family.h"
#include "vmatlas/model/pagetable.h"
#include "vmatlas/render/report.h"

/* Writes `family`: `members`, their `vmas`, and what a fork now would cost (table NULL: not). In
 * text only the heaviest rows of each, unless all are wanted. */
int report_family(struct report *report, const struct process *process,
		  const struct family *family, const struct pagetable *table, bool all,
		  struct error *error);

#endif
