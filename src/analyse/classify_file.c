// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classify.h"

/* What a file is that no ELF rule explained, per kind. */
struct kind_verdict {
	uint8_t vma_class;
	uint8_t role;
	uint8_t rule;
	uint8_t backing;
	uint8_t certainty;
};

static const struct kind_verdict kind_verdicts[] = {
	[KIND_FILE] = { VMA_CLASS_MAPPED, ROLE_FILE, RULE_FILE, BACKING_FILE, CERTAINTY_OBSERVED },
	[KIND_TMPFS_FILE] = { VMA_CLASS_MAPPED, ROLE_FILE, RULE_FILE, BACKING_SHMEM,
			      CERTAINTY_OBSERVED },
	[KIND_SHARED_ANON] = { VMA_CLASS_DYNAMIC, ROLE_ANON, RULE_SHARED_ANON, BACKING_SHMEM,
			       CERTAINTY_OBSERVED },
	[KIND_DEV_ZERO] = { VMA_CLASS_DYNAMIC, ROLE_ANON, RULE_DEV_ZERO, BACKING_ANON,
			    CERTAINTY_OBSERVED },
	[KIND_ANON_HUGETLB] = { VMA_CLASS_DYNAMIC, ROLE_ANON, RULE_ANON_HUGETLB, BACKING_HUGETLB,
				CERTAINTY_OBSERVED },
	[KIND_HUGETLB_FILE] = { VMA_CLASS_MAPPED, ROLE_HUGETLB, RULE_HUGETLB_FILE,
				BACKING_HUGETLB, CERTAINTY_OBSERVED },
	[KIND_SYSV] = { VMA_CLASS_MAPPED, ROLE_SYSV, RULE_SYSV, BACKING_SHMEM,
			CERTAINTY_OBSERVED },
	[KIND_POSIX_SHM] = { VMA_CLASS_MAPPED, ROLE_SHM, RULE_POSIX_SHM, BACKING_SHMEM,
			     CERTAINTY_OBSERVED },
	[KIND_MEMFD] = { VMA_CLASS_MAPPED, ROLE_MEMFD, RULE_MEMFD, BACKING_SHMEM,
			 CERTAINTY_OBSERVED },
	[KIND_SECRETMEM] = { VMA_CLASS_MAPPED, ROLE_SECRETMEM, RULE_SECRETMEM, BACKING_SHMEM,
			     CERTAINTY_OBSERVED },
	[KIND_RING] = { VMA_CLASS_KERNEL, ROLE_RING, RULE_RING, BACKING_KERNEL,
			CERTAINTY_OBSERVED },
	[KIND_ANON_INODE] = { VMA_CLASS_KERNEL, ROLE_KERNEL, RULE_ANON_INODE, BACKING_KERNEL,
			      CERTAINTY_INFERRED },
	[KIND_DEVICE] = { VMA_CLASS_MAPPED, ROLE_DEVICE, RULE_DEVICE, BACKING_DEVICE,
			  CERTAINTY_OBSERVED },
};

static void set_backing(const struct classify *c, struct vma *vma)
{
	vma->backing = kind_verdicts[c->kinds[vma->object]].backing;
	if (vma_has_flag(vma, "ht"))
		vma->backing = BACKING_HUGETLB;
}

/* A file may be an ELF file that could not be read, or one that was never looked into. */
static bool elf_unknown(const struct classify *c, const struct vma *vma)
{
	const struct object *object = vma_object(c->process, vma);

	return !object->elf && object->elf_gap != GAP_NOT_APPLICABLE &&
	       object->name[0] == '/' && !(vma->perms & VMA_SHARED) &&
	       c->perms[vma->object] & VMA_EXEC;
}

static void set_kind(struct classify *c, struct vma *vma, enum object_kind kind)
{
	const struct kind_verdict *verdict = &kind_verdicts[kind];

	vma_set(vma, verdict->vma_class, verdict->role, verdict->rule, verdict->certainty);
	if (kind == KIND_FILE && vma_object(c->process, vma)->elf)
		vma->rule = RULE_FILE_NOT_LOADED;
}

/* Anonymous in all but name: executable it is code made at run time, closed it is a reserve. */
static void settle_anon(struct vma *vma)
{
	if (!vma_is_accessible(vma))
		vma_set(vma, VMA_CLASS_GUARD, ROLE_RESERVED, RULE_RESERVED, CERTAINTY_INFERRED);
	else if (vma->perms & VMA_EXEC)
		vma_set(vma, VMA_CLASS_DYNAMIC, ROLE_JIT, RULE_JIT, CERTAINTY_INFERRED);
}

void classify_file(struct classify *c, struct vma *vma)
{
	enum object_kind kind = c->kinds[vma->object];

	/* A shared mapping of /dev/zero is shared anonymous memory under its first name. */
	if (kind == KIND_DEV_ZERO && vma->perms & VMA_SHARED)
		kind = c->kinds[vma->object] = KIND_SHARED_ANON;
	set_backing(c, vma);
	if (classify_elf(c, vma) || classify_elf_gap(c, vma))
		return;
	if (kind == KIND_FILE && vma_has_flag(vma, "pf")) {
		kind = KIND_DEVICE;
		vma->backing = BACKING_DEVICE;
	}
	if ((kind == KIND_FILE || kind == KIND_TMPFS_FILE) && elf_unknown(c, vma) &&
	    classify_by_perms(c, vma))
		return;
	set_kind(c, vma, kind);
	if (vma->role == ROLE_ANON)
		settle_anon(vma);
}
