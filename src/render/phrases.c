// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/render/phrases.h"

#include <inttypes.h>

#include "vmatlas/analyse/classify.h"
#include "vmatlas/model/elf_part.h"

/* Sentences that need no evidence beside the rule. */
static const char *const sentences[RULE_MAX] = {
	[RULE_KERNEL_NAME] = "the kernel provides and names it",
	[RULE_HEAP_NAME] = "the kernel names it: between start_brk and brk",
	[RULE_STACK_NAME] = "the kernel names it: holds start_stack",
	[RULE_ARENA_NAME] = "the C library named it a malloc arena",
	[RULE_MALLOC_NAME] = "the C library named it a malloc block",
	[RULE_BSS_NAME] = "the dynamic loader named it bss",
	[RULE_GUARD_NAME] = "the C library named it a stack guard",
	[RULE_ANON_NAME] = "anonymous; the program gave it this name",
	[RULE_ANON_SHMEM_NAME] = "shared anonymous; the program gave it this name",
	[RULE_SHARED_ANON] = "shared anonymous memory: the kernel calls it /dev/zero (deleted)",
	[RULE_DEV_ZERO] = "private mapping of /dev/zero: anonymous memory",
	[RULE_ANON_HUGETLB] = "anonymous memory from the huge page pool",
	[RULE_HUGETLB_FILE] = "file on hugetlbfs",
	[RULE_SYSV] = "SysV segment: named by its key",
	[RULE_POSIX_SHM] = "file below /dev/shm: POSIX shared memory",
	[RULE_MEMFD] = "memfd_create file",
	[RULE_SECRETMEM] = "memfd_secret file",
	[RULE_RING] = "ring buffer shared with the kernel, told by its file",
	[RULE_ANON_INODE] = "anonymous inode: an object of the kernel",
	[RULE_DEVICE] = "device file or device memory",
	[RULE_FILE] = "mapped file",
	[RULE_FILE_NOT_LOADED] = "an ELF file, but not mapped as its program headers say",
	[RULE_PERMS_TEXT] = "executable mapping of the file; told by permissions, ELF not read",
	[RULE_PERMS_LINK_TABLES] = "read-only start of the file; told by order, ELF not read",
	[RULE_PERMS_RODATA] = "read-only part of the file; told by order, ELF not read",
	[RULE_PERMS_RELRO] = "read-only in front of data; told by order, ELF not read",
	[RULE_PERMS_DATA] = "writable part of the file; told by permissions, ELF not read",
	[RULE_PERMS_GAP] = "no access, between parts of the file",
	[RULE_TOP_STACK] = "anonymous, writable and above everything else",
	[RULE_GROWS_DOWN] = "grows down, directly below [stack]: split off from it",
	[RULE_THREAD_SIZE] =
		"guard below and the usual size of a thread stack; no stack pointer seen",
	[RULE_SHADOW_STACK] = "the kernel marks it as shadow stack",
	[RULE_ARENA] = "aligned to the size of a malloc heap, with its reserved tail",
	[RULE_RESERVED] = "anonymous without access: address space kept for later",
	[RULE_GO_HEAP] = "in the address range of the Go heap, goroutine stacks included",
	[RULE_JIT] = "executable anonymous memory",
	[RULE_JIT_TWIN] = "memfd mapped executable and writable: code made at run time",
	[RULE_MALLOC_HEADER] = "begins with the header of a malloc block with its own mapping",
	[RULE_ANON] = "anonymous; no other rule fits",
};

static const char *const content_names[ELF_CONTENT_MAX] = {
	[ELF_CONTENT_TEXT] = "text",
	[ELF_CONTENT_RODATA] = "rodata",
	[ELF_CONTENT_LINK_TABLES] = "link tables",
	[ELF_CONTENT_RELRO] = "relro",
	[ELF_CONTENT_DATA] = "data",
	[ELF_CONTENT_BSS] = "bss",
};

struct phrase {
	const struct process *process;
	const struct vma *vma;
	struct scratch *scratch;
};

/* The owner as people call it: file name without its folder, or start address. */
static struct span owner_text(const struct phrase *p)
{
	const struct vma *owner;
	struct span name;

	if (p->vma->owner == VMA_NONE)
		return span_of("what lies there");
	owner = &p->process->vmas[p->vma->owner];
	name = vma_name(p->process, owner);
	if (!name.len)
		return scratch_printf(p->scratch, "%" PRIx64, owner->start);
	for (size_t i = name.len; i-- > 0;)
		if (name.ptr[i] == '/')
			return (struct span) { name.ptr + i + 1, name.len - i - 1 };
	return name;
}

static struct span append(const struct phrase *p, struct span text, const char *more)
{
	return scratch_printf(p->scratch, "%.*s%s", (int)text.len, text.ptr, more);
}

static const char *flags_text(uint32_t flags)
{
	static const char *const texts[8] = { "---", "--x", "-w-", "-wx", "r--", "r-x", "rw-",
					      "rwx" };

	/* PF_X 1, PF_W 2, PF_R 4 */
	return texts[flags & 7];
}

