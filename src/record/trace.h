/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RECORD_TRACE_H
#define RECORD_TRACE_H

#include "vmatlas/elf/image.h"

/*
 * Which bytes of an ELF file its readers read. A recording holds just these: what an analysis
 * asks for when it is recorded is what it will ask for later.
 */
struct trace_range {
	uint64_t offset;
	uint64_t len;
};

struct trace {
	struct elf_reader inner;
	struct trace_range *ranges;	/* ascending, neither overlapping nor touching */
	size_t count;
	size_t cap;
	uint64_t total;			/* bytes */
	uint64_t limit;
	bool limited;			/* what came later is left out */
	bool nomem;
};

void trace_init(struct trace *trace, const struct elf_reader *inner, uint64_t limit);
void trace_done(struct trace *trace);
/* The same bytes, noted. The trace must stay where it is. */
struct elf_reader trace_reader(struct trace *trace);
/* As if it had been read; what is behind the end of the file is left out. */
void trace_note(struct trace *trace, uint64_t offset, uint64_t len);

#endif
