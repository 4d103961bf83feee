/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_ELF_H
#define VMATLAS_RENDER_REPORT_ELF_H

#include "vmatlas/analyse/forecast.h"
#include "vmatlas/render/report.h"

struct elf_view {
	const struct forecast *forecast;
	struct span path;		/* raw bytes */
	bool pages;			/* list the pages that will be private */
};

/* What the file is, its segments, the VMAs of it, relocations, private pages, advice. */
int report_elf(struct report *report, const struct elf_view *view);

#endif
