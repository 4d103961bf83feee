// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include <inttypes.h>

#include "report_pagetable_parts.h"
#include "vmatlas/render/escape.h"

/* How deep a level is drawn: the PGD stands at the left. */
static unsigned level_depth(const struct geometry *g, enum table_level level)
{
	unsigned depth = 0;

	for (unsigned i = level + 1; i < LEVEL_MAX; i++)
		depth += geometry_has(g, i);
	return depth;
}

static uint64_t node_end(const struct geometry *g, const struct tree_node *node)
{
	return node->address + (node->last - node->first + 1) * geometry_span(g, node->level);
}

static int tree_json(struct report *report, const struct pagetable_view *view,
		     const struct tree_node *node)
{
	static const char *const kinds[] = {
		[TREE_TABLE] = "table", [TREE_LEAF] = "leaf", [TREE_OMITTED] = "omitted",
	};
	bool shown = node->kind != TREE_OMITTED;
	struct span name = { NULL, 0 };

	if (node->kind == TREE_LEAF)
		name = vma_name(view->process, &view->process->vmas[node->vma]);
	report_object_begin(report, NULL, NULL);
	report_fact(report, "level", NULL, cell_text(name_of(table_level_names, node->level)), 0);
	report_fact(report, "kind", NULL, cell_text(kinds[node->kind]), 0);
	report_fact(report, "first", NULL, shown ? cell_count(node->first) : cell_null(), 0);
	report_fact(report, "last", NULL, shown ? cell_count(node->last) : cell_null(), 0);
	report_fact(report, "start", NULL, shown ? cell_hex(node->address) : cell_null(), 0);
	report_fact(report, "end", NULL, shown ? cell_hex(node_end(view->geometry, node)) :
		    cell_null(), 0);
	report_fact(report, "entries", NULL, cell_count(node->entries), 0);
	report_fact(report, "content", NULL, node->kind == TREE_LEAF ?
		    cell_text(name_of(entry_kind_names, node->what)) : cell_null(), 0);
	report_fact(report, "path", NULL, name.len ? cell_path(name) : cell_null(), 0);
	return report_object_end(report);
}

static void add_content(struct buf *line, const struct tree_node *node)
{
	uint64_t count = node->last - node->first + 1;

	if (node->kind == TREE_LEAF) {
		buf_addf(line, "%" PRIu64 " %s", node->entries,
			 name_of(entry_kind_names, node->what));
		if (node->level != LEVEL_PTE)
			buf_addf(line, " %s", node->entries == 1 ? "huge page" : "huge pages");
		buf_add_str(line, "  ");
	} else if (count == 1) {
		buf_addf(line, "%" PRIu64 " %s", node->entries,
			 node->entries == 1 ? "leaf" : "leaves");
	} else {
		buf_addf(line, "%" PRIu64 " equal tables, each %" PRIu64 " %s", count,
			 node->entries, node->entries == 1 ? "leaf" : "leaves");
	}
}

/* PUD 1fc      7f0100000000-7f0140000000  12 leaves */
static int tree_text(struct report *report, const struct pagetable_view *view,
		     const struct tree_node *node)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	unsigned depth = level_depth(view->geometry, node->level);
	struct span name = { NULL, 0 };

	buf_addf(&line, "%*s", (int)(2 * depth), "");
	if (node->kind == TREE_OMITTED) {
		buf_addf(&line, "... %" PRIu64 " more %s in this table", node->entries,
			 node->entries == 1 ? "leaf" : "leaves");
		return report_line(report, buf_str(&line));
	}
	for (const char *c = name_of(table_level_names, node->level); *c; c++)
		buf_add_char(&line, *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c);
	buf_addf(&line, " %03x", node->first);
	if (node->last != node->first)
		buf_addf(&line, "-%03x", node->last);
	while (line.len < 2 * depth + 13)
		buf_add_char(&line, ' ');
	buf_addf(&line, "%012" PRIx64 "-%012" PRIx64, node->address,
		 node_end(view->geometry, node));
	while (line.len < 46)
		buf_add_char(&line, ' ');
	add_content(&line, node);
	if (node->kind == TREE_LEAF)
		name = table_vma_label(view, node->vma);
	return report_line_named(report, buf_str(&line), name, "");
}

int report_tree_begin(struct report *report, const struct pagetable_view *view)
{
	report_geometry(report, view->geometry, view->geometry_certainty);
	report_line(report, "");
	return report_array_begin(report, "tree", NULL);
}

int report_tree_node(struct report *report, const struct pagetable_view *view,
		     const struct tree_node *node)
{
	return report_is_json(report) ? tree_json(report, view, node) :
		tree_text(report, view, node);
}

int report_tree_end(struct report *report)
{
	return report_array_end(report);
}
