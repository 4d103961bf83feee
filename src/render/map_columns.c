// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>

#include "columns.h"
#include "map_row.h"
#include "vmatlas/model/elf_part.h"
#include "vmatlas/render/phrases.h"
#include "vmatlas/render/report_map.h"

/* One getter per column: struct map_ctx and the VMA in, a typed cell out. */
#define GETTER(name) COLUMN_GETTER(get_##name)
#define ROW                                                           \
	UNUSED const struct map_ctx *ctx = about;                     \
	UNUSED const struct process *process = ctx->process;          \
	UNUSED const struct vma *vma = data

GETTER(start)
{
	ROW;
	*cell = cell_hex(vma->start);
}

GETTER(end)
{
	ROW;
	*cell = cell_hex(vma->end);
}

GETTER(range)
{
	ROW;
	*cell = cell_words(map_range(vma, scratch));
}

GETTER(size)
{
	ROW;
	*cell = cell_size(vma->end - vma->start);
}

GETTER(pages)
{
	ROW;
	*cell = cell_count(vma_pages(process, vma));
}

GETTER(vpn)
{
	ROW;
	*cell = cell_hex(vma->start / process->page_size);
}

GETTER(vpn_end)
{
	ROW;
	*cell = cell_hex(vma->end / process->page_size);
}

GETTER(perms)
{
	static const char texts[16][5] = {
		"---p", "r--p", "-w-p", "rw-p", "--xp", "r-xp", "-wxp", "rwxp",
		"---s", "r--s", "-w-s", "rw-s", "--xs", "r-xs", "-wxs", "rwxs",
	};
	ROW;

	*cell = cell_words((struct span) { texts[vma->perms & 15], 4 });
}

GETTER(offset)
{
	ROW;
	*cell = cell_hex(vma->offset);
}

GETTER(device)
{
	const struct object *object;
	ROW;

	object = vma_object(process, vma);
	*cell = (struct cell) { .type = CELL_DEVICE };
	if (object)
		cell->count = (uint64_t)object->major << 32 | object->minor;
}

GETTER(inode)
{
	ROW;
	*cell = cell_count(vma->object == OBJECT_NONE ? 0 : vma_object(process, vma)->inode);
}

GETTER(path)
{
	ROW;
	*cell = vma->object == OBJECT_NONE ? cell_null() : cell_bytes(vma_name(process, vma));
}

GETTER(deleted)
{
	ROW;
	*cell = cell_bool(vma->object != OBJECT_NONE && vma_object(process, vma)->deleted);
}

GETTER(class)
{
	ROW;
	*cell = cell_text(vma_class_names[vma->vma_class].name);
}

GETTER(role)
{
	ROW;
	*cell = cell_text(vma_role_names[vma->role].name);
}

GETTER(kind)
{
	ROW;
	*cell = cell_words(map_join(&ctx->cache->kind, vma_class_names[vma->vma_class].name, '/',
				    vma_role_names[vma->role].name));
}

GETTER(backing)
{
	ROW;
	*cell = cell_text(vma_backing_names[vma->backing].name);
}

static const char *sharing_name(const struct vma *vma)
{
	return vma->perms & VMA_SHARED ? "shared" : "private";
}

GETTER(sharing)
{
	ROW;
	*cell = cell_text(sharing_name(vma));
}

GETTER(store)
{
	ROW;
	*cell = cell_words(map_join(&ctx->cache->store, vma_backing_names[vma->backing].name, ' ',
				    sharing_name(vma)));
}

GETTER(certainty)
{
	ROW;
	*cell = cell_text(certainty_name(vma->certainty));
}

GETTER(reason)
{
	ROW;
	*cell = cell_bytes(phrase_reason(process, vma, scratch));
}

GETTER(elf)
{
	ROW;
	map_elf_cell(ctx, vma, cell, scratch);
}

GETTER(part)
{
	ROW;
	map_part_cell(ctx, vma, cell, scratch);
}

