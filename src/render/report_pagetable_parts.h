/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_REPORT_PAGETABLE_PARTS_H
#define RENDER_REPORT_PAGETABLE_PARTS_H

#include "vmatlas/base/buf.h"
#include "vmatlas/render/report_pagetable.h"

/* Parts of report_pagetable() in files of their own. */
int report_leaves(struct report *report, const char *name, const struct geometry *g,
		  const struct table_counts *counts);
/* Why VmPTE and the model differ, if they do. */
int report_causes(struct report *report, const struct pagetable_view *view);
/* How full the tables are, what is wasted, what a fork copies, what huge pages would change. */
int report_cost(struct report *report, const struct pagetable_view *view);
int report_table_vmas(struct report *report, const struct pagetable_view *view,
		      const char *columns, struct error *error);
/* "[heap]" or, without a name, "anonymous memory"; raw bytes of the target. */
struct span table_vma_label(const struct pagetable_view *view, uint32_t vma);

#endif