static const uint8_t content_roles[ELF_CONTENT_MAX] = {
	[ELF_CONTENT_TEXT] = ROLE_TEXT,
	[ELF_CONTENT_RODATA] = ROLE_RODATA,
	[ELF_CONTENT_LINK_TABLES] = ROLE_LINK_TABLES,
	[ELF_CONTENT_RELRO] = ROLE_RELRO,
	[ELF_CONTENT_DATA] = ROLE_DATA,
	[ELF_CONTENT_BSS] = ROLE_BSS,
};

/* ", also 4096 B of rodata": what the VMA holds beside the winner. */
static struct span add_contents(const struct phrase *p, struct span text)
{
	uint64_t bytes[ELF_CONTENT_MAX];
	const char *link = ", also ";

	elf_part_contents(p->process, p->vma, bytes);
	if (p->vma->perms & VMA_WRITE) {
		bytes[ELF_CONTENT_DATA] += bytes[ELF_CONTENT_RELRO];
		bytes[ELF_CONTENT_RELRO] = 0;
	}
	for (int i = 0; i < ELF_CONTENT_MAX; i++) {
		if (content_roles[i] == p->vma->role || !bytes[i])
			continue;
		text = scratch_printf(p->scratch, "%.*s%s%" PRIu64 " B of %s", (int)text.len,
				      text.ptr, link, bytes[i], content_names[i]);
		link = ", ";
	}
	return text;
}

static struct span add_shared_page(const struct phrase *p, struct span text)
{
	struct elf_shared_page page;

	if (!elf_part_shared_page(p->process, p->vma, &page))
		return text;
	return scratch_printf(p->scratch, "%.*s; its %s page also holds bytes of segment %u%s",
			      (int)text.len, text.ptr,
			      page.address == p->vma->start ? "first" : "last", page.segment,
			      page.twice ? ", which maps that page again" : "");
}

static struct span phrase_elf(const struct phrase *p)
{
	const struct object *object = vma_object(p->process, p->vma);
	unsigned index = p->vma->segment - 1u;
	struct span text = scratch_printf(
		p->scratch, "segment %u (%s) of the file holds %s%s", index,
		flags_text(object->elf->segments[index].flags),
		vma_role_names[p->vma->role].name,
		p->vma->rule == RULE_ELF_RELRO ? ", closed after relocation" : "");

	return add_shared_page(p, add_contents(p, text));
}

static struct span phrase_owner(const struct phrase *p, const char *before)
{
	struct span owner = owner_text(p);

	return scratch_printf(p->scratch, "%s %.*s", before, (int)owner.len, owner.ptr);
}

static struct span phrase_merged(const struct phrase *p)
{
	struct span text = phrase_owner(p, "holds the bss of");
	bool heap = p->vma->rule == RULE_ELF_BSS_HEAP;
	bool bss = p->vma->role == ROLE_BSS;

	return append(p, text, heap ? (bss ? " and, smaller, the heap" : " and, larger, the heap") :
				      (bss ? " and, smaller, other anonymous memory" :
					     " and, larger, other anonymous memory"));
}

static size_t stacks_in(const struct phrase *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->process->thread_count; i++) {
		const struct thread_info *thread = &p->process->threads[i];

		count += thread->sp_known && thread->sp >= p->vma->start &&
			 thread->sp < p->vma->end;
	}
	return count;
}

static struct span phrase_thread(const struct phrase *p)
{
	size_t count = p->vma->rule == RULE_THREAD_SP ? stacks_in(p) : 1;

	if (p->vma->rule == RULE_THREAD_NAME)
		return span_of(p->vma->tid ? "its name tells the thread" :
					     "its name tells it is a stack kept for a thread");
	if (count > 1)
		return scratch_printf(p->scratch,
				      "stack pointers of %zu threads lie in it, first thread %d",
				      count, p->vma->tid);
	return scratch_printf(p->scratch, "stack pointer of thread %d lies in it%s", p->vma->tid,
			      p->vma->role_second == ROLE_BSS ? "; bss merged with it" : "");
}

struct span phrase_reason(const struct process *process, const struct vma *vma,
			  struct scratch *scratch)
{
	const struct phrase p = { process, vma, scratch };

	switch (vma->rule) {
	case RULE_ELF_TEXT:
	case RULE_ELF_CONTENT:
	case RULE_ELF_RELRO:
		return phrase_elf(&p);
	case RULE_ELF_BSS:
		return phrase_owner(&p, "zero-filled end of a segment of");
	case RULE_ELF_BSS_HEAP:
	case RULE_ELF_BSS_ANON:
		return phrase_merged(&p);
	case RULE_ELF_GAP:
		return phrase_owner(&p, "between the segments of");
	case RULE_BEHIND_DATA:
		return phrase_owner(&p, "anonymous, directly behind the data of");
	case RULE_NEAR_DATA:
		return phrase_owner(&p, "anonymous, a gap behind the data of");
	case RULE_GUARD_STACK:
		return phrase_owner(&p, "no access, directly below the stack");
	case RULE_GUARD_NEAR:
		return phrase_owner(&p, "small, no access, beside");
	case RULE_ARENA_TAIL:
		return phrase_owner(&p, "reserved tail of the malloc heap");
	case RULE_THREAD_NAME:
	case RULE_THREAD_SP:
		return phrase_thread(&p);
	}
	return span_of(vma->rule < RULE_MAX ? sentences[vma->rule] : NULL);
}