static void smaps_missing(const struct map_ctx *ctx, struct cell *cell)
{
	*cell = cell_missing(ctx->process->smaps_gap ? ctx->process->smaps_gap : GAP_CHANGED);
}

GETTER(flags)
{
	ROW;
	if (!vma->has_vm_flags) {
		if (ctx->process->smaps_gap)
			smaps_missing(ctx, cell);
		else
			*cell = cell_missing(vma->smaps ? GAP_NOT_IN_KERNEL : GAP_CHANGED);
		return;
	}
	*cell = (struct cell) { .type = CELL_FLAGS };
	cell->flags.names = vm_flag_names;
	cell->flags.bits = vma->vm_flags;
	cell->flags.extra = vma_unknown_flags(process, vma);
}

GETTER(flag_words)
{
	struct cell *words;
	size_t count = 0;
	ROW;

	if (!vma->has_vm_flags) {
		get_flags(about, data, cell, scratch);
		return;
	}
	words = scratch_cells(scratch, 65);
	for (const struct name *name = vm_flag_names; words && name->name; name++)
		if (vma->vm_flags & name->value)
			words[count++] = cell_text(name->meaning);
	if (words && vma_unknown_flags(process, vma).len)
		words[count++] = cell_bytes(vma_unknown_flags(process, vma));
	*cell = cell_list(words, count);
}

GETTER(tid)
{
	ROW;
	*cell = vma->tid ? cell_count((uint64_t)vma->tid) : cell_null();
}

GETTER(owner)
{
	const struct vma *owner;
	struct span name;
	ROW;

	*cell = cell_null();
	if (vma->owner == VMA_NONE)
		return;
	owner = &process->vmas[vma->owner];
	name = vma_name(process, owner);
	*cell = name.len && name.ptr[0] == '/' ? cell_path(name) : cell_hex(owner->start);
}

static void get_key(const struct map_ctx *ctx, const struct vma *vma, enum smaps_key key,
		    struct cell *cell)
{
	const uint64_t *value;
	uint64_t present = map_smaps(ctx, vma, &value);

	if (!vma->smaps)
		smaps_missing(ctx, cell);
	else if (!(present >> key & 1))
		*cell = cell_missing(GAP_NOT_IN_KERNEL);
	else
		*cell = smaps_key_is_size(key) ? cell_size(value[key]) : cell_count(value[key]);
}

