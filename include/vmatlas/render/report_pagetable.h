/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_PAGETABLE_H
#define VMATLAS_RENDER_REPORT_PAGETABLE_H

#include "vmatlas/analyse/entry.h"
#include "vmatlas/model/pagetable.h"
#include "vmatlas/model/table_tree.h"
#include "vmatlas/render/report.h"

/* Everything a report about one page table is made of; borrowed. */
struct pagetable_view {
	const struct process *process;
	const struct geometry *geometry;
	enum certainty geometry_certainty;	/* OBSERVED: chosen with --arch */
	const struct pagetable *table;		/* NULL where only entries are listed */
	bool partial;				/* only a range was looked at: no check */
	bool all_vmas;				/* list every VMA for people, too */
	uint64_t vmpte;				/* bytes, read after the walk */
	enum gap vmpte_gap;			/* why it is missing */
	bool ran;				/* VmPTE changed during the walk */
};

extern const struct column pagetable_columns[];		/* of the VMAs */
extern const struct column pagetable_entry_columns[];

/* Levels, check, cost, VMAs. `columns` as for -o. */
int report_pagetable(struct report *report, const struct pagetable_view *view,
		     const char *columns, struct error *error);

/* One row per entry, streamed: begin, any number of runs in order, end. */
struct pagetable_entries {
	struct report *report;
	const struct pagetable_view *view;
	struct column_set set;
};
int report_entries_begin(struct pagetable_entries *entries, struct report *report,
			 const struct pagetable_view *view, const char *columns,
			 struct error *error);
int report_entries_run(struct pagetable_entries *entries, uint32_t vma,
		       const struct page_run *run);
int report_entries_end(struct pagetable_entries *entries);

/* One node per line or element; view->geometry gives the depth. */
int report_tree_begin(struct report *report, const struct pagetable_view *view);
int report_tree_node(struct report *report, const struct pagetable_view *view,
		     const struct tree_node *node);
int report_tree_end(struct report *report);

/* An address in bits: index per level and offset. `found` tells for each level what its entry
 * holds, where a process was looked at (else NULL). */
int report_split(struct report *report, const struct geometry *geometry, uint64_t address,
		 const struct table_lookup *found);

/* All geometries, for --list-arch. */
int report_geometries(struct report *report);

/* "x86-64, 4 levels ..." and the JSON object `geometry`. */
int report_geometry(struct report *report, const struct geometry *geometry,
		    enum certainty certainty);
/* "4K", "2M", "1G", "512M": bytes that a leaf of this level maps. */
struct span leaf_size_text(struct scratch *scratch, const struct geometry *geometry,
			   enum table_level level);

#endif
