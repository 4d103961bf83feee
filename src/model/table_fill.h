/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MODEL_TABLE_FILL_H
#define MODEL_TABLE_FILL_H

#include "vmatlas/model/pagetable.h"

/* How full the PTE tables are: entries of a run, before the walk counts them. */
void table_fill_add(struct table_builder *builder, const struct table_run *run);
void table_fill_finish(struct table_builder *builder);

#endif
