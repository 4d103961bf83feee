/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_REPORT_FILES_H
#define VMATLAS_RENDER_REPORT_FILES_H

#include "vmatlas/analyse/mapped.h"
#include "vmatlas/render/report.h"

extern const struct column files_columns[];		/* one row per object */
extern const struct column files_user_columns[];	/* per object and process */

struct files_show {
	const struct column_set *objects;
	const struct column_set *users;	/* NULL: no rows of them */
	const char *path;		/* shell pattern of the name or its last part, or NULL */
	bool deleted;			/* only what has lost its name */
	size_t gone;			/* ended before they were read */
	size_t refused;
};

/* Writes `objects`, `users` if asked for, and `totals`. */
int report_files(struct report *report, const struct mapped *mapped,
		 const struct files_show *show);

#endif
