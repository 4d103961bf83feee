// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config.h"

#include "source_impl.h"

int source_pagemap(struct source_process *process, uint64_t first, uint64_t *words, size_t count,
		   size_t *got, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->pagemap ? ops->pagemap(process, first, words, count, got, &local) :
		source_not_recorded(&local, "pagemap");
	return source_tell_access(process, ACCESS_PAGEMAP, rc, &local, error);
}

bool source_pagemap_hole(struct source_process *process, uint64_t page, uint64_t *end)
{
	const struct source_ops *ops = process->source->ops;

	return ops->hole && ops->hole(process, page, end);
}

int source_pagemap_scan(struct source_process *process, const struct source_scan *scan,
			struct source_region *regions, size_t count, size_t *got,
			uint64_t *walked, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->scan ? ops->scan(process, scan, regions, count, got, walked, &local) :
		source_not_recorded(&local, "pagemap");
	return source_tell_access(process, ACCESS_PAGEMAP_SCAN, rc, &local, error);
}

int source_frames(struct source *source, enum source_frames what, uint64_t first, uint64_t *words,
		  size_t count, size_t *got, struct error *error)
{
	struct error local;
	int rc;

	error_init(&local);
	rc = source->ops->frames ?
		source->ops->frames(source, what, first, words, count, got, &local) :
		source_not_recorded(&local, "kpageflags");
	return source_tell(source, rc, &local, error);
}

enum gap source_frames_access(struct source *source, enum source_frames what)
{
	return source->ops->frames_access ? source->ops->frames_access(source, what) :
		(source->frames_gap[what] = GAP_NOT_RECORDED);
}

uint64_t source_frames_end(struct source *source)
{
	return source->ops->frames_end ? source->ops->frames_end(source) : 0;
}

bool source_exclusive_mark(struct source *source)
{
	return source->ops->exclusive_mark && source->ops->exclusive_mark(source);
}

uint64_t source_zero_frame(struct source *source)
{
	return source->ops->zero_frame ? source->ops->zero_frame(source) : 0;
}

int source_mem(struct source_process *process, uint64_t address, void *data, size_t len,
	       size_t *got, struct error *error)
{
	const struct source_ops *ops = process->source->ops;
	struct error local;
	int rc;

	error_init(&local);
	rc = ops->mem ? ops->mem(process, address, data, len, got, &local) :
		source_not_recorded(&local, "mem");
	return source_tell_access(process, ACCESS_MEM, rc, &local, error);
}

int source_difference(struct source_process *process, uint64_t page, uint8_t *marks,
		      struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->difference ? ops->difference(process, page, marks, error) :
		source_not_recorded(error, "differences");
}

int source_malloc_size(struct source_process *process, enum source_malloc what,
		       uint64_t address, uint64_t *size, struct error *error)
{
	const struct source_ops *ops = process->source->ops;

	return ops->malloc_size ? ops->malloc_size(process, what, address, size, error) :
		source_not_recorded(error, "malloc");
}
