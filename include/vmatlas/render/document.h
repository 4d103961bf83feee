/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VMATLAS_RENDER_DOCUMENT_H
#define VMATLAS_RENDER_DOCUMENT_H

#include "vmatlas/model/process.h"
#include "vmatlas/render/report.h"
#include "vmatlas/source/source.h"

/*
 * The members that every JSON document has. The begin function writes `tool time source host`
 * and leaves `access warnings cost` to report_end(), so both objects must live until then;
 * `process` may be NULL (`access` is then null). `schema` and `version` come from report_new().
 * The caller writes `process` next: an object, or null for none or several.
 * start_us: CLOCK_MONOTONIC when the command started, in microseconds.
 */
int report_document_begin(struct report *report, struct source *source,
			  struct source_process *process, uint64_t start_us);
/* The `process` object, and the warnings of the model. If a command writes neither this nor a
 * member of that name (it failed early), report_end() writes what is known. */
int report_document_process(struct report *report, const struct process *process);
uint64_t report_clock_us(void);

#endif
