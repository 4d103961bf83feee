// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "vmatlas/render/report_pagetable.h"

#define GETTER(member, value)                                                              \
	static void get_##member(const void *ctx, const void *data, struct cell *cell,     \
				 struct scratch *scratch)                                  \
	{                                                                                  \
		const struct geometry *g = data;                                           \
		(void)ctx;                                                                 \
		(void)scratch;                                                             \
		*cell = value;                                                             \
	}

GETTER(name, cell_text(g->name))
GETTER(levels, cell_count(geometry_depth(g)))
GETTER(page_size, cell_size(1ULL << g->page_shift))
GETTER(user_bits, cell_count(g->user_bits))
GETTER(meaning, cell_text(g->meaning))

#define SHOWN (COLUMN_DEFAULT | COLUMN_JSON)

static const struct column geometry_columns[] = {
	{ "name", "NAME", "for --arch", SHOWN, 0, 14, get_name },
	{ "levels", "LEVELS", "levels that exist", SHOWN | COLUMN_RIGHT, 0, 6, get_levels },
	{ "page_size", "PAGE", "base page", SHOWN | COLUMN_RIGHT, 0, 4, get_page_size },
	{ "user_bits", "BITS", "width of user addresses", SHOWN | COLUMN_RIGHT, 0, 4,
	  get_user_bits },
	{ "meaning", "MEANING", "in words", SHOWN, 0, 60, get_meaning },
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
