// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/analyse/state.h"

/* Private anonymous memory, whatever name it carries: a private mapping of /dev/zero gives the
 * zero page and fresh pages (drivers/char/mem.c mmap_zero), MAP_HUGETLB memory has no file of
 * the user's. */
static bool is_anonymous(const struct process *process, const struct vma *vma)
{
	struct span name = vma_name(process, vma);

	if (vma->backing == BACKING_ANON)
		return true;
	if (vma->perms & VMA_SHARED)
		return false;
	if (vma->backing == BACKING_HUGETLB)
		return span_starts(name, "/anon_hugepage");
	return span_is(name, "/dev/zero");
}

void state_facts_of(const struct process *process, const struct vma *vma,
		    struct state_facts *facts)
{
	bool flags = vma->has_vm_flags;

	*facts = (struct state_facts) {
		.perms = vma->perms,
		.has_file = !is_anonymous(process, vma),
		.hugetlb = vma->backing == BACKING_HUGETLB ||
			   (flags && vma->vm_flags & vm_flag("ht")),
		.kernel = vma->vma_class == VMA_CLASS_KERNEL || vma->role == ROLE_RING,
		.device = vma->backing == BACKING_DEVICE,
		.vsyscall = vma->role == ROLE_VSYSCALL,
		.flags_known = flags,
		.uffd_missing = flags && vma->vm_flags & vm_flag("um"),
	};
	if (flags)
		facts->hidden = vma->vm_flags & vm_flag("pf") || facts->vsyscall;
	else
		facts->hidden = vma->role == ROLE_VVAR || facts->vsyscall;
}

/* Whether the monitor of a write-protected range is the kernel itself: a category that every
 * page of such a VMA has, mapped or not (pagemap_scan_test_walk(), 6.7). */
void state_facts_async(const struct process *process, const struct vma *vma,
		       struct state_facts *facts)
{
	struct source_scan scan = {
		.start = vma->start, .end = vma->start + process->page_size,
		.anyof = SCAN_WPALLOWED, .report = SCAN_WPALLOWED,
	};
	struct source_region region;
	uint64_t walked;
	size_t count = 0;

	facts->uffd_async = source_pagemap_scan(process->source, &scan, &region, 1, &count,
						&walked, NULL) == 0 && count;
}