#define SMAPS_GETTER(name, key)                             \
	GETTER(name)                                        \
	{                                                   \
		get_key(about, data, SMAPS_##key, cell);    \
	}

SMAPS_GETTER(rss, RSS)
SMAPS_GETTER(pss, PSS)
SMAPS_GETTER(swap, SWAP)
SMAPS_GETTER(anonymous, ANONYMOUS)
SMAPS_GETTER(pss_dirty, PSS_DIRTY)
SMAPS_GETTER(shared_clean, SHARED_CLEAN)
SMAPS_GETTER(shared_dirty, SHARED_DIRTY)
SMAPS_GETTER(private_clean, PRIVATE_CLEAN)
SMAPS_GETTER(private_dirty, PRIVATE_DIRTY)
SMAPS_GETTER(referenced, REFERENCED)
SMAPS_GETTER(ksm, KSM)
SMAPS_GETTER(lazy_free, LAZY_FREE)
SMAPS_GETTER(anon_huge, ANON_HUGE_PAGES)
SMAPS_GETTER(shmem_pmd, SHMEM_PMD_MAPPED)
SMAPS_GETTER(file_pmd, FILE_PMD_MAPPED)
SMAPS_GETTER(shared_hugetlb, SHARED_HUGETLB)
SMAPS_GETTER(private_hugetlb, PRIVATE_HUGETLB)
SMAPS_GETTER(swap_pss, SWAP_PSS)
SMAPS_GETTER(locked, LOCKED)
SMAPS_GETTER(kernel_page, KERNEL_PAGE_SIZE)
SMAPS_GETTER(mmu_page, MMU_PAGE_SIZE)
SMAPS_GETTER(thp_eligible, THP_ELIGIBLE)
SMAPS_GETTER(pkey, PROTECTION_KEY)

/* Pages that only this process has mapped: freed if it ended. */
GETTER(uss)
{
	const uint64_t *value;
	ROW;

	get_key(ctx, vma, SMAPS_PRIVATE_CLEAN, cell);
	if (cell->type == CELL_MISSING)
		return;
	map_smaps(ctx, vma, &value);
	*cell = cell_size(value[SMAPS_PRIVATE_CLEAN] + value[SMAPS_PRIVATE_DIRTY]);
}

/* Private copies of file pages; anonymous memory has nothing it was copied from. */
GETTER(copied)
{
	ROW;

	if (vma->perms & VMA_SHARED || vma->object == OBJECT_NONE ||
	    !vma_object(process, vma)->inode || vma->backing == BACKING_ANON)
		*cell = cell_null();
	else
		get_key(ctx, vma, SMAPS_ANONYMOUS, cell);
}

GETTER(smaps)
{
	ROW;
	map_smaps_cell(ctx, vma, cell, scratch);
}

GETTER(numa_policy)
{
	struct span line, word;
	ROW;

	line = vma_numa(process, vma);
	if (!span_take_word(&line, &word))
		*cell = cell_missing(process->numa_gap ? process->numa_gap :
							 GAP_NOT_APPLICABLE);
	else
		*cell = cell_bytes(word);
}

GETTER(numa)
{
	ROW;
	map_numa_cell(ctx, vma, cell, scratch);
}

#define D COLUMN_DEFAULT
#define J COLUMN_JSON
#define R COLUMN_RIGHT
#define T COLUMN_TRUNC
#define V COLUMN_VERBOSE
#define H COLUMN_HEX_BYTES
#define SMAPS PROCESS_NEED_SMAPS
#define ELF PROCESS_NEED_ELF
#define CLASS (PROCESS_NEED_ELF | PROCESS_NEED_THREADS | PROCESS_NEED_LIMITS)
#define NUMA PROCESS_NEED_NUMA

const struct column map_columns[] = {
	{ "range", "RANGE", "first and last address", D, 0, 27, get_range },
	{ "start", "START", "first address", J | R, 0, 14, get_start },
	{ "end", "END", "address behind the last byte", J | R, 0, 14, get_end },
	{ "size", "SIZE", "size", J | R, 0, 7, get_size },
	{ "pages", "PAGES", "base pages", D | R | COLUMN_SPARE, 0, 7, get_pages },
	{ "vpn", "VPN", "first virtual page number", R, 0, 11, get_vpn },
	{ "vpn_end", "VPN-END", "virtual page number behind the last", R, 0, 11, get_vpn_end },
	{ "perms", "PERM", "permissions as in maps", D | J, 0, 4, get_perms },
	{ "offset", "OFFSET", "offset in the file", J | R, 0, 10, get_offset },
	{ "device", "DEVICE", "device of the file", J, 0, 6, get_device },
	{ "inode", "INODE", "inode of the file", J | R | COLUMN_HEX_HUGE, 0, 8, get_inode },
	{ "kind", "CLASS", "class and role", D, CLASS, 15, get_kind },
	{ "class", "C", "class", J, CLASS, 1, get_class },
	{ "role", "ROLE", "role", J, CLASS, 12, get_role },
	{ "store", "BACKING", "backing and sharing", D | COLUMN_SPARE, CLASS, 15, get_store },
	{ "backing", "BACKING", "what holds the pages", J, CLASS, 8, get_backing },
	{ "sharing", "SHARING", "private or shared", J, 0, 8, get_sharing },
	{ "certainty", "CERTAINTY", "how sure the class is", J, CLASS, 9, get_certainty },
	{ "rss", "RSS", "resident", D | J | R, SMAPS, 7, get_rss },
	{ "pss", "PSS", "resident, shared pages divided by their mappings", J | R, SMAPS, 7,
	  get_pss },
	{ "uss", "USS", "resident in this process only", J | R, SMAPS, 7, get_uss },
	{ "swap", "SWAP", "swapped out", J | R, SMAPS, 7, get_swap },
	{ "anonymous", "ANON", "anonymous pages, copies of file pages included", J | R, SMAPS, 7,
	  get_anonymous },
	{ "copied", "COPIED", "private copies of file pages", D | R | COLUMN_SPARE, SMAPS, 7,
	  get_copied },
	{ "tid", "TID", "thread whose stack it is", J | R, CLASS, 7, get_tid },
	{ "part", "PART OR NAME", "ELF part and file, or name", D | T, CLASS, 40, get_part },
	{ "path", "PATH", "path or name", J | T | H, 0, 40, get_path },
	{ "deleted", "DELETED", "the name is gone", J, 0, 7, get_deleted },
	{ "owner", "OWNER", "what a bss, gap or guard belongs to", J | T, CLASS, 20, get_owner },
	{ "elf", "ELF", "ELF file, segment and sections", J | T, CLASS, 40, get_elf },
	{ "reason", "REASON", "the rule that gave the class", J | V | COLUMN_PROSE, CLASS, 50,
	  get_reason },
	{ "flags", "FLAGS", "VmFlags", J | V | COLUMN_PROSE, SMAPS, 20, get_flags },
	{ "flag_words", "FLAGS", "VmFlags spelled out", T, SMAPS, 60, get_flag_words },
	{ "smaps", "SMAPS", "every other smaps counter", J | T, SMAPS, 60, get_smaps },
	{ "pss_dirty", "PSSDIRTY", "dirty part of PSS", R, SMAPS, 8, get_pss_dirty },
	{ "shared_clean", "SHCLEAN", "clean, mapped more than once", R, SMAPS, 7,
	  get_shared_clean },
	{ "shared_dirty", "SHDIRTY", "dirty, mapped more than once", R, SMAPS, 7,
	  get_shared_dirty },
	{ "private_clean", "PRCLEAN", "clean, mapped once", R, SMAPS, 7, get_private_clean },
	{ "private_dirty", "PRDIRTY", "dirty, mapped once", R, SMAPS, 7, get_private_dirty },
	{ "referenced", "REFD", "referenced", R, SMAPS, 7, get_referenced },
	{ "ksm", "KSM", "merged by KSM", R, SMAPS, 7, get_ksm },
	{ "lazy_free", "LAZYFREE", "may be dropped (MADV_FREE)", R, SMAPS, 8, get_lazy_free },
	{ "anon_huge", "ANONHUGE", "anonymous, huge page mapped", R, SMAPS, 8, get_anon_huge },
	{ "shmem_pmd", "SHMEMPMD", "shared memory, huge page mapped", R, SMAPS, 8,
	  get_shmem_pmd },
	{ "file_pmd", "FILEPMD", "file, huge page mapped", R, SMAPS, 7, get_file_pmd },
	{ "shared_hugetlb", "SHHUGE", "hugetlb, shared", R, SMAPS, 7, get_shared_hugetlb },
	{ "private_hugetlb", "PRHUGE", "hugetlb, private", R, SMAPS, 7, get_private_hugetlb },
	{ "swap_pss", "SWAPPSS", "swap divided by the users of the slot", R, SMAPS, 7,
	  get_swap_pss },
	{ "locked", "LOCKED", "locked in memory", R, SMAPS, 7, get_locked },
	{ "kernel_page", "KPAGE", "page size of the kernel", R, SMAPS, 5, get_kernel_page },
	{ "mmu_page", "MMUPAGE", "page size of the MMU", R, SMAPS, 7, get_mmu_page },
	{ "thp_eligible", "THP", "may get huge pages", R, SMAPS, 3, get_thp_eligible },
	{ "pkey", "PKEY", "protection key", R, SMAPS, 4, get_pkey },
	{ "numa_policy", "POLICY", "NUMA policy", 0, NUMA, 8, get_numa_policy },
	{ "numa", "NODES", "pages per NUMA node", 0, NUMA, 16, get_numa },
	{ NULL }
};
