/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_PHRASES_H
#define VMATLAS_RENDER_PHRASES_H

#include "vmatlas/model/process.h"
#include "vmatlas/render/scratch.h"

/* One short sentence: the rule that gave the VMA its class, and its evidence. May hold bytes of
 * the target (names of files and sections). Made up in scratch. */
struct span phrase_reason(const struct process *process, const struct vma *vma,
			  struct scratch *scratch);

#endif
