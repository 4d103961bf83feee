/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_ADDR_PARTS_H
#define RENDER_ADDR_PARTS_H

#include "vmatlas/render/report_addr.h"
#include "vmatlas/render/scratch.h"

/* What the parts of one address share. Texts live in scratch until the address is done. */
struct addr_part {
	struct report *report;
	const struct addr_view *view;
	const struct address *address;
	const struct process *process;
	const struct vma *vma;		/* NULL: none */
	struct scratch *scratch;
};

/* In the order of the report. */
void addr_report_vma(const struct addr_part *p);
void addr_report_neighbours(const struct addr_part *p);
void addr_report_elf(const struct addr_part *p);
void addr_report_indices(const struct addr_part *p);
void addr_report_entry(const struct addr_part *p);
void addr_report_page(const struct addr_part *p);
void addr_report_sharers(const struct addr_part *p);
void addr_report_accesses(const struct addr_part *p);
void addr_report_bytes(const struct addr_part *p);
void addr_report_slot(const struct addr_part *p);
void addr_report_instructions(const struct addr_part *p);

/* A fact for people only. */
static inline void addr_say(const struct addr_part *p, const char *title, struct span text)
{
	report_fact(p->report, NULL, title, cell_bytes(text), REPORT_TEXT_ONLY);
}

/* A member for scripts only. */
static inline void addr_member(const struct addr_part *p, const char *name, struct cell cell)
{
	report_fact(p->report, name, NULL, cell, REPORT_JSON_ONLY);
}

static inline struct cell addr_word(const struct name *names, uint64_t value)
{
	const char *name = name_of(names, value);

	return name ? cell_text(name) : cell_null();
}

/* phrase_access.c: one link of the chain; empty if there is nothing to say. */
struct span phrase_access_step(const struct addr_part *p, enum touch touch,
			       enum access_step step);
/* The whole chain, joined: "the VMA is ...; ...; the kernel will copy it". */
struct span phrase_access(const struct addr_part *p, enum touch touch);
/* What follows "the page is": "anonymous, mapped 2 times". */
struct span phrase_page(const struct addr_part *p);

#endif
