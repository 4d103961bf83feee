/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RENDER_CURVE_H
#define RENDER_CURVE_H

#include "vmatlas/render/escape.h"
#include "vmatlas/render/report_watch.h"

/* A curve of one character per value between the least and the most of them: blocks where the
 * locale has them, else ASCII. */
void curve_add_points(struct buf *text, const uint64_t *values, size_t count);
/* The last samples. */
void curve_add_recent(struct buf *text, const struct watch_curve *curve);

#endif
