// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "columns.h"
#include "vmatlas/render/report_pagetable.h"

#define GETTER(name, expression) \
	COLUMN_VALUE(get_##name, const struct geometry *g, expression)

GETTER(name, cell_text(g->name))
GETTER(levels, cell_count(geometry_depth(g)))
GETTER(page_size, cell_size(1ULL << g->page_shift))
GETTER(user_bits, cell_count(g->user_bits))
GETTER(meaning, cell_text(g->meaning))

static const struct column geometry_columns[] = {
	{ "name", "NAME", "for --arch", BOTH, 0, 14, get_name },
	{ "levels", "LEVELS", "levels that exist", NUMBER, 0, 6, get_levels },
	{ "page_size", "PAGE", "base page", NUMBER, 0, 4, get_page_size },
	{ "user_bits", "BITS", "width of user addresses", NUMBER, 0, 4,
	  get_user_bits },
	{ "meaning", "MEANING", "in words", BOTH | COLUMN_PROSE, 0, 60, get_meaning },
	{ NULL }
};

int report_geometries(struct report *report)
{
	struct column_set set;

	column_set_choose(&set, geometry_columns, NULL, false, NULL);
	report_table_begin(report, "geometries", NULL, &set, NULL, 32);
	for (const struct geometry *g = geometries; g->name; g++)
		report_row(report, g);
	return report_table_end(report);
}
