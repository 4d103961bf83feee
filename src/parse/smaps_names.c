// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vmatlas/parse/smaps.h"

const struct name smaps_key_names[] = {
	[SMAPS_SIZE] = { SMAPS_SIZE, "Size", "address range" },
	[SMAPS_KERNEL_PAGE_SIZE] = { SMAPS_KERNEL_PAGE_SIZE, "KernelPageSize", "page size of the VMA" },
	[SMAPS_MMU_PAGE_SIZE] = { SMAPS_MMU_PAGE_SIZE, "MMUPageSize", "page size of the hardware" },
	[SMAPS_RSS] = { SMAPS_RSS, "Rss", "present pages" },
	[SMAPS_PSS] = { SMAPS_PSS, "Pss", "present pages, each divided by its mappings" },
	[SMAPS_PSS_DIRTY] = { SMAPS_PSS_DIRTY, "Pss_Dirty", "dirty part of Pss" },
	[SMAPS_PSS_ANON] = { SMAPS_PSS_ANON, "Pss_Anon", "anonymous part of Pss" },
	[SMAPS_PSS_FILE] = { SMAPS_PSS_FILE, "Pss_File", "file part of Pss" },
	[SMAPS_PSS_SHMEM] = { SMAPS_PSS_SHMEM, "Pss_Shmem", "shmem part of Pss" },
	[SMAPS_SHARED_CLEAN] = { SMAPS_SHARED_CLEAN, "Shared_Clean", "clean, mapped more than once" },
	[SMAPS_SHARED_DIRTY] = { SMAPS_SHARED_DIRTY, "Shared_Dirty", "dirty, mapped more than once" },
	[SMAPS_PRIVATE_CLEAN] = { SMAPS_PRIVATE_CLEAN, "Private_Clean", "clean, mapped once" },
	[SMAPS_PRIVATE_DIRTY] = { SMAPS_PRIVATE_DIRTY, "Private_Dirty", "dirty, mapped once" },
	[SMAPS_REFERENCED] = { SMAPS_REFERENCED, "Referenced", "accessed recently" },
	[SMAPS_ANONYMOUS] = { SMAPS_ANONYMOUS, "Anonymous", "anonymous, copies of file pages too" },
	[SMAPS_KSM] = { SMAPS_KSM, "KSM", "merged by KSM" },
	[SMAPS_LAZY_FREE] = { SMAPS_LAZY_FREE, "LazyFree", "to be freed when memory is short" },
	[SMAPS_ANON_HUGE_PAGES] = { SMAPS_ANON_HUGE_PAGES, "AnonHugePages",
				    "anonymous, mapped by a PMD" },
	[SMAPS_SHMEM_PMD_MAPPED] = { SMAPS_SHMEM_PMD_MAPPED, "ShmemPmdMapped",
				     "shmem, mapped by a PMD" },
	[SMAPS_FILE_PMD_MAPPED] = { SMAPS_FILE_PMD_MAPPED, "FilePmdMapped",
				    "file pages, mapped by a PMD" },
	[SMAPS_SHARED_HUGETLB] = { SMAPS_SHARED_HUGETLB, "Shared_Hugetlb",
				   "hugetlb, perhaps mapped more than once; not in Rss" },
	[SMAPS_PRIVATE_HUGETLB] = { SMAPS_PRIVATE_HUGETLB, "Private_Hugetlb",
				    "hugetlb, mapped once; not in Rss" },
	[SMAPS_SWAP] = { SMAPS_SWAP, "Swap", "swapped" },
	[SMAPS_SWAP_PSS] = { SMAPS_SWAP_PSS, "SwapPss", "swapped, each divided by its users" },
	[SMAPS_LOCKED] = { SMAPS_LOCKED, "Locked", "Pss of a locked VMA" },
	[SMAPS_THP_ELIGIBLE] = { SMAPS_THP_ELIGIBLE, "THPeligible", "1 if huge pages may be used" },
	[SMAPS_PROTECTION_KEY] = { SMAPS_PROTECTION_KEY, "ProtectionKey", "number of the key" },
	[SMAPS_KEY_MAX] = { 0, NULL, NULL }
};

bool smaps_key_is_size(enum smaps_key key)
{
	return key != SMAPS_THP_ELIGIBLE && key != SMAPS_PROTECTION_KEY;
}
